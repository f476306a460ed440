"""Whether a system is as sure as it is right: what it says of itself against how often that is so.

- An item is one answer with its probability: a label (of several, each yes or no), an option, a text, or one
  predicted entity.
- Items are sorted by probability and cut into ten parts of the same size; equally sure ones stay together.
  The calibration error is the mean distance between probability and share of right answers over these parts
  (ECE with bins of equal mass).
- The Brier score is the mean squared distance of single answers.
- If the least sure answers are left to people, how right are the others? That is the curve over the share
  that is kept. AURC, the area under the curve of the wrong ones, is their mean share, whatever share is kept.
  Among equally sure answers any could go first, so each counts as their mean.
- A temperature is chosen on dev, when a model is taught; here nothing is chosen. Predictions of a model that
  has one tell what its probabilities were without.
- Systems that give no probabilities say nothing here; of several trainings the first is looked at.

Shapes: N items, U different probabilities, P points of a curve.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhbert.score.answers import judge_answer
from zhbert.score.interval import Interval
from zhbert.score.judge import Judged, answer_text
from zhbert.score.sheet import Calibration, Sureness, Untempered

PARTS = 10
FEWEST = 50  # items that can be cut into parts
KEPT = (1.0, 0.9, 0.75, 0.5, 0.25)
POINTS = 100  # of a curve
_Z = 1.959963984540054  # of the normal distribution, 95 %
Items = Sequence[tuple[float, bool]]
Found = Iterator[tuple[float, bool, float | None]]  # the last one without the temperature
Array = NDArray[np.float64]


def calibrations(systems: Mapping[str, Judged]) -> tuple[Calibration, ...]:
    """Return how sure and how right the systems are, those that give probabilities."""
    rows = {name: list(_ITEMS.get((j.task, j.rules.way), _none)(j)) for name, j in systems.items()}
    return tuple(
        calibration(
            name,
            [(said, right) for said, right, _ in found],
            raw=[raw for *_, raw in found if raw is not None],
        )
        for name, found in rows.items()
        if len(found) >= FEWEST and all(0 <= said <= 1 for said, *_ in found)
    )


def calibration(system: str, items: Items, *, raw: Sequence[float] = ()) -> Calibration:
    """Return what probabilities are worth; `raw` are those without the temperature, if all items have them.

    >>> sure = calibration("甲", [(0.9, i % 10 < 9) for i in range(100)], raw=[0.99] * 100)
    >>> round(sure.error, 3), round(sure.brier, 3), sure.kept[0], round(sure.aurc, 3)
    (0.0, 0.09, (1.0, 0.9), 0.1)
    >>> round(sure.before.error, 3)
    0.09
    """
    said_N, right_N = np.array([said for said, _ in items]), np.array([float(right) for _, right in items])
    error, brier, bins = _reliability(said_N, right_N)
    shares_N = kept_right(said_N, right_N)
    n = len(items)
    return Calibration(
        system=system,
        n=n,
        error=error,
        brier=brier,
        bins=bins,
        kept=tuple((share, float(shares_N[max(1, round(share * n)) - 1])) for share in KEPT),
        curve=_thinned(shares_N),
        aurc=float(np.mean(1 - shares_N)),
        before=_untempered(np.array(raw), right_N) if len(raw) == n else None,
    )


def _untempered(said_N: Array, right_N: Array) -> Untempered:
    error, brier, bins = _reliability(said_N, right_N)
    return Untempered(error=error, brier=brier, bins=bins)


def _reliability(said_N: Array, right_N: Array) -> tuple[float, float, tuple[Sureness, ...]]:
    """Return calibration error, Brier score, and the parts."""
    _, place_N, size_U = np.unique(said_N, return_inverse=True, return_counts=True)
    middle_U = np.cumsum(size_U) - size_U / 2
    part_N = np.floor(PARTS * middle_U / len(said_N)).astype(int)[place_N]
    bins = tuple(_sureness(said_N[part_N == i], right_N[part_N == i]) for i in np.unique(part_N))
    error = sum(b.n * abs(b.said - b.right.value) for b in bins) / len(said_N)
    return error, float(np.mean((said_N - right_N) ** 2)), bins


def kept_right(said_N: Array, right_N: Array) -> Array:
    """Return how many are right, as a share, of the surest answer, the two surest, and so on.

    >>> kept_right(np.array([0.9, 0.6, 0.6]), np.array([1.0, 0.0, 1.0])).round(3).tolist()
    [1.0, 0.75, 0.667]
    """
    _, place_N, size_U = np.unique(-said_N, return_inverse=True, return_counts=True)
    right_U, before_U = np.bincount(place_N, weights=right_N), np.cumsum(size_U) - size_U
    place_N, kept_N = np.sort(place_N), np.arange(1, len(said_N) + 1)
    among_N = right_U[place_N] * (kept_N - before_U[place_N]) / size_U[place_N]
    return np.asarray(((np.cumsum(right_U) - right_U)[place_N] + among_N) / kept_N)


def _thinned(shares_N: Array) -> tuple[tuple[float, float], ...]:
    """Return at most POINTS points (share that is kept, share of right ones), evenly over the shares."""
    n = len(shares_N)
    counts_P = np.unique(np.ceil(np.linspace(0, n, min(n, POINTS) + 1)[1:]).astype(int))
    return tuple((int(count) / n, float(shares_N[count - 1])) for count in counts_P)


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


def _labels(judged: Judged) -> Found:
    for g, p in _pairs(judged):
        if p.labels and p.labels[0] in p.scores:
            yield p.scores[p.labels[0]], p.labels[:1] == g.labels[:1], _raw(p).get(p.labels[0])


def _several(judged: Judged) -> Found:
    """Yield the yes or no to every label of every text, and how sure it is."""
    for g, p in _pairs(judged):
        raw = _raw(p)
        for label, score in p.scores.items():
            yes, plain = label in p.labels, raw.get(label)
            if not yes and plain is not None:
                plain = 1 - plain
            yield score if yes else 1 - score, yes == (label in g.labels), plain


def _relations(judged: Judged) -> Found:
    for g, p in _pairs(judged):
        if p.label in p.scores:
            yield p.scores[p.label], p.label == g.label, _raw(p).get(p.label)


def _raw(prediction: Any) -> Mapping[str, float]:
    """Return the probabilities of labels without the temperature; nothing where there is none."""
    return dict(zip(prediction.scores, prediction.raw, strict=False))


def _options(judged: Judged) -> Found:
    for g, p in _pairs(judged):
        if p.scores:
            yield p.scores[p.answer], p.answer == g.answer, _at(p.raw, p.answer)


def _entities(judged: Judged) -> Found:
    for g, p in _pairs(judged):
        right = set(g.entities)
        for place, (span, score) in enumerate(zip(p.entities, p.scores, strict=True)):
            yield score, span in right, _at(p.raw, place)


def _answers(judged: Judged) -> Found:
    for g, p in _pairs(judged):
        right = bool(judge_answer(g.texts, answer_text(g.context, p))[0])
        yield p.score if p.answer else p.null_score, right, _at(p.raw, int(not p.answer))


def _at(raw: Sequence[float], place: int) -> float | None:
    return raw[place] if place < len(raw) else None


def _none(_: Judged) -> Found:
    yield from ()


_ITEMS: dict[tuple[str, str], Callable[[Judged], Found]] = {
    ("classify", "one"): _labels,
    ("classify", "several"): _several,
    ("pair", "one"): _relations,
    ("choice", ""): _options,
    ("ner", ""): _entities,
    ("segment", ""): _entities,
    ("reading", ""): _answers,
}
