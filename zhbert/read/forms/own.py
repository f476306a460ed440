"""zhbert's own form: one JSON object a line, as `records.py` names its fields."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zhbert.errors import DataError, UserError
from zhbert.plain import from_plain, to_plain
from zhbert.read.forms.base import Form, Placed, records_of, write_json_lines
from zhbert.read.forms.how import How
from zhbert.records import EXAMPLES, Example

# a field that only the examples of one task have; looked for in this order
_TELLING = {
    "options": "choice",
    "question": "reading",
    "entities": "ner",
    "first": "pair",
    "text": "classify",
}


def _read(path: Path, how: How) -> Iterator[Placed]:
    task = how.task
    for where, record in records_of(path):
        task = task or _task_of(record, where)
        try:
            yield where, from_plain(EXAMPLES[task], record)
        except UserError as error:
            raise DataError(error.what, where=where, remedy=error.remedy) from error


def _task_of(record: dict[str, Any], where: str) -> str:
    for name, task in _TELLING.items():
        if name in record:
            return task
    raise DataError(
        "this is no example of zhbert's", where=where, remedy=f"it has none of {', '.join(_TELLING)}"
    )


def _write(examples: Sequence[Example], path: Path, _: How) -> None:
    write_json_lines(path, [to_plain(example) for example in examples])


ZHBERT = Form(
    name="zhbert",
    about="zhbert's own: one example a line",
    tasks=tuple(EXAMPLES),
    reader=_read,
    writer=_write,
)
