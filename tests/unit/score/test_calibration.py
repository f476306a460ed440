"""Calibration against a slow count and against scikit-learn's Brier score."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from zhbert.plain import from_plain, to_json, to_plain
from zhbert.records import (
    ChoiceExample,
    ChoicePrediction,
    EntityExample,
    EntityPrediction,
    LabelExample,
    LabelPrediction,
    PairExample,
    PairPrediction,
    ReadingExample,
    ReadingPrediction,
    Span,
)
from zhbert.score.calibration import calibration, calibrations, wilson
from zhbert.score.judge import judge
from zhbert.score.sheet import Calibration


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


def _tied(n: int, seed: int) -> list[tuple[float, bool]]:
    rng = np.random.default_rng(seed)
    said = np.round(rng.random(n), 1)
    return [(float(p), bool(q < p**2)) for p, q in zip(said, rng.random(n), strict=True)]


@pytest.mark.parametrize("seed", range(3))
def test_equally_sure_answers_stay_in_one_part_whatever_their_order(seed: int):
    items = _tied(500, seed)
    found = calibration("甲", items)
    again = calibration("甲", sorted(items, key=lambda item: item[1]))
    assert (again.curve, again.kept) == (found.curve, found.kept)
    assert again.error == pytest.approx(found.error, abs=1e-12)
    groups: dict[int, list[tuple[float, bool]]] = {}
    for value in sorted({said for said, _ in items}):
        same = [item for item in items if item[0] == value]
        below = sum(said < value for said, _ in items)
        groups.setdefault(int(10 * (below + len(same) / 2) / 500), []).extend(same)
    wanted = sum(abs(sum(said - right for said, right in part)) for part in groups.values()) / 500
    assert found.error == pytest.approx(wanted, abs=1e-12)
    assert [b.n for b in found.bins] == [len(part) for _, part in sorted(groups.items())]


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_is_what_is_right_when_the_least_sure_are_left_out(seed: int):
    items, rng = _tied(60, seed), np.random.default_rng(seed)
    draws = np.zeros((4000, 60))  # equally sure answers in any order
    for draw in draws:
        order = sorted(rng.permutation(60), key=lambda i: -items[i][0])
        draw[:] = np.cumsum([items[i][1] for i in order]) / np.arange(1, 61)
    found = calibration("甲", items)
    assert found.aurc == pytest.approx(1 - draws.mean(), abs=0.01)
    assert found.curve == tuple(
        (k / 60, pytest.approx(draws[:, k - 1].mean(), abs=0.03)) for k in range(1, 61)
    )
    assert dict(found.curve)[0.75] == dict(found.kept)[0.75]


def test_the_area_is_the_mean_share_of_mistakes_over_all_shares():
    items = _drawn(1234)
    mistakes = [not right for _, right in sorted(items, reverse=True)]
    wanted = sum(sum(mistakes[:k]) / k for k in range(1, 1235)) / 1234
    found = calibration("甲", items)
    assert found.aurc == pytest.approx(wanted, abs=1e-12)
    assert len(found.curve) == 100
    assert found.curve[-1] == (1.0, found.kept[0][1])
    for kept, right in found.curve:
        assert 1 - sum(mistakes[: round(kept * 1234)]) / round(kept * 1234) == pytest.approx(right, abs=1e-12)


def test_without_the_temperature_is_what_the_raw_probabilities_say():
    items, raw = _drawn(300), [said for said, _ in _drawn(300, seed=2)]
    before = calibration("甲", items, raw=raw).before
    alone = calibration("甲", [(said, right) for said, (_, right) in zip(raw, items, strict=True)])
    assert before is not None
    assert (before.error, before.brier, before.bins) == (alone.error, alone.brier, alone.bins)
    assert calibration("甲", items).before is None


def test_every_kind_of_answer_knows_its_probability_without_the_temperature():
    text = "李明在北京"
    span = Span.of(text, 0, 2, "人名")
    scores, raw = {"甲": 0.75, "乙": 0.25}, (0.875, 0.125)
    ids = [str(i) for i in range(60)]
    kinds = {
        "classify": (
            [LabelExample(id=i, text=text, labels=("乙",)) for i in ids],
            [LabelPrediction(id=i, labels=("甲",), scores=scores, raw=raw) for i in ids],
        ),
        "pair": (
            [PairExample(id=i, first=text, second=text, label="乙") for i in ids],
            [PairPrediction(id=i, label="甲", scores=scores, raw=raw) for i in ids],
        ),
        "choice": (
            [ChoiceExample(id=i, context=text, question="谁？", options=("甲", "乙"), answer=1) for i in ids],
            [ChoicePrediction(id=i, answer=0, scores=(0.75, 0.25), raw=raw) for i in ids],
        ),
        "ner": (
            [EntityExample(id=i, text=text) for i in ids],
            [EntityPrediction(id=i, entities=(span,), scores=(0.75,), raw=(0.875,)) for i in ids],
        ),
        "reading": (
            [ReadingExample(id=i, context=text, question="谁？") for i in ids],
            [ReadingPrediction(id=i, answer=span, score=0.75, null_score=0.25, raw=raw) for i in ids],
        ),
    }
    for task, (gold, predictions) in kinds.items():
        (found,) = calibrations({"一": judge(task, gold, predictions)})
        assert found.before is not None, task
        assert (found.error, found.before.error) == (0.75, 0.875), task
        assert (found.aurc, found.curve[0]) == (1.0, (1 / 60, 0.0)), task


def test_of_several_labels_each_is_a_yes_or_no():
    gold = [LabelExample(id=str(i), text="文", labels=("价格", "质量")[: i % 3]) for i in range(60)]
    scores, raw = {"价格": 0.8, "质量": 0.3}, (0.9, 0.2)
    said = [LabelPrediction(id=str(i), labels=("价格",), scores=scores, raw=raw) for i in range(60)]
    (found,) = calibrations({"一": judge("classify", gold, said, head="several")})
    assert found.n == 120
    assert [(b.n, round(b.said, 6), round(b.right.value, 6)) for b in found.bins] == [
        (60, 0.7, round(2 / 3, 6)),  # 质量 is not said, and right with that in two of three
        (60, 0.8, round(2 / 3, 6)),
    ]
    assert found.before is not None
    assert [round(b.said, 6) for b in found.before.bins] == [0.8, 0.9]


def test_who_says_more_than_all_gives_no_probabilities():
    gold = [LabelExample(id=str(i), text="文", labels=("甲",)) for i in range(60)]
    logits = [LabelPrediction(id=str(i), labels=("甲",), scores={"甲": 7.5}) for i in range(60)]
    assert calibrations({"一": judge("classify", gold, logits)}) == ()


def test_old_reports_and_predictions_can_be_read():
    one = calibration("甲", _drawn(100), raw=[0.5] * 100)
    plain = to_plain(one)
    assert from_plain(Calibration, plain) == one
    old = {key: plain[key] for key in ("system", "n", "error", "brier", "bins", "kept")}
    assert from_plain(Calibration, old).before is None
    assert "before" not in to_plain(calibration("甲", _drawn(100)))
    kept = LabelPrediction(id="1", labels=("甲",), scores={"甲": 0.5})
    assert to_json(kept) == '{"id": "1", "labels": ["甲"], "scores": {"甲": 0.5}, "coverage": 1.0}'


def test_a_text_without_an_answer_is_left_out():
    gold = [LabelExample(id=str(i), text="主队", labels=("体育",)) for i in range(60)]
    said = [
        LabelPrediction(id=e.id, labels=("体育",) if i else (), scores={"体育": 0.9})
        for i, e in enumerate(gold)
    ]
    (found,) = calibrations({"甲": judge("classify", gold, said)})
    assert found.n == 59
