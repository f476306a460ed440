"""Labelled examples, from a file or by reference, and predictions: one record type a file, ids told apart."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar, cast

from zhbert.errors import DataError, UserError, nearest
from zhbert.read.lines import read_json_lines
from zhbert.read.references import Reference, is_reference
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


def _read_records(path: Path, kind: type[R]) -> Iterator[tuple[str, R]]:
    """Yield the records of a JSONL file with their places."""
    for where, value in read_json_lines(path):
        try:
            yield where, from_plain(kind, value)
        except UserError as error:
            raise DataError(error.what, where=where, remedy=error.remedy) from error


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


def _placed(path: Path, task: str) -> Iterator[tuple[str, Example]]:
    if not is_reference(path):
        yield from _read_records(path, EXAMPLES[task])
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
