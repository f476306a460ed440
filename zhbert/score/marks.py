"""Texts cut into marked pieces for the page, and made safe to look at.

- Spans may overlap: a text is cut at every border, and a piece carries the shortest span over it;
  the label is printed once, on the span's last piece.
- Of a long passage what lies near the marks is shown, and not more than a page has room for.
- Characters that change how others are shown (controls, bidirectional overrides, half surrogate
  pairs) are printed by their code point: a stray one would reorder the page.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from zhbert.records import Span
from zhbert.score.sheet import Exhibit, Marking

CROP = 400
_LONGEST = 800
_MARGIN = 60
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; no classes means that it is not marked."""

    text: str
    classes: str = ""
    tag: str = ""
    title: str = ""


def clean(text: object) -> str:
    r"""Return a text whose invisible characters are spelt out.

    >>> clean("主队\u202e赢了")
    '主队‹U+202E›赢了'
    """
    return _UNSEEN.sub(lambda m: f"‹U+{ord(m[0]):04X}›", str(text))


def short(text: str) -> str:
    """Return the beginning of a text that is too long to show."""
    return text if len(text) <= CROP else text[:CROP] + "…"


def pieces(
    text: str,
    spans: Sequence[Span],
    *,
    classes: Callable[[Sequence[Span]], str],
    tags: bool,
    around: Sequence[Span] | None = None,
) -> list[Piece]:
    """Return the text cut at every border of the spans; of a long one what is near them, or near others.

    >>> spans = [Span(0, 2, "人名"), Span(3, 5, "地点")]
    >>> [(p.text, p.tag) for p in pieces("李明在北京", spans, classes=lambda _: "x", tags=True)]
    [('李明', '人名'), ('在', ''), ('北京', '地点')]
    """
    found: list[Piece] = []
    last = 0
    for start, end in windows(text, spans if around is None else around):
        found += [Piece("…")] if start > last else []
        found += _cut(text, start, end, spans, classes, tags)
        last = end
    return [*found, Piece("…")] if last < len(text) else found


def _cut(
    text: str,
    start: int,
    end: int,
    spans: Sequence[Span],
    classes: Callable[[Sequence[Span]], str],
    tags: bool,
) -> list[Piece]:
    waiting = sorted((s for s in spans if s.start < end and start < s.end), key=lambda s: -s.start)
    inside = {edge for span in waiting for edge in (span.start, span.end) if start < edge < end}
    found: list[Piece] = []
    over: list[Span] = []
    for a, b in pairwise(sorted({start, end} | inside)):
        over = [span for span in over if span.end > a]
        while waiting and waiting[-1].start <= a:
            over.append(waiting.pop())
        over.sort(key=lambda s: (s.end - s.start, s.label, s.start))
        ends = bool(over) and (over[0].end == b or b == end)
        labels = " + ".join(s.label for s in over)
        found.append(
            Piece(text[a:b], classes(over) if over else "", over[0].label if tags and ends else "", labels)
        )
    return found


def windows(text: str, spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Return the parts of the text to show: all of it, or what lies near the spans.

    >>> windows("字" * 1000, [Span(500, 510)])
    [(305, 705)]
    >>> windows("字" * 1000, [Span(100, 110), Span(800, 810)])
    [(40, 170), (740, 870)]
    """
    if len(text) <= CROP:
        return [(0, len(text))]
    near: list[tuple[int, int]] = []
    for span in sorted(spans):
        start, end = max(0, span.start - _MARGIN), min(len(text), span.end + _MARGIN)
        if near and start <= near[-1][1]:
            start, before = near.pop()
            end = max(end, before)
        near.append((start, end))
    return _first(near if len(near) > 1 else [_widened(len(text), *(near or [(0, 0)])[0])])


def _widened(size: int, start: int, end: int) -> tuple[int, int]:
    room = max(0, CROP - (end - start)) // 2
    start = max(0, min(start - room, size - CROP))
    return start, min(size, max(end + room, start + CROP))


def _first(near: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return as many of the parts as fit, the last one cut."""
    found: list[tuple[int, int]] = []
    left = _LONGEST
    for start, end in near:
        if left > 0:
            found.append((start, min(end, start + left)))
            left -= end - start
    return found


def entity_pieces(
    exhibit: Exhibit, marking: Marking, colours: dict[str, int], against: int = 1
) -> list[Piece]:
    """Return a sentence with entities: an `off` one is missing in, or not in, the other side.

    The other side of a system is the gold answer, that of the gold answer the system at the place `against`.
    """
    gold, other = exhibit.markings[0], exhibit.markings[against]
    agreed = set(other.spans if marking is gold else gold.spans)
    differ = sorted(set(gold.spans) ^ set(other.spans)) or gold.spans

    def classes(over: Sequence[Span]) -> str:
        return f"c{colours.get(over[0].label, 11)}" + ("" if over[0] in agreed else " off")

    return pieces(exhibit.text, marking.spans, classes=classes, tags=True, around=differ)


def answer_pieces(exhibit: Exhibit, against: int = 1) -> list[Piece]:
    """Return a passage with the gold answer and that of the system at the place `against`."""
    gold, said = exhibit.markings[0].spans, exhibit.markings[against].spans
    marked = [Span(s.start, s.end, kind) for kind, spans in (("gold", gold), ("said", said)) for s in spans]
    return pieces(
        exhibit.text, marked, classes=lambda over: " ".join(sorted(s.label for s in over)), tags=False
    )


def said(exhibit: Exhibit, marking: Marking) -> str:
    """Return an answer as a text: the labels, or what stands at the spans."""
    answer = "、".join(marking.labels) or " / ".join(exhibit.text[s.start : s.end] for s in marking.spans)
    return clean(short(answer))
