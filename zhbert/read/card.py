"""Cards: what a corpus or a published data set is, as data.

A card is `corpora/<name>/card.toml`. It names raw files and labelled sets with their splits, labels,
counts and checksums, the licence, and what one should know: leaks, oddities, published scores. Files lie
beside the card or, where they are not ours to hand on, in a folder of the user's (`read/references.py`).

- A split may be a share of a file: examples whose text has its hash there. Equal texts have one hash, so
  that two shares never hold the same text.
- A split may leave out what stands in others.
- What is not known is left out: a count of 0 and an empty checksum are no claims.
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

import zhbert
from zhbert.config import Config, load_toml, parse
from zhbert.errors import ConfigError, nearest

TaskName = Literal["classify", "pair", "ner", "segment", "reading", "choice"]
OWN = "zhbert"  # the form of our own JSONL


class Split(Config):
    """Some labelled examples: a file, or what a share of its texts amounts to."""

    file: str = Field(description="path below the data set's folder")
    examples: int = Field(default=0, ge=0, description="how many examples it has; 0: not known")
    sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$", description="checksum of the file")
    share: tuple[float, float] = Field(default=(0.0, 1.0), description="which hashes of texts are taken")
    without: list[str] = Field(default=[], description="splits whose texts are left out of this one")
    labelled: bool = Field(default=True, description="false where the publisher keeps the answers")
    about: str = Field(default="", description="what one should know")

    @property
    def part(self) -> bool:
        """Return whether only a share of the file is meant."""
        return self.share != (0.0, 1.0)

    @model_validator(mode="after")
    def _is_a_share(self) -> "Split":
        first, end = self.share
        if not 0 <= first < end <= 1:
            raise ValueError(f"share must be [from, to] with 0 <= from < to <= 1, not {first}, {end}")
        return self


class Leak(Config):
    """How much of one split stands, text for text, in another."""

    split: str = Field(description="the split that is asked about")
    also_in: str = Field(description="where its texts stand too")
    examples: int = Field(ge=1, description="how many of its examples do")


class Score(Config):
    """What somebody reached on a split."""

    system: str = Field(description="which model, and how it was trained")
    split: str = Field(description="what it was measured on, in the publisher's words")
    metric: str = Field(description="what the figure is")
    value: float = Field(description="the figure, in per cent")
    source: str = Field(description="where it was published")


class Hub(Config):
    """How a set is written on the hub, where the user asks for it there."""

    columns: dict[str, str] = Field(default={}, description="what an example needs: the column that has it")
    splits: dict[str, str] = Field(description="splits of the hub by what the publisher calls the file")


class LabelledSet(Config):
    """A labelled data set: its task, how it is written, its labels in order, its splits."""

    task: TaskName = Field(description="which task the examples are for")
    form: str = Field(default=OWN, description="how the files are written, by its name among the forms")
    how: dict[str, Any] = Field(default={}, description="how the form is to be read: columns and the like")
    labels: list[str] = Field(default=[], description="every label, in the order that models use")
    names: dict[str, str] = Field(default={}, description="labels by what the files write for them")
    hub: Hub | None = Field(default=None, description="how it is written on the hub")
    metric: str = Field(default="", description="what it is judged by")
    about: str = Field(default="", description="what one should know")
    oddities: list[str] = Field(default=[], description="what is unusual in the files")
    leaks: list[Leak] = Field(default=[], description="texts that stand in two splits")
    scores: list[Score] = Field(default=[], description="what others reached")
    splits: dict[str, Split] = Field(description="splits by name")

    @model_validator(mode="after")
    def _names_fit(self) -> "LabelledSet":
        if self.names and set(self.names.values()) != set(self.labels):
            raise ValueError("names must give every label, and no other")
        named = [(leak.split, leak.also_in) for leak in self.leaks]
        asked = [name for pair in named for name in pair] + [
            n for s in self.splits.values() for n in s.without
        ]
        if lost := [name for name in asked if name not in self.splits]:
            raise ValueError(f'"{lost[0]}" is no split')
        return self


class Raw(Config):
    """The unlabelled text of a corpus."""

    folder: str = Field(description="folder below the card's folder")
    about: str = Field(default="", description="what one should know")


class Card(Config):
    """All that is known of one corpus."""

    name: str = Field(description="the name that references use")
    title: str = Field(description="one line, in English")
    title_zh: str = Field(default="", description="one line, in Chinese")
    language: str = Field(default="zh-Hans", description="BCP 47 tag")
    licence: str = Field(description="SPDX name, or what the publisher says")
    address: str = Field(default="", description="where the publisher gives it away")
    folder: str = Field(
        default="", description="folder of the files among other data sets; default: the name"
    )
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
