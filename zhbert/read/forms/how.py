"""How labelled data is to be read: the options, the places of spans, and the account of what was mended.

- A form says in which unit its spans are counted (`own`): half-open ranges of characters in most, the last
  character included in CLUENER, UTF-16 code units in Label Studio, which runs in a browser.
- What stands at a span's place must be its surface. Where the file gives none, only the range is checked.
- A span that is misplaced stops the reading. `Form.read` then looks whether all spans of the file stand where
  they should in one of the other units (`OFFSETS`), and names it; it is applied where it is asked for.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Literal, get_args

import regex

from zhbert.errors import DataError
from zhbert.records import Span

Misplaced = Literal["refuse", "search", "drop"]
Offsets = Literal["", "characters", "inclusive", "utf16", "crlf", "graphemes"]
OFFSETS: tuple[Offsets, ...] = get_args(Offsets)[1:]

_SEARCH = "--misplaced search looks for it nearby, "
_CRLF = regex.compile(r"\r\n|.", regex.DOTALL)
_GRAPHEME = regex.compile(r"\X")


class MisplacedError(DataError):
    """A span that does not stand where the file says."""


@dataclass(slots=True, kw_only=True)
class How:
    """The options of a reading; `counts` says what was mended or left out, `found` what was detected.

    >>> how = How(misplaced="search")
    >>> how.span("他在北京，她在北京", 5, None, "北京", where="line 1"), how.counts
    (Span(start=7, end=9, label='', surface='北京'), Counter({'moved': 1}))
    """

    task: str = ""
    columns: dict[str, str] = field(default_factory=dict)  # what an example needs: the column that has it
    label: str = ""
    misplaced: Misplaced = "refuse"
    offsets: Offsets = ""
    scheme: str = ""
    repair: bool = False
    scored: bool = False  # only to be scored: texts are enough, nothing is left out for want of a place
    counts: Counter[str] = field(default_factory=Counter)
    found: dict[str, str] = field(default_factory=dict)
    own: Offsets = "characters"  # which the form sets

    def anew(self, offsets: Offsets) -> "How":
        """Return the same options for another reading, with other offsets."""
        return replace(self, offsets=offsets, misplaced="refuse", counts=Counter(), found={})

    def span(
        self,
        text: str,
        start: int,
        end: int | None,
        surface: str | None,
        label: str = "",
        *,
        where: object,
    ) -> Span | None:
        """Return the span that a file gives by its place, its surface or both, mended as asked, or none."""
        unit = self.offsets or self.own
        found = _range(text, start, end, surface, unit)
        if found:
            return Span.of(text, *found, label)
        if self.misplaced == "refuse":
            raise MisplacedError(
                _complaint(text, start, end, surface),
                where=where,
                remedy=f"{_SEARCH * bool(surface)}--misplaced drop leaves it out",
            )
        places = _places(text, surface) if self.misplaced == "search" and surface else []
        if not places or surface is None:
            self.counts["dropped"] += 1
            return None
        self.counts["moved"] += 1
        nearest = min(places, key=lambda place: abs(place - start))
        return Span.of(text, nearest, nearest + len(surface), label)


def _range(text: str, start: int, end: int | None, surface: str | None, unit: str) -> tuple[int, int] | None:
    """Return the characters that a place means in a unit, if they are the surface; None otherwise."""
    bounds = bounds_of(text, unit)
    if unit == "crlf" and surface:  # the line breaks that the text has
        surface = surface.replace("\r\n", "\n").replace("\n", "\r\n" if "\r\n" in text else "\n")
    first = _at(bounds, start)
    if first is None or (surface is not None and not surface):
        return None
    last = first + len(surface or "") if end is None else _at(bounds, end + (unit == "inclusive"))
    if last is None or not first < last <= len(text):
        return None
    return (first, last) if surface is None or text[first:last] == surface else None


def _at(bounds: list[int] | range, place: int) -> int | None:
    return bounds[place] if 0 <= place < len(bounds) and bounds[place] >= 0 else None


def bounds_of(text: str, unit: str) -> list[int] | range:
    """Return for every place, counted in a unit, the character there; -1 inside of one.

    >>> bounds_of("😀好", "utf16"), bounds_of("a\\r\\nb", "crlf"), bounds_of("a\\nb", "crlf")
    ([0, -1, 1, 2], [0, 1, 3, 4], [0, 1, -1, 2, 3])
    """
    if unit == "utf16" and max(text, default="") > "\uffff":
        return _places_of(1 if character <= "\uffff" else 2 for character in text)
    if unit == "graphemes" and (not text.isascii() or "\r" in text):
        return [0, *accumulate(map(len, _GRAPHEME.findall(text)))]
    if unit == "crlf" and "\r\n" in text:  # counted without the \r that the text has
        return [0, *accumulate(map(len, _CRLF.findall(text)))]
    if unit == "crlf" and "\n" in text:  # counted with the \r that the text has lost
        return _places_of(2 if character == "\n" else 1 for character in text)
    return range(len(text) + 1)


def _places_of(widths: Iterable[int]) -> list[int]:
    """Return the places of characters, and of the end, each of which takes so many units."""
    bounds: list[int] = []
    for place, width in enumerate([*widths, 1]):
        bounds += [place, *[-1] * (width - 1)]
    return bounds


def _complaint(text: str, start: int, end: int | None, surface: str | None) -> str:
    if surface is None:
        return f"a span {start}..{end} does not lie in the text, which has {len(text)} characters"
    if not surface:
        return f"a span without a surface at {start}"
    there = text[max(0, start) : max(0, start) + max(1, len(surface))]
    if there == surface and start >= 0 and end is not None:
        return f'"{surface}" has {len(surface)} characters but should stand at {start}..{end}'
    said = f'"{surface}" should stand at {start} but the text has "{there}" there'
    return said.replace("\n", "⏎")


def _places(text: str, surface: str) -> list[int]:
    places, place = [], text.find(surface)
    while place >= 0:
        places.append(place)
        place = text.find(surface, place + 1)
    return places
