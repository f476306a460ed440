"""What the judgement of encoders holds: plain records, the same in memory, in report.json and on the page.

- Figures come with their intervals; a `share` runs from 0 to 1, a `loss` is in natural logarithms.
- A figure that does not `travel` depends on what a tokenizer calls a token: between encoders of different
  tokenizers it says nothing.
- Words that a reader sees stand here in English; the page knows their Chinese.
"""

from dataclasses import dataclass, field

from zhbert.plain import RARE
from zhbert.score.curves import Curves
from zhbert.score.interval import Difference, Interval

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure of what was `hidden`; `travels`: it can be held against another tokenizer's."""

    hidden: str
    name: str
    of: Interval
    kind: str = "share"
    travels: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One encoder and its figures; `facts` is what is known of it, `items` how much was asked of it."""

    name: str
    measures: tuple[Measure, ...]
    items: dict[str, int] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    tokenizer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """Two encoders on one figure: first minus second, and the verdict on the first."""

    first: str
    second: str
    hidden: str
    name: str
    kind: str
    difference: Difference
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One part of what was asked, with the accuracy and the loss of a character of every encoder."""

    family: str
    name: str
    size: int
    small: bool
    accuracy: tuple[Interval, ...]
    loss: tuple[Interval, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Words, phrases or entities in the text: how many are hidden `whole`, and how many `partly`.

    `share` is how many of the hidden tokens stand in one; a token may be in a word, a phrase and an entity.
    """

    kind: str
    n: int
    whole: int
    partly: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What a masking does to the held-out text; `shares` are those of [MASK], another token, the same one."""

    done: float
    strategy: str
    by: str
    whole_words: bool
    asked_rate: float
    rate: float
    asked_shares: tuple[float, ...]
    shares: tuple[float, ...]
    tokens: int
    words: int
    broken_words: int
    special_masked: int
    others_changed: int
    samples: int
    samples_without: int
    long_samples_without: int
    documents: int
    documents_without: int
    units: tuple[Unit, ...] = field(default=(), metadata=RARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """How one encoder was trained to guess: its curves, and its masking, or why that is not known.

    `text` is what it read by source, `card` the data card of that: as far as folders beside it prove it.
    """

    name: str
    curves: Curves = field(default_factory=Curves)
    audits: tuple[Audit, ...] = ()
    note: str = ""
    text: dict[str, str] = field(default_factory=dict, metadata=RARE)
    card: str = field(default="", metadata=RARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A token that was guessed, and its probability."""

    token: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One hidden token: what stood there, its rank (0: it is the first guess), and the best guesses."""

    token: str
    rank: int
    share: float
    best: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one encoder guessed for a hidden word."""

    by: str
    right: bool
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """A word that was hidden, in its sentence, and what was guessed; `kinds` is about the first encoder."""

    source: str
    kinds: tuple[str, ...]
    before: str
    word: str
    after: str
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """The whole of report.json; the first encoder is the one that is judged."""

    title: str
    judged: tuple[Judged, ...]
    against: tuple[Against, ...] = ()
    cuts: tuple[Cut, ...] = ()
    training: tuple[Masked, ...] = ()
    specimens: tuple[Specimen, ...] = ()
    text: dict[str, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    format: int = FORMAT
