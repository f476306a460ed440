"""Find the words of a text: where each one ends, in characters.

What is peculiar:

- `jieba` gives the words of `jieba.lcut` (exact mode, with its hidden Markov model) through its Rust twin;
  `rapid` says what that takes and how sure it is. With the rare user dictionary of which the twin might
  make something else, or another rjieba, it works as `jieba-plain` does.
- `jieba-plain` gives exactly these words, from jieba's own tables in Python, in linear time; see `lattice`.
  The two have different fingerprints all the same, because rjieba's version too decides what `jieba` finds.
- `whitespace` takes a text that is segmented already. White space between its words counts as words too, so
  that nothing is left out; a tokenizer drops it.
- A segmenter is read-only once made, so threads may share it. It pickles as its user words and is built
  again on the other side, once in a process; it never reads the user's file twice.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from zhbert.errors import ConfigError, nearest
from zhbert.text import lattice, rapid
from zhbert.text.lexicon import UserWord, fingerprint, lexicon, read_user_words

Ends = npt.NDArray[np.int64]
Ranges = npt.NDArray[np.int64]

_PATTERNS = {
    "character": re.compile(r"[A-Za-z0-9À-ÖØ-öø-ɏ０-９Ａ-Ｚａ-ｚ]+|[\s\S]"),
    "whitespace": re.compile(r"\s+|\S+"),
}


class Segmenter(Protocol):
    """What finds words; equal fingerprints promise equal words."""

    name: str
    fingerprint: str

    def ends(self, text: str, /) -> Ends:
        """Return where each word of `text` ends; words cover it without a gap."""
        ...


def words(segmenter: Segmenter, text: str) -> list[str]:
    """Return the words of a text as strings.

    >>> words(Jieba(), "我来到北京清华大学")
    ['我', '来到', '北京', '清华大学']
    """
    return [text[start:end] for start, end in pairwise([0, *segmenter.ends(text).tolist()])]


def ranges(ends: Ends) -> Ranges:
    """Return the half-open ranges of words that end there, one after the other.

    >>> ranges(segmenter("character").ends("用BERT")).tolist()
    [[0, 1], [1, 5]]
    """
    both = np.zeros((len(ends), 2), dtype=np.int64)
    both[1:, 0], both[:, 1] = ends[:-1], ends
    return both


class Jieba:
    """jieba's exact mode.

    >>> Jieba().ends("我来到北京清华大学").tolist()
    [1, 3, 5, 9]
    """

    def __init__(self, user_words: Iterable[UserWord] = (), *, plain: bool = False) -> None:
        self.user_words, self._plain = tuple(user_words), plain
        self.name = "jieba-plain" if plain else "jieba"
        self.fingerprint = fingerprint(self.user_words, "jieba", *([] if plain else ["rjieba"]))
        self.ends = _jieba(self.user_words, plain=plain)  # no method, which would cost a fiftieth

    def __reduce__(self) -> tuple[Callable[[], "Jieba"], tuple[()]]:
        return partial(Jieba, self.user_words, plain=self._plain), ()

    @property
    def unreachable(self) -> tuple[str, ...]:
        """Return the user words that jieba can never find, because it always cuts beside, say, a "·"."""
        return tuple(entry.word for entry in self.user_words if not entry.reachable)


@lru_cache(maxsize=4)
def _jieba(user_words: tuple[UserWord, ...], *, plain: bool) -> Callable[[str], Ends]:
    """Return what cuts with these words; only user words make it read jieba's dictionary for the twin."""
    known = lexicon(user_words) if plain or user_words else None
    twin = None if plain else rapid.twin(known)
    if twin:
        return twin.ends
    known = known or lexicon(user_words)
    weights, split = lattice.weigh(known.frequencies, known.total), known.split
    return lambda text: lattice.ends(lattice.cut(text, weights, split=split))


class Pattern:
    """Words by a regular expression that leaves nothing out: characters, or what stands between spaces.

    >>> words(Pattern("whitespace"), "他 用 BERT")
    ['他', ' ', '用', ' ', 'BERT']
    """

    def __init__(self, name: str, user_words: Iterable[UserWord] = ()) -> None:
        if tuple(user_words):
            raise ConfigError(f'the segmenter "{name}" takes no user words', remedy='use "jieba"')
        self.name, self._pattern = name, _PATTERNS[name]
        self.fingerprint = hashlib.sha256(f"{name} {self._pattern.pattern}".encode()).hexdigest()

    def ends(self, text: str, /) -> Ends:
        """Return where each word of `text` ends."""
        return np.fromiter(map(re.Match.end, self._pattern.finditer(text)), dtype=np.int64)


SEGMENTERS: dict[str, Callable[[Iterable[UserWord]], Segmenter]] = {
    "jieba": Jieba,
    "jieba-plain": partial(Jieba, plain=True),
    "character": partial(Pattern, "character"),
    "whitespace": partial(Pattern, "whitespace"),
}


def segmenter(name: str = "jieba", *, user_words: Path | None = None) -> Segmenter:
    """Return the segmenter of that name, with the words of a user dictionary where a file is given.

    >>> segmenter("character").ends("汉语").tolist()
    [1, 2]
    """
    if name not in SEGMENTERS:
        raise ConfigError(f'unknown segmenter "{name}"', remedy=nearest(name, SEGMENTERS))
    return SEGMENTERS[name](read_user_words(user_words) if user_words else ())
