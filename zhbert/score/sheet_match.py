"""What a report holds of systems set against each other: their order, and who alone is right how often."""

from dataclasses import dataclass

BEST = "best"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One system in the order of the headline, and what a paired test says of it against the best one."""

    system: str
    value: float
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many examples two systems both answer right, only one of them, or neither."""

    first: str
    second: str
    both: int
    only_first: int
    only_second: int
    neither: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTally:
    """The first two systems on one part: how often only one of them is right."""

    family: str
    name: str
    size: int
    unit: str
    small: bool
    only_first: int
    only_second: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """All systems in their order, every pair example by example, and the first pair part by part."""

    standings: tuple[Standing, ...]
    tallies: tuple[Tally, ...]
    parts: tuple[PartTally, ...] = ()
