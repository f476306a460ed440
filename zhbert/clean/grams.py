"""Runs of words or characters that come again.

Two runs are the same when their characters are; they are told apart by 64-bit hashes, which make a mistake
once in some billion documents. The hash of any stretch of a text is the difference of two running sums,
so all runs of a length cost a few passes of numpy and one sort.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

_FACTOR = 0x9E3779B97F4A7C15
_INVERSE = pow(_FACTOR, -1, 1 << 64)
_PASSAGE = 13


class Grams:
    """The runs of words in a text."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._borders = np.cumsum([0, *map(len, words)], dtype=np.int64)

    @cached_property
    def _joined(self) -> "_Stretches":
        return _Stretches("".join(self.words))

    @cached_property
    def _spaced(self) -> "_Stretches":
        return _Stretches(" ".join(self.words))

    def top(self, n: int) -> int:
        """Return the characters of the most frequent run of n words, times how often it comes.

        A run counts with a space between its words, and the first of equally frequent ones is taken.

        >>> Grams("今天 下雨 明天 也 下雨 明天".split()).top(2)
        10
        """
        if len(self.words) < n:
            return 0
        borders = self._borders + np.arange(len(self._borders))  # with a space behind every word
        starts, ends = borders[:-n], borders[n:] - 1
        hashes = self._spaced.hashes(starts, ends)
        different, counts = np.unique(hashes, return_counts=True)
        most = int(counts.max())
        first = int(np.argmax(np.isin(hashes, different[counts == most]))) if most > 1 else 0
        return int(ends[first] - starts[first]) * most

    def again(self, n: int) -> int:
        """Return the characters of all runs of n words that came before, read from left to right.

        After such a run reading goes on behind it, so no character counts twice.

        >>> Grams("今天 下雨 了 吗 今天 下雨 了 吗".split()).again(3)
        5
        """
        starts, ends = self._borders[:-n], self._borders[n:]
        hashes = self._joined.hashes(starts, ends)
        (places,) = np.nonzero(_come_again(hashes))
        lengths, hashes = (ends - starts)[places], hashes[places]
        seen: set[int] = set()
        total = free = 0
        for place, number, length in zip(places.tolist(), hashes.tolist(), lengths.tolist(), strict=True):
            if place < free:
                continue
            if number in seen:
                total += length
                free = place + n
            seen.add(number)
        return total


def repeated_passages(text: str) -> float:
    """Return the share of all runs of 13 characters, white space apart, that come more than once.

    >>> repeated_passages("一二三四五六七八九十甲乙丙丁" * 3), repeated_passages("一二三四五六七八九十甲乙丙")
    (1.0, 0.0)
    """
    packed = "".join(text.split())
    starts = np.arange(len(packed) - _PASSAGE + 1)
    if not len(starts):
        return 0.0
    hashes = _Stretches(packed).hashes(starts, starts + _PASSAGE)
    hashes.sort()
    same = np.zeros(len(hashes) + 1, dtype=bool)
    np.equal(hashes[1:], hashes[:-1], out=same[1:-1])
    return int(np.count_nonzero(same[1:] | same[:-1])) / len(hashes)


def _come_again(hashes: Hashes) -> npt.NDArray[np.bool_]:
    """Return for every number whether it is there at least twice."""
    ordered = np.sort(hashes)
    return np.isin(hashes, ordered[1:][ordered[1:] == ordered[:-1]])


class _Stretches:
    """A text of which every stretch can be hashed."""

    def __init__(self, text: str) -> None:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64) + 1
        self._shifts = _powers(_FACTOR, len(codes) + 1)
        self._sums = np.zeros(len(codes) + 1, np.uint64)
        np.cumsum(codes * _powers(_INVERSE, len(codes)), out=self._sums[1:])

    def hashes(self, starts: Places, ends: Places) -> Hashes:
        """Return a number for each stretch, the same for stretches that read the same."""
        return (self._sums[ends] - self._sums[starts]) * self._shifts[starts]


def _powers(base: int, count: int) -> Hashes:
    powers = np.full(count, base, np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, dtype=np.uint64)
