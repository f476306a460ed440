"""Texts cut into marked pieces for the page, and made safe to look at.

- Spans may overlap: a text is cut at every border, and a piece carries the shortest span over it;
  the label is printed once, on the span's last piece.
- Long passages are cropped around what is marked.
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
    text: str, spans: Sequence[Span], *, classes: Callable[[Sequence[Span]], str], tags: bool
) -> list[Piece]:
    """Return the text cut at every border of the spans.

    >>> spans = [Span(0, 2, "人名"), Span(3, 5, "地点")]
    >>> [(p.text, p.tag) for p in pieces("李明在北京", spans, classes=lambda _: "x", tags=True)]
    [('李明', '人名'), ('在', ''), ('北京', '地点')]
    """
    start, end = window(text, spans)
    inside = {edge for span in spans for edge in (span.start, span.end) if start < edge < end}
    edges = sorted({start, end} | inside)
    found = [Piece("…")] if start else []
    for a, b in pairwise(edges):
        over = sorted(
            (s for s in spans if s.start <= a and b <= s.end), key=lambda s: (s.end - s.start, s.label)
        )
        tag = over[0].label if tags and over and over[0].end == b else ""
        found.append(Piece(text[a:b], classes(over) if over else "", tag, " + ".join(s.label for s in over)))
    return [*found, Piece("…")] if end < len(text) else found


def window(text: str, spans: Sequence[Span]) -> tuple[int, int]:
    """Return the part of the text to show: all of it, or what lies around the spans.

    >>> window("字" * 1000, [Span(500, 510)])
    (305, 705)
    """
    if len(text) <= CROP:
        return 0, len(text)
    first = min((span.start for span in spans), default=0)
    last = min(max((span.end for span in spans), default=0), len(text))
    room = max(_MARGIN, (CROP - (last - first)) // 2)
    return max(0, first - room), min(len(text), max(last + room, CROP if not first else 0))


def entity_pieces(exhibit: Exhibit, marking: Marking, colours: dict[str, int]) -> list[Piece]:
    """Return a sentence with entities: an `off` one is missing in, or not in, the other side."""
    gold, first = exhibit.markings[0], exhibit.markings[1]
    agreed = set(first.spans if marking.by == "gold" else gold.spans)

    def classes(over: Sequence[Span]) -> str:
        return f"c{colours.get(over[0].label, 11)}" + ("" if over[0] in agreed else " off")

    return pieces(exhibit.text, marking.spans, classes=classes, tags=True)


def answer_pieces(exhibit: Exhibit) -> list[Piece]:
    """Return a passage with the gold answer and that of the first system."""
    gold, said = exhibit.markings[0].spans, exhibit.markings[1].spans
    marked = [Span(s.start, s.end, kind) for kind, spans in (("gold", gold), ("said", said)) for s in spans]
    return pieces(
        exhibit.text, marked, classes=lambda over: " ".join(sorted(s.label for s in over)), tags=False
    )


def said(exhibit: Exhibit, marking: Marking) -> str:
    """Return an answer as a text: the labels, or what stands at the spans."""
    answer = "、".join(marking.labels) or " / ".join(exhibit.text[s.start : s.end] for s in marking.spans)
    return clean(short(answer))
