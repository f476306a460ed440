"""Test sets of every task, as large as one likes, of random Chinese text that is as long as texts are."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from zhbert.records import (
    ChoiceExample,
    ChoicePrediction,
    EntityExample,
    EntityPrediction,
    LabelExample,
    LabelPrediction,
    PairExample,
    PairPrediction,
    ReadingExample,
    ReadingPrediction,
    Span,
)
from zhbert.score.report import SectionInput

TYPES = ("人名", "地点", "机构", "公司", "书名", "游戏", "职位", "电影", "景点", "政府")
TOPICS = tuple(f"题材{i}" for i in range(119))
RELATIONS = ("蕴含", "中立", "矛盾")
MARKS = "，。，。；！？、：“”%a1"


def text_of(rng: np.random.Generator, size: int) -> str:
    """Return characters of which few are frequent and many are rare, with a mark after about eight."""
    codes = 0x4E00 + np.minimum(rng.exponential(900, size), 20000).astype(np.uint32)
    marks = np.frombuffer(MARKS.encode("utf-32-le"), dtype=np.uint32)
    codes = np.where(rng.random(size) < 0.12, marks[rng.integers(len(marks), size=size)], codes)
    return codes.astype("<u4").tobytes().decode("utf-32-le")


def texts(rng: np.random.Generator, n: int, mean: float, *, least: int = 12) -> Iterator[str]:
    sizes = least + np.minimum(rng.exponential(mean, n), 20 * mean).astype(int)
    whole = text_of(rng, int(sizes.sum()))
    ends = np.cumsum(sizes)
    yield from (whole[end - size : end] for end, size in zip(ends.tolist(), sizes.tolist(), strict=True))


def _spans(text: str, rng: np.random.Generator, labels: tuple[str, ...]) -> list[Span]:
    starts = np.cumsum(rng.integers(5, 16, size=len(text) // 10 + 1))
    sizes = rng.integers(2, 6, size=len(starts)).tolist()
    kinds = rng.integers(len(labels), size=len(starts)).tolist()
    pairs = zip(starts.tolist(), sizes, kinds, strict=True)
    return [Span.of(text, a, a + n, labels[k]) for a, n, k in pairs if a + n <= len(text)]


def _words(text: str, rng: np.random.Generator) -> list[Span]:
    edges = [0, *np.cumsum(rng.integers(1, 4, size=len(text))).tolist()]
    edges = [*(edge for edge in edges if edge < len(text)), len(text)]
    return [Span.of(text, a, b) for a, b in pairwise(edges)]


def _damaged(example: EntityExample, rng: np.random.Generator, rate: float) -> EntityPrediction:
    fates = rng.random(len(example.entities)) / rate
    found = []
    for span, fate in zip(example.entities, fates.tolist(), strict=True):
        end = min(len(example.text), span.end + 1) if 0.3 < fate < 0.6 else span.end
        label = "机构" if 0.5 < fate < 1 and span.label else span.label
        if fate > 0.3:
            found.append(Span.of(example.text, span.start, end, label))
    scores = np.round(1 - rng.random(len(found)) ** 2 / 2, 4)
    return EntityPrediction(id=example.id, entities=tuple(found), scores=tuple(scores.tolist()))


def entities(n: int, rng: np.random.Generator) -> Iterator[tuple[Any, Any]]:
    for i, text in enumerate(texts(rng, n, 38)):
        gold = EntityExample(id=f"test-{i:06}", text=text, entities=tuple(_spans(text, rng, TYPES)))
        yield gold, _damaged(gold, rng, 0.3)


def words(n: int, rng: np.random.Generator) -> Iterator[tuple[Any, Any]]:
    for i, text in enumerate(texts(rng, n, 38)):
        gold = EntityExample(id=f"test-{i:06}", text=text, entities=tuple(_words(text, rng)))
        yield (
            gold,
            EntityPrediction(
                id=gold.id, entities=(said := tuple(_words(text, rng))), scores=(0.9,) * len(said)
            ),
        )


def topics(n: int, rng: np.random.Generator) -> Iterator[tuple[Any, Any]]:
    for i, text in enumerate(texts(rng, n, 280)):
        gold = TOPICS[min(118, int(rng.exponential(30)))]
        said = gold if rng.random() < 0.6 else TOPICS[rng.integers(119)]
        sure = round(float(1 - rng.random() ** 2 * 0.8), 4)
        yield (
            LabelExample(id=f"test-{i:06}", text=text, labels=(gold,)),
            LabelPrediction(id=f"test-{i:06}", labels=(said,), scores={said: sure}),
        )


def pairs(n: int, rng: np.random.Generator) -> Iterator[tuple[Any, Any]]:
    for i, (a, b) in enumerate(zip(texts(rng, n, 14), texts(rng, n, 10), strict=True)):
        gold, said = RELATIONS[rng.integers(3)], RELATIONS[rng.integers(3)]
        scores = {said: round(0.4 + 0.6 * float(rng.random()), 4)}
        yield (
            PairExample(id=f"test-{i:06}", first=a, second=b, label=gold),
            PairPrediction(id=f"test-{i:06}", label=said, scores=scores),
        )


def questions(n: int, rng: np.random.Generator) -> Iterator[tuple[Any, Any]]:
    for i, text in enumerate(texts(rng, n, 200, least=300)):
        a, b = (int(x) for x in rng.integers(0, len(text) - 12, size=2))
        answer, other = Span.of(text, a, a + 3 + i % 9), Span.of(text, b, b + 5)
        said = answer if rng.random() < 0.6 else other
        yield (
            ReadingExample(
                id=f"test-{i:06}", context=text, question=f"{text[9:20]}是谁？", answers=(answer,)
            ),
            ReadingPrediction(
                id=f"test-{i:06}", answer=said, score=round(float(rng.random()), 4), null_score=0.0
            ),
        )


def options(n: int, rng: np.random.Generator) -> Iterator[tuple[Any, Any]]:
    for i, text in enumerate(texts(rng, n, 150)):
        found = tuple(text_of(rng, 8) for _ in range(4))
        scores = (0.4, 0.3, 0.2, 0.1)
        yield (
            ChoiceExample(
                id=f"test-{i:06}", context=text, question="作者为什么这样写？", options=found, answer=i % 4
            ),
            ChoicePrediction(id=f"test-{i:06}", answer=int(rng.integers(4)), scores=scores),
        )


Made = Callable[[int, np.random.Generator], Iterator[tuple[Any, Any]]]
TASKS: dict[str, Made] = {
    "classify": topics,
    "pair": pairs,
    "ner": entities,
    "segment": words,
    "reading": questions,
    "choice": options,
}


def large_section(task: str, n: int, *, seed: int = 5, systems: int = 2) -> SectionInput:
    """Return a section on so many examples; the second system answers worse than the first."""
    rng = np.random.default_rng(seed)
    gold, first = zip(*TASKS[task](n, rng), strict=True)
    said = {"pretrained": list(first)}
    if systems > 1:
        said["random"] = [_worse(one, other) for one, other in zip(first, first[1:] + first[:1], strict=True)]
    return SectionInput(name=f"{task} {n}", task=task, gold=gold, train=gold[: n // 2], systems=said)


def _worse(one: Any, other: Any) -> Any:
    """Return an answer with what does not depend on the text taken from another."""
    if isinstance(one, LabelPrediction):
        return LabelPrediction(id=one.id, labels=other.labels, scores=other.scores)
    if isinstance(one, EntityPrediction):
        return EntityPrediction(id=one.id, entities=one.entities[1:], scores=one.scores[1:])
    return one


def labelled(labels: list[str]) -> SectionInput:
    """Return a section with one example of each label, and answers that are right."""
    gold = [
        LabelExample(id=str(i), text="字" * (i % 9 + 1), labels=(label,)) for i, label in enumerate(labels)
    ]
    said = [LabelPrediction(id=g.id, labels=g.labels, scores={g.labels[0]: 0.9}) for g in gold]
    return SectionInput(name="多", task="classify", gold=gold, systems={"甲": said})
