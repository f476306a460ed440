"""What can be measured of a text: `FIGURES` maps a name to a function of a `Measured` text.

What is peculiar:

- Only what is asked for is computed, and what several figures need is computed once. Words in particular
  are found only for the figures in `OF_WORDS`, which cost ten times as much as all the others.
- Characters are counted by a table of classes or by their bytes, never one by one in Python.
- Where a figure follows a published filter, the comment names it and the definition is kept to the letter:
  FineWeb-2 runs datatrove's Gopher and FineWeb filters (huggingface/datatrove, pipeline/filters).
- A share of nothing is 0.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from zhbert.clean.grams import Grams, repeated_passages
from zhbert.clean.presets import LINE_ENDS, NO_WORD, STOP_WORDS
from zhbert.text.normalize import count_traditional
from zhbert.text.segment import Segmenter, segmenter, words

_NOT_HAN = bytes(set(range(256)) - set(range(0x34, 0xA0)))
_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0010ffff]+")
_RANGES = {  # classes of characters beside letters and Han; punctuation and % & / - are no symbols
    "latin": "A-Z a-z \u00c0-\u00d6 \u00d8-\u00f6 \u00f8-\u024f",
    "kana": "\u3041-\u3096 \u309d-\u309f \u30a1-\u30fa \u30fd-\u30ff \u31f0-\u31ff \uff66-\uff9f",
    "symbol": "#-# $-$ *-+ <-> @-@ [-` {-~ \u00a6-\u00a9 \u00ac-\u00b1 \u00b4-\u00b8 \u2190-\u2bff"
    " \u3013-\u3013 \ue000-\uf8ff \ufffd-\ufffd \uff03-\uff03 \uff0a-\uff0b \uff1c-\uff1e \uff20-\uff20"
    " \uff3b-\uff40 \uff5b-\uff5e \U0001f000-\U0001faff",
}
_CLASSES = ("other", "letter", "han", *_RANGES)


@cache
def _classes() -> npt.NDArray[np.uint8]:
    """Return the class of every code point; the table is built in 0.1 s, once per process."""
    table = np.array([*map(str.isalpha, map(chr, range(0x110000)))], dtype=np.uint8)
    table[0x3400:0xA000] = table[0x20000:] = _CLASSES.index("han")
    for name, ranges in _RANGES.items():
        for part in ranges.split():
            table[ord(part[0]) : ord(part[-1]) + 1] = _CLASSES.index(name)
    return table


def han_share(text: str) -> float:
    """Return the share of Han characters among all that are not space.

    >>> han_share("我爱 NLP")
    0.4
    """
    return FIGURES["han"](Measured(text))


def count_han(text: str) -> int:
    """Return how many characters of `text` are Han: U+3400 to U+9FFF, and all from U+20000 up.

    >>> count_han("我爱 NLP，𠮷")
    3
    """
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) > 2 * len(text):  # characters above U+FFFF: two units each
        return sum(map(len, _HAN.findall(text)))
    return len(units[1::2].translate(None, _NOT_HAN))  # the upper byte tells; 4 times faster than a pattern


@cache
def _segmenter() -> Segmenter:
    return segmenter()


class Measured:
    """A text and what has been measured of it so far."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def visible(self) -> int:
        """How many characters are not white space."""
        return sum(map(len, self.text.split()))

    @cached_property
    def han(self) -> int:
        """How many characters are Han."""
        return count_han(self.text)

    @cached_property
    def of(self) -> dict[str, int]:
        """How many characters are of each class."""
        codes = np.frombuffer(self.text.encode("utf-32-le", "surrogatepass"), np.uint32)
        counts = np.bincount(_classes()[codes], minlength=len(_CLASSES)).tolist()
        return dict(zip(_CLASSES, counts, strict=True))

    @cached_property
    def lines(self) -> list[str]:
        """The lines that are not blank."""
        return [line for line in self.text.split("\n") if line and not line.isspace()]

    @cached_property
    def words(self) -> list[str]:
        """The words, white space apart."""
        return [word for part in words(_segmenter(), self.text) if (word := part.strip())]

    @cached_property
    def kinds(self) -> list[tuple[str, int]]:
        """The different words and how often each comes."""
        return list(Counter(self.words).items())

    @cached_property
    def real(self) -> list[tuple[str, int]]:
        """Those that are more than punctuation."""
        return [(word, number) for word, number in self.kinds if word.strip(NO_WORD)]

    @cached_property
    def real_words(self) -> int:
        """How many words are more than punctuation."""
        return sum(number for _, number in self.real)

    @cached_property
    def grams(self) -> Grams:
        """The runs of words that come again."""
        return Grams(self.words)


