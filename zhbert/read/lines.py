"""The text of a file, its lines and its JSON values, with the line in every complaint.

Files are UTF-8, with or without a BOM, packed with gzip or not; lines end at "\\n" or "\\r\\n" only, so
that U+2028 and vertical tabs stay inside texts. A broken record stops the reading with file, line, reason
and remedy; nothing is guessed, nothing is skipped. Line by line, no more than a line is in memory.
"""

import codecs
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zhbert.errors import DataError

_ENCODINGS = ("gb18030", "utf-16", "big5")
_GZIP = b"\x1f\x8b"
_DAMAGED = (OSError, EOFError, zlib.error)
_SAMPLE = 1 << 24  # bytes by which an encoding is guessed


def read_text(path: Path) -> str:
    """Return the text of a file, or say where it stops being UTF-8."""
    _refuse_no_file(path)
    data = _unpacked(path.read_bytes(), path)
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _not_utf8(error.start, f"{path}:{line}", data, path) from error


def _refuse_no_file(path: Path) -> None:
    if not path.is_file():
        raise DataError("is a folder, not a file" if path.is_dir() else "no such file", where=path)


def _unpacked(data: bytes, path: Path) -> bytes:
    if not data.startswith(_GZIP):
        return data
    try:
        return gzip.decompress(data)
    except _DAMAGED as error:
        raise _not_whole(path) from error


def _not_whole(path: Path) -> DataError:
    return DataError("not a whole gzip file", where=path, remedy="get the file again")


def _not_utf8(byte: int, where: str, data: bytes, path: Path) -> DataError:
    return DataError(f"not UTF-8 at byte {byte}", where=where, remedy=_guess(data, path))


def _guess(data: bytes, path: Path) -> str:
    order = ("utf-16", *_ENCODINGS) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else _ENCODINGS
    for encoding in order:
        try:
            codecs.getincrementaldecoder(encoding)().decode(data, final=len(data) < _SAMPLE)
        except UnicodeError:
            continue
        return f"it reads as {encoding.upper()}: iconv -f {encoding} -t utf-8 {path.name} > new-{path.name}"
    return "convert the file to UTF-8"


def each_line(path: Path) -> Iterator[tuple[int, str | DataError]]:
    """Yield the lines of a file, or what is wrong with them, with their numbers; blank ones are left out."""
    begins = 0
    for number, raw in enumerate(_raw_lines(path), start=1):
        line: str | DataError
        try:
            line = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            line = _not_utf8(begins + error.start, f"{path}:{number}", _head(path), path)
        else:
            line = line.removeprefix("\ufeff") if number == 1 else line
        begins += len(raw)
        if not isinstance(line, str) or line.strip():
            yield number, line


def _raw_lines(path: Path) -> Iterator[bytes]:
    _refuse_no_file(path)
    with path.open("rb") as file:
        if file.peek(2)[:2] != _GZIP:
            yield from file
            return
        try:
            yield from gzip.GzipFile(fileobj=file)
        except _DAMAGED as error:
            raise _not_whole(path) from error


def _head(path: Path) -> bytes:
    """Return the beginning of what a file holds, packed or not, as far as it can be read."""
    parts, size = [], 0
    for raw in _raw_lines(path):
        parts.append(raw)
        if (size := size + len(raw)) >= _SAMPLE:
            break
    return b"".join(parts)


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their numbers, blank ones left out."""
    for number, line in each_line(path):
        if isinstance(line, DataError):
            raise line
        yield number, line


def read_json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield every value of a JSONL file with its place, `file:line`."""
    for number, line in read_lines(path):
        yield f"{path}:{number}", json_of(line, where=f"{path}:{number}")


def json_of(line: str, *, where: str) -> Any:
    """Return the value that a line of JSON holds."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:  # a number of 5000 digits, brackets 1000 deep
        raise DataError(
            f"not valid JSON: {why(error)}", where=where, remedy="every line must be one JSON object"
        ) from error


def why(error: ValueError | RecursionError) -> str:
    """Return in a few words what keeps a text from being JSON."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.lower().removesuffix(' at')} at column {error.colno}"
    return "nested too deep" if isinstance(error, RecursionError) else "a number is too long"
