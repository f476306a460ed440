"""Changes that leave what a text says as it is, or nearly: another script, other widths, slips.

What is peculiar:

- A change is a list of edits, so every character knows where it came from, and spans move along. A span
  whose border falls inside what one edit replaced has no place any more: `moved` says so by returning none.
- What is put between two characters belongs to neither: a span that ends before it stays as it was.
- Which places change is drawn from the text and a seed alone. A share of them changes, but at least one
  where there is any, so that no short text is left out by chance.
- Simplified becomes traditional one character at a time, by what OpenCC says of the whole run of Han
  characters where the length stays (头发 becomes 頭髮, not 頭發).
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from zhbert.text.lookalikes import HOMOPHONES, LOOKALIKES
from zhbert.text.normalize import Edit, Normalized, normalize

SHARE = 0.1  # of the places at which a slip could happen

_HAN = re.compile("[\u4e00-\u9fff]+")
_DIGITS = re.compile("[0-9]")
_YEAR = re.compile("(?<![0-9])[0-9]{4}(?=年)")
_HAN_DIGITS = "〇一二三四五六七八九"
_PUNCTUATION = dict(zip("，。！？；：（）", ",.!?;:()", strict=True))
_ENDS = re.compile("[。！？!?]|$")
_EMOJI = ("😀", "👍", "🎉", "🇨🇳", "👨\u200d👩\u200d👧", "❤️")  # of one and of several code points
Draw = np.random.Generator
Edits = Callable[[str, Draw], Iterable[Edit]]


@dataclass(frozen=True, slots=True)
class Change:
    """A way to change a text; what is `exact` means the same to every reader."""

    about: str
    edits: Edits
    exact: bool = True


def change(text: str, name: str, *, seed: int = 1) -> Normalized:
    """Return a text changed in one of the ways of `CHANGES`.

    >>> change("他在２０21年来到北京", "half-width").text
    '他在2021年来到北京'
    """
    digest = hashlib.blake2b(
        f"{seed}\0{name}\0{text}".encode("utf-8", "surrogatepass"), digest_size=8
    ).digest()
    draw = np.random.default_rng(int.from_bytes(digest, "big"))
    return applied(text, CHANGES[name].edits(text, draw))


def applied(text: str, edits: Iterable[Edit]) -> Normalized:
    """Return a text with some ranges replaced, in order; an empty range is a place to put something at.

    >>> applied("北京", [(1, 1, " ")]).origins.tolist()
    [[0, 1], [1, 1], [1, 2]]
    """
    parts: list[str] = []
    origins: list[tuple[int, int]] = []
    done = 0
    for start, end, new in [*edits, (len(text), len(text), "")]:
        parts += text[done:start], new
        origins += [(place, place + 1) for place in range(done, start)] + [(start, end)] * len(new)
        done = end
    return Normalized("".join(parts), np.array(origins, dtype=np.int64).reshape(-1, 2))


def moved(changed: Normalized, start: int, end: int) -> tuple[int, int] | None:
    """Return where a range of the old text is in the new one; none if it is gone, or its border is.

    >>> moved(change("李明在上海", "spaces-between"), 3, 5)
    (6, 9)
    """
    first, last = changed.forward(start, end)
    if first == last or changed.back(first, last) != (start, end):
        return None
    return first, last


def _some(places: list[int], draw: Draw) -> list[int]:
    """Return a share of the places, in order."""
    number = min(len(places), max(1, round(SHARE * len(places))))
    return sorted(draw.permutation(np.array(places, dtype=np.int64))[:number].tolist())


def _each(table: dict[str, str]) -> Edits:
    """Return the change that puts another character for every one of a table."""
    return lambda text, _: [(i, i + 1, table[char]) for i, char in enumerate(text) if char in table]


def _slips(groups: str) -> Edits:
    """Return the change that puts another character of the same group at some places."""
    others: dict[str, str] = {}
    for group in groups.split():
        for char in group:
            others[char] = others.get(char, "") + group.replace(char, "")

    def slip(text: str, draw: Draw) -> Iterator[Edit]:
        for place in _some([i for i, char in enumerate(text) if char in others], draw):
            yield place, place + 1, str(draw.choice(list(others[text[place]])))

    return slip


def _traditional(text: str, _: Draw) -> Iterator[Edit]:
    for run in _HAN.finditer(text):
        new = _to_traditional()(run[0])
        if len(new) != len(run[0]):
            new = "".join(one if len(one := _to_traditional()(char)) == 1 else char for char in run[0])
        for place, (old, char) in enumerate(zip(run[0], new, strict=True), run.start()):
            if old != char:
                yield place, place + 1, char


@cache
def _to_traditional() -> Callable[[str], str]:
    from opencc import OpenCC  # loads 3 MB of dictionaries: only for those who ask

    convert: Callable[[str], str] = OpenCC("s2t").convert
    return convert


def _simplified(text: str, _: Draw) -> Iterator[Edit]:
    simple = normalize(text, nfkc=False, controls=False, simplify=True).text
    return ((i, i + 1, new) for i, (old, new) in enumerate(zip(text, simple, strict=True)) if old != new)


def _spaced(text: str, _: Draw) -> Iterator[Edit]:
    for run in _HAN.finditer(text):
        for place in range(run.start() + 1, run.end()):
            yield place, place, " "


def _unspaced(text: str, _: Draw) -> Iterator[Edit]:
    for space in re.finditer(r"[ \t\u3000]+", text):
        yield space.start(), space.end(), ""


def _broken(text: str, draw: Draw) -> Iterator[Edit]:
    """Put invisible characters between some Han characters, as copying from a page does."""
    for place in _some([i for run in _HAN.finditer(text) for i in range(run.start() + 1, run.end())], draw):
        yield place, place, str(draw.choice(["\u200b", "\u3000", "\n"]))


def _years(text: str, _: Draw) -> Iterator[Edit]:
    """Write the four digits of a year in Han characters; other numbers are said in other ways."""
    for year in _YEAR.finditer(text):
        for digit in _DIGITS.finditer(year[0]):
            place = year.start() + digit.start()
            yield place, place + 1, _HAN_DIGITS[int(digit[0])]


def _with_emoji(text: str, draw: Draw) -> Iterator[Edit]:
    places = dict.fromkeys(end.end() for end in _ENDS.finditer(text))
    for place in _some(list(places), draw) if text else ():
        yield place, place, str(draw.choice(_EMOJI))


def _swapped(text: str, draw: Draw) -> Iterator[Edit]:
    """Swap some neighbouring Han characters, none of them twice."""
    done = 0
    for place in _some([i for run in _HAN.finditer(text) for i in range(run.start(), run.end() - 1)], draw):
        if place >= done and text[place] != text[place + 1]:
            yield place, place + 1, text[place + 1]
            yield place + 1, place + 2, text[place]
            done = place + 2


_WIDE = {chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
_LETTERS = {old: new for old, new in _WIDE.items() if old.isalnum()}
_UPPER = {char: char.upper() for char in map(chr, range(0x61, 0x7B))}

CHANGES: dict[str, Change] = {
    "traditional": Change("simplified characters become traditional ones", _traditional),
    "simplified": Change("traditional characters become simplified ones", _simplified),
    "full-width": Change("Latin letters and digits take the width of a Han character", _each(_LETTERS)),
    "half-width": Change(
        "full-width letters, digits and marks become narrow", _each({new: old for old, new in _WIDE.items()})
    ),
    "upper-case": Change("Latin letters become capitals", _each(_UPPER)),
    "lower-case": Change("Latin letters become small", _each({new: old for old, new in _UPPER.items()})),
    "punctuation": Change("Chinese marks become those of a Latin keyboard", _each(_PUNCTUATION)),
    "years": Change("the digits of a year are written 二〇二一", _years),
    "spaces-between": Change("a space between every two Han characters", _spaced),
    "no-spaces": Change("all spaces are taken out", _unspaced, exact=False),
    "broken": Change("zero-width spaces, wide spaces and line breaks in a tenth of the places", _broken),
    "emoji": Change("emoji behind a tenth of the sentences", _with_emoji),
    "homophones": Change(
        "a tenth of the common characters become ones that sound alike", _slips(HOMOPHONES), exact=False
    ),
    "lookalikes": Change(
        "a tenth of the common characters become ones that look alike", _slips(LOOKALIKES), exact=False
    ),
    "swaps": Change("a tenth of the neighbouring characters change places", _swapped, exact=False),
}
