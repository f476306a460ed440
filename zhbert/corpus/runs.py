"""Runs of words in a text, as arrays: where they are, which are of use, a hash of each.

What is peculiar:

- Words of Han and Latin characters can be part of a phrase. Punctuation, spaces, line feeds, numbers,
  single Latin letters and all else stand between phrases.
- A run is known by the hashes of its words: "人民" and "政府" are another run than the word "人民政府".
- Texts come in blobs of at most LONGEST characters; a longer text is cut. Where words end is kept on
  disk as one bit a character, so the text is segmented once and read three times.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from zhbert.corpus.function_words import FUNCTION_WORDS
from zhbert.text.blob import Blob, Bools, Places
from zhbert.text.hashing import LONGEST, Hashes, row_hashes, run_hashes, sums
from zhbert.text.segment import Segmenter

NUMERALS = "0123456789０１２３４５６７８９〇零一二三四五六七八九十百千万亿两第"
_EDGE = np.uint64(0)  # the word before the first and behind the last
_FACTOR = np.uint64(0xD1342543DE82EF95)
_WORD, _NUMBER, _LETTER = (np.uint8(1 << bit) for bit in range(3))


class Words:
    """The words of a blob: where they start and end, their hashes, and what each is good for.

    `inside` words can be part of a phrase, `border` words can begin or end one, `between` are those with no
    character of a phrase in them.
    """

    def __init__(self, text: str, ends: Places) -> None:
        blob = Blob.of(text)
        self.text, self.ends, self.starts = text, ends, np.concatenate([[0], ends])[:-1]
        self._keys = [run_hashes(sums(blob.codes), self.starts, ends)]
        counts = _counted(blob, self.starts, ends)
        sizes = ends - self.starts
        one_letter = (sizes == 1) & (counts[_LETTER] == 1)
        self.inside: Bools = (counts[_WORD] == sizes) & (counts[_NUMBER] < sizes) & ~one_letter
        self.border: Bools = self.inside & ~np.isin(self._keys[0], _function_words())
        self.between: Bools = counts[_WORD] == 0

    def keys(self, size: int) -> Hashes:
        """Return the hash of each run of `size` words, by its first word."""
        while len(self._keys) < size:
            longer = self._keys[-1][:-1] * _FACTOR + self._keys[0][len(self._keys) :]
            self._keys.append(longer)
        return self._keys[size - 1]

    def runs(self, size: int) -> tuple[Places, Hashes]:
        """Return the first word of each run of `size` words of use, and its hash.

        >>> words = Words("人民政府，政府", np.array([2, 4, 5, 7]))
        >>> words.runs(1)[0].tolist(), words.runs(2)[0].tolist()
        ([0, 1, 3], [0])
        """
        keys = self.keys(size)
        good = np.ones(len(keys), dtype=np.bool_)
        for place in range(size):
            good &= self.inside[place : place + len(keys)]
        first = np.flatnonzero(good)
        return first, keys[first]

    def of(self, first: int, size: int) -> tuple[str, ...]:
        """Return the words of a run."""
        places = range(first, first + size)
        return tuple(self.text[self.starts[i] : self.ends[i]] for i in places)

    def beside(self, places: Places) -> tuple[Hashes, Bools]:
        """Return the hashes of some words, and which of them stand between phrases, as both ends do."""
        hashes = np.concatenate([self._keys[0], [_EDGE]])
        between = np.concatenate([self.between, [True]])
        return hashes[places], between[places]


def _counted(blob: Blob, starts: Places, ends: Places) -> dict[np.uint8, Places]:
    """Return how many characters of each kind every word has."""
    marks = _marks()[np.minimum(blob.codes, 0x30000)]
    seen = {mark: np.concatenate([[0], np.cumsum(marks & mark > 0)]) for mark in (_WORD, _NUMBER, _LETTER)}
    return {mark: counts[ends] - counts[starts] for mark, counts in seen.items()}


@cache
def _function_words() -> Hashes:
    by_size = [[word for word in FUNCTION_WORDS if len(word) == size] for size in range(1, 5)]
    codes = [Blob.of("".join(words)).codes.reshape(-1, size) for size, words in enumerate(by_size, 1)]
    return np.concatenate(list(map(row_hashes, codes)))


@cache
def _marks() -> npt.NDArray[np.uint8]:
    marks = np.zeros(0x30001, dtype=np.uint8)
    for first, last in ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FFFF)):
        marks[first : last + 1] = _WORD
    for letters in ("AZ", "az", "ÀÖ", "Øö", "øɏ"):
        marks[ord(letters[0]) : ord(letters[1]) + 1] = _WORD | _LETTER
    marks[[ord(character) for character in NUMERALS]] = _WORD | _NUMBER
    return marks


def blobs(texts: Iterable[str]) -> Iterator[str]:
    """Yield texts joined by line feeds, up to LONGEST characters at a time; a longer text is cut.

    >>> list(blobs(["我爱", "北京"]))
    ['我爱\\n北京']
    """
    held: list[str] = []
    size = 0
    for piece in chain.from_iterable(map(_pieces, texts)):
        if held and size + len(piece) > LONGEST:
            yield "\n".join(held)
            held, size = [], 0
        held.append(piece)
        size += len(piece) + 1
    if held:
        yield "\n".join(held)


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + LONGEST - 1] for start in range(0, len(text), LONGEST - 1))


class Cut:
    """Words of texts that are read several times: cut when read first, from a file of bits afterwards."""

    def __init__(self, path: Path, segmenter: Segmenter) -> None:
        self._path, self._segmenter, self._done = path, segmenter, False

    def __enter__(self) -> Self:
        self._path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink(missing_ok=True)

    def words(self, texts: Iterable[str]) -> Iterator[Words]:
        """Yield the words of texts, which must be the same ones in the same order every time."""
        with self._path.open("rb" if self._done else "wb") as file:
            for text in blobs(texts):
                if self._done:
                    bits = np.frombuffer(file.read((len(text) + 7) // 8), dtype=np.uint8)
                    ends = np.flatnonzero(np.unpackbits(bits, count=len(text))) + 1
                else:
                    ends = self._segmenter.ends(text)
                    flags = np.zeros(len(text), dtype=np.bool_)
                    flags[ends - 1] = True
                    file.write(np.packbits(flags).tobytes())
                yield Words(text, ends)
        self._done = True
