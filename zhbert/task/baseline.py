"""`baseline`: what trivial keyword rules make of a task, so that a model's score has something to beat.

Labels come from a naive Bayes over characters and pairs of characters, entities and words from looking
up the surfaces seen in training (longest first), answers from the sentence of the context that
shares most with the question, options by how much of them stands in the context. How alike two texts
are is learnt from the characters that they share. No network is trained and nothing is random.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np
from pydantic import Field

from zhbert.config import Config, Input
from zhbert.files import Work
from zhbert.progress import SILENT, Progress
from zhbert.read.card import TaskName
from zhbert.read.examples import read_examples
from zhbert.records import (
    ChoiceExample,
    ChoicePrediction,
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
    rule = RULES[config.task](read_examples(config.train, config.task))
    examples = read_examples(config.source, config.task)
    with (
        (work.folder / "predictions.jsonl").open("w", encoding="utf-8") as handle,
        progress.bar("answer", total=len(examples), unit="examples") as bar,
    ):
        for example in examples:
            handle.write(to_json(rule(example)) + "\n")
            bar.advance(1)
    work.counts |= {"source": config.source.as_posix(), "records": len(examples)}


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
    texts = cast("list[LabelExample]", train)
    if values := [e.value for e in texts if e.value is not None]:
        mean = sum(values) / len(values)
        return lambda example: LabelPrediction(id=example.id, labels=(), scores={}, value=mean)
    if any(len(e.labels) > 1 for e in texts):
        return _several(texts)
    bayes = NaiveBayes([(e.text, e.labels[0]) for e in texts if e.labels])

    def answer(example: LabelExample) -> Prediction:
        scores = bayes.weigh(example.text)
        return LabelPrediction(id=example.id, labels=(max(scores, key=scores.__getitem__),), scores=scores)

    return answer


def _several(texts: list[LabelExample]) -> Rule:
    """Ask of every label by itself whether it applies."""
    labels = sorted({label for e in texts for label in e.labels})
    rules = {x: NaiveBayes([(e.text, str(x in e.labels)) for e in texts]) for x in labels}

    def answer(example: LabelExample) -> Prediction:
        scores = {label: bayes.weigh(example.text).get("True", 0.0) for label, bayes in rules.items()}
        found = sorted((label for label in scores if scores[label] >= 0.5), key=lambda label: -scores[label])
        return LabelPrediction(id=example.id, labels=tuple(found), scores=scores)

    return answer


def _pair(train: list[Example]) -> Rule:
    pairs = cast("list[PairExample]", train)
    if known := [(likeness(e.first, e.second), e.value) for e in pairs if e.value is not None]:
        shared, values = np.array(known).T
        slope, start = np.polyfit(shared, values, 1) if shared.std() > 0 else (0.0, values.mean())
        return lambda example: PairPrediction(
            id=example.id,
            label="",
            scores={},
            value=float(start + slope * likeness(example.first, example.second)),
        )
    bayes = NaiveBayes([(difference(e.first, e.second), e.label) for e in pairs if e.label])

    def answer(example: PairExample) -> Prediction:
        scores = bayes.weigh(difference(example.first, example.second))
        return PairPrediction(id=example.id, label=max(scores, key=scores.__getitem__), scores=scores)

    return answer


def likeness(first: str, second: str) -> float:
    """Return the share of the characters and pairs of neighbours of two texts that both have.

    >>> likeness("北京下雨", "北京下雪")
    0.5555555555555556
    """
    one, other = set(pieces(first)), set(pieces(second))
    return len(one & other) / max(1, len(one | other))


def difference(first: str, second: str) -> str:
    """Return the characters that only one of two texts has.

    >>> difference("北京下雨", "北京下雪")
    '雨雪'
    """
    return "".join(sorted(set(first) ^ set(second)))


def _ner(train: list[Example]) -> Rule:
    seen = LookUp(train)

    def answer(example: EntityExample) -> Prediction:
        found = tuple(seen.spans(example.text))
        return EntityPrediction(id=example.id, entities=found, scores=(1.0,) * len(found))

    return answer


def _segment(train: list[Example]) -> Rule:
    seen = LookUp(train)

    def answer(example: EntityExample) -> Prediction:
        known = list(seen.spans(example.text))
        covered = {place for span in known for place in range(span.start, span.end)}
        single = (
            Span.of(example.text, at, at + 1, seen.usual)
            for at, character in enumerate(example.text)
            if at not in covered and not character.isspace()
        )
        found = tuple(sorted([*known, *single]))
        return EntityPrediction(id=example.id, entities=found, scores=(1.0,) * len(found))

    return answer


class LookUp:
    """The surfaces that were seen, with the label that each had most often; `usual` is that of most spans.

    >>> text = "他在北京大学"
    >>> seen = LookUp([EntityExample(id="1", text=text, entities=(Span(2, 4, "地点"), Span(2, 6, "机构")))])
    >>> [span.label for span in seen.spans("北京，北京大学")]
    ['地点', '机构']
    """

    def __init__(self, train: list[Example]) -> None:
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for example in cast("list[EntityExample]", train):
            for span in example.entities:
                counts[example.text[span.start : span.end]][span.label] += 1
        self.labels = {surface: labels.most_common(1)[0][0] for surface, labels in counts.items()}
        self.usual = next(iter(sum(counts.values(), Counter[str]()).most_common(1)), ("", 0))[0]
        self._longest = max(map(len, counts), default=0)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the surfaces in a text, from left to right, the longest first."""
        start = 0
        while start < len(text):
            ends = range(min(len(text), start + self._longest), start, -1)
            end = next((end for end in ends if text[start:end] in self.labels), 0)
            if end:
                yield Span.of(text, start, end, self.labels[text[start:end]])
            start = end or start + 1


def _reading(train: list[Example]) -> Rule:
    def answer(example: ReadingExample) -> Prediction:
        asked = set(pieces(example.question))
        ranges = sentences(example.context)
        shared = [len(asked & set(pieces(example.context[a:b]))) for a, b in ranges]
        best = max(range(len(ranges)), key=shared.__getitem__, default=None)
        span = Span.of(example.context, *ranges[best]) if best is not None else None
        return ReadingPrediction(id=example.id, answer=span, score=1.0, null_score=0.0)

    return answer


def _choice(train: list[Example]) -> Rule:
    def answer(example: ChoiceExample) -> Prediction:
        context = set(pieces(example.context))
        shared = [len(context & set(pieces(o))) / max(1, len(set(pieces(o)))) for o in example.options]
        best = max(range(len(shared)), key=shared.__getitem__)
        scores = tuple(round(x / (sum(shared) or 1), 6) for x in shared)
        return ChoicePrediction(id=example.id, answer=best, scores=scores)

    return answer


RULES: dict[str, Callable[[list[Example]], Rule]] = {
    "classify": _classify,
    "pair": _pair,
    "ner": _ner,
    "segment": _segment,
    "reading": _reading,
    "choice": _choice,
}
