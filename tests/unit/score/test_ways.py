"""In which way gold is judged, and predictions of a system that was taught something else."""

import numpy as np
import pytest

from zhbert.errors import DataError
from zhbert.records import LabelExample, LabelPrediction, PairExample, PairPrediction
from zhbert.score.judge import judge
from zhbert.score.labels import ENOUGH, check_known
from zhbert.score.render import render
from zhbert.score.report import SectionInput, build_report


def texts(*labels: tuple[str, ...]) -> list[LabelExample]:
    return [LabelExample(id=str(i), text="字" * (i + 1), labels=found) for i, found in enumerate(labels)]


def said(*labels: tuple[str, ...]) -> list[LabelPrediction]:
    return [LabelPrediction(id=str(i), labels=found, scores={}) for i, found in enumerate(labels)]


def test_the_way_is_seen_or_told() -> None:
    assert judge("classify", texts(("甲",), ("乙",)), said(("甲",), ())).headline.name == "accuracy"
    several = judge("classify", texts(("甲", "乙"), ()), said(("甲",), ()))
    assert [(m.name, round(float(m(several.counts)), 3)) for m in several.metrics] == [
        ("micro_f1", 0.667),
        ("macro_f1", 0.5),
        ("subset_accuracy", 0.5),
    ]
    told = judge("classify", texts(("甲",), ()), said(("甲",), ()), head="several")
    assert (told.headline.name, float(told.headline(told.counts))) == ("micro_f1", 1.0)
    with pytest.raises(DataError, match="no gold label: 1"):
        judge("classify", texts(("甲",), ()), said(("甲",), ()))


def test_another_set_of_labels_is_refused_and_a_smaller_one_is_not() -> None:
    gold = [("甲",), ("乙",), ("丙",)]
    with pytest.raises(DataError, match=r'no label "丙" \(gold: 丙, 乙, 甲; predictions: 丁, 乙, 甲\)'):
        check_known(gold, [("甲",)] * 3, [{"甲": 0.5, "乙": 0.3, "丁": 0.2}] * 3)
    check_known(gold, [("甲",)] * 3, [{"甲": 0.5, "乙": 0.5}] * 3)  # has never seen one of them
    check_known(gold[:1], [("甲",)], [{"甲": 0.5, "丁": 0.5}])  # gold is small
    check_known(gold, [("0",)] * 3, [{}] * 3)
    with pytest.raises(DataError, match=r'no label "甲" \(gold: 甲; predictions: 0\)'):
        check_known([("甲",)] * ENOUGH, [("0",)] * ENOUGH, [{}] * ENOUGH)


def test_a_report_on_numbers() -> None:
    rng = np.random.default_rng(1)
    values = [round(float(x), 1) for x in rng.uniform(0, 5, size=60)]
    gold = [PairExample(id=str(i), first="雨", second="雪", value=v) for i, v in enumerate(values)]
    systems = {
        name: [
            PairPrediction(id=e.id, label="", scores={}, value=float(e.value + rng.normal() * noise))
            for e in gold
            if e.value is not None
        ]
        for name, noise in (("good", 0.2), ("bad", 4.0))
    }
    section = SectionInput(name="STS", task="pair", gold=gold, systems=systems)
    report = build_report("numbers", sections=[section], rng=rng, draws=200)
    (found,) = report.sections
    assert [figure.name for figure in found.systems[0].figures] == ["pearson", "spearman"]
    assert found.comparisons[0].verdict == "better"
    assert {kind for exhibit in found.exhibits for kind in exhibit.kinds} <= {"right", "too high", "too low"}
    assert found.systems[0].confused == found.systems[0].classes == ()
    page = render(report)
    assert "皮尔逊相关系数" in page
    assert "偏高" in page
    shown = found.exhibits[0].markings
    assert [float(marking.labels[0]) >= -20 for marking in shown] == [True, True, True]
