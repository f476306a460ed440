"""From which probability on a label is said: chosen on dev, once, by the predictions of the best epoch.

`one` threshold for all labels is the one with the best micro F1; one for `each` label has the best F1 of
that label, and needs examples of it: a label that no dev example has keeps 0.5. A threshold lies halfway
between two probabilities that were seen, and of equally good ones the nearest to 0.5 is taken.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

How = Literal["one", "each", "half"]
HALF = 0.5
KEY = "threshold"


def threshold_of(decoding: Mapping[str, float], label: str) -> float:
    """Return the threshold of a label: its own, else the common one, else a half.

    >>> threshold_of({"threshold": 0.4, "threshold:体育": 0.2}, "体育"), threshold_of({}, "体育")
    (0.2, 0.5)
    """
    return decoding.get(f"{KEY}:{label}", decoding.get(KEY, HALF))


def best_thresholds(
    gold: Sequence[Sequence[str]], said: Sequence[Mapping[str, float]], labels: Sequence[str], *, how: How
) -> dict[str, float]:
    """Return the thresholds that are best on these examples, by the name under which they are kept.

    >>> said = [{"体育": 0.4, "财经": 0.1}, {"体育": 0.2, "财经": 0.7}]
    >>> best_thresholds([("体育",), ("财经",)], said, ["体育", "财经"], how="one")
    {'threshold': 0.30000000000000004}
    """
    sure_NL = np.array([[row[label] for label in labels] for row in said])
    right_NL = np.array([[label in found for label in labels] for found in gold])
    if how == "half":
        return {}
    if how == "one":
        return {KEY: best_threshold(sure_NL.ravel(), right_NL.ravel())}
    return {
        f"{KEY}:{label}": best_threshold(sure_NL[:, place], right_NL[:, place])
        for place, label in enumerate(labels)
    }


def best_threshold(sure: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float:
    """Return the threshold with the best F1; a half where nothing is right.

    >>> best_threshold(np.array([0.9, 0.3, 0.2]), np.array([True, True, False]))
    0.25
    """
    if not right.any():
        return HALF
    order = np.argsort(-sure, kind="stable")
    falling, found = sure[order], np.cumsum(right[order])
    said = np.arange(1, len(sure) + 1)
    ends = np.append(falling[1:] < falling[:-1], True)  # equal ones are said together
    f1 = np.where(ends, 2 * found / (said + found[-1]), -1.0)
    middles = (falling + np.append(falling[1:], 0.0)) / 2
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    return float(middles[best[np.argmin(np.abs(middles[best] - HALF))]])
