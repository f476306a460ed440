"""What a report holds: plain records, the same in memory, in report.json and on the page.

- Every figure comes with its interval. Shares run from 0 to 1 and are printed as per cent.
- Words that a reader sees ("wrong type", "entity length") stand here in English; the page knows
  their Chinese (`words.py`). Labels, ids and texts stand as they are in the data.
- A system may be several trainings: its figures are means over them, its counts rounded means. What
  takes one set of answers (confusions, exhibits) is that of the first training.
- An exhibit is one example with the gold answer and every system's answer beside it; spans are
  half-open characters of its `text`.
"""

from dataclasses import dataclass, field

from zhbert.plain import RARE
from zhbert.records import Span
from zhbert.score.coverage import Coverage
from zhbert.score.interval import Difference, Interval
from zhbert.score.sheet_asides import Aside, McNemar, Slip
from zhbert.score.sheet_match import Match
from zhbert.score.splits import DataSheet

FORMAT = 1
MEETINGS = "contamination.json"  # in which `zhbert contamination` writes its meetings


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A metric and how sure it is."""

    name: str
    of: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """One label or entity type: how often it stands in gold, and how well it is found."""

    label: str
    support: int
    predicted: int
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Confused:
    """How often one gold label was answered by another; "" is no answer."""

    gold: str
    predicted: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSheet:
    """One system: figures, classes, mistakes by kind, and what its maker says about it.

    `read` is how much of the texts it saw; of predictions that others made that is not known.
    """

    name: str
    figures: tuple[Figure, ...]
    classes: tuple[ClassRow, ...] = ()
    mistakes: dict[str, int] = field(default_factory=dict)
    confused: tuple[Confused, ...] = ()
    cut: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    asides: tuple[Aside, ...] = field(default=(), metadata=RARE)
    slips: tuple[Slip, ...] = field(default=(), metadata=RARE)
    read: Coverage | None = field(default=None, metadata=RARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two systems on one metric: first minus second, and the verdict on the first."""

    first: str
    second: str
    metric: str
    difference: Difference
    verdict: str
    exact: McNemar | None = field(default=None, metadata=RARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The figures of a system's trainings on one metric, in their order; the deviation is that of n - 1."""

    system: str
    metric: str
    figures: tuple[float, ...]
    low: float
    high: float
    deviation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The trainings of two systems on one metric: lowest and highest of each, and Welch's t interval."""

    first: str
    second: str
    metric: str
    first_range: tuple[float, float]
    second_range: tuple[float, float]
    overlap: bool
    welch: Difference | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRow:
    """One part of the test set with the headline figure of every system, in the systems' order.

    `difference` is that of the first two, its p value adjusted over all parts of the section.
    """

    family: str
    name: str
    size: int
    unit: str
    small: bool
    figures: tuple[Interval, ...]
    ids: tuple[str, ...]
    difference: Difference | None = field(default=None, metadata=RARE)
    verdict: str = field(default="", metadata=RARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """The first system's headline before and after a change of the texts, and how often its answer flips."""

    name: str
    n: int
    left_out: int
    before: Interval
    after: Interval
    difference: Difference
    verdict: str
    flips: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Sureness:
    """Answers of about the same probability: how many, what was said, and how many were right."""

    n: int
    said: float
    right: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Untempered:
    """How sure a system would be without its temperature."""

    error: float
    brier: float
    bins: tuple[Sureness, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How sure a system is and how right; `kept` are shares of the surest answers, and of them the right.

    `curve` is the same for up to 100 shares, `aurc` the mean share of wrong answers over all shares; `before`
    is there where the system has a temperature.
    """

    system: str
    n: int
    error: float
    brier: float
    bins: tuple[Sureness, ...]
    kept: tuple[tuple[float, float], ...]
    curve: tuple[tuple[float, float], ...] = field(default=(), metadata=RARE)
    aurc: float | None = field(default=None, metadata=RARE)
    before: Untempered | None = field(default=None, metadata=RARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A text of a test example that was met in what a model has read; `whole`: it was all of a text there."""

    id: str
    field: str
    source: str
    where: str
    shared: str
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contamination:
    """Test examples of which one field was met in one source: the systems' headlines on these and the rest.

    `met` or `clean` is empty where too few are left to judge; `shown` are a few of the meetings.
    """

    source: str
    field: str
    n: int
    whole: int
    met: tuple[Interval, ...]
    clean: tuple[Interval, ...]
    shown: tuple[Meeting, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """One answer to an exhibit; no spans and no labels is the empty answer."""

    by: str
    outcome: str
    spans: tuple[Span, ...] = ()
    labels: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One example to look at; `kinds` says what the first system did with it."""

    id: str
    kinds: tuple[str, ...]
    text: str
    other: str = ""
    markings: tuple[Marking, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a reader must know of what a system learnt from before its figures are believed."""

    system: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Everything about one task on one data set; the first system is the one that is judged.

    `spreads` and `gaps` are there only where a system has several trainings, `robustness` only where texts
    were changed, `contamination` only where it was looked for, `match` and `contrasts` (what only one of the
    first two systems answers right) only where every pair was compared, `notes` only where hashes prove
    something of what a system learnt from, in report.json too.
    """

    name: str
    task: str
    n: int
    headline: str
    definition: str
    systems: tuple[SystemSheet, ...]
    comparisons: tuple[Comparison, ...] = ()
    slices: tuple[SliceRow, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    coverage: dict[str, str] = field(default_factory=dict)
    spreads: tuple[Spread, ...] = field(default=(), metadata=RARE)
    gaps: tuple[Gap, ...] = field(default=(), metadata=RARE)
    robustness: tuple[Robustness, ...] = field(default=(), metadata=RARE)
    contamination: tuple[Contamination, ...] = field(default=(), metadata=RARE)
    calibration: tuple[Calibration, ...] = field(default=(), metadata=RARE)
    match: Match | None = field(default=None, metadata=RARE)
    contrasts: tuple[Exhibit, ...] = field(default=(), metadata=RARE)
    data: DataSheet | None = field(default=None, metadata=RARE)
    notes: tuple[Note, ...] = field(default=(), metadata=RARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole of report.json."""

    title: str
    sections: tuple[Section, ...]
    provenance: dict[str, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    format: int = FORMAT
