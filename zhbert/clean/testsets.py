"""The texts of evaluation files, each with its place: what the contamination guard is given.

    .jsonl .json   every text of every value, however deep, but those under id, label and labels
    .tsv .csv      every cell; in .tsv, quotes are characters like any other
    .txt           every line

Numbers and empty texts are left out. A `.json` file may also hold one value a line. Files are UTF-8, with or
without a BOM; a folder stands for all such files below it.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from zhbert.errors import DataError

_LONGEST = 1 << 30  # characters of a cell
Texts = Iterator[tuple[str, str]]

_NAMES = frozenset(["id", "label", "labels"])
_NO_TEXT = re.compile(r"[\s\d.,+\-%]*")


def evaluation_texts(path: Path) -> Texts:
    """Yield the texts of a file or folder, each with its place.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "test.jsonl"
    >>> _ = file.write_text('{"id": "1", "first": "今天下雨", "second": "今天晴", "label": "不同"}', "utf-8")
    >>> [(place.removeprefix(str(file)), text) for place, text in evaluation_texts(file)]
    [(':1', '今天下雨'), (':1', '今天晴')]
    """
    for file in _files(path):
        for place, text in _FORMATS[file.suffix](file, _read(file)):
            if not _NO_TEXT.fullmatch(text):
                yield place, text


def _files(path: Path) -> list[Path]:
    known = ", ".join(sorted(_FORMATS))
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix in _FORMATS and file.is_file())
        if not files:
            raise DataError("no evaluation files in this folder", where=path, remedy=f"known: {known}")
        return files
    if not path.is_file():
        raise DataError("no such file or folder", where=path, remedy="check the path")
    if path.suffix not in _FORMATS:
        raise DataError(f'"{path.suffix}" is not a known kind of file', where=path, remedy=f"known: {known}")
    return [path]


def _read(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"not UTF-8 at byte {error.start}", where=f"{path}:{line}", remedy="convert the file to UTF-8"
        ) from error


def _lines(path: Path, text: str) -> Texts:
    for number, line in enumerate(text.split("\n"), start=1):
        yield f"{path}:{number}", line.removesuffix("\r")


def _json_lines(path: Path, text: str) -> Texts:
    for place, line in _lines(path, text):
        if line.strip():
            for _, found in _strings(_json(line, place)):
                yield place, found


def _json_file(path: Path, text: str) -> Texts:
    try:
        json.loads(next((line for line in text.split("\n") if line.strip()), ""))
    except (ValueError, RecursionError):
        for at, found in _strings(_json(text, f"{path}")):
            yield f"{path}:{at}", found
    else:
        yield from _json_lines(path, text)


def _json(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = place if text.count("\n") == 0 else f"{place}:{error.lineno}"
        what = f"not valid JSON: {error.msg.lower().removesuffix(' at')} at column {error.colno}"
        raise DataError(what, where=where, remedy="mend the file") from error
    except (ValueError, RecursionError) as error:  # a number of 5000 digits, brackets 1000 deep
        raise DataError("not valid JSON: nested too deep, or a number too long", where=place) from error


def _strings(value: object) -> Texts:
    """Yield the texts of a JSON value in order, with the keys that lead to them."""
    left = [("", value)]
    while left:
        at, item = left.pop()
        if isinstance(item, str):
            yield at, item
        pairs = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
        inner = [(f"{at}.{key}" if at else str(key), of) for key, of in pairs if key not in _NAMES]
        left += reversed(inner)


def _cells(path: Path, text: str) -> Texts:
    for place, line in _lines(path, text):
        for cell in line.split("\t"):
            yield place, cell


def _csv(path: Path, text: str) -> Texts:
    csv.field_size_limit(_LONGEST)
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        for row in rows:
            for cell in row:
                yield f"{path}:{rows.line_num}", cell
    except csv.Error as error:
        raise DataError(f"not valid CSV: {error}", where=f"{path}:{rows.line_num}") from error


_FORMATS: dict[str, Callable[[Path, str], Texts]] = {
    ".jsonl": _json_lines,
    ".json": _json_file,
    ".tsv": _cells,
    ".csv": _csv,
    ".txt": _lines,
}
