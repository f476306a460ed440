"""How sure a figure is: percentile bootstrap, and a paired test of two systems.

- Units are examples, or whole groups (the questions on one passage) where the counts name them.
- A draw is a row of multinomial weights; all draws are one matrix product `weights @ units`.
- Equal rows are merged first: drawing n units of which m are distinct is the same multinomial
  over the m with their multiplicities, exactly. 10,000 sentences have some 50 distinct (tp, fp,
  fn), so 10,000 draws cost milliseconds. Rows that occur a few times only are drawn one by one.
- Of many labels an example has one or two: such tables are multiplied as sparse ones.
- Two systems are drawn with the same weights (their tables side by side). The p value is that
  of approximate randomisation: swap the two systems' outputs unit by unit, p = (k+1)/(R+1).
- A system may be several trainings. Its figure is the mean of theirs, in every draw too, and all of
  them are drawn with the same weights: the interval is about other examples, not other trainings. A
  swap moves all trainings of a unit at once, every one of a system against every one of the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhbert.errors import DataError
from zhbert.score.counts import Array, Counts, Metric, some

DRAWS = 10_000
_CELLS = 2_000_000  # weights held at once: 16 MB
_MERGE = 40  # a binomial costs as much as 40 row numbers: a row that occurs more often gets one
_WIDE, _FILLED = 60, 0.05  # columns, and the share that is not zero: beyond and below, a table is sparse


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and where it would lie in 95 of 100 samples like this one."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """First minus second, its 95 % interval, and how often chance alone gives as much."""

    value: float
    low: float
    high: float
    p: float


Trainings = Counts | Sequence[Counts]  # of one system, on the same examples
Figure = Callable[[Array], Array]  # of sums, one row a draw
Weights = NDArray[np.integer[Any]]


def interval(counts: Trainings, metric: Metric, *, rng: np.random.Generator, draws: int = DRAWS) -> Interval:
    """Return a metric with its 95 % percentile bootstrap interval.

    >>> from zhbert.score.counts import ratio
    >>> accuracy = Metric("accuracy", ("correct", "n"), ratio)
    >>> table = np.array([[1.0, 1.0]] * 80 + [[1.0, 0.0]] * 20)
    >>> counts = Counts(("n", "correct"), table, tuple(map(str, range(100))))
    >>> interval(counts, accuracy, rng=np.random.default_rng(7))
    Interval(value=0.8, low=0.72, high=0.88)
    """
    names, (units,) = _beside(metric, counts)
    many = len(_each(counts))
    drawn = resample(units, rng=rng, draws=draws, of=lambda sums: _mean(metric, names, sums, many))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(mean_of(counts, metric), float(low), float(high))


def paired(
    first: Trainings, second: Trainings, metric: Metric, *, rng: np.random.Generator, draws: int = DRAWS
) -> Difference:
    """Return first minus second with its paired interval and randomisation p value."""
    names, (a, b) = _beside(metric, first, second)
    many, others, own = len(_each(first)), len(_each(second)), a.shape[1]

    def change(sums: Array) -> Array:
        return _mean(metric, names, sums[:, :own], many) - _mean(metric, names, sums[:, own:], others)

    drawn = resample(np.hstack([a, b]), rng=rng, draws=draws, of=change)
    low, high = np.percentile(drawn, [2.5, 97.5])
    value = mean_of(first, metric) - mean_of(second, metric)
    chance = _swapped(metric, names, np.split(a, many, axis=1), np.split(b, others, axis=1), rng, draws)
    as_much = int((np.abs(chance) >= abs(value) - 1e-12).sum())
    return Difference(value, float(low), float(high), (as_much + 1) / (draws + 1))


def mean_of(counts: Trainings, metric: Metric) -> float:
    """Return the mean of a metric over the trainings of a system."""
    return float(np.mean([metric(one) for one in _each(counts)]))


def _each(counts: Trainings) -> Sequence[Counts]:
    return (counts,) if isinstance(counts, Counts) else counts


def _beside(metric: Metric, *systems: Trainings) -> tuple[tuple[str, ...], list[Array]]:
    """Return the columns that a metric needs, and per system its units, training beside training."""
    every = [one for counts in systems for one in _each(counts)]
    for other in every[1:]:
        check_same(every[0], other)
    names = metric.columns(tuple(dict.fromkeys(name for one in every for name in one.names)))
    return names, [np.hstack([one.pick(names).units() for one in _each(counts)]) for counts in systems]


def _mean(metric: Metric, names: Sequence[str], sums: Array, many: int) -> Array:
    """Return the mean figure of sums in which the columns of so many trainings stand side by side."""
    return np.asarray(np.mean([metric.at(names, own) for own in np.split(sums, many, axis=1)], axis=0))


def _swapped(
    metric: Metric,
    names: Sequence[str],
    ours: list[Array],
    theirs: list[Array],
    rng: np.random.Generator,
    draws: int,
) -> Array:
    """Return the differences that come of swapping two systems' outputs in random halves of the units."""
    sums = [units.sum(axis=0) for units in ours], [units.sum(axis=0) for units in theirs]

    def after(moved: Array) -> Array:
        parts = np.split(moved, len(ours) + len(theirs) - 1, axis=1)
        parts.insert(len(ours), np.zeros_like(parts[0]))
        total = np.zeros(len(moved))
        for a, lost in zip(sums[0], parts[: len(ours)], strict=True):
            for b, gained in zip(sums[1], parts[len(ours) :], strict=True):
                swing = lost - gained
                total += metric.at(names, a - swing) - metric.at(names, b + swing)
        return total / (len(ours) * len(theirs))

    change = np.hstack([units - theirs[0] for units in ours + theirs[1:]])  # what all share does not move
    return swaps(change, rng=rng, draws=draws, of=after)


