"""Runs of letters that texts share with a fixed set of texts: found by grams of 13, then read through.

A run of 20 letters holds 8 grams on end, so one of any 8 neighbouring grams is enough: every gram of the
fixed set is known, and of the other texts every eighth is looked up. A filter of bits turns most of them
away, a search among the sorted hashes nearly all others, and what is left is compared as it stands. So
no find is false, and no run is missed, with one exception: where a gram stands in more than `PLACES`
places of the fixed set, as in a phrase that all its texts begin with, only the first ones are looked at.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zhbert.clean.fold import Folded
from zhbert.clean.runs import Numbers, places_of

RUN = 20
GRAM = 13
PLACES = 256
_STRIDE = RUN - GRAM + 1
_PAIRS = 1 << 14  # that are compared at a time
_FACTORS = np.uint64(0x9E3779B97F4A7C15) ** np.arange(1, GRAM + 1, dtype=np.uint64)

Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Overlap:
    """The longest run that a text shares with one of the set: `length` letters from letter `start` on."""

    text: int
    other: int
    start: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FixedSet:
    """Texts, ready to be looked up: 18 bytes a letter."""

    letters: Folded
    words: Words
    places: NDArray[np.uint32]
    bits: NDArray[np.uint8]

    @classmethod
    def of(cls, letters: Folded) -> Self:
        """Return the grams of texts, sorted."""
        places = places_of(letters.starts, np.maximum(letters.lengths - (GRAM - 1), 0))
        words = _grams(letters.codes, 1).take(places)
        order = np.argsort(words, kind="stable")
        bits = np.zeros(1 << max(10, len(words).bit_length()), dtype=np.uint8)
        np.bitwise_or.at(bits, *_bit(words, bits))
        return cls(letters=letters, words=words[order], places=places[order].astype(np.uint32), bits=bits)

    def overlaps(self, letters: Folded) -> list[Overlap]:
        """Return which texts share a run with which of the set, in order.

        >>> from zhbert.clean.fold import fold
        >>> text = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
        >>> known = FixedSet.of(fold(["别的话", text]).letters())
        >>> known.overlaps(fold(["前文" + text[1:], "无关"]).letters())
        [Overlap(text=0, other=1, start=2, length=21)]
        """
        mine, theirs = self._meetings(letters)
        found: dict[tuple[int, int], Overlap] = {}
        for start in range(0, len(mine), _PAIRS):
            part = slice(start, start + _PAIRS)
            for overlap in self._read(letters, mine[part], theirs[part]):
                key = overlap.text, overlap.other
                if key not in found or found[key].length < overlap.length:
                    found[key] = overlap
        return sorted(found.values())

    def _meetings(self, letters: Folded) -> tuple[Numbers, Numbers]:
        """Return the places of equal grams, on either side."""
        words = _grams(letters.codes, _STRIDE)
        places, bits = _bit(words, self.bits)
        likely = np.flatnonzero(self.bits[places] & bits)
        first = np.searchsorted(self.words, words[likely], side="left")
        counts = np.minimum(np.searchsorted(self.words, words[likely], side="right") - first, PLACES)
        return np.repeat(likely * _STRIDE, counts), self.places[places_of(first, counts)].astype(np.int64)

    def _read(self, letters: Folded, mine: Numbers, theirs: Numbers) -> list[Overlap]:
        """Return the longest runs through pairs of places, where they are long enough."""
        texts = np.searchsorted(letters.ends, mine, side="right")
        others = np.searchsorted(self.letters.ends, theirs, side="right")
        steps = np.arange(GRAM - RUN, RUN)
        here = _codes_at(letters, texts, mine[:, None] + steps, outside=-1)
        there = _codes_at(self.letters, others, theirs[:, None] + steps, outside=-2)
        before, after = np.split(here == there, [RUN - GRAM], axis=1)
        lengths = sum(np.logical_and.accumulate(of, axis=1).sum(axis=1) for of in (before[:, ::-1], after))
        meetings = np.stack([texts, others, mine - theirs], axis=1)[lengths >= RUN]
        return [self._longest(letters, *meeting) for meeting in np.unique(meetings, axis=0).tolist()]

    def _longest(self, letters: Folded, text: int, other: int, shift: int) -> Overlap:
        """Return the longest run of two texts, one laid over the other with this shift."""
        first, last = letters.range(text)
        others_first, others_last = self.letters.range(other)
        start, end = max(first, others_first + shift), min(last, others_last + shift)
        same = letters.codes[start:end] == self.letters.codes[start - shift : end - shift]
        edges = np.flatnonzero(np.diff(same, prepend=False, append=False))
        lengths = edges[1::2] - edges[::2]
        best = int(lengths.argmax())
        place = start - first + int(edges[2 * best])
        return Overlap(text=text, other=other, start=place, length=int(lengths[best]))


def _grams(codes: NDArray[np.uint32], stride: int) -> Words:
    """Return the hash of every gram that begins at a multiple of `stride`."""
    count = max(len(codes) - GRAM + stride, 0) // stride
    words = np.zeros(count, dtype=np.uint64)
    if not count:
        return words
    for place, factor in enumerate(_FACTORS):
        words += codes[place : place + (count - 1) * stride + 1 : stride] * factor
    words ^= words >> np.uint64(32)
    words *= _FACTORS[0]
    return words ^ (words >> np.uint64(29))


def _bit(words: Words, bits: NDArray[np.uint8]) -> tuple[Words, NDArray[np.uint8]]:
    """Return the byte of the filter that each word belongs to, and its bit in that byte."""
    places = words >> np.uint64(3) & np.uint64(len(bits) - 1)
    return places, np.uint8(1) << (words & np.uint64(7)).astype(np.uint8)


def _codes_at(folded: Folded, texts: Numbers, places: Numbers, *, outside: int) -> Numbers:
    """Return the codes at rows of places, and `outside` for places that are not in the row's text."""
    inside = (places >= folded.starts[texts][:, None]) & (places < folded.ends[texts][:, None])
    return np.where(inside, folded.codes.take(places, mode="clip"), outside)
