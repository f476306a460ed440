"""`baseline`: what trivial keyword rules make of a task, so that a model's score has something to beat.

Labels come from a naive Bayes over characters and pairs of characters, entities from looking up
the surfaces seen in training (longest first), answers from the sentence of the context that
shares most with the question. No network is trained and nothing is random.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from pydantic import Field

from zhbert.config import Config, Input
from zhbert.corpus.card import TaskName
from zhbert.errors import ConfigError, nearest
from zhbert.files import Work
from zhbert.progress import SILENT, Progress
from zhbert.read.examples import read_examples
from zhbert.records import (
    EntityExample,
    EntityPrediction,
    Example,
    LabelExample,
    LabelPrediction,
    PairExample,
    PairPrediction,
    Prediction,
    ReadingExample,
    ReadingPrediction,
    Span,
    to_json,
)
from zhbert.text.sentences import sentences

Rule = Callable[[Any], Prediction]


class BaselineConfig(Config):
    """What to learn keywords from, and what to answer."""

    task: TaskName = Field(description="what kind of task it is")
    train: Input = Field(description="examples to take keywords from")
    source: Input = Field(description="examples to answer")


def baseline(config: BaselineConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write predictions.jsonl."""
    if config.task not in RULES:
        raise ConfigError(f"there is no baseline for {config.task}", remedy=nearest(config.task, RULES))
    rule = RULES[config.task](read_examples(config.train, config.task))
    examples = read_examples(config.source, config.task)
    with (
        (work.folder / "predictions.jsonl").open("w", encoding="utf-8") as handle,
        progress.bar("answer", total=len(examples), unit="examples") as bar,
    ):
        for example in examples:
            handle.write(to_json(rule(example)) + "\n")
            bar.advance(1)
    work.counts |= {"records": len(examples)}


class NaiveBayes:
    """Labels by the characters and pairs of characters that they came with.

    >>> bayes = NaiveBayes([("主队赢球", "体育"), ("股价下跌", "财经")])
    >>> max(bayes.weigh("客队赢了").items(), key=lambda item: item[1])[0]
    '体育'
    """

    def __init__(self, labelled: Sequence[tuple[str, str]]) -> None:
        self.labels = Counter(label for _, label in labelled)
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        for text, label in labelled:
            self.counts[label].update(pieces(text))
        self.known = len({piece for counts in self.counts.values() for piece in counts}) or 1
        self.totals = {label: counts.total() + self.known for label, counts in self.counts.items()}

    def weigh(self, text: str) -> dict[str, float]:
        """Return the probability of every label."""
        found = list(pieces(text))
        logs = {
            label: math.log(prior)
            + sum(math.log((self.counts[label][p] + 1) / self.totals[label]) for p in found)
            for label, prior in self.labels.items()
        }
        top = max(logs.values())
        weights = {label: math.exp(value - top) for label, value in logs.items()}
        return {label: round(weight / sum(weights.values()), 6) for label, weight in weights.items()}


def pieces(text: str) -> Iterator[str]:
    """Yield the characters and the pairs of neighbours of a text."""
    yield from text
    yield from (text[i : i + 2] for i in range(len(text) - 1))


def _classify(train: list[Example]) -> Rule:
    bayes = NaiveBayes([(e.text, e.labels[0]) for e in cast("list[LabelExample]", train) if e.labels])

    def answer(example: LabelExample) -> Prediction:
        scores = bayes.weigh(example.text)
        return LabelPrediction(id=example.id, labels=(max(scores, key=scores.__getitem__),), scores=scores)

    return answer


def _pair(train: list[Example]) -> Rule:
    pairs = cast("list[PairExample]", train)
    bayes = NaiveBayes([(difference(e.first, e.second), e.label) for e in pairs if e.label])

    def answer(example: PairExample) -> Prediction:
        scores = bayes.weigh(difference(example.first, example.second))
        return PairPrediction(id=example.id, label=max(scores, key=scores.__getitem__), scores=scores)

    return answer


def difference(first: str, second: str) -> str:
    """Return the characters that only one of two texts has.

    >>> difference("北京下雨", "北京下雪")
    '雨雪'
    """
    return "".join(sorted(set(first) ^ set(second)))


def _ner(train: list[Example]) -> Rule:
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for example in cast("list[EntityExample]", train):
        for span in example.entities:
            seen[example.text[span.start : span.end]][span.label] += 1
    longest = max(map(len, seen), default=0)

    def answer(example: EntityExample) -> Prediction:
        found = [
            Span.of(example.text, a, b, seen[example.text[a:b]].most_common(1)[0][0])
            for a, b in look_up(example.text)
        ]
        return EntityPrediction(id=example.id, entities=tuple(found), scores=(1.0,) * len(found))

    def look_up(text: str) -> Iterator[tuple[int, int]]:
        start = 0
        while start < len(text):
            ends = range(min(len(text), start + longest), start, -1)
            end = next((end for end in ends if text[start:end] in seen), 0)
            if end:
                yield start, end
            start = end or start + 1

    return answer


def _reading(train: list[Example]) -> Rule:
    def answer(example: ReadingExample) -> Prediction:
        asked = set(pieces(example.question))
        ranges = sentences(example.context)
        shared = [len(asked & set(pieces(example.context[a:b]))) for a, b in ranges]
        best = max(range(len(ranges)), key=shared.__getitem__, default=None)
        span = Span.of(example.context, *ranges[best]) if best is not None else None
        return ReadingPrediction(id=example.id, answer=span, score=1.0, null_score=0.0)

    return answer


RULES: dict[str, Callable[[list[Example]], Rule]] = {
    "classify": _classify,
    "pair": _pair,
    "ner": _ner,
    "reading": _reading,
}
