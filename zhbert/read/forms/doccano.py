"""doccano: JSON lines with a `text` and its `label`s, which are words or `[start, end, label]`.

- Projects with relations write `entities` instead: `{"label", "start_offset", "end_offset"}`; their relations
  are left out and counted.
- A file is of one kind; which one, its first label says. No surface is written, so only ranges are checked.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zhbert.errors import DataError
from zhbert.read.forms.base import Form, Placed, checked, get, records_of, refuse, write_json_lines
from zhbert.read.forms.how import How
from zhbert.records import EntityExample, Example, LabelExample, Span

_LABELS = ("label", "labels", "entities", "annotations")


def _read(path: Path, how: How) -> Iterator[Placed]:
    records = list(records_of(path))
    task = how.task or next((_task(item) for where, r in records for item in _labels(r, where)), "")
    if records and not task:
        raise DataError("no record has a label", where=path, remedy="say what they are: --task")
    for number, (where, record) in enumerate(records, start=1):
        text = get(record, "text", str, where)
        ident, labels = str(record.get("id", number)), _labels(record, where)
        if relations := get(record, "relations", list, where, []):
            how.counts["left out: relations"] += len(relations)
        if strange := next((item for item in labels if _task(item) != task), None):
            raise DataError(
                f"the label {str(strange)[:40]} is not one of {task}", where=where, remedy="one kind a file"
            )
        if task == "classify":
            yield where, LabelExample(id=ident, text=text, labels=tuple(labels))
            continue
        spans = (_span(text, item, how, where) for item in labels)
        entities = tuple(sorted(span for span in spans if span))
        yield where, EntityExample(id=ident, text=text, entities=entities)


def _labels(record: dict[str, Any], where: str) -> list[Any]:
    found: Any = next((record[key] for key in _LABELS if key in record), [])
    return list(checked(found, list, "label", where))


def _task(label: Any) -> str:
    return "classify" if isinstance(label, str) else "ner"


def _span(text: str, item: Any, how: How, where: str) -> Span | None:
    if isinstance(item, dict):
        item = [get(item, key, kind, where) for key, kind in _FIELDS.items()]
    if not isinstance(item, list) or [type(part) for part in item] != [int, int, str]:
        raise DataError(f"a span must be [start, end, label], not {str(item)[:40]}", where=where)
    return how.span(text, item[0], item[1], None, item[2], where=where)


_FIELDS = {"start_offset": int, "end_offset": int, "label": str}


def _write(examples: Sequence[Example], path: Path, _: How) -> None:
    write_json_lines(path, [_record(example) for example in examples])


def _record(example: Example) -> dict[str, Any]:
    labels: list[Any]
    match example:
        case LabelExample():
            labels = list(example.labels)
        case EntityExample():
            labels = [[span.start, span.end, span.label] for span in example.entities]
        case _:
            raise refuse(example, "doccano")
    return {"id": example.id, "text": example.text, "label": labels}


DOCCANO = Form(
    name="doccano",
    about="doccano: JSON lines with labels or spans",
    tasks=("ner", "classify"),
    reader=_read,
    writer=_write,
)
