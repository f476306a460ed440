"""The temperature against a slow grid, and where it comes to its ends."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhbert.task.temperature import HIGHEST, LOWEST, Ballot, decide, fit_temperature, tempered


def slow_nll(ballots: list[Ballot], temperature: float) -> float:
    """Row by row, as it is defined."""
    lost = []
    for ballot in ballots:
        for row, right in zip(ballot.logs.tolist(), ballot.right.tolist(), strict=True):
            if any(right):
                top = max(row) / temperature
                weights = [exp(value / temperature - top) for value in row]
                lost.append(-log(sum(w for w, is_right in zip(weights, right, strict=True) if is_right)))
                lost[-1] += log(sum(weights))
    return sum(lost) / len(lost)


def drawn(seed: int, *, scale: float, rows: int = 60, several: bool = False) -> list[Ballot]:
    """Answers with different numbers of options, right as often as their probabilities at 1/scale say."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(rows):
        logits = rng.normal(size=(int(rng.integers(1, 4)), int(rng.integers(2, 6))))
        right = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
        marks = np.arange(logits.shape[1]) == right[:, None]
        if several:
            marks |= rng.random(marks.shape) < 0.15
        found.append(Ballot(scale * logits, marks))
    return found


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.2, 1.0, 5.0]))
def test_it_is_where_a_slow_grid_has_its_lowest(seed: int, scale: float):
    ballots = drawn(seed, scale=scale)
    grid = np.exp(np.linspace(log(LOWEST), log(HIGHEST), 90))
    nlls = [slow_nll(ballots, t) for t in grid]
    best = int(np.argmin(nlls))
    found = fit_temperature(ballots)
    assert found.after <= nlls[best] + 1e-12
    assert grid[max(0, best - 1)] <= found.temperature <= grid[min(89, best + 1)]
    assert found.after == pytest.approx(slow_nll(ballots, found.temperature), abs=1e-9)
    assert found.before == pytest.approx(slow_nll(ballots, 1.0), abs=1e-9)


def test_several_may_be_right_and_rows_without_any_count_for_nothing():
    ballots = drawn(3, scale=3.0, several=True)
    nothing = Ballot(np.array([[5.0, 0.0]]), np.array([[False, False]]))
    found = fit_temperature([*ballots, nothing])
    assert found == fit_temperature(ballots)
    beside = [slow_nll(ballots, found.temperature * by) for by in (0.99, 1.01)]
    assert found.after < min(beside)


def test_it_goes_no_further_than_its_ends():
    logits = np.array([[3.0, 0.0], [0.0, 1.0]] * 30)
    right = logits > 0
    assert fit_temperature([Ballot(logits, right)]).temperature == LOWEST, "all is right"
    assert fit_temperature([Ballot(logits, ~right)]).temperature == HIGHEST, "all is wrong"
    assert fit_temperature([Ballot(0 * logits, right)]).temperature == 1, "nothing is said"
    assert np.isfinite(fit_temperature([Ballot(1e6 * logits, ~right)]).after)


def test_dev_decides_only_what_it_can():
    ballots = drawn(1, scale=4.0, rows=50)
    fit = fit_temperature(ballots)
    assert decide(ballots) == {
        "value": fit.temperature,
        "examples of dev": 50,
        "NLL before": round(fit.before, 6),
        "NLL after": round(fit.after, 6),
    }
    assert 2 < fit.temperature < 8
    assert decide(ballots[1:]) == {"value": 1.0, "examples of dev": 49, "why": "fewer than 50 examples"}
    right = [Ballot(np.array([[3.0, 0.0]]), np.array([[True, False]]))] * 60
    assert decide(right)["value"] == 1
    assert "no mistake" in decide(right)["why"]
    wrong = [Ballot(np.array([[3.0, 0.0]]), np.array([[False, True]]))] * 60
    assert decide(wrong)["value"] == HIGHEST


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-30, 30), min_size=2, max_size=6), st.floats(LOWEST, HIGHEST).filter(lambda t: t != 1)
)
def test_a_temperature_is_logits_divided(row: list[float], temperature: float):
    logits = np.array(row)
    plain = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    wanted = np.exp((logits - logits.max()) / temperature)
    found = tempered(plain, temperature)
    assert found == pytest.approx(wanted / wanted.sum(), abs=1e-9)
    assert found[plain.argmax()] == found.max()
