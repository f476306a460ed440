"""The table of changes: before and after on the same examples, paired, with flips counted."""

import numpy as np
import pytest

from zhbert.records import LabelExample, LabelPrediction, ReadingExample, ReadingPrediction, Span
from zhbert.score.changed import changed
from zhbert.score.robust import Trial, robustness
from zhbert.score.sections import SectionInput, build_section

GOLD = [LabelExample(id=str(i), text="图书" if i % 2 else "好。", labels=("甲",)) for i in range(200)]


def _say(ids: list[str], *, wrong: int = 0) -> list[LabelPrediction]:
    return [
        LabelPrediction(id=id, labels=("乙" if place < wrong else "甲",), scores={"甲": 0.5, "乙": 0.5})
        for place, id in enumerate(ids)
    ]


def _trial(*, wrong: int) -> Trial:
    found = list(changed(GOLD, "traditional"))
    return Trial("traditional", found, _say([one.after.id for one in found], wrong=wrong))


def test_only_examples_that_change_are_counted():
    (row,) = robustness(
        "classify", _say([g.id for g in GOLD]), [_trial(wrong=30)], of=200, rng=np.random.default_rng(1)
    )
    assert (row.n, row.left_out, row.before.value) == (100, 100, 1.0)
    assert row.after.value == pytest.approx(0.7)
    assert (row.difference.value, row.flips.value) == (pytest.approx(-0.3), pytest.approx(0.3))
    assert row.difference.low < -0.3 < row.difference.high < 0
    assert row.verdict == "worse"


def test_nothing_moves_where_answers_stay():
    (row,) = robustness(
        "classify", _say([g.id for g in GOLD]), [_trial(wrong=0)], of=200, rng=np.random.default_rng(1)
    )
    assert (row.difference.value, row.flips.value, row.verdict) == (0.0, 0.0, "not distinguishable")


def test_an_answer_that_was_wrong_and_becomes_right_flips_too():
    ids = [g.id for g in GOLD]
    before = _say(ids[1::2], wrong=10) + _say(ids[::2])
    (row,) = robustness("classify", before, [_trial(wrong=0)], of=200, rng=np.random.default_rng(1))
    assert (row.difference.value, row.flips.value) == (pytest.approx(0.1), pytest.approx(0.1))


def test_questions_on_one_passage_stay_together_however_it_changed():
    context = "故宫在北京市中心。它建于明代。"
    gold = [
        ReadingExample(id=str(i), context=context, question=q, answers=(Span.of(context, 3, 5),))
        for i, q in enumerate(["在哪？", "故宫在何处？"])
    ]
    other = "外滩在上海市中心的江边。"
    gold.append(ReadingExample(id="2", context=other, question="在哪？", answers=(Span.of(other, 3, 5),)))
    found = list(changed(gold, "distractor"))
    said = [
        ReadingPrediction(id=one.after.id, answer=one.after.answers[0], score=0.9, null_score=0.1)
        for one in found
    ]
    before = [ReadingPrediction(id=g.id, answer=g.answers[0], score=0.9, null_score=0.1) for g in gold]
    (row,) = robustness(
        "reading", before, [Trial("distractor", found, said)], of=3, rng=np.random.default_rng(1)
    )
    assert (row.before.value, row.after.value, row.flips.value) == (1.0, 1.0, 0.0)


def test_a_section_tells_of_it():
    section = build_section(
        SectionInput(
            name="甲",
            task="classify",
            gold=GOLD,
            systems={"一": _say([g.id for g in GOLD])},
            trials=[_trial(wrong=5)],
        ),
        rng=np.random.default_rng(1),
        draws=200,
    )
    assert [row.name for row in section.robustness] == ["traditional"]
