"""Reading what people have, with the line in every complaint.

Files are UTF-8, with or without a BOM; lines end at "\\n" or "\\r\\n" only, so that U+2028 and
vertical tabs stay inside texts. A broken record stops the reading with file, line, reason and
remedy; nothing is guessed, nothing is skipped. Text folders are read in the order of names.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

from zhbert.errors import DataError, UserError, nearest
from zhbert.records import (
    EXAMPLES,
    PREDICTIONS,
    Document,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    Prediction,
    from_plain,
)

R = TypeVar("R")

_ENCODINGS = ("gb18030", "utf-16", "big5")
_ONE_A_LINE = "one JSON object a line"


def read_text(path: Path) -> str:
    """Return the text of a file, or say where it stops being UTF-8."""
    if not path.is_file():
        raise DataError("is a folder, not a file" if path.is_dir() else "no such file", where=path)
    data = path.read_bytes()
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"not UTF-8 at byte {error.start}", where=f"{path}:{line}", remedy=_guess(data, path)
        ) from error


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
                f"not valid JSON: {_why(error)}",
                where=f"{path}:{number}",
                remedy="every line must be one JSON object",
            ) from error


def _why(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.lower().removesuffix(' at')} at column {error.colno}"
    return "nested too deep" if isinstance(error, RecursionError) else "a number is too long"


def _read_records(path: Path, kind: type[R]) -> Iterator[tuple[str, R]]:
    """Yield the records of a JSONL file with their places; ids must differ."""
    seen: dict[str, str] = {}
    for where, value in read_json_lines(path):
        try:
            record = from_plain(kind, value)
        except UserError as error:
            raise DataError(error.what, where=where, remedy=error.remedy) from error
        name = record.id  # type: ignore[attr-defined]  # every record of a task has an id
        if name in seen:
            raise DataError(
                f'the id "{name}" was used before, at {seen[name]}', where=where, remedy="make ids differ"
            )
        seen[name] = where
        yield where, record
    if not seen:
        raise DataError("the file has no records", where=path, remedy=_ONE_A_LINE)


def read_examples(path: Path, task: str, *, labels: list[str] | None = None) -> list[Example]:
    """Return the examples of a task; with `labels` given, any other label is refused."""
    examples = []
    for where, example in _read_records(path, EXAMPLES[task]):
        for label in labels_in(example) if labels else ():
            if label not in cast("list[str]", labels):
                raise DataError(
                    f'the label "{label}" is not in the label set',
                    where=where,
                    remedy=nearest(label, labels or []),
                )
        examples.append(example)
    return examples


def read_predictions(path: Path, task: str) -> list[Prediction]:
    """Return the predictions of a task."""
    return [record for _, record in _read_records(path, PREDICTIONS[task])]


def labels_in(example: Example) -> tuple[str, ...]:
    """Return the labels that an example carries.

    >>> labels_in(LabelExample(id="1", text="主队赢了", labels=("体育",)))
    ('体育',)
    """
    match example:
        case LabelExample():
            return example.labels
        case PairExample():
            return (example.label,) if example.label else ()
        case EntityExample():
            return tuple(span.label for span in example.entities)
        case _:
            return ()


def read_documents(path: Path, *, form: str = "blocks") -> Iterator[Document]:
    """Yield the documents of a file, or of every file below a folder.

    `form` says what a document is in a text file: the whole file ("files"), a line ("lines") or
    a block between blank lines ("blocks"). JSONL files hold one document a line under "text".
    """
    if not path.exists():
        raise DataError("no such file or folder", where=path, remedy="check the path")
    files = sorted(p for p in path.rglob("*") if p.suffix in _TEXT_FILES) if path.is_dir() else [path]
    if not files:
        raise DataError(
            "no text files in this folder", where=path, remedy="known: " + ", ".join(sorted(_TEXT_FILES))
        )
    for file in files:
        name = file.relative_to(path).as_posix() if path.is_dir() else file.name
        yield from (
            _read_jsonl_documents(file, name)
            if file.suffix == ".jsonl"
            else _read_text_documents(file, name, form)
        )


_TEXT_FILES = {".txt", ".md", ".jsonl"}


def _read_text_documents(path: Path, name: str, form: str) -> Iterator[Document]:
    lines = read_text(path).split("\n")
    if not any(line.strip() for line in lines):
        raise DataError("the file has no text", where=path, remedy="fill it, or take it away")
    for number, text in _FORMS[form](lines):
        if text.strip():
            yield Document(id=f"{name}:{number}", text=text.strip("\n"), source=name)


def _whole(lines: list[str]) -> Iterator[tuple[int, str]]:
    yield 1, "\n".join(line.removesuffix("\r") for line in lines)


def _each_line(lines: list[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, start=1):
        yield number, line.removesuffix("\r")


def _blocks(lines: list[str]) -> Iterator[tuple[int, str]]:
    block: list[str] = []
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            block.append(line.removesuffix("\r"))
        elif block:
            yield number - len(block), "\n".join(block)
            block = []


_FORMS = {"files": _whole, "lines": _each_line, "blocks": _blocks}


def _read_jsonl_documents(path: Path, name: str) -> Iterator[Document]:
    empty = True
    for where, value in read_json_lines(path):
        text = value.get("text") if isinstance(value, dict) else None
        if not isinstance(text, str):
            raise DataError(
                'a document needs a "text" that is a text', where=where, remedy='{"id": "1", "text": "…"}'
            )
        empty = False
        id = str(value.get("id", f"{name}:{where.rpartition(':')[2]}"))
        id = id.encode("utf-8", "backslashreplace").decode("utf-8")  # half a surrogate pair is no UTF-8
        yield Document(id=id, text=text, source=name)
    if empty:
        raise DataError("the file has no records", where=path, remedy=_ONE_A_LINE)
