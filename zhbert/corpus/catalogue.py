"""What cards say of labelled sets, in lines: `zhbert data list` and `zhbert data show`."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from zhbert.errors import ConfigError, nearest
from zhbert.read.card import Card, LabelledSet, list_cards, load_card
from zhbert.read.references import differs, place_of
from zhbert.read.sets import read_set
from zhbert.records import to_json

SHOWN = 3  # examples
_LONGEST = 300  # characters of an example
_LABELS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One labelled set of a card, and the folder of its files where the user names one."""

    card: Card
    name: str
    labelled: LabelledSet
    folder: Path | None = None

    def reference(self, split: str) -> str:
        """Return what a split is called wherever a path is expected."""
        folder = f"@{self.folder}" if self.folder else ""
        return f"{self.card.name}{folder}:{self.name}/{split}"

    def here(self) -> list[str]:
        """Return the splits whose files are there."""
        splits = self.labelled.splits.items()
        return [name for name, split in splits if place_of(self.card, split.file, self.folder).is_file()]

    @property
    def found(self) -> str:
        """Say how much of the set is there."""
        here = self.here()
        return (
            "here" if len(here) == len(self.labelled.splits) else f"here: {', '.join(here)}" if here else "-"
        )


def entries(names: list[str]) -> list[Entry]:
    """Return the labelled sets of cards; a name may be followed by @ and the folder of the files."""
    found = []
    for name, _, folder in (name.partition("@") for name in names):
        card = load_card(name)
        place = Path(folder) if folder else None
        found += [Entry(card=card, name=n, labelled=t, folder=place) for n, t in card.tasks.items()]
    return found


def listed(task: str = "") -> Iterator[str]:
    """Yield a line for every labelled set: reference, task, splits with their counts, licence, is it here.

    >>> next(line for line in listed("ner") if line.startswith("mini")).split()[:4]
    ['mini:ner', 'ner', 'train', '1,200,']
    """
    every = entries(list_cards())
    tasks = sorted({entry.labelled.task for entry in every})
    if task and task not in tasks:
        raise ConfigError(f'no data set for the task "{task}"', remedy=nearest(task, tasks))
    rows = [_row(entry) for entry in every if task in ("", entry.labelled.task)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(entry: Entry) -> list[str]:
    splits = entry.labelled.splits.items()
    counts = ", ".join(f"{name} {split.examples:,}" if split.examples else name for name, split in splits)
    name = f"{entry.card.name}:{entry.name}"
    return [name, entry.labelled.task, counts, _short(entry.card.licence), entry.found]


def _short(licence: str) -> str:
    return licence.partition(",")[0]


def shown(name: str) -> Iterator[str]:
    """Yield all that a card says of its labelled sets, and the first examples of each that is here.

    >>> [line for line in shown("mini") if line.startswith("licence")]
    ['licence    Apache-2.0']
    """
    name, _, task = (name, "", "") if "@" in name else name.partition(":")
    found = [entry for entry in entries([name]) if task in ("", entry.name)]
    card = load_card(name.partition("@")[0])
    if not found:
        what = f'"{card.name}" has no "{task}"' if task else f'"{card.name}" has no labelled sets'
        raise ConfigError(what, remedy=nearest(task, card.tasks) if card.tasks else "")
    facts = {"licence": card.licence, "language": card.language, "address": card.address}
    yield f"{card.name}: {card.title}"
    yield from (line for line in (card.title_zh,) if line)
    yield from (f"{key:10} {value}" for key, value in facts.items() if value)
    yield from _told(card.about)
    for entry in found:
        yield ""
        yield from _set(entry)


def _set(entry: Entry) -> Iterator[str]:
    labelled = entry.labelled
    yield f"{entry.card.name}:{entry.name} ({labelled.task}), written as {labelled.form}"
    yield from _told(labelled.about)
    if labelled.labels:
        more = len(labelled.labels) - _LABELS
        rest = f" and {more} more" if more > 0 else ""
        yield f"  {len(labelled.labels)} labels: {', '.join(labelled.labels[:_LABELS])}{rest}"
    if labelled.metric:
        yield f"  judged by: {labelled.metric}"
    yield from (f"  note: {line}" for line in labelled.oddities)
    for leak in labelled.leaks:
        share = f"{leak.examples:,} of {labelled.splits[leak.split].examples:,} examples"
        yield f"  leak: {share} of {leak.split} stand word for word in {leak.also_in}"
    yield from _splits(entry)
    if labelled.hub:
        there = ", ".join(f"{file} as {split}" for file, split in labelled.hub.splits.items())
        yield f"  from the hub where it is asked for, {entry.card.name}@hub:NAME:{entry.name}/…: {there}"
    for score in labelled.scores:
        yield f"  published: {score.value:g} {score.metric} on {score.split}, {score.system} ({score.source})"
    yield from _examples(entry)


def _told(about: str) -> Iterator[str]:
    yield from (f"  {line}" for line in about.strip().split("\n") if line)


def _splits(entry: Entry) -> Iterator[str]:
    here = entry.here()
    for name, split in entry.labelled.splits.items():
        words = [f"{split.examples:,} examples"] if split.examples else []
        words += [f"hashes {split.share[0]:g} to {split.share[1]:g} of {split.file}"] if split.part else []
        words += [f"without what stands in {', '.join(split.without)}"] if split.without else []
        words += [] if split.labelled else ["without answers"]
        words += [split.about] if split.about else []
        words += [
            str(place_of(entry.card, split.file, entry.folder))
            if name in here
            else f"{split.file} is not here"
        ]
        yield f"  {entry.reference(name)}: {'; '.join(words)}"
        if name in here and (line := differs(entry.reference(name))):
            yield f"    {line}"


def _examples(entry: Entry) -> Iterator[str]:
    """Yield the first examples of the smallest split that is here, which is read soonest."""
    here = sorted(entry.here(), key=lambda name: entry.labelled.splits[name].examples)
    if here:
        yield f"  the first of {here[0]}:"
    for _, example in islice(read_set(entry.reference(here[0])), SHOWN) if here else ():
        line = to_json(example)
        yield f"    {line if len(line) <= _LONGEST else line[:_LONGEST] + '…'}"
