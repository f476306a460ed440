"""What a form of labelled data is: a name, the tasks it can hold, a reader and, for most, a writer."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zhbert.errors import DataError
from zhbert.files import write_text
from zhbert.read.forms.how import OFFSETS, How, MisplacedError, Offsets
from zhbert.read.lines import read_json_lines, read_text, why
from zhbert.records import EXAMPLES, Example

Placed = tuple[str, Example]
Reader = Callable[[Path, How], Iterator[Placed]]
Writer = Callable[[Sequence[Example], Path, How], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to write labelled data; `own` is the unit in which its spans are counted.

    Its files end in `suffix`, by custom; a form without one is a folder.
    """

    name: str
    about: str
    tasks: tuple[str, ...]
    reader: Reader
    writer: Writer | None = None
    own: Offsets = "characters"
    suffix: str = ".jsonl"

    def read(self, path: Path, how: How) -> Iterator[Placed]:
        """Yield the examples of a file with their places; `how` counts what was mended."""
        how = replace(how, own=self.own, task=self._task(how.task, path))  # counts go to the same place
        try:
            yield from self.reader(path, how)
        except MisplacedError as error:
            raise self._explained(path, how, error) from error

    def _task(self, name: str, path: Path) -> str:
        """Return the task of this form whose examples are like those of a task."""
        if not name:
            return name
        alike = [task for task in self.tasks if EXAMPLES[task] is EXAMPLES[name]]
        if not alike:
            what = f"{self.name} holds no examples of {name}"
            raise DataError(what, where=path, remedy=f"it holds those of {', '.join(self.tasks)}")
        return alike[0]

    def _explained(self, path: Path, how: How, error: MisplacedError) -> DataError:
        """Return the error, which names the unit in which all spans of the file stand where they should."""
        used = how.offsets or self.own
        fitting = [unit for unit in OFFSETS if unit != used and self._fits(path, how, unit)]
        if "characters" in fitting:  # then others that fit say the same
            fitting = ["characters"]
        if not fitting:
            return DataError(error.what, where=error.where, remedy=error.remedy)
        named = " or ".join(f"--offsets {unit}" for unit in fitting)
        return DataError(error.what, where=error.where, remedy=f"all spans of the file fit with {named}")

    def _fits(self, path: Path, how: How, unit: Offsets) -> bool:
        try:
            for _ in self.reader(path, how.anew(unit)):
                pass
        except DataError:
            return False
        return True

    def write(self, examples: Sequence[Example], path: Path, how: How | None = None) -> None:
        """Write examples to a file; what the form cannot hold is refused by the example's id."""
        if self.writer is None:
            raise DataError(f"{self.name} can be read but not written", where=path)
        self.writer(examples, path, how or How())


def records_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a JSONL file with their places."""
    for where, record in read_json_lines(path):
        if not isinstance(record, dict):
            raise DataError(
                f"must be an object, not {type(record).__name__}",
                where=where,
                remedy="one JSON object a line",
            )
        yield where, record


def read_json(path: Path) -> Any:
    """Return the one value of a JSON file."""
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(f"not valid JSON: {why(error)}", where=f"{path}{line}") from error


def get(record: Any, key: str, kind: Any, where: object, default: Any = None) -> Any:
    """Return what an object has under a key, checked.

    >>> get({"text": 5}, "text", str, "train.json:1")
    Traceback (most recent call last):
    zhbert.errors.DataError: train.json:1: text: must be str, not int
    """
    if not isinstance(record, dict):
        raise DataError(f"must be an object with {key}, not {type(record).__name__}", where=where)
    if key not in record and default is not None:
        return default
    if key not in record:
        raise DataError(f"{key}: this key is needed", where=where, remedy=_has(record))
    return checked(record[key], kind, key, where)


def _has(record: dict[str, Any]) -> str:
    return f"the record has {', '.join(map(str, list(record)[:9]))}" if record else "the record is empty"


def checked(value: Any, kind: Any, key: str, where: object) -> Any:
    """Return a value of that type, or say of which type it is."""
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = getattr(kind, "__name__", "str or int")
        raise DataError(f"{key}: must be {wanted}, not {type(value).__name__}", where=where)
    return value


def refuse(example: Example, form: str) -> DataError:
    """Return the refusal to write an example of another task."""
    return DataError(f"{form} cannot hold {type(example).__name__}", where=example.id)


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """Write lines."""
    write_whole(path, "".join(line + "\n" for line in lines))


def write_whole(path: Path, text: str) -> None:
    """Write a file; a text that begins with the sign of a BOM keeps it, for a reader takes one away."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"half a character, {error.object[error.start]!a}, cannot be written", where=path
        ) from error
    write_text(path, "\ufeff" * text.startswith("\ufeff") + text)


def write_json_lines(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Write one JSON object a line, Chinese as it is."""
    write_lines(path, [dumped(record) for record in records])


def dumped(value: Any) -> str:
    """Return a value as JSON, Chinese as it is, half characters escaped.

    >>> dumped({"text": "好"}), dumped({"text": "a" + chr(0xD83D)})
    ('{"text": "好"}', '{"text": "a\\\\ud83d"}')
    """
    text = json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if any("\ud800" <= character <= "\udfff" for character in text) else text
