"""Parquet files and Arrow streams, a batch of rows at a time, under the number of the row, from 1.

A column of bytes is no text and is left out, counted under its name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from zhbert.read.fields import document_of, other_key, shown
from zhbert.read.piece import MB, Broken, Fault, Piece
from zhbert.records import Document

_BATCH = 8 * MB  # bytes of text in memory at a time, about
_AGAIN = "get the file again"
_ERRORS = (
    pa.ArrowException,
    OSError,
    ValueError,
    KeyError,
    MemoryError,
)  # a damaged length asks for terabytes
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
_AS_BYTES = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
_BYTES = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)


def read_parquet(piece: Piece) -> Iterator[Document]:
    """Yield the documents of a Parquet file."""
    with _whole("Parquet"):
        file = pq.ParquetFile(_seekable(piece), buffer_size=MB, pre_buffer=False)
        facts, columns = file.metadata, _columns(piece, file.schema_arrow)
        size = sum(facts.row_group(i).total_byte_size for i in range(facts.num_row_groups))
        rows = max(1, min(256, _BATCH * facts.num_rows // max(size, 1)))  # equal texts may be stored but once
        batches = file.iter_batches(batch_size=rows, columns=columns, use_threads=False)
    yield from _documents(piece, batches, facts.num_rows)


def read_arrow(piece: Piece) -> Iterator[Document]:
    """Yield the documents of an Arrow stream, or of an Arrow file: both are called .arrow."""
    with _whole("Arrow"):
        if piece.stream.peek(6).startswith(b"ARROW1"):
            file = pa.ipc.open_file(_seekable(piece))
            batches = (file.get_batch(i) for i in range(file.num_record_batches))
        else:
            file = batches = pa.ipc.open_stream(piece.stream)
        columns = _columns(piece, file.schema)
    yield from _documents(piece, (_checked(batch.select(columns)) for batch in batches), 0)


@contextmanager
def _whole(format: str) -> Iterator[None]:
    try:
        yield
    except _ERRORS as error:
        raise Broken(Fault(f"not a whole {format} file", f": {_first_line(error)}", _AGAIN)) from error


def _checked(batch: Any) -> Any:
    """Return a batch whose offsets fit: Arrow trusts what it reads, and a damaged file would kill us."""
    for column in batch.columns:
        same = _AS_BYTES.get(column.type)  # not UTF-8 is the fault of one text, not of all
        (column.view(same) if same else column).validate(full=True)
    return batch


def _seekable(piece: Piece) -> Any:
    """Return what can be read in any order: the file itself, or all of a packed one in memory."""
    if piece.path:
        return pa.OSFile(str(piece.path))
    most = piece.config.max_record_mb * MB
    data = piece.stream.read(most + 1)
    if len(data) > most:
        what = f"packed and longer than {piece.config.max_record_mb} MB"
        raise Broken(Fault(what, remedy="unpack it first, for it is not read from its beginning"))
    return pa.BufferReader(data)


def _columns(piece: Piece, schema: Any) -> list[str]:
    """Return the columns to read; all but those of bytes, if there is a text among them."""
    key, names = piece.config.text_key, list(schema.names)
    if key not in names:
        raise Broken(Fault(f'no column "{key}"', remedy=other_key(key, dict.fromkeys(names))))
    if twice := [name for name in names if names.count(name) > 1]:
        raise Broken(Fault("a column stands twice", f': "{shown(twice[0])}"', "rename one of them"))
    kind = schema.field(key).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (_holds_bytes(kind) or any(test(kind) for test in _TEXTS)):
        raise Broken(
            Fault(f'the column "{key}" holds no texts', f", but {kind}", "--text-key names another one")
        )
    bytes_ = [name for name in names if name != key and _holds_bytes(schema.field(name).type)]
    for name in bytes_:
        piece.leave_out(f"a column of bytes: {name}")
    return [name for name in names if name not in bytes_]


def _holds_bytes(kind: Any) -> bool:
    inner = [kind.field(i).type for i in range(kind.num_fields)]
    return any(test(kind) for test in _BYTES) or any(map(_holds_bytes, inner))


def _documents(piece: Piece, batches: Iterator[Any], total: int) -> Iterator[Document]:
    number, records = 0, _records(piece, batches, total)
    while True:
        number += 1
        try:
            record = next(records, None)
        except _ERRORS as error:
            fault = Fault("the file is damaged", f": {_first_line(error)}", _AGAIN)
            raise Broken(fault, f"row {number}") from error
        if record is None:
            return
        found = _document(piece, f"row {number}", record)
        if isinstance(found, Fault):
            piece.refuse(f"row {number}", found)
        else:
            yield found


def _records(piece: Piece, batches: Iterator[Any], total: int) -> Iterator[dict[str, object]]:
    """Yield the rows of all batches as Python values, a slice at a time."""
    key = piece.config.text_key
    for batch in batches:
        names = batch.schema.names
        step = max(1, min(4096, _BATCH * batch.num_rows // max(batch.nbytes, 1)))
        for start in range(0, batch.num_rows, step):
            part = batch.slice(start, step)
            values = [_values(part.column(name), strict=name == key) for name in names]
            yield from (dict(zip(names, row, strict=True)) for row in zip(*values, strict=True))
        if piece.path and total:  # Parquet is not read from its beginning to its end
            piece.ledger.done += piece.path.stat().st_size * batch.num_rows // total


def _document(piece: Piece, place: str, record: dict[str, object]) -> Document | Fault:
    text = record[piece.config.text_key]
    return text if isinstance(text, Fault) else document_of(piece, place, record)


def _values(column: Any, *, strict: bool) -> list[object]:
    """Return the values of a column; a text that is not UTF-8 is a fault, or spelled out where not strict."""
    try:
        values: list[object] = column.to_pylist()
    except UnicodeDecodeError:
        values = column.cast(pa.binary()).to_pylist()
    return [_decode(value, strict) if isinstance(value, bytes) else value for value in values]


def _decode(value: bytes, strict: bool) -> str | Fault:
    try:
        return value.decode("utf-8", "strict" if strict else "backslashreplace")
    except UnicodeDecodeError as error:
        raw = value[:1000].decode("utf-8", "backslashreplace")
        return Fault("not UTF-8", f" at byte {error.start} of the text", raw=raw)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0].partition(". ")[0][:100]
