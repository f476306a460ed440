"""What predicting took: seconds, memory, the device, the size of the model, and how long it was trained.

These figures are different every time, so they are kept out of report.json: `zhbert apply` leaves those of a
system in `logs/cost.json`, a report those of all its systems in its own, and the page shows them.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zhbert.files import LOGS, write_text
from zhbert.plain import to_plain
from zhbert.score.lengths import band_name, bands_of

COST = f"{LOGS}/cost.json"  # below the folder of `zhbert apply`, and below that of a report


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Examples of so many characters, and the seconds that one of them costs among many."""

    characters: str
    n: int
    median: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What it took to predict a set of examples; what is not known is 0 or empty.

    `seconds` are those of preparing, model and deciding together, loading left out. `memory` is the most that
    the process held meanwhile, `device_memory` what was taken of a GPU; `bytes` are the model's on disk.
    `trainings` are seconds by stage.
    """

    examples: int
    characters: int
    seconds: float
    preparing: float
    model: float
    deciding: float
    bands: tuple[Band, ...] = ()
    memory: int = 0
    device_memory: int = 0
    device: str = ""
    threads: int = 0
    parameters: int = 0
    bytes: int = 0
    trainings: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> tuple[float, float]:
        """Return how many examples and characters went through in a second."""
        return self.examples / max(self.seconds, 1e-9), self.characters / max(self.seconds, 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemCost:
    """What one system of one section took; of several trainings, the first."""

    section: str
    system: str
    cost: Cost


def by_length(lengths: Sequence[int], seconds: Sequence[float]) -> tuple[Band, ...]:
    """Return what examples cost by their length; bands in which there are none are left out.

    >>> [(band.characters, band.n, band.median) for band in by_length([3, 20, 24], [0.1, 0.2, 0.4])]
    [('0–16', 1, 0.1), ('17–32', 2, 0.3)]
    """
    band_E = bands_of(lengths)
    rows = list(zip(band_E.tolist(), seconds, strict=True))
    return tuple(
        band_of(band, sorted((s, 1) for b, s in rows if b == band)) for band in np.unique(band_E).tolist()
    )


def band_of(band: int, spent: Sequence[tuple[float, int]]) -> Band:
    """Return what examples of a band cost, given how many took so many seconds, in rising order.

    >>> band_of(0, [(0.1, 3), (0.2, 1)])
    Band(characters='0–16', n=4, median=0.1, p95=0.185)
    """
    seconds, ends = np.array([s for s, _ in spent]), np.cumsum([n for _, n in spent])
    median, p95 = (float(f"{_percentile(seconds, ends, share):.3g}") for share in (0.5, 0.95))
    return Band(characters=band_name(band), n=int(ends[-1]), median=median, p95=p95)


def _percentile(values: NDArray[np.float64], ends: NDArray[np.int64], share: float) -> float:
    """Return what np.percentile gives of values that stand so often; `ends` are the sums of how often."""
    place = share * (int(ends[-1]) - 1)
    low, high = (values[np.searchsorted(ends, at, side="right")] for at in (int(place), math.ceil(place)))
    return float(low + (high - low) * (place - int(place)))


def write_costs(folder: Path, record: object) -> None:
    """Write what something took where it is no part of a result."""
    path = folder / COST
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(to_plain(record), ensure_ascii=False, indent=1) + "\n")
