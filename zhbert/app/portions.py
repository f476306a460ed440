"""What models are asked: the records of a source, in order, a portion at a time.

- Examples of a task are a reference or one JSONL file. They are read twice: once to see that all are sound
  and that their ids differ, before hours are spent, and once to hand them out.
- Everything else is plain texts, which `Reader` reads, whatever they are packed in: for tasks that ask
  nothing but a text. Models of several tasks can be asked plain texts only: a JSONL file is read as such
  then, and where the key of its texts is named.
- In memory is one portion, and eight bytes an example while ids are compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zhbert.config import fingerprint
from zhbert.engine.unit import Unit, hash_texts
from zhbert.errors import DataError
from zhbert.read.config import ReadConfig
from zhbert.read.examples import count_examples, holds_examples, stream_examples
from zhbert.read.piece import Reject
from zhbert.read.reader import Reader
from zhbert.records import (
    EXAMPLES,
    Document,
    EntityExample,
    Example,
    LabelExample,
    characters_of,
    to_json,
    to_plain,
)

_LINES = (".txt", ".txt.gz")
_MOST = 1024  # records of a portion, however short


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Some records as they come, what could not be read among them, and how far that moves a bar."""

    records: tuple[Example | Document, ...]
    rejects: tuple[Reject, ...]
    size: int


class Portions:
    """The records of a source for some tasks; `total` of a `unit` are what there is to do."""

    def __init__(self, source: str, tasks: Sequence[str], config: ReadConfig, *, rejects: bool) -> None:
        self._rejects: list[Reject] | None = [] if rejects else None
        self._source, self._task, self._config = source, tasks[0], config
        kinds = {EXAMPLES[task] for task in tasks}
        self._reader: Reader | None = None
        if not holds_examples(source) or len(kinds) > 1 or config.text_key != "text":
            self._reader = self._read(tasks)
        self.unit = "bytes" if self._reader else "examples"
        self.total = self._reader.size if self._reader else self._count()

    def _read(self, tasks: Sequence[str]) -> Reader:
        for task in tasks:
            if EXAMPLES[task] not in (LabelExample, EntityExample):
                what = f"plain texts cannot be given to a {task} model"
                raise DataError(what, where=self._source, remedy="use JSONL")
        reject = None if self._rejects is None else self._rejects.append
        return Reader([self._source], self._config, reject=reject)

    def _count(self) -> int:
        ignore = None if self._rejects is None else lambda _: None
        return count_examples(Path(self._source), self._task, reject=ignore)

    def units(self, size: int) -> Iterator[Unit[Portion]]:
        """Yield the records so many characters at a time, with the bad ones that stood among them."""
        records: list[Example | Document] = []
        number = characters = done = 0
        for record in self._records():
            records.append(record)
            characters += len(record.text) if isinstance(record, Document) else characters_of(record)
            if characters >= size or len(records) == _MOST:
                yield self._unit(number, records, done)
                number, records, characters, done = number + 1, [], 0, self._done(done, records)
        if records or self._rejects:
            yield self._unit(number, records, done)

    def _records(self) -> Iterator[Example | Document]:
        if self._reader is None:
            reject = None if self._rejects is None else self._rejects.append
            yield from stream_examples(Path(self._source), self._task, reject=reject)
            return
        by_line = self._source.endswith(_LINES) and self._config.form == "lines"
        for document in self._reader:
            name = document.at.rpartition(":")[2] if by_line else document.id
            yield Document(id=name, text=document.text, at=document.at)

    def _done(self, before: int, records: Sequence[Example | Document]) -> int:
        """Return how far reading has come."""
        return self._reader.done if self._reader else before + len(records)

    def _unit(self, number: int, records: Sequence[Example | Document], before: int) -> Unit[Portion]:
        bad = tuple(self._rejects or ())
        if self._rejects:
            self._rejects.clear()
        portion = Portion(records=tuple(records), rejects=bad, size=self._done(before, records) - before)
        key = fingerprint(
            [hash_texts([to_json(record) for record in records]), [to_plain(one) for one in bad]]
        )
        return Unit(number=number, payload=portion, fingerprint=key, at=records[0].id if records else "")


def asked(record: Example | Document, task: str) -> Example:
    """Return the example that a record is for a task.

    >>> asked(Document(id="a.txt:1", text="主队赢了"), "classify")
    LabelExample(id='a.txt:1', text='主队赢了', labels=(), value=None)
    """
    if not isinstance(record, Document):
        return record
    kind = LabelExample if EXAMPLES[task] is LabelExample else EntityExample
    return kind(id=record.id, text=record.text)
