"""jieba's dictionary and a user's own words.

What is peculiar:

- jieba keeps its dictionary as a marshal cache under a well-known name in the shared temporary folder,
  where anybody may have left another one. Here the packaged dictionary is read every time (0.6 s, once
  per process): no cache is read or written, nothing is logged, and a read-only disk will do.
- A user dictionary is in jieba's format, `word [frequency] [tag]` with single spaces. jieba takes a line that
  it does not understand, such as one with tabs, for one long word that never occurs; here it is an error.
- A word of frequency 0 is to come apart: it is taken out of the dictionary and never guessed. jieba notes
  that for all tokenizers of the process; here it is noted for this one.
"""

import hashlib
import re
import warnings
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from zhbert.errors import ConfigError, DataError
from zhbert.text.lattice import JOINING

_USER_LINE = re.compile(r"(\S+?)(?: ([0-9]{1,15}))?(?: ([a-z]+))?")
_REMEDY = 'write "word", "word 20" or "word 20 n": single spaces, a whole number, a lower-case tag'
_UNREACHABLE = re.compile(f"[^{JOINING}]")


@dataclass(frozen=True, slots=True)
class UserWord:
    """One line of a user dictionary; without a frequency jieba finds one that keeps the word whole."""

    word: str
    frequency: int | None = None

    def __post_init__(self) -> None:
        if not self.word or (self.frequency or 0) < 0:
            raise ConfigError(f'not a user word: "{self.word}", frequency {self.frequency}')

    @property
    def reachable(self) -> bool:
        """Tell whether jieba can ever find this word: it always cuts beside, say, a "·".

        >>> UserWord("让·雷诺").reachable
        False
        """
        return not _UNREACHABLE.search(self.word)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """How often each word was counted (0: it only begins one), of how many; what is never to be guessed."""

    frequencies: dict[str, int]
    total: int
    split: frozenset[str]


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
    raise DataError(f'not a dictionary line: "{entry}"', where=where, remedy=_REMEDY)


def lexicon(user_words: tuple[UserWord, ...] = ()) -> Lexicon:
    """Return jieba's packaged dictionary with user words added in jieba's own way.

    >>> lexicon((UserWord("北京大学生", 20),)).frequencies["北京大学生"]
    20
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba asks for pkg_resources and has invalid escapes
        import jieba

    tokenizer = jieba.Tokenizer()
    with _dictionary().open("rb") as file:
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(file)
    tokenizer.initialized = True  # so that it never looks for a cache
    for entry in user_words:
        # add_word would force the split of a word of frequency 0 on every tokenizer in the process
        tokenizer.add_word(entry.word, 1 if entry.frequency == 0 else entry.frequency)
        if entry.frequency == 0:
            tokenizer.FREQ[entry.word] = 0
            tokenizer.total -= 1
    split = frozenset(entry.word for entry in user_words if entry.frequency == 0)
    return Lexicon(tokenizer.FREQ, tokenizer.total, split)


def fingerprint(user_words: tuple[UserWord, ...], *packages: str) -> str:
    """Return the hash of what decides the words: jieba's dictionary, user words, the packages' versions."""
    versions = [(name, metadata.version(name)) for name in packages]
    return hashlib.sha256(repr((_dictionary_hash(), versions, user_words)).encode()).hexdigest()


@cache
def _dictionary_hash() -> str:
    return hashlib.sha256(_dictionary().read_bytes()).hexdigest()


def _dictionary() -> Path:
    spec = find_spec("jieba")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("dict.txt")
