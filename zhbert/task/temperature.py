"""What a model's probabilities are worth: one number, chosen on dev, by which all its logits are divided.

A network that knows its examples by heart is surer than it is right, one that was taught briefly less sure. A
temperature above 1 takes sureness away, one below 1 adds some; which answer is the best stays as it is. It is
the one under which dev is least surprising (NLL: the mean of -log of the probability of what is right). It is
kept in `zhbert.json` with the other numbers of the answer (`decoding`), never in the weights.

- Where one answer is right, the NLL is convex in 1/temperature, so the best one is where its slope crosses
  zero: found by halving, no further than LOWEST or HIGHEST. One that is no better than 1 is not taken.
- Fewer than FEWEST examples decide nothing. Nor does a dev set without a mistake, which only asks for more
  and more sureness (LOWEST): that nothing went wrong here is no proof that nothing can.

Shapes: N answers, K logits of an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np
import numpy.typing as npt

from zhbert.records import ReadingPrediction

TEMPERATURE = "temperature"
LOWEST, HIGHEST = 0.05, 20.0
FEWEST = 50
_FLOOR = -700.0  # of a logit below the best of its answer: exp of less is nothing
_HALVINGS = 40
Numbers = npt.NDArray[np.floating[Any]]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Ballot:
    """The logits (N, K) of the answers to one example, up to a constant each, and which of them are right."""

    logs: Numbers
    right: Marks


@dataclass(frozen=True, slots=True)
class Fit:
    """A temperature, and the NLL without and with it."""

    temperature: float
    before: float
    after: float


def temperature_of(decoding: Mapping[str, float]) -> float:
    """Return the temperature of a model, 1 where it has none.

    >>> temperature_of({"temperature": 1.5}), temperature_of({})
    (1.5, 1.0)
    """
    return decoding.get(TEMPERATURE, 1.0)


def tempered(probabilities_NK: Numbers, temperature: float) -> Numbers:
    """Return probabilities, each row adding up to 1, at a temperature; at 1 they are as they were.

    >>> [tempered(np.array([0.8, 0.2]), temperature).round(3).tolist() for temperature in (2.0, 0.5)]
    [[0.667, 0.333], [0.941, 0.059]]
    """
    if temperature == 1:
        return probabilities_NK
    scaled_NK = logs(probabilities_NK) / temperature
    weights_NK = np.exp(scaled_NK - scaled_NK.max(axis=-1, keepdims=True))
    return np.asarray(weights_NK / weights_NK.sum(axis=-1, keepdims=True))


def logs(probabilities: Numbers) -> Numbers:
    """Return logarithms; that of nothing is a very small number.

    >>> logs(np.array([1.0, 0.0])).round().tolist()
    [0.0, -691.0]
    """
    return np.asarray(np.log(np.maximum(probabilities.astype(np.float64), 1e-300)))


def fit_temperature(ballots: Sequence[Ballot]) -> Fit:
    """Return the temperature between LOWEST and HIGHEST at which what is right has the greatest likelihood.

    >>> sure = Ballot(np.array([[2.0, 0.0]] * 4), np.array([[True, False]] * 3 + [[False, True]]))
    >>> fit_temperature([sure]).temperature  # right in 3 of 4: log(3) is what it should have said
    1.820478
    """
    surprise = _Surprise(ballots)
    low, high = -log(HIGHEST), -log(LOWEST)  # of the logarithm of 1/temperature
    if surprise.slope(exp(high)) <= 0:
        low = high
    elif surprise.slope(exp(low)) >= 0:
        high = low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if surprise.slope(exp(middle)) < 0 else (low, middle)
        if high - low < 1e-9:
            break
    temperature = round(exp(-(low + high) / 2), 6)
    before, after = surprise(1.0), surprise(1 / temperature)
    return Fit(temperature, before, after) if after < before - 1e-12 else Fit(1.0, before, before)


def decide(ballots: Sequence[Ballot]) -> dict[str, Any]:
    """Return the temperature that dev wants, and from how many examples; 1, and why, where dev cannot tell.

    >>> decide([Ballot(np.array([[2.0, 0.0]]), np.array([[True, False]]))])
    {'value': 1.0, 'examples of dev': 1, 'why': 'fewer than 50 examples'}
    """
    told: dict[str, Any] = {"value": 1.0, "examples of dev": len(ballots)}
    if len(ballots) < FEWEST:
        return told | {"why": f"fewer than {FEWEST} examples"}
    fit = fit_temperature(ballots)
    nlls = {"NLL before": round(fit.before, 6), "NLL after": round(fit.after, 6)}
    if fit.temperature <= LOWEST:
        return told | {"why": "dev has no mistake that would limit how sure to be"}
    return told | {"value": fit.temperature} | nlls


class _Surprise:
    """The NLL by 1/temperature; rows with nothing right are left out."""

    def __init__(self, ballots: Sequence[Ballot]) -> None:
        known = [(b.logs[rows], b.right[rows]) for b in ballots for rows in [b.right.any(axis=-1)]]
        shifted = [np.maximum(logs - logs.max(axis=-1, keepdims=True), _FLOOR) for logs, _ in known]
        self._all = _Rows(
            np.concatenate([logs.ravel() for logs in shifted]),
            np.concatenate([np.full(len(logs), logs.shape[1]) for logs in shifted]),
        )
        self._right = _Rows(
            np.concatenate([logs[right] for logs, (_, right) in zip(shifted, known, strict=True)]),
            np.concatenate([right.sum(axis=-1) for _, right in known]),
        )

    def __call__(self, by: float) -> float:
        """Return the NLL."""
        return float(np.mean(self._all.sums(by) - self._right.sums(by)))

    def slope(self, by: float) -> float:
        """Return how fast it grows with 1/temperature."""
        return float(np.mean(self._all.means(by) - self._right.means(by)))


class _Rows:
    """Logits in rows of any length, end to end."""

    def __init__(self, logs: Numbers, sizes: npt.NDArray[np.integer[Any]]) -> None:
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
        self._tops = np.maximum.reduceat(logs.astype(np.float64), self._starts)
        self._below = logs - np.repeat(self._tops, sizes)

    def sums(self, by: float) -> Numbers:
        """Return the logarithms of the summed weights of the rows."""
        return np.asarray(np.log(np.add.reduceat(np.exp(by * self._below), self._starts)) + by * self._tops)

    def means(self, by: float) -> Numbers:
        """Return the rows' mean logits by weight, which are the slopes of `sums`."""
        weights = np.exp(by * self._below)
        summed = np.add.reduceat(weights * self._below, self._starts)
        return np.asarray(summed / np.add.reduceat(weights, self._starts) + self._tops)


def sureness(prediction: Any) -> tuple[float, ...]:
    """Return the probabilities of a prediction in their order.

    >>> sureness(ReadingPrediction(id="1", answer=None, score=0.2, null_score=0.7))
    (0.2, 0.7)
    """
    if isinstance(prediction, ReadingPrediction):
        return prediction.score, prediction.null_score
    scores: Any = prediction.scores
    return tuple(scores.values()) if isinstance(scores, dict) else tuple(scores)