def check_same(first: Counts, second: Counts) -> None:
    """Refuse two systems that did not answer the same examples in the same order."""
    if first.ids == second.ids:
        return
    a, b = set(first.ids), set(second.ids)
    found = {"only the first has": a - b, "only the second has": b - a}
    parts = [f"{words} {some(sorted(ids))}" for words, ids in found.items() if ids]
    at = next((x for x, y in zip(first.ids, second.ids, strict=False) if x != y), "")
    raise DataError(
        "two systems must answer the same examples: "
        + ("; ".join(parts) or f"the order differs from {at} on")
    )


def resample(units: Array, *, rng: np.random.Generator, draws: int, of: Figure = np.asarray) -> Array:
    """Return the sums of `draws` samples of the units with replacement, or what `of` makes of each."""
    rows, often, number = distinct(units)
    common = often > _MERGE
    merged, others = int(common.sum()), int((~common).sum())
    rare = (np.cumsum(~common) - 1)[number[~common[number]]]  # units in their order, by the row that each is
    shares = np.append(often[common], len(rare)) / len(units)

    def weights(size: int) -> Weights:
        if not others:
            return rng.multinomial(len(units), shares[:-1], size=size)
        times = rng.multinomial(len(units), shares, size=size)
        single = rare[rng.integers(0, len(rare), size=int(times[:, -1].sum()), dtype=np.int32)]
        places = single + np.repeat(np.arange(size) * others, times[:, -1])
        counted = np.bincount(places, minlength=size * others).reshape(size, others)
        return np.hstack([times[:, :merged], counted])

    ordered = np.vstack([rows[common], rows[~common]])
    return _product(ordered, draws, weights, of, at_once=max(len(rows), len(rare)))


def swaps(change: Array, *, rng: np.random.Generator, draws: int, of: Figure = np.asarray) -> Array:
    """Return the sums of `draws` random halves of the rows, what swapping those units moves, or `of` them."""
    moved = change[change.any(axis=1)]
    rows, often, number = distinct(moved)
    common = often > _MERGE
    rare = moved[~common[number]]

    def weights(size: int) -> Weights:
        merged = rng.binomial(often[common], 0.5, size=(size, int(common.sum())))
        return np.hstack([merged, rng.integers(0, 2, size=(size, len(rare)), dtype=np.int8)])

    return _product(np.vstack([rows[common], rare]), draws, weights, of, at_once=len(rows) + len(rare))


