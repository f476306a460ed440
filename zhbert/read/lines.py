"""The text of a file, its lines and its JSON values, with the line in every complaint.

Files are UTF-8, with or without a BOM, packed with gzip or not; lines end at "\\n" or "\\r\\n" only, so
that U+2028 and vertical tabs stay inside texts. A broken record stops the reading with file, line, reason
and remedy; nothing is guessed, nothing is skipped.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zhbert.errors import DataError

_ENCODINGS = ("gb18030", "utf-16", "big5")


def read_text(path: Path) -> str:
    """Return the text of a file, or say where it stops being UTF-8."""
    if not path.is_file():
        raise DataError("is a folder, not a file" if path.is_dir() else "no such file", where=path)
    data = _unpacked(path.read_bytes(), path)
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"not UTF-8 at byte {error.start}", where=f"{path}:{line}", remedy=_guess(data, path)
        ) from error


def _unpacked(data: bytes, path: Path) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError("not a whole gzip file", where=path, remedy="get the file again") from error


def _guess(data: bytes, path: Path) -> str:
    order = ("utf-16", *_ENCODINGS) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else _ENCODINGS
    for encoding in order:
        try:
            data.decode(encoding)
        except UnicodeError:
            continue
        return f"it reads as {encoding.upper()}: iconv -f {encoding} -t utf-8 {path.name} > new-{path.name}"
    return "convert the file to UTF-8"


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their numbers, blank ones left out."""
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield number, line.removesuffix("\r")


def read_json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield every value of a JSONL file with its place, `file:line`."""
    for number, line in read_lines(path):
        try:
            yield f"{path}:{number}", json.loads(line)
        except (ValueError, RecursionError) as error:  # a number of 5000 digits, brackets 1000 deep
            raise DataError(
                f"not valid JSON: {why(error)}",
                where=f"{path}:{number}",
                remedy="every line must be one JSON object",
            ) from error


def why(error: ValueError | RecursionError) -> str:
    """Return in a few words what keeps a text from being JSON."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.lower().removesuffix(' at')} at column {error.colno}"
    return "nested too deep" if isinstance(error, RecursionError) else "a number is too long"
