"""Learning-rate schedules: the share of the peak rate at a point of the training.

Each is a pure function of (step, steps, warmup), so that a resumed run needs no scheduler state.
"""

import math
from collections.abc import Callable
from typing import Literal

ScheduleName = Literal["linear", "cosine", "wsd", "constant"]


def _linear(done: float) -> float:
    return 1.0 - done


def _cosine(done: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * done))


def _wsd(done: float) -> float:
    """Stay at the peak, then decay over the last fifth."""
    return min(1.0, (1.0 - done) / 0.2)


def _constant(done: float) -> float:
    return 1.0


SCHEDULES: dict[ScheduleName, Callable[[float], float]] = {
    "linear": _linear,
    "cosine": _cosine,
    "wsd": _wsd,
    "constant": _constant,
}


def share(name: ScheduleName, step: int, *, steps: int, warmup: float) -> float:
    """Return the share of the peak rate for step 0, 1, …; warm-up is a fraction of all steps.

    >>> [round(share("linear", step, steps=10, warmup=0.2), 2) for step in (0, 1, 2, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.12]
    """
    rising = max(1, round(steps * warmup)) if warmup else 0
    if step < rising:
        return (step + 1) / rising
    return SCHEDULES[name]((step - rising) / max(1, steps - rising))
