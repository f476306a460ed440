"""Schedules: the share of the peak rate, and the size of a batch, at a point of the training.

Each is a pure function of the step, or of the share of the time that is spent, so that a resumed run
needs no scheduler state.
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


def share_of_time(name: ScheduleName, spent: float, *, warmup: float) -> float:
    """Return the share of the peak rate when a share of the time is spent; the first step's is not 0.

    >>> [round(share_of_time("linear", spent, warmup=0.2), 2) for spent in (0, 0.1, 0.2, 0.6, 1)]
    [0.01, 0.5, 1.0, 0.5, 0.0]
    """
    if spent < warmup:
        return max(spent / warmup, 0.01)
    return SCHEDULES[name](min(1.0, (spent - warmup) / (1.0 - warmup)))


def ramped(first: int, full: int, done: float, *, over: float) -> int:
    """Return the tokens of a batch that grows from `first` to `full` over a share of the training.

    >>> [ramped(100, 500, done, over=0.2) for done in (0, 0.1, 0.2, 0.9)]
    [100, 300, 500, 500]
    """
    return full if done >= over else first + int((full - first) * done / over)
