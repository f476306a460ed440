"""Whether a system is as sure as it is right: what it says of itself against how often that is so.

- An item is one answer with its probability: a label, an option, a text, or one predicted entity.
- Items are sorted by probability and cut into ten parts of the same size. The calibration error is the mean
  distance between probability and share of right answers over these parts (ECE with bins of equal mass).
- The Brier score is the mean squared distance of single answers.
- If the least sure answers are left to people, how right are the others? That is the last table.
- Systems that give no probabilities say nothing here; of several trainings the first is looked at.
"""

from collections.abc import Callable, Mapping
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhbert.score.answers import judge_answer
from zhbert.score.interval import Interval
from zhbert.score.judge import Judged, answer_text
from zhbert.score.sheet import Calibration, Sureness

PARTS = 10
FEWEST = 50  # items that can be cut into parts
KEPT = (1.0, 0.9, 0.75, 0.5, 0.25)
_Z = 1.959963984540054  # of the normal distribution, 95 %
Items = list[tuple[float, bool]]
Array = NDArray[np.float64]


def calibrations(systems: Mapping[str, Judged]) -> tuple[Calibration, ...]:
    """Return how sure and how right the systems are, those that give probabilities."""
    found = (
        (name, _ITEMS.get((judged.task, judged.rules.way), _none)(judged)) for name, judged in systems.items()
    )
    return tuple(calibration(name, items) for name, items in found if len(items) >= FEWEST)


def calibration(system: str, items: Items) -> Calibration:
    """Return what probabilities are worth.

    >>> sure = calibration("甲", [(0.9, i % 10 < 9) for i in range(100)])
    >>> round(sure.error, 3), round(sure.brier, 3), sure.kept[0]
    (0.0, 0.09, (1.0, 0.9))
    """
    said_N = np.array([said for said, _ in items])
    right_N = np.array([float(right) for _, right in items])
    order = np.argsort(said_N, kind="stable")
    if len(np.unique(said_N)) == 1:  # no answer is surer than another: one part
        parts = [order]
    else:
        parts = [part for part in np.array_split(order, PARTS) if len(part)]
    bins = tuple(_sureness(said_N[part], right_N[part]) for part in parts)
    surest = right_N[order[::-1]]
    return Calibration(
        system=system,
        n=len(items),
        error=sum(b.n * abs(b.said - b.right.value) for b in bins) / len(items),
        brier=float(np.mean((said_N - right_N) ** 2)),
        bins=bins,
        kept=tuple((share, float(surest[: max(1, round(share * len(items)))].mean())) for share in KEPT),
    )


def _sureness(said: Array, right: Array) -> Sureness:
    return Sureness(n=len(said), said=float(said.mean()), right=wilson(int(right.sum()), len(right)))


def wilson(right: int, n: int) -> Interval:
    """Return a share with its 95 % interval by Wilson.

    >>> wilson(0, 10).low, round(wilson(0, 10).high, 3)
    (0.0, 0.278)
    """
    share, z2 = right / n, _Z**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def _pairs(judged: Judged) -> list[tuple[Any, Any]]:
    return list(zip(judged.gold, judged.predictions, strict=True))


def _labels(judged: Judged) -> Items:
    return [
        (p.scores[p.labels[0]], p.labels[0] == g.labels[0])
        for g, p in _pairs(judged)
        if p.labels[0] in p.scores
    ]


def _relations(judged: Judged) -> Items:
    return [(p.scores[p.label], p.label == g.label) for g, p in _pairs(judged) if p.label in p.scores]


def _options(judged: Judged) -> Items:
    return [(p.scores[p.answer], p.answer == g.answer) for g, p in _pairs(judged) if p.scores]


def _entities(judged: Judged) -> Items:
    return [
        (score, span in set(g.entities))
        for g, p in _pairs(judged)
        for span, score in zip(p.entities, p.scores, strict=True)
    ]


def _answers(judged: Judged) -> Items:
    return [
        (p.score if p.answer else p.null_score, bool(judge_answer(g.texts, answer_text(g.context, p))[0]))
        for g, p in _pairs(judged)
    ]


def _none(_: Judged) -> Items:
    return []


_ITEMS: dict[tuple[str, str], Callable[[Judged], Items]] = {
    ("classify", "one"): _labels,
    ("pair", "one"): _relations,
    ("choice", ""): _options,
    ("ner", ""): _entities,
    ("segment", ""): _entities,
    ("reading", ""): _answers,
}
