"""Many short arrays as one long one: where runs begin, where ranges lie, how much to take at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Bools = NDArray[np.bool_]


def begins(values: NDArray[np.generic]) -> Bools:
    """Return where a run of equal values begins.

    >>> begins(np.array([7, 7, 5, 7])).tolist()
    [True, False, True, True]
    """
    result = np.ones(len(values), dtype=np.bool_)
    result[1:] = values[1:] != values[:-1]
    return result


def places_of(starts: Numbers, counts: Numbers) -> Numbers:
    """Return the places of ranges, on end.

    >>> places_of(np.array([9, 3]), np.array([2, 3])).tolist()
    [9, 10, 3, 4, 5]
    """
    return np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())


def batches(sizes: Numbers, *, size: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of at most `count` items of that size together; a larger item comes alone.

    >>> list(batches(np.array([3, 3, 9, 1, 1, 1]), size=6, count=2))
    [(0, 2), (2, 3), (3, 5), (5, 6)]
    """
    start, ends = 0, np.cumsum(sizes)
    while start < len(ends):
        full = int(np.searchsorted(ends, ends[start] - sizes[start] + size, side="right"))
        end = min(max(full, start + 1), start + count)
        yield start, end
        start = end
