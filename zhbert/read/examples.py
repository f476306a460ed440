"""Labelled examples, from a file or by reference, and predictions: one record type a file, ids told apart."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from zhbert.errors import DataError, UserError, nearest
from zhbert.read.kinds import kind_of
from zhbert.read.lines import each_line, json_of
from zhbert.read.piece import Reject
from zhbert.read.references import RAW, Reference, is_reference
from zhbert.read.sets import read_set
from zhbert.records import (
    EXAMPLES,
    PREDICTIONS,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    Prediction,
    from_plain,
)

R = TypeVar("R")

_ONE_A_LINE = "one JSON object a line"
_SHOWN = 200  # characters of a bad record that are kept


def _read_records(
    path: Path, kind: type[R], reject: Callable[[Reject], None] | None = None
) -> Iterator[tuple[str, R]]:
    """Yield the records of a JSONL file with their places; a bad one stops, or goes to `reject`."""
    for number, line in each_line(path):
        where = f"{path}:{number}"
        try:
            record = _record(line, kind, where)
        except DataError as error:
            if reject is None:
                raise
            raw = line[:_SHOWN] if isinstance(line, str) else ""
            reject(Reject(at=f"{path.name}:{number}", reason=_counted_as(error), what=error.what, raw=raw))
        else:
            yield where, record


def _record(line: str | DataError, kind: type[R], where: str) -> R:
    if isinstance(line, DataError):
        raise line
    value = json_of(line, where=where)
    try:
        return from_plain(kind, value)
    except UserError as error:
        raise DataError(error.what, where=where, remedy=error.remedy) from error


def _counted_as(error: DataError) -> str:
    """Return what is wrong without what differs from record to record.

    >>> _counted_as(DataError("not valid JSON: expecting value at column 9"))
    'not valid JSON'
    """
    return error.what.partition(":")[0].partition(" at byte ")[0]


def _told_apart(records: Iterable[tuple[str, R]], path: Path) -> Iterator[tuple[str, R]]:
    """Yield records with their places; their ids must differ, and there must be some."""
    seen: dict[str, str] = {}
    for where, record in records:
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
    """Return the examples of a file or reference; with `labels` given, any other label is refused.

    >>> read_examples(Path("mini:topics/test"), "classify")[0].labels
    ('体育',)
    """
    examples: list[Example] = []
    for where, example in _told_apart(_placed(path, task), path):
        for label in labels_in(example) if labels else ():
            if label not in cast("list[str]", labels):
                raise DataError(
                    f'the label "{label}" is not in the label set',
                    where=where,
                    remedy=nearest(label, labels or []),
                )
        examples.append(example)
    return examples


def stream_examples(
    path: Path, task: str, *, reject: Callable[[Reject], None] | None = None
) -> Iterator[Example]:
    """Yield the examples of a file or reference, one in memory at a time; bad lines go to `reject`, or stop.

    Ids are not compared: `count_examples` does that.
    """
    for _, example in _placed(path, task, reject):
        yield example


def count_examples(path: Path, task: str, *, reject: Callable[[Reject], None] | None = None) -> int:
    """Return how many good examples there are; their ids must differ.

    >>> count_examples(Path("mini:topics/dev"), "classify")
    300
    """
    placed = _placed(path, task, reject)
    again = partial(_placed, path, task, lambda _: None)
    count = sum(1 for _ in told_apart_at_the_end(placed, path, again=again))
    if not count:
        raise DataError("the file has no records", where=path, remedy=_ONE_A_LINE)
    return count


def told_apart_at_the_end(
    records: Iterable[tuple[str, R]], path: Path, *, again: Callable[[], Iterable[tuple[str, R]]]
) -> Iterator[tuple[str, R]]:
    """Yield records with their places, and hold their ids against each other when all have been.

    Eight bytes a record are held; `again` gives the records once more where two of those are alike.
    """
    hashes = array("q")
    for where, record in records:
        hashes.append(_hash(record))
        yield where, record
    sorted_R = np.sort(np.asarray(hashes))
    twice = set(sorted_R[1:][sorted_R[1:] == sorted_R[:-1]].tolist())
    if twice:  # the same id, or by a rare chance only the same hash
        for _ in _told_apart(((where, record) for where, record in again() if _hash(record) in twice), path):
            pass


def _hash(record: object) -> int:
    return hash(record.id)  # type: ignore[attr-defined]  # every record of a task has an id


def holds_examples(source: str) -> bool:
    """Return whether a source is examples of a task, and not plain texts, by its name.

    >>> holds_examples("mini:ner/test"), holds_examples("mini:raw"), holds_examples("raw/*.txt")
    (True, False, False)
    """
    if is_reference(source):
        return Reference.of(source).part != RAW
    kind = kind_of(Path(source).name, named=True)
    return Path(source).is_file() and kind.format in ("jsonl", "") and kind.packing in ("gzip", "")


def _placed(
    path: Path, task: str, reject: Callable[[Reject], None] | None = None
) -> Iterator[tuple[str, Example]]:
    if not is_reference(path):
        yield from _read_records(path, EXAMPLES[task], reject)
        return
    given = Reference.of(path).labelled.task
    if given != task:
        raise DataError(f"these are examples of {given}, not of {task}", where=path)
    yield from read_set(path)


def read_predictions(path: Path, task: str) -> list[Prediction]:
    """Return the predictions of a task."""
    return [record for _, record in _told_apart(_read_records(path, PREDICTIONS[task]), path)]


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
