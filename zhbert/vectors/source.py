"""The texts that vectors are made of: lines, JSON records, a data set by reference.

A record with several texts (a pair, a question and its context) gives a vector for each; their ids are the
record's with the name of the field behind a colon. Labels come along, to be held against groups later; one
that is a number is its digits.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zhbert.errors import DataError
from zhbert.plain import RARE
from zhbert.read.examples import told_apart_at_the_end
from zhbert.read.lines import read_json_lines, read_lines
from zhbert.read.reader import Reader
from zhbert.read.references import RAW, Reference, is_reference
from zhbert.read.sets import read_set
from zhbert.records import LabelExample, texts_of

FIELDS = ("text", "first", "second", "context", "question")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text with its name, and the labels that it carries."""

    id: str
    text: str
    labels: tuple[str, ...] = field(default=(), metadata=RARE)


def read_texts(source: Path) -> Iterator[Text]:
    """Yield the texts of a source in order; whether their ids differ is known, and said, at the end.

    >>> next(read_texts(Path("mini:topics/test"))).labels
    ('体育',)
    """
    placed = _placed(source)
    if not _is_lines(source):  # the ids of lines are their numbers
        placed = told_apart_at_the_end(placed, source, again=lambda: _placed(source))
    text: Text | None = None
    for _, text in placed:
        yield text
    if text is None:
        raise DataError("there is no text in it", where=source, remedy="one text a line, or JSONL")


def _is_lines(source: Path) -> bool:
    return not is_reference(source) and ".txt" in source.suffixes


def _placed(source: Path) -> Iterator[tuple[str, Text]]:
    if _is_lines(source):
        for number, line in read_lines(source):
            yield f"{source}:{number}", Text(id=str(number), text=line)
    elif is_reference(source):
        yield from _referred(source)
    else:
        for number, (where, value) in enumerate(read_json_lines(source), 1):
            yield from ((where, text) for text in _of_record(value, number, where))


def _referred(source: Path) -> Iterator[tuple[str, Text]]:
    meant = Reference.of(source)
    if meant.part == RAW:
        for document in Reader([str(meant.path)]):
            yield document.at, Text(id=document.id, text=document.text)
        return
    for where, example in read_set(source):
        labels = example.labels if isinstance(example, LabelExample) else ()
        yield from ((where, text) for text in _named(example.id, texts_of(example), labels))


def _of_record(value: Any, number: int, where: str) -> Iterator[Text]:
    if not isinstance(value, dict):
        raise DataError("not a JSON object", where=where, remedy='{"id": "1", "text": "…"}')
    texts = {key: value[key] for key in FIELDS if isinstance(value.get(key), str)}
    if not texts:
        raise DataError(
            f"the record has none of {', '.join(FIELDS)}", where=where, remedy='give every record a "text"'
        )
    label = value.get("labels", value.get("label", ()))
    labels = (label,) if isinstance(label, str | int | float) else label if isinstance(label, list) else ()
    yield from _named(str(value.get("id", number)), texts, tuple(str(one) for one in labels))


def _named(name: str, texts: dict[str, str], labels: tuple[str, ...]) -> Iterator[Text]:
    for key, text in texts.items():
        yield Text(id=name if len(texts) == 1 else f"{name}:{key}", text=text, labels=labels)
