"""Find the entries of word lists in a text, all at once.

What is peculiar:

- No automaton: the hash of any run of characters is the difference of two sums, so all runs that may be
  entries are looked up as arrays. Tables of the first two and three characters say which lengths to try.
- What the hashes find is compared character by character, so a match is never a chance.
- Entries stand as they are written: no case folding, no normalising. Entries of one character, which are
  units anyhow, are left out.
- The text is walked through in pieces that fit the processor's cache; this is twice as fast.

Shapes: N characters, S starts, K entries of a length.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from zhbert.text.blob import NO_RANGES, Blob, Bools, Codes, Places, Ranges
from zhbert.text.hashing import Hashes, row_hashes, run_hashes, sums

Masks = npt.NDArray[np.uint16]

LONGEST = 64
_PIECE = 1 << 16
_MIX = (np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35))
_MANY = 15  # lengths from here on share the last bit of a mask


class Matcher:
    """Finds words of a list.

    >>> matcher = Matcher(["人民政府", "政府", "民政"])
    >>> matcher.found(Blob.of("县人民政府")).tolist()
    [[2, 4], [3, 5], [1, 5]]
    """

    def __init__(self, entries: Iterable[str]) -> None:
        by_length: dict[int, list[str]] = {}
        for entry in sorted(set(entries)):
            if len(entry) > LONGEST:
                raise ValueError(f"an entry of more than {LONGEST} characters: {entry}")
            by_length.setdefault(len(entry), []).append(entry)
        by_length.pop(0, None)
        by_length.pop(1, None)
        tables = {length: Blob.of("".join(by_length[length])).codes for length in sorted(by_length)}
        self.size = sum(map(len, by_length.values()))
        bits = min(max(self.size.bit_length() + 3, 10), 20)
        self._shift = np.uint32(32 - bits)
        self._lengths_of = np.zeros((2, 1 << bits), dtype=np.uint16)
        self._tables = {length: self._add(codes.reshape(-1, length)) for length, codes in tables.items()}

    def _add(self, codes_KL: Codes) -> tuple[Hashes, Codes]:
        """Return the hashes of entries of one length, sorted, and the entries in that order."""
        length = codes_KL.shape[1]
        for row, few in enumerate((2, 3)):  # `found` asks no third character of an entry of two
            self._lengths_of[row, self._begin(*codes_KL.T[:few])] |= _bit(length)
        hashes_K = row_hashes(codes_KL)
        order_K = np.argsort(hashes_K, kind="stable")
        return hashes_K[order_K], codes_KL[order_K]

    def _begin(self, *characters: Codes) -> Codes:
        """Return the place of the first two or three characters in the tables of lengths."""
        mixed: Codes = characters[0] * _MIX[0] + characters[1] * _MIX[1]
        if len(characters) > 2:
            mixed = mixed + characters[2] * _MIX[2]
        return mixed >> self._shift

    def found(self, blob: Blob, *, borders_N1: Bools | None = None) -> Ranges:
        """Return all matches, overlapping ones too; with the borders of words, those of whole words only."""
        found = [NO_RANGES]
        for begin in range(0, len(blob) if self._tables else 0, _PIECE):
            codes_N = blob.codes[begin : begin + _PIECE + LONGEST]
            inner_N1 = None if borders_N1 is None else borders_N1[begin : begin + len(codes_N) + 1]
            at_S, masks_S = self._candidates(codes_N, inner_N1)
            sums_N1 = sums(codes_N)
            for length in self._tables:
                starts_S = at_S[masks_S & _bit(length) > 0]
                starts_S = starts_S[starts_S <= len(codes_N) - length]
                if inner_N1 is not None:
                    starts_S = starts_S[inner_N1[starts_S + length]]
                if len(starts_S):
                    starts_S = self._look_up(length, starts_S, sums_N1, codes_N) + begin
                    found.append(np.stack([starts_S, starts_S + length], axis=1))
        return np.concatenate(found)

    def _candidates(self, codes_N: Codes, inner_N1: Bools | None) -> tuple[Places, Masks]:
        """Return where an entry may begin by its first characters, and a mask of the lengths to try."""
        size = max(min(_PIECE, len(codes_N) - 1), 0)
        masks_N = self._lengths_of[0, self._begin(codes_N[:size], codes_N[1 : size + 1])]
        if inner_N1 is not None:
            masks_N *= inner_N1[:size]
        at_S = np.flatnonzero(masks_N)
        begin_S = self._begin(
            codes_N[at_S], codes_N[at_S + 1], codes_N[np.minimum(at_S + 2, len(codes_N) - 1)]
        )
        masks_S = masks_N[at_S] & (self._lengths_of[1, begin_S] | _bit(2))
        worth = masks_S > 0
        return at_S[worth], masks_S[worth]

    def _look_up(self, length: int, starts_S: Places, sums_N1: Hashes, codes_N: Codes) -> Places:
        """Return the starts at which an entry of this length stands."""
        hashes_K, entries_K = self._tables[length]
        hashes_S = run_hashes(sums_N1, starts_S, starts_S + length)
        rows_S = np.searchsorted(hashes_K, hashes_S)
        rows_S[rows_S == len(hashes_K)] = 0
        hits = np.flatnonzero(hashes_K[rows_S] == hashes_S)
        starts_S, rows_S = starts_S[hits], rows_S[hits]
        same = codes_N[starts_S[:, None] + np.arange(length)] == entries_K[rows_S]
        verified: Places = starts_S[same.all(axis=1)]
        return verified


def _bit(length: int) -> np.uint16:
    return np.uint16(1 << min(length, _MANY))
