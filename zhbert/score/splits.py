"""What there is to know of test and train before any model is asked: labels, lengths, doubles.

A system cannot be better than its data: a test text that stands in train is no new text, and of two equal
texts with different answers one will be wrong. When examples ask the same is said in `alike.py`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zhbert.plain import RARE
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    ReadingExample,
    characters_of,
    texts_of,
)
from zhbert.score.alike import Key, answer_in_words, contradict, groups_of, opposed, overlap
from zhbert.score.lengths import EDGES, Lengths, band_name, bands_of

SHOWN = 3  # examples of a finding
_CUT = 60  # characters of a text that are shown
NO_LABEL = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The examples of a split: how many, how long, and how many of each length (`lengths.EDGES`).

    `overlapping` counts texts in which entities share characters.
    """

    name: str
    n: int
    characters: int
    lengths: Lengths
    bands: tuple[int, ...]
    overlapping: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A label, and how often it stands in each split, in their order; "" is an example without any."""

    label: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubled:
    """An example that asks what another one does, and the answers of both."""

    id: str
    other: str
    text: str
    answer: str
    other_answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubles:
    """Examples of a place ("test", "train", "test and train") that ask what one before them does.

    `against` counts the examples, or within a split the texts, that are answered in contradiction.
    """

    where: str
    n: int
    against: int
    shown: tuple[Doubled, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """A surface that is marked with several types, and how often with each."""

    surface: str
    types: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSheet:
    """The splits of a section, the test set first; of the `ambiguous` surfaces the first are `surfaces`."""

    splits: tuple[Split, ...]
    labels: tuple[Labelled, ...] = ()
    doubles: tuple[Doubles, ...] = ()
    ambiguous: int = 0
    surfaces: tuple[Ambiguous, ...] = field(default=(), metadata=RARE)


def data_sheet(task: str, gold: Sequence[Example], train: Sequence[Example] | None) -> DataSheet:
    """Return what is in the test set, and in train where it is known."""
    sets: dict[str, Sequence[Example]] = {"test": gold} | ({"train": train} if train else {})
    surfaces = _surfaces([example for examples in sets.values() for example in examples], task)
    return DataSheet(
        splits=tuple(_split(name, examples) for name, examples in sets.items()),
        labels=_labels(list(sets.values())),
        doubles=_doubles(sets),
        ambiguous=len(surfaces),
        surfaces=tuple(surfaces[:SHOWN]),
    )


def _split(name: str, examples: Sequence[Example]) -> Split:
    lengths = [characters_of(example) for example in examples]
    return Split(
        name=name,
        n=len(examples),
        characters=sum(lengths),
        lengths=Lengths.of(lengths),
        bands=tuple(np.bincount(bands_of(lengths), minlength=len(EDGES) + 1).tolist()),
        overlapping=sum(isinstance(example, EntityExample) and overlap(example) for example in examples),
    )


def counted_under(example: Example) -> tuple[str, ...]:
    """Return what an example counts under: its labels, the types of its spans, or what kind of answer it has.

    >>> counted_under(ReadingExample(id="1", context="他在北京", question="谁？"))
    ('unanswerable',)
    """
    match example:
        case LabelExample():
            return example.labels or (NO_LABEL,) * (example.value is None)
        case PairExample():
            return (example.label,) * (example.value is None)
        case EntityExample():
            return tuple(span.label for span in example.entities)
        case ReadingExample():
            return ("answerable" if example.texts else "unanswerable",)
        case ChoiceExample():
            return (NO_LABEL if example.answer is None else f"{example.answer + 1}",)


def _labels(sets: Sequence[Sequence[Example]]) -> tuple[Labelled, ...]:
    counts = [Counter(label for example in examples for label in counted_under(example)) for examples in sets]
    total = sum(counts, Counter[str]())
    names = sorted(total, key=lambda label: (-total[label], label))
    return tuple(Labelled(label=name, counts=tuple(one[name] for one in counts)) for name in names)


def _doubles(sets: Mapping[str, Sequence[Example]]) -> tuple[Doubles, ...]:
    groups = {
        name: {key: [examples[place] for place in places] for key, places in groups_of(examples).items()}
        for name, examples in sets.items()
    }
    found = [_within(name, list(own.values())) for name, own in groups.items()]
    if "train" in groups:
        found.append(_across(groups["test"], groups["train"]))
    return tuple(found)


def _within(name: str, groups: Sequence[Sequence[Example]]) -> Doubles:
    pairs = [(group[pair[0]], group[pair[1]]) for group in groups if (pair := opposed(group))]
    repeated = sum(len(group) - 1 for group in groups)
    return Doubles(where=name, n=repeated, against=len(pairs), shown=_shown(pairs))


def _across(test: Mapping[Key, Sequence[Example]], train: Mapping[Key, Sequence[Example]]) -> Doubles:
    met = [(one, train[key]) for key, group in test.items() if key in train for one in group]
    pairs = [(one, others[0]) for one, others in met if all(contradict(other, one) for other in others)]
    return Doubles(where="test and train", n=len(met), against=len(pairs), shown=_shown(pairs))


def _shown(pairs: Sequence[tuple[Example, Example]]) -> tuple[Doubled, ...]:
    return tuple(
        Doubled(
            id=one.id,
            other=other.id,
            text=" | ".join(texts_of(one).values())[:_CUT],
            answer=answer_in_words(one),
            other_answer=answer_in_words(other),
        )
        for one, other in pairs[:SHOWN]
    )


def _surfaces(examples: Sequence[Example], task: str) -> list[Ambiguous]:
    """Return the entities of several types, the commonest first; that words have several is their nature."""
    types: dict[str, Counter[str]] = {}
    for example in examples if task == "ner" else ():
        assert isinstance(example, EntityExample)
        for span in example.entities:
            types.setdefault(example.text[span.start : span.end], Counter())[span.label] += 1
    several = [(surface, counts) for surface, counts in types.items() if len(counts) > 1]
    several.sort(key=lambda one: (-min(n for _, n in one[1].most_common(2)), one[0]))
    return [Ambiguous(surface=surface, types=dict(counts.most_common())) for surface, counts in several]


@dataclass(frozen=True, slots=True)
class Bars:
    """A row of a small chart: its name, and of each bar the count and the length (of the longest 100)."""

    name: str
    bars: tuple[tuple[int, float], ...]


def label_bars(data: DataSheet) -> list[Bars]:
    """Return the labels with a bar for each split, as long as their share of all labels there."""
    return _bars([(row.label, row.counts) for row in data.labels])


def length_bars(data: DataSheet) -> list[Bars]:
    """Return the bands of lengths from the shortest to the longest text that there is."""
    counts = list(zip(*(split.bands for split in data.splits), strict=True))
    there = [band for band, row in enumerate(counts) if any(row)]
    return _bars([(band_name(band), counts[band]) for band in range(there[0], there[-1] + 1)])


def _bars(rows: Sequence[tuple[str, Sequence[int]]]) -> list[Bars]:
    totals = [max(1, sum(column)) for column in zip(*(counts for _, counts in rows), strict=True)]
    shares = [[n / total for n, total in zip(counts, totals, strict=True)] for _, counts in rows]
    most = max((share for row in shares for share in row), default=0) or 1
    return [
        Bars(name, tuple((n, round(100 * share / most, 1)) for n, share in zip(counts, row, strict=True)))
        for (name, counts), row in zip(rows, shares, strict=True)
    ]
