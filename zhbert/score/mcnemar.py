"""McNemar's exact test of two systems on the same examples, each of which is right or wrong.

Only examples on which the systems differ tell anything: were they equally good, each of those would fall to
either of them like a coin, so that the p value is a two-sided binomial one. Questions on one passage count as
if they had nothing to do with each other; the paired interval knows better.
"""

import numpy as np

from zhbert.score.answers import EXACT
from zhbert.score.counts import Array, Counts, Metric
from zhbert.score.interval import check_same
from zhbert.score.labels import ACCURACY, SUBSET
from zhbert.score.sheet_asides import McNemar

RIGHT_OR_WRONG = {metric.name: metric for metric in (ACCURACY, SUBSET, EXACT)}


def mcnemar(first: Counts, second: Counts, metric: str) -> McNemar | None:
    """Return the test, or None of a metric by which an example is more than right or wrong.

    >>> import numpy as np
    >>> ids, ones = tuple(map(str, range(10))), np.ones(10)
    >>> right = [Counts(("correct", "n"), np.c_[np.arange(10) < most, ones], ids) for most in (9, 3)]
    >>> mcnemar(*right, "accuracy")
    McNemar(first=6, second=0, p=0.03125)
    """
    if metric not in RIGHT_OR_WRONG:
        return None
    check_same(first, second)
    a, b = (_right(counts, RIGHT_OR_WRONG[metric]) for counts in (first, second))
    ours, theirs = int((a > b).sum()), int((b > a).sum())
    return McNemar(first=ours, second=theirs, p=coin(ours, theirs))


def _right(counts: Counts, metric: Metric) -> Array:
    return np.asarray(counts.pick(metric.needs[:1]).table[:, 0])


def coin(heads: int, tails: int) -> float:
    """Return how often a fair coin falls at least as unevenly.

    >>> coin(5, 0), coin(3, 3), coin(0, 0)
    (0.0625, 1.0, 1.0)
    """
    from scipy.special import bdtr  # 0.2 s, which other reports need not wait for

    return min(1.0, 2 * float(bdtr(min(heads, tails), heads + tails, 0.5)))
