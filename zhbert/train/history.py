"""How far a training is: all that a checkpoint says of it, but for weights and the job's position."""

from dataclasses import dataclass, field

from zhbert.train.guard import Guard


@dataclass(slots=True)
class History:
    """What happened so far; `seconds` are those of all restarts together.

    `settled`: it was ended early, because judgements no longer improved.
    """

    steps: int = 0
    best: float | None = None
    best_step: int = 0
    settled: bool = False
    tokens: int = 0
    seconds: float = 0.0
    parts: int = 1
    guard: Guard = field(default_factory=Guard)


def step_seed(seed: int, step: int, rank: int = 0) -> int:
    """Return the seed of one step in one process."""
    return (seed * 1_000_003 + step + rank * 7_368_787_961) % 2**63
