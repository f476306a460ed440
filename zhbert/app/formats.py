"""Predictions on disk: JSON a line, or a table that pandas, DuckDB and `datasets` read.

    predictions.jsonl      what `zhbert score` and its like read
    predictions.parquet    the same fields as columns; scores by label are a list of {label, score}

Both are written for a portion and then put together in order. Half a surrogate pair is an escape in JSON and
U+FFFD in Parquet, which cannot hold it.
"""

import shutil
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from zhbert.corpus.documents import whole
from zhbert.files import sync
from zhbert.records import PREDICTIONS, Prediction, to_json

Name = Literal["jsonl", "parquet"]
_PLAIN = {str: pa.string(), int: pa.int64(), float: pa.float64()}


@dataclass(frozen=True, slots=True)
class Format:
    """How predictions of a task are written, and how the files of several portions become one."""

    file: str
    write: Callable[[Path, Sequence[Prediction], str], None]
    join: Callable[[Path, Iterable[Path], str], None]


def _write_lines(path: Path, predictions: Sequence[Prediction], task: str) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as handle:
        handle.writelines(to_json(prediction) + "\n" for prediction in predictions)


def _join_lines(path: Path, parts: Iterable[Path], task: str) -> None:
    with path.open("wb") as whole_file:
        for part in parts:
            with part.open("rb") as handle:
                shutil.copyfileobj(handle, whole_file, 1 << 20)


def _write_table(path: Path, predictions: Sequence[Prediction], task: str) -> None:
    schema = schema_of(task)
    columns = [[_cell(getattr(one, name)) for one in predictions] for name in schema.names]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, compression="zstd")


def _join_tables(path: Path, parts: Iterable[Path], task: str) -> None:
    with pq.ParquetWriter(path, schema_of(task), compression="zstd") as writer:
        for part in parts:
            writer.write_table(pq.read_table(part))


FORMATS: dict[str, Format] = {
    "jsonl": Format("predictions.jsonl", _write_lines, _join_lines),
    "parquet": Format("predictions.parquet", _write_table, _join_tables),
}


def join(path: Path, parts: Iterable[Path], *, task: str, format: Name) -> None:
    """Put the files of portions together, in order: `path` is there when it is whole."""
    partial = path.with_name(path.name + ".tmp")
    FORMATS[format].join(partial, parts, task)
    sync(partial)
    partial.replace(path)


def schema_of(task: str) -> pa.Schema:
    """Return the columns of a task's predictions.

    >>> schema_of("classify").field("scores").type
    ListType(list<element: struct<label: string, score: double>>)
    """
    hints = get_type_hints(PREDICTIONS[task])
    return pa.schema([(one.name, _type(hints[one.name])) for one in fields(PREDICTIONS[task])])


def _type(hint: Any) -> pa.DataType:
    args = get_args(hint)
    if is_dataclass(hint):
        return pa.struct([(one.name, _type(get_type_hints(hint)[one.name])) for one in fields(hint)])
    if get_origin(hint) is dict:
        return _list(pa.struct([("label", pa.string()), ("score", pa.float64())]))
    if get_origin(hint) is tuple:
        return _list(_type(args[0]))
    if get_origin(hint) in (Union, types.UnionType):
        return _type(next(arg for arg in args if arg is not type(None)))
    return _PLAIN[hint]


def _list(kind: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("element", kind))  # as Parquet calls it, so that reading gives the same schema


def _cell(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _cell(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return [{"label": whole(key), "score": score} for key, score in value.items()]
    if isinstance(value, tuple):
        return [_cell(item) for item in value]
    return whole(value) if isinstance(value, str) else value
