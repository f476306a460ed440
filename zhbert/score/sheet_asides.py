"""What a report shows beside its figures: other rules, slips of borders, an exact test of right and wrong."""

from dataclasses import dataclass, field

from zhbert.plain import RARE
from zhbert.score.interval import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A figure by another rule than the headline's; `best_of` so many answers, where it looks at several."""

    name: str
    of: Interval
    best_of: int | None = field(default=None, metadata=RARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """How far the borders of predicted entities lie from those of gold, how often, and some examples' ids.

    `start` and `end` are predicted minus gold, in characters: an `end` of 1 ends one character too late.
    """

    start: int
    end: int
    count: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemar:
    """How many examples only the first of two systems has right, and only the second; the exact p value."""

    first: int
    second: int
    p: float
