"""Calibration against a slow count and against scikit-learn's Brier score."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from zhbert.records import (
    EntityExample,
    EntityPrediction,
    LabelExample,
    LabelPrediction,
    ReadingExample,
    ReadingPrediction,
    Span,
)
from zhbert.score.calibration import calibration, calibrations, wilson
from zhbert.score.judge import judge


def _drawn(n: int, seed: int = 1) -> list[tuple[float, bool]]:
    rng = np.random.default_rng(seed)
    said = rng.random(n)
    return [(float(p), bool(q < p)) for p, q in zip(said, rng.random(n), strict=True)]


def test_the_brier_score_is_scikit_learns():
    items = _drawn(500)
    wanted = brier_score_loss([right for _, right in items], [said for said, _ in items])
    assert calibration("甲", items).brier == pytest.approx(wanted, abs=1e-12)


def test_the_error_is_the_slow_count_over_ten_equal_parts():
    items = sorted(_drawn(1000))
    wanted = 0.0
    for start in range(0, 1000, 100):
        part = items[start : start + 100]
        wanted += abs(sum(s for s, _ in part) - sum(r for _, r in part)) / 1000
    found = calibration("甲", items)
    assert found.error == pytest.approx(wanted, abs=1e-12)
    assert [b.n for b in found.bins] == [100] * 10


def test_who_is_as_sure_as_right_has_a_small_error_and_who_boasts_a_large_one():
    honest = calibration("甲", _drawn(20_000))
    assert honest.error < 0.02
    assert all(b.right.low - 0.02 < b.said < b.right.high + 0.02 for b in honest.bins)
    assert calibration("乙", [(0.99, i % 2 == 0) for i in range(100)]).error == pytest.approx(0.49)


def test_the_surest_answers_are_the_best_where_sureness_means_anything():
    shares = [right for _, right in calibration("甲", _drawn(5000)).kept]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(np.mean([right for _, right in _drawn(5000)]))


def test_wilson_is_inside_and_around_the_share():
    for right, n in ((0, 1), (1, 1), (3, 7), (50, 100)):
        found = wilson(right, n)
        assert 0 <= found.low <= found.value <= found.high <= 1
    assert (round(wilson(50, 100).low, 4), round(wilson(50, 100).high, 4)) == (0.4038, 0.5962), "as published"


def test_labels_entities_and_answers_are_items():
    text = "李明在北京"
    gold = [LabelExample(id=str(i), text=text, labels=("甲",)) for i in range(60)]
    said = [LabelPrediction(id=str(i), labels=("甲",), scores={"甲": 0.75, "乙": 0.25}) for i in range(60)]
    (one,) = calibrations({"一": judge("classify", gold, said)})
    assert (one.n, one.error) == (60, 0.25)
    span, other = Span.of(text, 0, 2, "人名"), Span.of(text, 3, 5, "人名")
    names = [EntityExample(id=str(i), text=text, entities=(span,)) for i in range(30)]
    found = [EntityPrediction(id=str(i), entities=(span, other), scores=(0.9, 0.4)) for i in range(30)]
    (two,) = calibrations({"一": judge("ner", names, found)})
    assert (two.n, two.kept[3]) == (60, (0.5, 1.0))
    asked = [ReadingExample(id=str(i), context=text, question="谁？", answers=(span,)) for i in range(50)]
    answers = [ReadingPrediction(id=str(i), answer=None, score=0.2, null_score=0.8) for i in range(50)]
    (three,) = calibrations({"一": judge("reading", asked, answers)})
    assert (three.n, three.error) == (50, pytest.approx(0.8)), "sure that there is none, and wrong"


def test_who_gives_no_probabilities_or_few_answers_says_nothing():
    gold = [LabelExample(id=str(i), text="文", labels=("甲",)) for i in range(60)]
    silent = [LabelPrediction(id=str(i), labels=("甲",), scores={}) for i in range(60)]
    sure = [LabelPrediction(id=str(i), labels=("甲",), scores={"甲": 0.9}) for i in range(60)]
    assert calibrations({"一": judge("classify", gold, silent)}) == ()
    assert calibrations({"一": judge("classify", gold[:40], sure[:40])}) == ()