Numbers = NDArray[np.intp]


def distinct(rows: Array) -> tuple[Array, Numbers, Numbers]:
    """Return the distinct rows in order, how often each occurs, and which of them each row is.

    `np.unique(rows, axis=0)` says the same, but takes seconds where columns are many: here a row becomes one
    number, in which the columns are digits.

    >>> distinct(np.array([[1.0, 0.5], [0.0, 2.0], [1.0, 0.5]]))
    (array([[0. , 2. ],
           [1. , 0.5]]), array([1, 2]), array([1, 0, 1]))
    """
    code, size = np.zeros(len(rows), dtype=np.int64), 1
    for column in rows.T if len(rows) else ():
        digit, base = _digits(column)
        if size * base >= 2**62:
            code, size = _digits(code)
        code, size = code * base + digit, size * base
    _, first, number, times = np.unique(code, return_index=True, return_inverse=True, return_counts=True)
    return rows[first], times, number


def _digits(values: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Return values as numbers from 0 on that keep their order, and how many numbers there may be."""
    small = (values - values.min()).astype(np.int64)
    if small.max() > len(values) or not np.array_equal(small + values.min(), values):
        small = np.unique(values, return_inverse=True)[1]
    return small, int(small.max()) + 1


def _product(
    rows: Array, draws: int, weights: Callable[[int], Weights], of: Figure, *, at_once: int
) -> Array:
    """Return `of` every weighted sum of the rows, a portion at a time: sums are large, figures small."""
    step = max(1, _CELLS // max(1, at_once))
    sizes = [min(step, draws - start) for start in range(0, draws, step)]
    weighted = _weighted(rows)
    return np.concatenate([of(weighted(weights(size))) for size in sizes])


def _weighted(rows: Array) -> Callable[[Weights], Array]:
    """Return the function from weights to the sums of the rows, by the quicker of two ways."""
    if rows.shape[1] < _WIDE or np.count_nonzero(rows) > _FILLED * rows.size:
        return lambda weights: weights.astype(np.float64) @ rows
    from scipy.sparse import csr_array  # 0.2 s, which other reports need not wait for

    columns = csr_array(rows.T)
    return lambda weights: np.asarray(columns @ np.ascontiguousarray(weights.T, dtype=np.float64)).T


def holm(ps: Sequence[float]) -> list[float]:
    """Return p values of several questions asked at once, so that one of them errs no more often than alone.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, highest = [1.0] * len(ps), 0.0
    for place, i in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        highest = max(highest, min(1.0, (len(ps) - place) * ps[i]))
        adjusted[i] = highest
    return adjusted


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """Return p values of many questions: of those at 0.05 or below, no more than 5 in 100 are chance.

    >>> [round(p, 3) for p in benjamini_hochberg([0.01, 0.04, 0.03])]
    [0.03, 0.04, 0.04]
    """
    adjusted, lowest = [1.0] * len(ps), 1.0
    order = sorted(range(len(ps)), key=ps.__getitem__)
    for place, i in reversed(list(enumerate(order, start=1))):
        lowest = min(lowest, ps[i] * len(ps) / place)
        adjusted[i] = lowest
    return adjusted


def verdict(difference: Difference) -> str:
    """Return in plain words what a difference shows, by its interval and its p value together.

    >>> verdict(Difference(0.123, 0.099, 0.146, 0.0001)), verdict(Difference(0.004, -0.01, 0.02, 0.6))
    ('better', 'not distinguishable')
    """
    if difference.p > 0.05 or difference.low <= 0 <= difference.high:
        return "not distinguishable"
    return "better" if difference.value > 0 else "worse"
