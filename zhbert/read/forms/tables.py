"""CSV, TSV and JSON lines with named columns, packed with gzip or not.

- The first row names the columns, unless all that are asked for are numbers: then there is no header, and
  columns are counted from 1.
- Quotes mean something in CSV alone: published TSV files hold single quotes as they are.
- Every row has as many columns as the first one. Blank lines are no rows.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from zhbert.errors import DataError
from zhbert.read.forms.base import (
    Form,
    Placed,
    records_of,
    write_json_lines,
    write_lines,
)
from zhbert.read.forms.how import How
from zhbert.read.forms.rows import SEVERAL, Columns, Row, examples_in, rows_of
from zhbert.read.lines import read_lines, read_text
from zhbert.records import Example

_LONGEST = 1 << 28
Cells = Iterator[tuple[str, list[str]]]


def _cells_of_csv(path: Path) -> Cells:
    csv.field_size_limit(_LONGEST)
    rows, line = csv.reader(io.StringIO(read_text(path), newline=""), strict=True), 1
    try:
        for row in rows:
            if row:
                yield f"{path}:{line}", row
            line = rows.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"not valid CSV: {error}", where=f"{path}:{line}", remedy="is a quote never closed?"
        ) from error


def _cells_of_tsv(path: Path) -> Cells:
    for number, line in read_lines(path):
        yield f"{path}:{number}", line.split("\t")


def _reader(cells_of: Callable[[Path], Cells]) -> Callable[[Path, How], Iterator[Placed]]:
    def read(path: Path, how: How) -> Iterator[Placed]:
        cells = cells_of(path)
        first = next(cells, None)
        if first is None:
            return
        numbered = bool(how.columns) and all(column.isdigit() for column in how.columns.values() if column)
        names = [str(i) for i in range(1, len(first[1]) + 1)] if numbered else first[1]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise DataError(f'the column "{twice}" stands twice', where=first[0])
        columns = Columns.among(names, how, path)
        rows = _rows(chain([first], cells) if numbered else cells, names)
        yield from examples_in(rows, columns, how, path)

    return read


def _rows(cells: Iterator[tuple[str, list[str]]], names: list[str]) -> Iterator[Row]:
    for where, row in cells:
        if len(row) != len(names):
            raise DataError(
                f"{len(row)} columns where the first row has {len(names)}", where=where, remedy="mend the row"
            )
        yield where, dict(zip(names, row, strict=True))


def _read_jsonl(path: Path, how: How) -> Iterator[Placed]:
    rows = records_of(path)
    first = next(rows, None)
    if first is None:
        return
    columns = Columns.among(list(first[1]), how, first[0])
    yield from examples_in(chain([first], rows), columns, how, path)


def _table(examples: Sequence[Example], form: str) -> Iterator[list[str]]:
    rows = rows_of(examples, form)
    if rows:
        names = ["labels" if name == "label" and "labels" in rows[0] else name for name in rows[0]]
        yield list(dict.fromkeys(names))
    for row in rows:
        if "labels" in row:
            row = _with_labels(row, form)
        yield ["" if value is None else str(value) for value in row.values()]


def _with_labels(row: dict[str, Any], form: str) -> dict[str, Any]:
    """Return a row with all its labels in one cell."""
    labels = row["labels"] or [label for label in (row.pop("label", None),) if label]
    row.pop("label", None)
    if any(SEVERAL in label for label in labels):
        raise DataError(f'{form} cannot hold a label with "{SEVERAL}"', where=row["id"])
    return row | {"labels": SEVERAL.join(labels)}


def _write_csv(examples: Sequence[Example], path: Path, _: How) -> None:
    write_lines(path, [",".join(map(_quoted, row)) for row in _table(examples, "csv")])


def _quoted(cell: str) -> str:
    """Return a cell as CSV writes it; the csv module of Python 3.11 leaves a lone carriage return bare.

    >>> print(_quoted('他说"好"了'), _quoted("好"))
    "他说""好""了" 好
    """
    return '"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in '",\r\n') else cell


def _write_tsv(examples: Sequence[Example], path: Path, _: How) -> None:
    rows = list(_table(examples, "tsv"))
    for row in rows:
        if any(sign in cell for cell in row for sign in "\t\n\r"):
            raise DataError("tsv cannot hold a tab or a line break", where=row[0])
    write_lines(path, ["\t".join(row) for row in rows])


def _write_jsonl(examples: Sequence[Example], path: Path, _: How) -> None:
    rows = rows_of(examples, "jsonl")
    write_json_lines(path, [{key: v for key, v in row.items() if v is not None} for row in rows])


_TASKS = ("classify", "pair")
CSV = Form(
    name="csv",
    about="CSV with named columns",
    tasks=_TASKS,
    reader=_reader(_cells_of_csv),
    writer=_write_csv,
    suffix=".csv",
)
TSV = Form(
    name="tsv",
    about="TSV with named columns, without quotes",
    tasks=_TASKS,
    reader=_reader(_cells_of_tsv),
    writer=_write_tsv,
    suffix=".tsv",
)
JSONL = Form(
    name="jsonl",
    about="JSON lines with named columns; for NER tokens and tags",
    tasks=("classify", "pair", "ner", "reading", "choice"),
    reader=_read_jsonl,
    writer=_write_jsonl,
)
