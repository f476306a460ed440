"""Several trainings of a system, against loops that are slow and obvious."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from zhbert.errors import DataError
from zhbert.score.counts import Counts
from zhbert.score.entities import MACRO_F1, MICRO_F1
from zhbert.score.interval import Trainings, interval, mean_of, paired
from zhbert.score.labels import ACCURACY

DRAWS = 40
METRICS = (MICRO_F1, MACRO_F1)
NAMES = ("tp", "fp", "fn", "tp:人名", "fp:人名", "fn:人名", "tp:地点", "fp:地点", "fn:地点")
Table = NDArray[np.float64]


def tables(rng: np.random.Generator, n: int, many: int) -> list[Table]:
    """Return tables without two equal rows, so that draws are draws of row numbers."""
    return [rng.random((n, len(NAMES))) for _ in range(many)]


def counts(table: Table) -> Counts:
    return Counts(NAMES, table, tuple(str(i) for i in range(len(table))))


def f1(tp: float, fp: float, fn: float) -> float:
    return 2 * tp / (2 * tp + fp + fn)


def figure(metric: str, table: Table) -> float:
    sums = [sum(float(row[column]) for row in table) for column in range(len(NAMES))]
    if metric == "micro_f1":
        return f1(*sums[:3])
    return (f1(*sums[3:6]) + f1(*sums[6:])) / 2


def mean_figure(metric: str, trainings: Sequence[Table]) -> float:
    return sum(figure(metric, table) for table in trainings) / len(trainings)


def slow_difference(metric: str, ours: list[Table], theirs: list[Table], seed: int) -> tuple[float, ...]:
    """Draw examples and take the means anew; then swap examples of every two trainings, one by one."""
    rng, n = np.random.default_rng(seed), len(ours[0])
    drawn = rng.integers(0, n, size=(DRAWS, n), dtype=np.int32)
    found = [
        mean_figure(metric, [table[rows] for table in ours])
        - mean_figure(metric, [table[rows] for table in theirs])
        for rows in drawn
    ]
    value = mean_figure(metric, ours) - mean_figure(metric, theirs)
    as_much = 0
    for swapped in rng.integers(0, 2, size=(DRAWS, n), dtype=np.int8):
        changes = []
        for one in ours:
            for other in theirs:
                a, b = one.copy(), other.copy()
                for row in np.flatnonzero(swapped):
                    a[row], b[row] = other[row], one[row]
                changes.append(figure(metric, a) - figure(metric, b))
        as_much += abs(sum(changes) / len(changes)) >= abs(value) - 1e-12
    low, high = np.percentile(found, [2.5, 97.5])
    return value, float(low), float(high), (as_much + 1) / (DRAWS + 1)


@examples(30)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 3), st.sampled_from(METRICS))
def test_an_interval_is_that_of_the_mean(seed: int, n: int, many: int, metric) -> None:
    several = tables(np.random.default_rng(seed), n, many)
    rng = np.random.default_rng(seed + 1)
    rows = rng.integers(0, n, size=(DRAWS, n), dtype=np.int32)
    found = [mean_figure(metric.name, [table[drawn] for table in several]) for drawn in rows]
    got = interval(
        [counts(table) for table in several], metric, rng=np.random.default_rng(seed + 1), draws=DRAWS
    )
    assert got.value == pytest.approx(mean_figure(metric.name, several))
    if n > 1:  # a single row is one kind of row, of which nothing need be drawn
        assert (got.low, got.high) == pytest.approx(tuple(np.percentile(found, [2.5, 97.5])))


@examples(30)
@given(
    st.integers(0, 2**32), st.integers(2, 9), st.integers(1, 3), st.integers(1, 3), st.sampled_from(METRICS)
)
def test_a_difference_is_that_of_the_means(seed: int, n: int, many: int, others: int, metric) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = tables(rng, n, many), tables(rng, n, others)
    a, b = ([counts(table) for table in side] for side in (ours, theirs))
    got = paired(a, b, metric, rng=np.random.default_rng(seed), draws=DRAWS)
    assert (got.value, got.low, got.high, got.p) == pytest.approx(
        slow_difference(metric.name, ours, theirs, seed)
    )


@examples(30)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_copies_of_a_training_say_what_it_says(seed: int, many: int, others: int, whole: bool) -> None:
    rng = np.random.default_rng(seed)
    a, b = (counts(rng.integers(0, 2, (60, 9)) * 1.0 if whole else t) for t in tables(rng, 60, 2))

    def said(ours: Trainings, theirs: Trainings) -> tuple[float, ...]:
        one = interval(ours, MICRO_F1, rng=np.random.default_rng(seed), draws=DRAWS)
        two = paired(ours, theirs, MICRO_F1, rng=np.random.default_rng(seed), draws=DRAWS)
        return (one.value, one.low, one.high, two.value, two.low, two.high, two.p)

    assert said([a] * many, [b] * others) == pytest.approx(said(a, b))
    assert said([a], [b]) == said(a, b)


@examples(30)
@given(st.integers(0, 2**32), st.permutations(range(4)))
def test_the_order_of_trainings_does_not_matter(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = ([counts(table) for table in tables(rng, 15, 4)] for _ in range(2))
    first, second = (
        paired(a, theirs, MICRO_F1, rng=np.random.default_rng(seed), draws=DRAWS)
        for a in (ours, [ours[i] for i in order])
    )
    assert (first.value, first.low, first.high) == pytest.approx((second.value, second.low, second.high))
    assert mean_of(ours, MICRO_F1) == pytest.approx(np.mean([MICRO_F1(one) for one in ours]))


def test_trainings_must_answer_the_same_examples() -> None:
    one = counts(np.ones((3, 9)))
    other = Counts(NAMES, one.table, ("0", "1", "9"))
    with pytest.raises(DataError, match="only the first has 2; only the second has 9"):
        interval([one, other], MICRO_F1, rng=np.random.default_rng(0), draws=DRAWS)


def answers(shares: Sequence[float], n: int, rng: np.random.Generator) -> list[Counts]:
    """Return trainings that are right so often, and find the same examples hard."""
    hard, ids = rng.normal(size=n), tuple(map(str, range(n)))
    edges = [NormalDist(sigma=2**0.5).inv_cdf(share) for share in shares]
    right = [(hard + rng.normal(size=n) < edge) * 1.0 for edge in edges]
    return [Counts(("n", "correct"), np.c_[np.ones(n), one], ids) for one in right]


@pytest.mark.slow
def test_equal_systems_are_found_different_as_often_as_is_said() -> None:
    rng, missed, small = np.random.default_rng(11), 0, 0
    for _ in range(300):
        every = answers((0.6, 0.7, 0.8, 0.65, 0.75), 150, rng)
        found = paired(every[:3], every[3:], ACCURACY, rng=rng, draws=200)
        missed += not found.low <= 0 <= found.high
        small += found.p <= 0.05
    assert 0.03 <= missed / 300 <= 0.08
    assert 0.03 <= small / 300 <= 0.08
