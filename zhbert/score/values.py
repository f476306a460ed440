"""Counts of regression: how far predicted numbers go with the gold ones.

- Pearson's correlation is a function of sums (n, x, y, x², y², xy). Both sides are moved and scaled by mean
  and deviation of the gold values first, which changes no correlation and keeps the sums exact.
- Spearman's is no function of sums. Every value is replaced once, over the whole data set, by its rank
  (equal values share the mean of theirs), and Pearson's correlation of these ranks is taken: for the data
  set that is Spearman's, for a slice or a bootstrap draw it is that of ranks among all examples.
- A correlation with what does not vary is 0 here; elsewhere it is often NaN.
"""

from collections.abc import Sequence

import numpy as np

from zhbert.errors import DataError
from zhbert.score.counts import Array, Counts, Metric, ratio, some

_SUMS = ("x", "y", "xx", "yy", "xy")
_RANKS = tuple(f"rank_{name}" for name in _SUMS)


def correlation(n: Array, x: Array, y: Array, xx: Array, yy: Array, xy: Array) -> Array:
    """Return Pearson's correlation from sums.

    >>> counts = count_values(["一", "二", "三"], [1.0, 2.0, 3.0], [1.0, 3.0, 9.0])
    >>> round(float(PEARSON(counts)), 4), round(float(SPEARMAN(counts)), 4)
    (0.9608, 1.0)
    """
    spread = np.maximum(n * xx - x * x, 0) * np.maximum(n * yy - y * y, 0)
    return ratio(n * xy - x * y, np.where(spread > 1e-18 * n**4, np.sqrt(spread), 0))


PEARSON = Metric("pearson", ("n", *_SUMS), correlation)
SPEARMAN = Metric("spearman", ("n", *_RANKS), correlation)


def count_values(
    ids: Sequence[str], gold: Sequence[float | None], predicted: Sequence[float | None]
) -> Counts:
    """Return the counts of gold and predicted values."""
    for what, values in (("gold", gold), ("predicted", predicted)):
        unknown = [id for id, value in zip(ids, values, strict=True) if value is None]
        if unknown:
            raise DataError(f"no {what} value: {some(unknown)}", remedy="every example needs one")
    x, y = np.array(gold, dtype=np.float64), np.array(predicted, dtype=np.float64)
    middle, scale = x.mean(), x.std() or 1.0
    columns = [np.ones(len(x))]
    for a, b in (((x - middle) / scale, (y - middle) / scale), (_placed(x), _placed(y))):
        columns += [a, b, a * a, b * b, a * b]
    return Counts(("n", *_SUMS, *_RANKS), np.stack(columns, axis=1), tuple(ids))


def _placed(values: Array) -> Array:
    """Return ranks between -1 and 1."""
    return 2 * (ranks(values) - 1) / max(1, len(values) - 1) - 1


def ranks(values: Array) -> Array:
    """Return the rank of every value, from 1; equal values share the mean of theirs.

    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(times)
    return np.asarray((last - (times - 1) / 2)[place], dtype=np.float64)
