"""Correlations against SciPy, and what their bootstrap draws are made of."""

import numpy as np
import pytest

from zhbert.errors import DataError
from zhbert.score.interval import interval, paired
from zhbert.score.values import PEARSON, SPEARMAN, count_values, ranks

SCALES = ((0, 1), (1e6, 1), (-3, 1e-4), (2.5, 1e5))


def made(seed: int, n: int, *, middle: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    gold = np.round(rng.normal(size=n), 1)
    said = gold * rng.uniform(-1, 1) + rng.normal(size=n)
    return gold * scale + middle, np.round(said, 1) * scale + middle


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("middle", "scale"), SCALES)
def test_correlations_are_equal(seed: int, middle: float, scale: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    gold, said = made(seed, 3 + 7 * seed, middle=middle, scale=scale)
    counts = count_values([str(i) for i in range(len(gold))], gold.tolist(), said.tolist())
    assert float(PEARSON(counts)) == pytest.approx(stats.pearsonr(gold, said).statistic, abs=1e-7)
    assert float(SPEARMAN(counts)) == pytest.approx(stats.spearmanr(gold, said).statistic, abs=1e-9)
    assert ranks(said).tolist() == stats.rankdata(said).tolist()


def test_a_slice_has_the_correlation_of_its_examples_and_of_their_ranks_among_all() -> None:
    stats = pytest.importorskip("scipy.stats")
    gold, said = made(5, 60, middle=3, scale=2)
    counts = count_values([str(i) for i in range(60)], gold.tolist(), said.tolist())
    part = counts.filter(list(range(10, 40)))
    expected = stats.pearsonr(gold[10:40], said[10:40]).statistic
    assert float(PEARSON(part)) == pytest.approx(expected, abs=1e-9)
    expected = stats.pearsonr(stats.rankdata(gold)[10:40], stats.rankdata(said)[10:40]).statistic
    assert float(SPEARMAN(part)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
def test_an_interval_is_that_of_drawn_examples() -> None:
    stats = pytest.importorskip("scipy.stats")
    gold, said = made(7, 80, middle=0, scale=1)
    counts = count_values([str(i) for i in range(80)], gold.tolist(), said.tolist())
    found = interval(counts, PEARSON, rng=np.random.default_rng(1), draws=4000)
    rng = np.random.default_rng(2)
    drawn = [stats.pearsonr(gold[i], said[i]).statistic for i in rng.integers(0, 80, size=(4000, 80))]
    assert [found.low, found.high] == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.015)


def test_two_systems_of_different_worth_are_told_apart() -> None:
    rng = np.random.default_rng(3)
    gold = rng.normal(size=300)
    good, bad = gold + 0.3 * rng.normal(size=300), gold + 3 * rng.normal(size=300)
    ids = [str(i) for i in range(300)]
    found = paired(
        count_values(ids, gold.tolist(), good.tolist()),
        count_values(ids, gold.tolist(), bad.tolist()),
        PEARSON,
        rng=rng,
        draws=500,
    )
    assert found.low > 0.3
    assert found.p < 0.01


@pytest.mark.parametrize("said", [[2.0, 2.0, 2.0], [1e9, 1e9, 1e9]])
def test_what_does_not_vary_goes_with_nothing(said: list[float]) -> None:
    counts = count_values(["1", "2", "3"], [1.0, 2.0, 3.0], said)
    assert (float(PEARSON(counts)), float(SPEARMAN(counts))) == (0, 0)


def test_what_has_no_value_is_named() -> None:
    with pytest.raises(DataError, match="no gold value: 2"):
        count_values(["1", "2"], [1.0, None], [1.0, 1.0])
    with pytest.raises(DataError, match="no predicted value: 1"):
        count_values(["1", "2"], [1.0, 2.0], [None, 1.0])
