"""Rows with named columns as examples: what tables, JSON lines and saved data sets have in common.

- `columns` says which column is which field of an example; one that is called like a field is that field.
  A field is left alone with an empty name: `label=`. Who names a value wants no label.
- Which task it is follows from the fields, the first that fits in `NEEDED`, unless it is given.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from zhbert.errors import DataError, nearest
from zhbert.read.forms.base import Placed, checked, get
from zhbert.read.forms.c3 import answer_of
from zhbert.read.forms.how import How
from zhbert.read.forms.squad import question_of
from zhbert.read.forms.tagged import Sentence, examples_of
from zhbert.records import ChoiceExample, Example, LabelExample, PairExample

NEEDED = {
    "ner": ("tokens", "tags"),
    "choice": ("context", "question", "options"),
    "reading": ("context", "question"),
    "pair": ("first", "second"),
    "classify": ("text",),
}
FIELDS = ("id", *dict.fromkeys(name for names in NEEDED.values() for name in names))
FIELDS += ("label", "labels", "value", "answer", "answers")
SEVERAL = "|"  # parts the labels of a text in a table

Row = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Columns:
    """Which task the rows of a file are examples of, and which column has which field."""

    task: str
    of: dict[str, str]

    @classmethod
    def among(cls, names: Sequence[str], how: How, where: object) -> "Columns":
        """Return the columns that are asked for, or called like fields, among those of a file."""
        for key, column in how.columns.items():
            if key not in FIELDS:
                raise DataError(f'no field "{key}"', where=where, remedy=nearest(key, FIELDS))
            if column and column not in names:
                raise DataError(f'no column "{column}"', where=where, remedy=nearest(column, names))
        of = {key: key for key in FIELDS if key in names} | how.columns
        if "value" in how.columns and "label" not in how.columns:
            of["label"] = ""
        of = {key: column for key, column in of.items() if column}
        tasks = [how.task] if how.task else list(NEEDED)
        for task in tasks:
            if all(key in of for key in NEEDED[task]):
                return cls(task, of)
        lacks = next((key for key in NEEDED[tasks[-1]] if key not in of), "")
        raise DataError(
            f"which column is the {lacks}?",
            where=where,
            remedy=f"--columns {lacks}=NAME; the columns are {', '.join(map(str, names))}",
        )

    def take(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return what a row has by the names of the fields."""
        return {key: row[column] for key, column in self.of.items() if row.get(column) is not None}


def examples_in(rows: Iterable[Row], columns: Columns, how: How, path: object) -> Iterator[Placed]:
    """Yield the examples of rows."""
    if columns.task == "ner":
        yield from examples_of(list(_sentences(rows, columns)), how, path)
        return
    for number, (where, row) in enumerate(rows, start=1):
        fields = columns.take(row)
        ident = str(fields.get("id", number))
        try:
            example = _example(columns.task, ident, fields, how, where)
        except DataError as error:
            if error.where:
                raise
            raise DataError(error.what, where=where, remedy=error.remedy) from error
        if example:
            yield where, example


def _sentences(rows: Iterable[Row], columns: Columns) -> Iterator[Sentence]:
    for number, (where, row) in enumerate(rows, start=1):
        fields = columns.take(row)
        units, tags = (
            [checked(item, str, key, where) for item in get(fields, key, list, where)]
            for key in NEEDED["ner"]
        )
        if len(units) != len(tags):
            raise DataError(f"{len(units)} tokens but {len(tags)} tags", where=where)
        if not all(units):
            raise DataError("an empty token", where=where)
        ident = str(fields.get("id", number))
        line = int(where.rpartition(":")[2])
        yield Sentence(line=line, ident=ident, one_line=True, units=units, tags=tags)


def _example(task: str, ident: str, fields: dict[str, Any], how: How, where: str) -> Example | None:
    match task:
        case "classify":
            text = get(fields, "text", str, where)
            return LabelExample(
                id=ident, text=text, labels=_labels(fields, where), value=_value(fields, where)
            )
        case "pair":
            first, second = (get(fields, key, str, where) for key in NEEDED["pair"])
            label = next(iter(_labels(fields, where)), "")
            return PairExample(id=ident, first=first, second=second, label=label, value=_value(fields, where))
    context, question = (get(fields, key, str, where) for key in NEEDED["reading"])
    if task == "reading":
        answers = get(fields, "answers", dict, where, {})
        texts, starts = (get(answers, key, list, where, []) for key in ("text", "answer_start"))
        if len(texts) != len(starts):
            raise DataError(f"{len(texts)} answers but {len(starts)} places", where=where)
        return question_of(ident, context, question, texts, starts, how, where)
    options = tuple(checked(one, str, "options", where) for one in get(fields, "options", list, where))
    answer = fields.get("answer")
    known = answer if type(answer) is int else answer_of(answer, options, how, where)
    return ChoiceExample(id=ident, context=context, question=question, options=options, answer=known)


def _labels(fields: dict[str, Any], where: str) -> tuple[str, ...]:
    """Return the labels of a row: one, several in a list, or several in one word; none where it is empty."""
    found = fields.get("labels", fields.get("label", ""))
    if isinstance(found, list):
        return tuple(_word(item, where) for item in found)
    word = _word(found, where)
    if "labels" in fields:
        return tuple(part for part in word.split(SEVERAL) if part)
    return (word,) if word else ()


def _word(value: Any, where: str) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        raise DataError(f"label: {value} is no label", where=where)
    if not isinstance(value, (str, int, float)):
        raise DataError(f"label: must be a word or a number, not {type(value).__name__}", where=where)
    return str(value)


def _value(fields: dict[str, Any], where: str) -> float | None:
    """Return the number of a row; none where it is empty."""
    found = fields.get("value", "")
    if found == "":
        return None
    try:
        number = float(found)
    except (TypeError, ValueError):
        raise DataError(f'value: "{found}" is not a number', where=where) from None
    if not math.isfinite(number):
        raise DataError(f"value: {found} is not a finite number", where=where)
    return number


def rows_of(examples: Sequence[Example], form: str) -> list[dict[str, Any]]:
    """Return examples of one task as rows with the same columns each."""
    rows = [_row(example, form) for example in examples]
    used = {key: None for row in rows for key in row}
    if len({"text" in row for row in rows}) > 1:
        raise DataError(f"{form} cannot hold examples of two tasks")
    return [{key: row.get(key) for key in used} for row in rows]


def _row(example: Example, form: str) -> dict[str, Any]:
    match example:
        case LabelExample():
            one = {"label": example.labels[0]} if example.labels else {}
            label = {"labels": list(example.labels)} if len(example.labels) > 1 else one
            return {"id": example.id, "text": example.text, **label, **_number(example.value)}
        case PairExample():
            label = {"label": example.label} if example.label else {}
            pair = {"id": example.id, "first": example.first, "second": example.second}
            return {**pair, **label, **_number(example.value)}
    raise DataError(f"{form} cannot hold {type(example).__name__}", where=example.id)


def _number(value: float | None) -> dict[str, Any]:
    return {} if value is None else {"value": value}
