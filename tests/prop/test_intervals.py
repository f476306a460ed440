"""Intervals keep their word: on simulated data of known truth they cover it in 95 of 100 cases.

Figures are for accuracy (a binomial share) and for micro F1 over sentences whose entities hang together.
"""

import numpy as np
import pytest

from zhbert.score.counts import Counts
from zhbert.score.entities import MICRO_F1
from zhbert.score.interval import interval, paired
from zhbert.score.labels import ACCURACY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SETS, EXAMPLES, DRAWS = 1000, 400, 1000


def _accuracies(right_N: np.ndarray) -> Counts:
    table = np.column_stack([np.ones(len(right_N)), right_N])
    return Counts(("n", "correct"), table, tuple(map(str, range(len(right_N)))))


def _sentences(rng: np.random.Generator, n: int, *, systems: int = 1) -> list[Counts]:
    """Return what systems find in sentences of zero to six entities; how well is a matter of the sentence."""
    sizes, ease = rng.integers(0, 7, n), rng.beta(4, 1, n)
    found = []
    for _ in range(systems):
        tp, fp = rng.binomial(sizes, ease), rng.poisson(0.3 * (1 - ease) * sizes)
        table = np.column_stack([tp, fp, sizes - tp]).astype(float)
        found.append(Counts(("tp", "fp", "fn"), table, tuple(map(str, range(n)))))
    return found


def test_the_interval_of_an_accuracy_covers_the_truth():
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(SETS):
        found = interval(
            _accuracies((rng.random(EXAMPLES) < 0.8).astype(float)), ACCURACY, rng=rng, draws=DRAWS
        )
        covered += found.low <= 0.8 <= found.high
    assert 0.93 <= covered / SETS <= 0.97, covered / SETS


def test_the_interval_of_micro_f1_covers_the_truth():
    rng = np.random.default_rng(12)
    truth = float(MICRO_F1(_sentences(rng, 2_000_000)[0]))
    covered = 0
    for _ in range(SETS):
        found = interval(_sentences(rng, EXAMPLES)[0], MICRO_F1, rng=rng, draws=DRAWS)
        covered += found.low <= truth <= found.high
    assert 0.93 <= covered / SETS <= 0.97, covered / SETS


def test_equal_systems_are_told_apart_in_five_of_a_hundred():
    """Within two standard errors of a thousand comparisons."""
    rng = np.random.default_rng(14)
    small = 0
    for _ in range(SETS):
        small += paired(*_sentences(rng, EXAMPLES, systems=2), MICRO_F1, rng=rng, draws=DRAWS).p < 0.05
    assert 0.036 <= small / SETS <= 0.064, small / SETS


def test_where_differences_come_in_steps_the_test_errs_less_often():
    """Accuracies of 400 examples differ by whole examples, and what is as large as the difference counts."""
    rng = np.random.default_rng(13)
    small = 0
    for _ in range(SETS):
        share = 0.6 + 0.35 * rng.random(EXAMPLES)
        first, second = (_accuracies((rng.random(EXAMPLES) < share).astype(float)) for _ in range(2))
        small += paired(first, second, ACCURACY, rng=rng, draws=DRAWS).p < 0.05
    assert 0.02 <= small / SETS <= 0.05, small / SETS
