"""How many characters texts have: figures, and bands that double, for whoever sorts by length."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

EDGES = (16, 32, 64, 128, 256, 512, 1024, 2048)  # the longest text of each band; of a last one, all others


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How many characters examples have."""

    shortest: int
    median: float
    mean: float
    p95: float
    longest: int

    @classmethod
    def of(cls, lengths: Sequence[int]) -> "Lengths":
        """Return the figures of some lengths.

        >>> Lengths.of([1, 2, 9])
        Lengths(shortest=1, median=2.0, mean=4.0, p95=8.3, longest=9)
        """
        median, p95 = np.percentile(lengths, [50, 95]).round(1).tolist()
        mean = round(float(np.mean(lengths)), 1)
        return cls(shortest=min(lengths), median=median, mean=mean, p95=p95, longest=max(lengths))


def bands_of(lengths: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the number of the band of every length.

    >>> bands_of([0, 16, 17, 2049]).tolist(), band_name(0), band_name(1), band_name(8)
    ([0, 0, 1, 8], '0–16', '17–32', '2049+')
    """
    return np.searchsorted(EDGES, np.asarray(lengths, dtype=np.int64)).astype(np.int64)


def band_name(band: int) -> str:
    """Return a band by its shortest and longest text."""
    low = EDGES[band - 1] + 1 if band else 0
    return f"{low}–{EDGES[band]}" if band < len(EDGES) else f"{low}+"


BANDS = tuple(map(band_name, range(len(EDGES) + 1)))


def named_band(length: int) -> str:
    """Return the band of one length by its name.

    >>> named_band(0), named_band(16), named_band(17)
    ('0–16', '0–16', '17–32')
    """
    return BANDS[bisect_left(EDGES, length)]
