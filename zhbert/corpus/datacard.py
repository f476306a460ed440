"""What a data card holds: plain records, the same in memory, in report.json and on the page.

- Tables of names and counts (`dict[str, int]`) have no order of their own; `ranked` puts the largest first.
- Words that a reader sees ("too short", "near duplicates") stand here in English; the page knows their
  Chinese. Names, ids and texts stand as they are in the data.
- What was not counted is absent: None, or an empty table.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zhbert.errors import DataError
from zhbert.records import from_plain
from zhbert.score.words import percent

FORMAT = 1
KIND = "data card"
READ = "read"  # the step that a record fails which cannot be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """So much text."""

    documents: int = 0
    characters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """What went into a step and came out of it; `reasons` count documents, `changes` what was changed."""

    step: str
    before: Amount
    after: Amount
    reasons: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One source; no tokens means that none were counted, no licence that none is known."""

    name: str
    read: Amount
    kept: Amount
    tokens: int | None = None
    licence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The beginning of a document, and where it was read."""

    id: str
    at: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRow:
    """Why a step left documents out; `rule` is the setting behind it, such as `min_characters = 20`."""

    step: str
    reason: str
    documents: int
    rule: str = ""
    examples: tuple[Excerpt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Double:
    """A document that went because another is nearly the same."""

    similarity: float
    excerpt: Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Documents that are nearly the same: the one that stays, and some of those that do not."""

    kept: Excerpt
    dropped: tuple[Double, ...]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """All near-duplicates: how many clusters, how many documents went, and the largest clusters."""

    count: int
    documents: int
    unsettled: int = 0
    largest: tuple[Cluster, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSet:
    """One evaluation set of the guard; `too_short` are texts that cannot be looked for."""

    name: str
    texts: int
    found: int
    too_short: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRun:
    """A document and a test text that share a run of characters."""

    id: str
    at: str
    test: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """What the contamination guard found, and what was done about it: "drop" or "flag"."""

    action: str
    sets: tuple[GuardSet, ...]
    runs: tuple[SharedRun, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How many documents lie from each edge to the next, the last edge without an end."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The shards for training, or those held out."""

    name: str
    documents: int = 0
    tokens: int = 0
    words: int = 0
    in_phrases: int = 0
    in_entities: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """What was counted when the documents became tokens; names are counted in `sample` characters."""

    sides: tuple[Side, ...]
    kinds: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    words: dict[str, int] = field(default_factory=dict)
    phrases: dict[str, int] = field(default_factory=dict)
    entities: dict[str, int] = field(default_factory=dict)
    sample: int = 0

    @property
    def tokens(self) -> int:
        """How many tokens there are."""
        return sum(side.tokens for side in self.sides)

    @property
    def unknown_rate(self) -> float:
        """The share of tokens that stand for something the vocabulary does not have."""
        return sum(side.unknown for side in self.sides) / max(self.tokens, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """What may be done with a text, in the words of whoever says so."""

    of: str
    line: str
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRun:
    """How one of the folders behind this card came about."""

    stage: str
    plan: str
    started: str
    seconds: float
    settings: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCard:
    """The whole of report.json."""

    title: str
    read: Amount
    kept: Amount
    bytes: int = 0
    bad: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    encodings: dict[str, str] = field(default_factory=dict)
    steps: tuple[StepRow, ...] = ()
    sources: tuple[SourceRow, ...] = ()
    reasons: tuple[ReasonRow, ...] = ()
    clusters: Clusters | None = None
    guarded: Guarded | None = None
    lengths: Histogram | None = None
    han: Histogram | None = None
    scripts: dict[str, int] = field(default_factory=dict)
    shards: Shards | None = None
    licences: tuple[Licence, ...] = ()
    stages: tuple[StageRun, ...] = ()
    limits: tuple[str, ...] = ()
    kind: str = KIND
    format: int = FORMAT


def ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return names and counts, the largest first, equal ones in the order of their names.

    >>> ranked({"京": 2, "海": 1, "上": 1})
    [('京', 2), ('上', 1), ('海', 1)]
    """
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def read_card(path: Path) -> DataCard:
    """Return the data card that a report.json holds."""
    if not path.is_file():
        raise DataError("no such file", where=path, remedy="zhbert corpus report")
    return from_plain(DataCard, json.loads(path.read_text(encoding="utf-8")))


def largest_losses(card: DataCard, size: int = 3) -> list[ReasonRow]:
    """Return the reasons that cost most documents, the largest first."""
    rows = [row for row in card.reasons if row.step != READ and row.documents]
    return sorted(rows, key=lambda row: -row.documents)[:size]


def most_shortened(card: DataCard) -> StepRow | None:
    """Return the step that cost most characters, or None where no step cost any."""
    lost = [row.before.characters - row.after.characters for row in card.steps]
    return card.steps[lost.index(max(lost))] if max(lost, default=0) > 0 else None


def headline(card: DataCard) -> list[str]:
    """Return what matters most, one line each, for a terminal.

    >>> headline(DataCard(title="法规", read=Amount(documents=4), kept=Amount(documents=3)))
    ['4 documents in, 3 out (75.0 %)']
    """
    lines = [f"{card.read.documents:,} documents in, {card.kept.documents:,} out ({kept_share(card)})"]
    for row in largest_losses(card, 1):
        lines[0] += f"; largest loss: {row.reason} ({row.documents:,})"
    if card.bad:
        bad = sum(card.bad.values())
        lines.append(f"{bad:,} record{'s' if bad > 1 else ''} could not be read")
    if card.shards:
        lines.append(f"{card.shards.tokens:,} tokens, {100 * card.shards.unknown_rate:.2f} % unknown")
    sets = card.guarded.sets if card.guarded else ()
    return lines + [f"{of.found:,} of {of.texts:,} texts of {of.name} found in the documents" for of in sets]


def kept_share(card: DataCard) -> str:
    """Return the share of the documents that stay, as it is printed."""
    return f"{percent(card.kept.documents / max(card.read.documents, 1))} %"
