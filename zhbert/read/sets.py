"""The examples of a split that a card describes, read from the publisher's file without a conversion.

What is left out of a file (another share, what stands in other splits too, what the form cannot take) is
counted; a label that the card does not know is refused, for then it is another file.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace

from zhbert.errors import ConfigError, DataError, nearest
from zhbert.read.card import LabelledSet
from zhbert.read.forms import FORMS, How, Placed
from zhbert.read.forms.saved import from_dataset
from zhbert.read.hub import load
from zhbert.read.references import Reference, find
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    ReadingExample,
    texts_of,
)

_OPTIONS = {field.name for field in fields(How)} - {"task", "counts", "found", "own"}


def read_set(reference: object, counts: Counter[str] | None = None) -> Iterator[Placed]:
    """Yield the examples of a split with their places; `counts` is told what was mended or left out.

    >>> where, example = next(read_set("mini:topics/test"))
    >>> where.endswith("test.jsonl:1"), example.labels
    (True, ('体育',))
    """
    meant, told = Reference.of(reference), Counter[str]() if counts is None else counts
    labelled, (first, end) = meant.labelled, meant.split.share
    elsewhere = {
        asked(example) for other in meant.split.without for _, example in read_set(meant.beside(other))
    }
    for where, example in _whole(meant, told):
        if not first <= place(example) < end:
            continue
        if asked(example) in elsewhere:
            told[f"stands in {' or '.join(meant.split.without)} too"] += 1
        else:
            yield where, renamed(example, labelled, where)


def _whole(meant: Reference, told: Counter[str]) -> Iterator[Placed]:
    """Yield all examples of the file, or of the hub's split, that a split is of."""
    labelled = meant.labelled
    if not meant.hub:
        yield from FORMS[labelled.form].read(find(meant), how_of(labelled, told))
        return
    split, columns = meant.on_hub
    how = How(task=labelled.task, columns=columns, counts=told)
    yield from from_dataset(load(meant.hub, split), how, where=meant)


def how_of(labelled: LabelledSet, counts: Counter[str]) -> How:
    """Return how the files of a set are to be read; what the card says of it is checked."""
    if labelled.form not in FORMS:
        raise ConfigError(f'no form "{labelled.form}"', remedy=nearest(labelled.form, FORMS))
    for key in labelled.how:
        if key not in _OPTIONS:
            raise ConfigError(f"how.{key}: unknown key", remedy=nearest(key, _OPTIONS))
    return How(task=labelled.task, counts=counts, **labelled.how)


def renamed(example: Example, labelled: LabelledSet, where: str) -> Example:
    """Return an example with the labels that the card gives to those of the file."""

    def name(label: str) -> str:
        found = labelled.names.get(label, label)
        if labelled.labels and found not in labelled.labels:
            remedy = "is it the file that the card describes? " + nearest(label, labelled.labels)
            raise DataError(f'the card knows no label "{label}"', where=where, remedy=remedy)
        return found

    match example:
        case LabelExample():
            return replace(example, labels=tuple(map(name, example.labels)))
        case PairExample() if example.label:
            return replace(example, label=name(example.label))
        case EntityExample():
            spans = tuple(replace(span, label=name(span.label)) for span in example.entities)
            return replace(example, entities=spans)
    return example


def asked(example: Example) -> tuple[str, ...]:
    """Return the texts of an example: two examples of which these are equal ask the same.

    >>> asked(PairExample(id="1", first="今天下雨", second="今天晴", label="不同"))
    ('今天下雨', '今天晴')
    """
    return tuple(texts_of(example).values())


def place(example: Example) -> float:
    """Return a number from 0 to 1 that follows from the text of an example: of reading, the passage.

    >>> round(place(LabelExample(id="1", text="主队赢了")), 3)
    0.421
    """
    match example:
        case PairExample():
            text = f"{example.first}\0{example.second}"
        case ReadingExample() | ChoiceExample():
            text = example.context
        case _:
            text = example.text
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
