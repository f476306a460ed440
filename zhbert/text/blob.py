"""Many texts in one: joined by line feeds, as a string and as numbers, and ranges of its characters.

Ranges are half-open pairs of characters of the whole blob; none reaches over a line feed.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Ranges = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
NO_RANGES: Ranges = np.empty((0, 2), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """A text, or many of them joined by line feeds, and the code point of every character."""

    text: str
    codes: Codes

    @classmethod
    def of(cls, text: str) -> Self:
        """Return a text with its code points.

        >>> Blob.of("𠀀京").codes.tolist()
        [131072, 20140]
        """
        return cls(text, np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4"))

    def __len__(self) -> int:
        return len(self.codes)


def leftmost_longest(ranges: Ranges, ranks: Places | None = None) -> Places:
    """Return which ranges stay, in order: of those that overlap the leftmost, of these the longest.

    Of equal ranges the one of the lowest rank stays.

    >>> leftmost_longest(np.array([[3, 5], [0, 2], [1, 9], [0, 4], [4, 6]])).tolist()
    [3, 4]
    """
    starts, ends = ranges[:, 0], ranges[:, 1]
    order = np.lexsort((np.zeros_like(starts) if ranks is None else ranks, -ends, starts))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = starts[order[1:]] != starts[order[:-1]]
    order = order[first]
    starts, ends = starts[order], ends[order]
    reach = np.maximum.accumulate(ends) if len(ends) else ends
    stays = np.ones(len(order), dtype=np.bool_)
    stays[1:] = starts[1:] >= reach[:-1]
    clashes = np.flatnonzero(~stays)
    if len(clashes):
        _settle(starts, ends, stays, clashes)
    return order[stays]


def _settle(starts: Places, ends: Places, stays: Bools, clashes: Places) -> None:
    """Let those stay after all that only overlap with some that go."""
    done, last = 0, -1
    for i, start, end in zip(clashes.tolist(), starts[clashes].tolist(), ends[clashes].tolist(), strict=True):
        if i - 1 != last:  # the one before never clashed, so it stays
            done = int(ends[i - 1])
        last = i
        if start >= done:
            stays[i] = True
            done = end
