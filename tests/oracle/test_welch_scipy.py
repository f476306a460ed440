"""Welch's interval of the trainings of two systems against SciPy."""

import numpy as np
import pytest
from scipy.stats import chi2, ttest_ind

from zhbert.score.trainings import spread, welch


@pytest.mark.parametrize("seed", range(30))
def test_interval_and_p_value_are_equal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (tuple((rng.random(rng.integers(2, 7)) * rng.random() + 0.3).tolist()) for _ in range(2))
    theirs = ttest_ind(first, second, equal_var=False)
    low, high = theirs.confidence_interval(0.95)
    ours = welch(first, second)
    assert ours is not None
    assert (ours.low, ours.high, ours.p) == pytest.approx((low, high, theirs.pvalue))
    assert ours.value == pytest.approx(np.mean(first) - np.mean(second))
    assert spread("系统", "f1", first).deviation == pytest.approx(np.std(first, ddof=1))


@pytest.mark.filterwarnings("ignore:Precision loss")
def test_one_side_may_not_differ_at_all() -> None:
    first, second = (0.5, 0.5, 0.5), (0.6, 0.7)
    theirs, ours = ttest_ind(first, second, equal_var=False), welch(first, second)
    assert ours is not None
    assert ours.p == pytest.approx(theirs.pvalue)
    assert welch((0.1,) * 3, (0.6, 0.6)) is None  # though the mean of three 0.1 is not 0.1
    assert welch(first, (0.6,)) is None


def test_the_deviation_of_three_is_known_as_badly_as_the_page_says() -> None:
    low, high = ((2 / chi2.ppf(share, 2)) ** 0.5 for share in (0.975, 0.025))
    assert (low, high) == pytest.approx((0.52, 6.3), abs=0.02)
