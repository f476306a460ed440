"""The course of a training, from the rows of `logs/metrics.jsonl` to lines that can be drawn.

- A row has a `step` and whatever was measured there; one with `restart` says after which step a run
  went on. A file may lack any of it. Broken lines are passed over, and values that are no numbers.
- A curve of more than POINTS points is thinned: each point is the mean of a run of steps.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POINTS = 240
SHOWN = ("loss", "held_out_loss", "held_out_accuracy", "score", "lr", "tokens_per_second", "norm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One figure over the steps at which it was measured."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """All figures of a training, and where it was begun again and steps were skipped."""

    curves: tuple[Curve, ...] = ()
    restarts: tuple[float, ...] = ()
    faults: tuple[float, ...] = ()


def read_curves(path: Path) -> Curves:
    """Return the curves of a file of rows; nothing where there is none."""
    if not path.is_file():
        return Curves()
    return curves_of(_rows(path.read_text(encoding="utf-8", errors="replace").splitlines()))


def _rows(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def curves_of(rows: Iterable[dict[str, Any]]) -> Curves:
    """Return the curves of rows; of two values at one step the later one counts.

    >>> found = curves_of([{"step": 10, "loss": 5.0}, {"restart": 10}, {"step": 20, "loss": 4.0}])
    >>> found.curves[0].values, found.restarts
    ((5.0, 4.0), (10,))
    """
    values: dict[str, dict[float, float]] = {name: {} for name in SHOWN}
    restarts, faults = [], []
    for row in rows:
        if _is_number(row.get("restart")):
            restarts.append(row["restart"])
        if not _is_number(row.get("step")):
            continue
        if "fault" in row:
            faults.append(row["step"])
        for name in SHOWN:
            if _is_number(row.get(name)):
                values[name][row["step"]] = row[name]
    curves = tuple(_thinned(name, sorted(found.items())) for name, found in values.items() if len(found) > 1)
    return Curves(curves=curves, restarts=tuple(restarts), faults=tuple(faults))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _thinned(name: str, points: list[tuple[float, float]]) -> Curve:
    run = -(-len(points) // POINTS)
    runs = [points[at : at + run] for at in range(0, len(points), run)]
    return Curve(
        name=name,
        steps=tuple(sum(step for step, _ in part) / len(part) for part in runs),
        values=tuple(sum(value for _, value in part) / len(part) for part in runs),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A curve in a box of 100 by 100: its line, where restarts and faults are, and what the edges mean."""

    line: str
    restarts: tuple[float, ...]
    faults: tuple[float, ...]
    low: float
    high: float
    first: float
    last: float


def draw(curve: Curve, curves: Curves) -> Drawing:
    """Return a curve as it is drawn; the box holds all of it, from its first step to its last.

    >>> draw(Curve(name="loss", steps=(10, 20), values=(5.0, 4.0)), Curves(restarts=(15,)))
    Drawing(line='M0 0L100 100', restarts=(50.0,), faults=(), low=4.0, high=5.0, first=10, last=20)
    """
    first, last, low, high = curve.steps[0], curve.steps[-1], min(curve.values), max(curve.values)

    def across(step: float) -> float:
        return round(100 * (step - first) / (last - first), 2)

    def down(value: float) -> float:
        return round(100 * (high - value) / (high - low), 2) if high > low else 50.0

    points = (
        f"{across(step):g} {down(value):g}" for step, value in zip(curve.steps, curve.values, strict=True)
    )
    restarts, faults = (
        tuple(across(step) for step in steps if first <= step <= last)
        for steps in (curves.restarts, curves.faults)
    )
    return Drawing(
        line="M" + "L".join(points),
        restarts=restarts,
        faults=faults,
        low=low,
        high=high,
        first=first,
        last=last,
    )
