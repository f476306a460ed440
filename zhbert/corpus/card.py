"""Cards: what a corpus is, as data.

A card is `corpora/<name>/card.toml`. It names the raw files, the labelled sets with their
splits, counts and checksums, the licence and what one should know. Anything that takes a path
also takes a reference into a card: `mini:raw` or `mini:ner/test`.
"""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field

import zhbert
from zhbert.config import Config, load_toml, parse
from zhbert.errors import ConfigError, DataError, nearest

_REFERENCE = re.compile(r"(?P<name>[\w-]+):(?P<part>[\w./-]+)")
TaskName = Literal["classify", "pair", "ner", "reading", "choice"]


class Split(Config):
    """One file of labelled examples."""

    file: str = Field(description="path below the card's folder")
    examples: int = Field(ge=1, description="how many examples the file holds")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="checksum of the file")


class LabelledSet(Config):
    """A labelled data set: its task, its labels in order, its splits."""

    task: TaskName = Field(description="which task the examples are for")
    format: Literal["jsonl"] = Field(default="jsonl", description="how the files are written")
    labels: list[str] = Field(default=[], description="every label, in the order that models use")
    about: str = Field(default="", description="what one should know")
    splits: dict[str, Split] = Field(description="files by split name")


class Raw(Config):
    """The unlabelled text of a corpus."""

    folder: str = Field(description="folder below the card's folder")
    format: Literal["files", "lines", "blocks", "jsonl"] = Field(description="what one document is")
    about: str = Field(default="", description="what one should know")


class Card(Config):
    """All that is known of one corpus."""

    name: str = Field(description="the name that references use")
    title: str = Field(description="one line, in English")
    title_zh: str = Field(default="", description="one line, in Chinese")
    language: str = Field(default="zh-Hans", description="BCP 47 tag")
    licence: str = Field(description="SPDX name, or what the publisher says")
    synthetic: bool = Field(default=False, description="composed by a program, not collected")
    about: str = Field(default="", description="where it comes from and what it is good for")
    raw: Raw | None = Field(default=None, description="the unlabelled text")
    tasks: dict[str, LabelledSet] = Field(default={}, description="the labelled sets by name")


def content_root(kind: str) -> Path:
    """Return the folder of `corpora` or `pipelines`: inside an installed package, else beside it."""
    package = Path(zhbert.__file__).parent
    inside = package / "_data" / kind
    return (inside if inside.is_dir() else package.parent / kind).resolve()


def list_cards() -> list[str]:
    """Return the names of all corpora that have a card."""
    return sorted(path.parent.name for path in content_root("corpora").glob("*/card.toml"))


def load_card(name: str) -> Card:
    """Return the card of a corpus.

    >>> load_card("mini").synthetic
    True
    """
    path = content_root("corpora") / name / "card.toml"
    if not path.is_file():
        raise ConfigError(f'no corpus "{name}"', remedy=nearest(name, list_cards()))
    return parse(Card, load_toml(path), where=path)


def is_reference(text: str) -> bool:
    """Return whether a text names a part of a corpus that has a card.

    >>> is_reference("mini:raw"), is_reference("第一章:开头"), is_reference("C:/raw")
    (True, False, False)
    """
    found = _REFERENCE.fullmatch(text)
    return found is not None and found["name"] in list_cards()


def find(reference: str) -> Path:
    """Return the path that a reference names: `mini:raw`, `mini:ner/test`, or simply a path.

    >>> find("mini:ner/test").name
    'test.jsonl'
    """
    if not is_reference(reference):
        return Path(reference)
    name, _, part = reference.partition(":")
    card, home = load_card(name), content_root("corpora") / name
    if part == "raw" and card.raw:
        return home / card.raw.folder
    return home / _split(card, part).file


def labels_of(path: Path) -> list[str]:
    """Return the labels that a card gives for one of its files; none for any other file.

    >>> "人名" in labels_of(find("mini:ner/train"))
    True
    """
    for home in path.resolve().parents:
        if (home / "card.toml").is_file() and home.parent == content_root("corpora"):
            file = path.resolve().relative_to(home).as_posix()
            tasks = load_card(home.name).tasks.values()
            return next((list(t.labels) for t in tasks if file in [s.file for s in t.splits.values()]), [])
    return []


def _split(card: Card, part: str) -> Split:
    task, _, split = part.partition("/")
    labelled = card.tasks.get(task)
    if labelled is None:
        raise DataError(
            f'the corpus "{card.name}" has no "{task}"', remedy=nearest(task, ["raw", *card.tasks])
        )
    if split not in labelled.splits:
        raise DataError(
            f'"{card.name}:{task}" has no split "{split}"', remedy=nearest(split, labelled.splits)
        )
    return labelled.splits[split]
