"""Texts as arrays of folded characters: what two texts are compared by.

Two forms, and every character keeps its place in line, so that a range of one form is a range of the other:

- the full form has no white space and nothing invisible; width, case and traditional characters are folded;
- the letters are the full form without punctuation and symbols.

What is peculiar:

- One table of code points does it all, a character at a time: a character that NFKC would spell with
  several (㎏) stays as it is, and Han characters are simplified one by one, not by phrases.
- In the full form, punctuation and symbols carry the bit `SYMBOL`: the letters are what lies below it.
- The table depends on the Unicode version of Python and on OpenCC: `table_fingerprint` says which it is.
- Half a surrogate pair counts as invisible.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from zhbert.clean.runs import Bools, Numbers, batches, places_of
from zhbert.text.normalize import normal_text

SYMBOL = np.uint32(1 << 31)
_CHARACTERS = 1 << 16  # at a time: what fits the processor's cache
_CODES = 0x110000
_HAN_PLANES = range(0x20000, 0x40000)  # all Han, also what this Python's Unicode does not know yet
_NAMED = (range(0x20000), range(0xE0000, 0xE0200))  # elsewhere is Han, private or unassigned
_SELECTORS = frozenset([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])  # of a character's variants
_INVISIBLE = frozenset(["Cc", "Cf", "Cs", "Zs", "Zl", "Zp"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Folded:
    """Folded texts on end: text i is `codes[ends[i - 1] : ends[i]]`."""

    codes: NDArray[np.uint32]
    ends: Numbers

    @property
    def starts(self) -> Numbers:
        """Where each text begins."""
        return np.concatenate([np.zeros(1, np.int64), self.ends])[:-1]

    @property
    def lengths(self) -> Numbers:
        """How many characters each text has."""
        return np.diff(self.ends, prepend=0)

    def range(self, text: int) -> tuple[int, int]:
        """Return where the text of this number begins and ends."""
        return int(self.ends[text - 1]) if text else 0, int(self.ends[text])

    def part(self, start: int, end: int) -> "Folded":
        """Return the texts from number `start` up to number `end`."""
        first = int(self.ends[start - 1]) if start else 0
        ends = self.ends[start:end] - first
        return Folded(codes=self.codes[first : first + int(ends[-1])], ends=ends)

    def only(self, texts: Numbers) -> "Folded":
        """Return the texts of these numbers."""
        lengths = self.lengths[texts]
        return Folded(codes=self.codes[places_of(self.starts[texts], lengths)], ends=np.cumsum(lengths))

    def letters(self) -> "Folded":
        """Return the same texts without punctuation and symbols.

        >>> unfold(fold(["Ａ股，大漲５％！"]).letters())
        ['a股大涨5']
        """
        return _select(self.codes, self.codes < SYMBOL, self.ends)


def fold(texts: Sequence[str]) -> Folded:
    """Return texts in their full form.

    >>> unfold(fold(["Ａ股，大漲\\n５％！", ""]))
    ['a股,大涨5%!', '']
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    parts = []
    for start, end in batches(lengths, size=_CHARACTERS, count=_CHARACTERS):
        codes = _table().take(_code_points(texts[start:end]))
        parts.append(_select(codes, codes != 0, np.cumsum(lengths[start:end])))
    return _joined(parts)


def letter_places(text: str) -> Numbers:
    """Return where in a text its letters stand.

    >>> letter_places("好，好 的").tolist()
    [0, 2, 4]
    """
    codes = _table().take(_code_points([text]))
    return np.flatnonzero((codes != 0) & (codes < SYMBOL))


def unfold(folded: Folded) -> list[str]:
    """Return folded texts as strings, to be looked at."""
    codes = folded.codes & ~SYMBOL
    text = codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    return [text[a:b] for a, b in zip(folded.starts.tolist(), folded.ends.tolist(), strict=True)]


@cache
def table_fingerprint() -> str:
    """Return what tells this table of code points from that of another Unicode or OpenCC version."""
    return hashlib.sha256(_table().astype("<u4").tobytes()).hexdigest()[:16]


def _code_points(texts: Sequence[str]) -> NDArray[np.uint32]:
    return np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _select(codes: NDArray[np.uint32], wanted: Bools, ends: Numbers) -> Folded:
    places = np.flatnonzero(wanted)
    return Folded(codes=codes.take(places), ends=np.searchsorted(places, ends).astype(np.int64, copy=False))


def _joined(parts: Sequence[Folded]) -> Folded:
    """Return the texts of all parts."""
    if not parts:
        return Folded(codes=np.empty(0, np.uint32), ends=np.empty(0, np.int64))
    firsts = np.cumsum([0, *(len(part.codes) for part in parts)])
    ends = [part.ends + first for part, first in zip(parts, firsts[:-1], strict=True)]
    return Folded(codes=np.concatenate([part.codes for part in parts]), ends=np.concatenate(ends))


@cache
def _table() -> NDArray[np.uint32]:
    """Return what every code point folds to; 0 where it is left out."""
    named = {code: unicodedata.category(chr(code)) for code in chain(*_NAMED)}
    hidden = [code for code, kind in named.items() if _is_invisible(code, kind)]
    seen = np.array([*sorted(named.keys() - set(hidden)), *_HAN_PLANES])
    table = np.arange(_CODES, dtype=np.uint32)
    table[hidden] = 0
    table[seen] = _plain(seen.tolist())
    table = table[table]  # 薴 is simplified to 苧, and 苧 to 苎: all three must meet
    letters = [code for code, kind in named.items() if kind[0] in "LMN"]
    symbols = np.ones(_CODES, dtype=np.bool_)
    symbols[[0, *hidden, *letters, *_HAN_PLANES]] = False
    return table | np.where(symbols[table], SYMBOL, np.uint32(0))


def _is_invisible(code: int, kind: str) -> bool:
    return kind in _INVISIBLE or chr(code).isspace() or code in _SELECTORS


def _plain(codes: list[int]) -> list[int]:
    """Return what NFKC, lower case and OpenCC make of each code point, where that is one character.

    >>> [chr(code) for code in _plain([*map(ord, "Ｑ大漲㎏")])]
    ['q', '大', '涨', '㎏']
    """
    chars = list(map(chr, codes))
    lines = unicodedata.normalize("NFKC", "\n".join(chars)).lower().split("\n")
    plain = [line if len(line) == 1 else char for char, line in zip(chars, lines, strict=True)]
    simple = normal_text("\n".join(plain), nfkc=False, controls=False, simplify=True)
    return [ord(line) for line in simple.split("\n")]
