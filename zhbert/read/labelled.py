"""Labelled data as its publishers write it, told apart by name: a form is a function from a file to examples.

A span whose surface does not stand where it should is refused with its place, or, where that is asked for,
looked for or left out; both are counted.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zhbert.errors import DataError
from zhbert.read.lines import read_json_lines, read_text, why
from zhbert.records import EntityExample, Example, ReadingExample, Span

Misplaced = Literal["refuse", "search", "drop"]
FormName = Literal["cluener", "squad"]
Placed = tuple[str, Example]


@dataclass(slots=True, kw_only=True)
class Spans:
    """Makes spans of what files say, and counts what had to be mended.

    >>> spans = Spans(misplaced="search")
    >>> spans.of("他在北京，她在北京", 5, "北京", where="line 1"), spans.moved
    (Span(start=7, end=9, label='', surface='北京'), 1)
    """

    misplaced: Misplaced
    moved: int = 0
    dropped: int = 0
    without: int = field(default=0)  # questions of which no answer is left

    def of(self, text: str, start: int, surface: str, label: str = "", *, where: object) -> Span | None:
        """Return the span of `surface` at `start`, or where it stands nearest, or none."""
        if surface and text.startswith(surface, start) and start >= 0:
            return Span.of(text, start, start + len(surface), label)
        if self.misplaced == "refuse":
            there = text[max(0, start) : max(0, start) + max(1, len(surface))]
            raise DataError(
                f'"{surface}" should stand at {start} but the text has "{there}" there',
                where=where,
                remedy="--misplaced search looks for it nearby, --misplaced drop leaves it out",
            )
        places = _places(text, surface) if self.misplaced == "search" and surface else []
        if not places:
            self.dropped += 1
            return None
        self.moved += 1
        nearest = min(places, key=lambda place: abs(place - start))
        return Span.of(text, nearest, nearest + len(surface), label)


def _places(text: str, surface: str) -> list[int]:
    places, place = [], text.find(surface)
    while place >= 0:
        places.append(place)
        place = text.find(surface, place + 1)
    return places


def _cluener(path: Path, spans: Spans) -> Iterator[Placed]:
    """Yield `{"text", "label": {type: {surface: [[first, last]]}}}`, one a line; `last` is inclusive."""
    for number, (where, record) in enumerate(read_json_lines(path), start=1):
        text, entities = _get(record, "text", str, where), []
        for label, surfaces in _get(record, "label", dict, where, {}).items():
            for surface, ranges in _checked(surfaces, dict, f"label.{label}", where).items():
                for range_ in _checked(ranges, list, f"label.{label}.{surface}", where):
                    start = _first(range_, f"label.{label}.{surface}", where)
                    if span := spans.of(text, start, surface, label, where=where):
                        entities.append(span)
        ident = str(record.get("id", number))
        yield where, EntityExample(id=ident, text=text, entities=tuple(sorted(entities)))


def _first(value: Any, key: str, where: str) -> int:
    pair = _checked(value, list, key, where)
    if len(pair) != 2 or not all(isinstance(place, int) for place in pair):
        raise DataError(f"{key}: a place must be [first, last], not {value}", where=where)
    return int(pair[0])


def _squad(path: Path, spans: Spans) -> Iterator[Placed]:
    """Yield the questions of a file as SQuAD, CMRC 2018 and DRCD write them; no answers: it has none."""
    try:
        record = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"not valid JSON: {why(error)}", where=path) from error
    for article in _get(record, "data", list, path):
        for paragraph in _get(article, "paragraphs", list, path):
            context = _get(paragraph, "context", str, path)
            for asked in _get(paragraph, "qas", list, path):
                ident = str(_get(asked, "id", (str, int), path))
                where = f"{path}: {ident}"
                if example := _question(asked, ident, context, spans, where):
                    yield where, example


def _question(
    asked: dict[str, Any], ident: str, context: str, spans: Spans, where: str
) -> ReadingExample | None:
    """Return a question with the answers that stand in the text, or none if all of them had to go."""
    given = [] if asked.get("is_impossible") else _get(asked, "answers", list, where, [])
    found = [
        spans.of(context, _get(one, "answer_start", int, where), _get(one, "text", str, where), where=where)
        for one in given
    ]
    answers = tuple(dict.fromkeys(span for span in found if span))
    if given and not answers:
        spans.without += 1
        return None
    question = _get(asked, "question", str, where)
    return ReadingExample(id=ident, context=context, question=question, answers=answers)


def _get(record: Any, key: str, kind: Any, where: object, default: Any = None) -> Any:
    """Return what an object has under a key, checked."""
    if not isinstance(record, dict):
        raise DataError(f"must be an object with {key}, not {type(record).__name__}", where=where)
    if key not in record and default is not None:
        return default
    if key not in record:
        raise DataError(f"{key}: this key is needed", where=where)
    return _checked(record[key], kind, key, where)


def _checked(value: Any, kind: Any, key: str, where: object) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = getattr(kind, "__name__", "str or int")
        raise DataError(f"{key}: must be {wanted}, not {type(value).__name__}", where=where)
    return value


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write labelled data."""

    task: str
    about: str
    read: Callable[[Path, Spans], Iterator[Placed]]


FORMS: dict[str, Form] = {
    "cluener": Form("ner", "CLUENER: entities by type and surface, a JSON object a line", _cluener),
    "squad": Form("reading", "SQuAD, CMRC 2018, DRCD: articles, paragraphs, questions", _squad),
}