Figure = Callable[[Measured], float]


def _over(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _repeated_lines(m: Measured) -> float:
    lines = re.split("\n+", m.text)  # Gopher: dup_line_frac
    return 1 - len(set(lines)) / len(lines)


def _repeated_line_characters(m: Measured) -> float:
    again = sum(len(line) * (number - 1) for line, number in Counter(m.lines).items())
    return _over(again, len(m.text) - m.text.count("\n"))  # FineWeb: char_duplicates_ratio


def _ellipsis_lines(m: Measured) -> float:
    lines = m.text.splitlines()  # Gopher
    return _over(sum(line.rstrip().endswith(("...", "…")) for line in lines), len(lines))


def _bullet_lines(m: Measured) -> float:
    lines = m.text.splitlines()  # Gopher
    return _over(sum(line.lstrip().startswith(("•", "-")) for line in lines), len(lines))


def _word_length(m: Measured) -> float:
    return _over(sum(len(word) * number for word, number in m.real), m.real_words)


def _letter_words(m: Measured) -> float:
    return _over(
        sum(number for word, number in m.kinds if word[0].isalpha() or any(map(str.isalpha, word))),
        len(m.words),
    )


def _top(n: int) -> Figure:
    return lambda m: _over(m.grams.top(n), len(m.text))  # Gopher: top_n_grams


def _again(n: int) -> Figure:
    return lambda m: _over(m.grams.again(n), len(m.text))  # Gopher: dup_n_grams


_OF_TEXT: dict[str, Figure] = {
    "characters": lambda m: len(m.text),
    "han": lambda m: _over(m.han, m.visible),
    "han_letters": lambda m: _over(m.han, sum(m.of[name] for name in ("letter", "han", "latin", "kana"))),
    "kana": lambda m: _over(m.of["kana"], m.of["kana"] + m.han),
    "latin": lambda m: _over(m.of["latin"], m.visible),
    "traditional": lambda m: _over(count_traditional(m.text), m.han),
    "symbols": lambda m: _over(m.of["symbol"], m.visible),
    "line_length": lambda m: len(m.text) / (m.text.count("\n") + 1),  # ChineseWebText 2.0
    "line_ends": lambda m: _over(sum(line.endswith(LINE_ENDS) for line in m.lines), len(m.lines)),  # FineWeb
    "ellipsis_lines": _ellipsis_lines,
    "bullet_lines": _bullet_lines,
    "repeated_lines": _repeated_lines,
    "repeated_line_characters": _repeated_line_characters,
    "repeated_passages": lambda m: repeated_passages(m.text),  # ChineseWebText 2.0, less its off-by-one
}
OF_WORDS: dict[str, Figure] = {
    "words": lambda m: m.real_words,
    "word_length": _word_length,
    "letter_words": _letter_words,
    "stop_words": lambda m: len(STOP_WORDS.intersection(m.words)),
    "breaks_per_word": lambda m: _over(m.text.count("\n"), len(m.words)),  # FineWeb: new_line_ratio
    "hashes_per_word": lambda m: _over(m.text.count("#"), len(m.words)),
    "ellipses_per_word": lambda m: _over(m.text.count("...") + m.text.count("…"), len(m.words)),
    **{f"top_{n}_words": _top(n) for n in (2, 3, 4)},
    **{f"repeated_{n}_words": _again(n) for n in range(5, 11)},
}
FIGURES = _OF_TEXT | OF_WORDS


def figures(text: str, names: Iterable[str] = tuple(_OF_TEXT)) -> dict[str, float]:
    """Return figures of a text by name; those of words only where they are asked for.

    >>> figures("今天下雨。\\n明天也下雨", ["characters", "han", "line_ends"])
    {'characters': 11.0, 'han': 0.9, 'line_ends': 0.5}
    """
    measured = Measured(text)
    return {name: float(FIGURES[name](measured)) for name in names}
