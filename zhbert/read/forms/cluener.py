"""CLUENER: `{"text", "label": {type: {surface: [[first, last]]}}}`, one a line; `last` is inclusive.

A test file has no `label`. An id is written only where it is not the number of the line.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zhbert.errors import DataError
from zhbert.read.forms.base import Form, Placed, checked, get, records_of, refuse, write_json_lines
from zhbert.read.forms.how import How
from zhbert.records import EntityExample, Example, Span


def _read(path: Path, how: How) -> Iterator[Placed]:
    for number, (where, record) in enumerate(records_of(path), start=1):
        text = get(record, "text", str, where)
        entities = tuple(sorted(entities_of(record, text, how, where)))
        yield where, EntityExample(id=str(record.get("id", number)), text=text, entities=entities)


def entities_of(record: dict[str, Any], text: str, how: How, where: str) -> Iterator[Span]:
    """Yield the entities of a record, whose text may stand elsewhere."""
    for label, surfaces in get(record, "label", dict, where, {}).items():
        for surface, ranges in checked(surfaces, dict, f"label.{label}", where).items():
            key = f"label.{label}.{surface}"
            for range_ in checked(ranges, list, key, where):
                first, last = _pair(range_, key, where)
                if span := how.span(text, first, last, surface, label, where=where):
                    yield span


def _pair(value: Any, key: str, where: str) -> tuple[int, int]:
    pair = checked(value, list, key, where)
    if len(pair) != 2 or not all(type(place) is int for place in pair):
        raise DataError(f"{key}: a place must be [first, last], not {value}", where=where)
    return pair[0], pair[1]


def _write(examples: Sequence[Example], path: Path, _: How) -> None:
    write_json_lines(path, [_record(example, number) for number, example in enumerate(examples, start=1)])


def _record(example: Example, number: int) -> dict[str, Any]:
    if not isinstance(example, EntityExample):
        raise refuse(example, "cluener")
    label: dict[str, dict[str, list[list[int]]]] = {}
    for span in example.entities:
        surface = example.text[span.start : span.end]
        label.setdefault(span.label, {}).setdefault(surface, []).append([span.start, span.end - 1])
    ident = {} if example.id == str(number) else {"id": example.id}
    return {**ident, "text": example.text, "label": label}


CLUENER = Form(
    name="cluener",
    about="CLUENER: entities by type and surface, a JSON object a line",
    tasks=("ner",),
    reader=_read,
    writer=_write,
    own="inclusive",
)
