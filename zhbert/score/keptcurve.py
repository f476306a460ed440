"""How the curve is drawn that says how right the surest answers are: share kept across, share right upwards.

The box is 100 by 100 and ends below at a round share, so that a few points of difference can be seen.
"""

from collections.abc import Iterable, Sequence
from math import floor

from zhbert.score.sheet import Calibration

Curve = Sequence[tuple[float, float]]


def lowest_shown(found: Iterable[Calibration]) -> float:
    """Return the share of right answers at the lower edge, a multiple of a tenth, at most 0.9.

    >>> curve = ((0.5, 0.97), (1.0, 0.83))
    >>> lowest_shown([Calibration(system="甲", n=60, error=0.1, brier=0.1, bins=(), kept=(), curve=curve)])
    0.8
    """
    lowest = min((right for one in found for _, right in one.curve), default=0.0)
    return min(0.9, floor(10 * lowest + 1e-9) / 10)


def drawn(curve: Curve, low: float) -> str:
    """Return a curve as the points of a line, in a box that ends below at `low`.

    >>> drawn([(0.5, 1.0), (1.0, 0.9)], 0.8)
    '50,0 100,50'
    """
    return " ".join(
        f"{round(100 * kept, 2):g},{round(100 * (1 - right) / (1 - low), 2):g}" for kept, right in curve
    )
