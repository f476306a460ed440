"""Label Studio's JSON export: a list of tasks with their annotations; spans and choices.

- It runs in a browser, whose texts are UTF-16: every character beyond U+FFFF counts as two. Spans have their
  surfaces, so this is checked, not trusted.
- The first annotation that was not cancelled counts; others are left out and counted, and so are results that
  are neither spans nor choices. A task without an annotation has no labels.
- The text is `data.text`, or the one string in `data`, or what `columns` says: `text=review`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zhbert.errors import DataError
from zhbert.read.forms.base import Form, Placed, checked, dumped, get, read_json, refuse, write_lines
from zhbert.read.forms.how import How
from zhbert.records import EntityExample, Example, LabelExample, Span

_SPANS, _CHOICES = "labels", "choices"
_TASKS = {_SPANS: "ner", _CHOICES: "classify"}
Tasks = list[tuple[str, dict[str, Any], list[dict[str, Any]]]]


def _read(path: Path, how: How) -> Iterator[Placed]:
    found = checked(read_json(path), list, "the file", path)
    tasks = [_opened(task, f"{path}: task {number}", how) for number, task in enumerate(found, start=1)]
    kinds = {_TASKS[result["type"]] for _, _, results in tasks for result in results}
    task = how.task or next(iter(kinds), "")
    if tasks and not task:
        raise DataError("no task has a label", where=path, remedy="say what they are: --task")
    if len(kinds) > 1 and not how.task:
        raise DataError("has both spans and choices", where=path, remedy="--task ner or --task classify")
    for number, (where, record, results) in enumerate(tasks, start=1):
        ident, text = str(record.get("id", number)), _text(record, how, where)
        results = [result for result in results if _TASKS[result["type"]] == task]
        yield where, _example(task, ident, text, results, how, where)


def _opened(task: Any, where: str, how: How) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    """Return a task and those of its results that are spans or choices."""
    given = [checked(one, dict, "annotations", where) for one in get(task, "annotations", list, where, [])]
    annotations = [one for one in given if not one.get("was_cancelled", False)]
    if len(annotations) > 1:
        how.counts["left out: further annotations"] += len(annotations) - 1
    results = get(annotations[0], "result", list, where) if annotations else []
    known = [result for result in results if isinstance(result, dict) and result.get("type") in _TASKS]
    if len(known) < len(results):
        how.counts["left out: results that are neither spans nor choices"] += len(results) - len(known)
    return where, task, known


def _text(task: dict[str, Any], how: How, where: str) -> str:
    data = get(task, "data", dict, where)
    texts = [key for key, value in data.items() if isinstance(value, str)]
    key = how.columns.get("text") or ("text" if "text" in data or len(texts) != 1 else texts[0])
    return str(get(data, key, str, where))


def _example(
    task: str, ident: str, text: str, results: list[dict[str, Any]], how: How, where: str
) -> Example:
    values = [get(result, "value", dict, where) for result in results]
    if task == "classify":
        chosen = [label for value in values for label in get(value, _CHOICES, list, where)]
        labels = [checked(label, str, _CHOICES, where) for label in chosen]
        return LabelExample(id=ident, text=text, labels=tuple(dict.fromkeys(labels)))
    spans = [span for value in values for span in _spans(text, value, how, where)]
    return EntityExample(id=ident, text=text, entities=tuple(sorted(spans)))


def _spans(text: str, value: dict[str, Any], how: How, where: str) -> Iterator[Span]:
    start, end = (get(value, key, int, where) for key in ("start", "end"))
    surface = get(value, "text", str, where) if "text" in value else None
    for label in get(value, _SPANS, list, where):
        if span := how.span(text, start, end, surface, checked(label, str, _SPANS, where), where=where):
            yield span


def _write(examples: Sequence[Example], path: Path, _: How) -> None:
    write_lines(path, [dumped([_task(example) for example in examples])])


def _task(example: Example) -> dict[str, Any]:
    match example:
        case LabelExample():
            values = [{_CHOICES: list(example.labels)}] if example.labels else []
            kind = _CHOICES
        case EntityExample():
            values, kind = [_value(example.text, span) for span in example.entities], _SPANS
        case _:
            raise refuse(example, "labelstudio")
    results = [{"type": kind, "from_name": "label", "to_name": "text", "value": value} for value in values]
    return {"id": example.id, "data": {"text": example.text}, "annotations": [{"result": results}]}


def _value(text: str, span: Span) -> dict[str, Any]:
    start, end = (_units(text[:place]) for place in (span.start, span.end))
    return {"start": start, "end": end, "text": text[span.start : span.end], _SPANS: [span.label]}


def _units(text: str) -> int:
    """Return how many UTF-16 code units a text has.

    >>> _units("好😀")
    3
    """
    return len(text) + sum(character > "\uffff" for character in text)


LABELSTUDIO = Form(
    name="labelstudio",
    about="Label Studio: its JSON export, spans or choices",
    tasks=("ner", "classify"),
    reader=_read,
    writer=_write,
    own="utf16",
    suffix=".json",
)
