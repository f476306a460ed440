"""Find the words of a text, as ranges that cover it without a gap.

What is peculiar:

- `jieba` gives exactly the words of `jieba.lcut` (exact mode, with its hidden Markov model), in linear
  time; see `lattice`.
- jieba keeps its dictionary as a marshal cache under a well-known name in the shared temporary folder,
  where anybody may have left another one. Here the packaged dictionary is read every time (0.6 s, once
  per process): no cache is read or written, nothing is logged, and a read-only disk will do.
- A user dictionary is in jieba's format, `word [frequency] [tag]` with single spaces. jieba takes a line that
  it does not understand, such as one with tabs, for one long word that never occurs; here it is an error.
- A segmenter is read-only once made, so threads may share it. It pickles as its user words and is built
  again on the other side; it never reads the user's file twice.
"""

import hashlib
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Protocol

from zhbert.errors import ConfigError, DataError, nearest
from zhbert.text import lattice

_USER_LINE = re.compile(r"(\S+?)(?: ([0-9]+))?(?: ([a-z]+))?")
_UNREACHABLE = re.compile(r"[^\u4E00-\u9FD5a-zA-Z0-9+#&._%\-]")
_CHARACTERS = re.compile(r"[A-Za-z0-9À-ÖØ-öø-ɏ０-９Ａ-Ｚａ-ｚ]+|[\s\S]")


class Segmenter(Protocol):
    """What finds words; equal fingerprints promise equal words."""

    name: str
    fingerprint: str

    def cut(self, text: str) -> list[tuple[int, int]]:
        """Return the half-open ranges of the words of `text`, which cover it without a gap."""
        ...


@dataclass(frozen=True, slots=True)
class UserWord:
    """One line of a user dictionary; without a frequency jieba finds one that keeps the word whole."""

    word: str
    frequency: int | None = None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """jieba's dictionary with user words: weights for `lattice.cut`, words never to be guessed, a hash."""

    weights: lattice.Weights
    split: frozenset[str]
    fingerprint: str


class Jieba:
    """jieba's exact mode.

    >>> segmenter = Jieba()
    >>> [(start, end) for start, end in segmenter.cut("我来到北京清华大学")]
    [(0, 1), (1, 3), (3, 5), (5, 9)]
    """

    name = "jieba"

    def __init__(self, user_words: Iterable[UserWord] = ()) -> None:
        self.user_words = tuple(user_words)
        self._lexicon = _lexicon(self.user_words)
        self.fingerprint = self._lexicon.fingerprint

    def __reduce__(self) -> tuple[type["Jieba"], tuple[tuple[UserWord, ...]]]:
        return Jieba, (self.user_words,)

    @property
    def unreachable(self) -> tuple[str, ...]:
        """Return the user words that jieba can never find, because it always cuts beside, say, a "·"."""
        return tuple(entry.word for entry in self.user_words if _UNREACHABLE.search(entry.word))

    def cut(self, text: str) -> list[tuple[int, int]]:
        """Return the ranges of the words of `text`."""
        words = lattice.cut(text, self._lexicon.weights, split=self._lexicon.split)
        return list(pairwise(accumulate(map(len, words), initial=0)))


class Characters:
    """One character a word; Latin letters and digits in runs.

    >>> Characters().cut("用BERT做NLP")
    [(0, 1), (1, 5), (5, 6), (6, 9)]
    """

    name = "character"
    fingerprint = hashlib.sha256(f"character {_CHARACTERS.pattern}".encode()).hexdigest()

    def __init__(self, user_words: Iterable[UserWord] = ()) -> None:
        if tuple(user_words):
            raise ConfigError('the segmenter "character" takes no user words', remedy='use "jieba"')

    def cut(self, text: str) -> list[tuple[int, int]]:
        """Return the ranges of the characters of `text`."""
        return [match.span() for match in _CHARACTERS.finditer(text)]


SEGMENTERS: dict[str, type[Jieba | Characters]] = {"jieba": Jieba, "character": Characters}


def segmenter(name: str = "jieba", *, user_words: Path | None = None) -> Segmenter:
    """Return the segmenter of that name, with the words of a user dictionary where a file is given.

    >>> segmenter("character").cut("汉语")
    [(0, 1), (1, 2)]
    """
    if name not in SEGMENTERS:
        raise ConfigError(f'unknown segmenter "{name}"', remedy=nearest(name, SEGMENTERS))
    return SEGMENTERS[name](read_user_words(user_words) if user_words else ())


def read_user_words(path: Path) -> tuple[UserWord, ...]:
    """Return the entries of a user dictionary in jieba's format, in order."""
    try:
        lines = Path(path).read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=path) from error
    entries = (_user_word(line, where=f"{path}:{number}") for number, line in enumerate(lines, 1))
    return tuple(entry for entry in entries if entry)


def _user_word(line: bytes, *, where: str) -> UserWord | None:
    try:
        entry = line.strip().decode().lstrip("\ufeff")
    except UnicodeDecodeError as error:
        raise DataError("not UTF-8", where=where, remedy="save the dictionary as UTF-8") from error
    match = _USER_LINE.fullmatch(entry)
    if match:
        return UserWord(match[1], None if match[2] is None else int(match[2]))
    if not entry:
        return None
    raise DataError(f'not a dictionary line: "{entry}"', where=where, remedy=_USER_LINE_REMEDY)


_USER_LINE_REMEDY = 'write "word", "word 20" or "word 20 n": single spaces, a whole number, a lower-case tag'


@lru_cache(maxsize=4)
def _lexicon(user_words: tuple[UserWord, ...]) -> Lexicon:
    """Return jieba's packaged dictionary with user words added in jieba's own way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba asks for pkg_resources and has invalid escapes
        import jieba

    tokenizer = jieba.Tokenizer()
    path = Path(jieba.__file__).with_name(jieba.DEFAULT_DICT_NAME)
    with path.open("rb") as file:
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(file)
    tokenizer.initialized = True  # so that it never looks for a cache
    for entry in user_words:
        # add_word would force the split of a word of frequency 0 on every tokenizer in the process
        tokenizer.add_word(entry.word, 1 if entry.frequency == 0 else entry.frequency)
        if entry.frequency == 0:
            tokenizer.FREQ[entry.word] = 0
            tokenizer.total -= 1
    digest = hashlib.sha256(path.read_bytes())
    digest.update(repr((jieba.__version__, user_words)).encode())
    split = frozenset(entry.word for entry in user_words if entry.frequency == 0)
    return Lexicon(lattice.weigh(tokenizer.FREQ, tokenizer.total), split, digest.hexdigest())
