"""A system of several trainings in a report: means, the spread beside them, and what is the first one's."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from zhbert.errors import DataError
from zhbert.records import LabelExample, LabelPrediction
from zhbert.score.render import render, spread_axis
from zhbert.score.report import (
    Report,
    SectionInput,
    System,
    build_report,
    headline,
    read_report,
    write_report,
)
from zhbert.score.sheet import Section

GOLD = [
    LabelExample(id=f"题{i}", text="主队" * (i % 40), labels=(("体育", "财经")[i % 2],)) for i in range(80)
]


def said(*wrong: int, label: str = "财经", coverage: float = 1.0) -> System:
    """Answers that are right but for some rows."""
    labels = [label if i in wrong else e.labels[0] for i, e in enumerate(GOLD)]
    return System(
        predictions=[
            LabelPrediction(id=e.id, labels=(found,), scores={}, coverage=coverage if not i else 1.0)
            for i, (e, found) in enumerate(zip(GOLD, labels, strict=True))
        ],
        facts={"seed": len(wrong), "encoder": {"strategy": "wwm"}},
    )


def report_of(**systems: Any) -> Report:
    given = SectionInput(name="新闻", task="classify", gold=GOLD, systems=systems)
    return build_report("题", sections=[given], rng=np.random.default_rng(1), draws=200)


def section_of(**systems: Any) -> Section:
    return report_of(**systems).sections[0]


def test_every_figure_is_the_mean_of_the_trainings_own() -> None:
    trainings = [said(0, 2, 4), said(6), said(1, 3, label="体育")]
    alone = [section_of(one=one) for one in trainings]
    found = section_of(wwm=trainings, one=trainings[0])
    for i, figure in enumerate(found.systems[0].figures):
        assert figure.of.value == pytest.approx(np.mean([s.systems[0].figures[i].of.value for s in alone]))
    for i, row in enumerate(found.slices):
        assert row.figures[0].value == pytest.approx(np.mean([s.slices[i].figures[0].value for s in alone]))
        assert row.ids == alone[0].slices[i].ids
    for row in found.systems[0].classes:
        own = [r for s in alone for r in s.systems[0].classes if r.label == row.label]
        assert row.f1.value == pytest.approx(np.mean([r.f1.value for r in own]))
        assert row.support == own[0].support == 40
        assert row.predicted == round(np.mean([r.predicted for r in own]))
    difference = found.comparisons[0].difference
    assert difference.value == pytest.approx(np.mean([77, 79, 78]) / 80 - 77 / 80)


def test_a_label_that_one_training_alone_predicts_is_counted() -> None:
    found = section_of(wwm=[said(), said(0, 2, label="科技")])
    row = next(row for row in found.systems[0].classes if row.label == "科技")
    assert (row.support, row.predicted, row.f1.value) == (0, 1, 0)
    macro = next(figure.of.value for figure in found.systems[0].figures if figure.name == "macro_f1")
    assert macro == pytest.approx((1 + (2 * 38 / 78 + 1 + 0) / 3) / 2), "the first has two labels, not three"


def test_confusions_and_examples_are_those_of_the_first() -> None:
    first, second = said(0, 2), said(4, 6, 8)
    found, alone = section_of(wwm=[first, second]), section_of(wwm=first)
    assert found.systems[0].confused == alone.systems[0].confused
    wrong = {ex.id for ex in found.exhibits if ex.kinds == ("wrong",)}
    assert wrong == {"题0", "题2"}
    assert all(len(ex.markings) == 2 for ex in found.exhibits)


def test_the_spread_of_the_trainings() -> None:
    found = section_of(wwm=[said(0), said(0, 2, 4), said(0, 2)], one=said(0, 2, 4, 6))
    spread = next(s for s in found.spreads if s.metric == "accuracy")
    assert spread.figures == pytest.approx((79 / 80, 77 / 80, 78 / 80))
    assert (spread.low, spread.high) == (77 / 80, 79 / 80)
    assert spread.deviation == pytest.approx(1 / 80)
    assert {s.system for s in found.spreads} == {"wwm"}
    gap = found.gaps[0]
    assert (gap.first, gap.second, gap.overlap, gap.welch) == ("wwm", "one", False, None)
    assert gap.second_range == (76 / 80, 76 / 80)


def test_the_verdict_says_whether_trainings_overlap() -> None:
    good, bad = [said(0), said(0, 2, 4)], [said(0, 2), said(*range(0, 20, 2))]
    over, apart = report_of(wwm=good, char=bad), report_of(wwm=good, char=bad[1:])
    assert headline(over)[0].endswith("; the trainings overlap: 96.2–98.8 against 87.5–97.5")
    assert headline(apart)[0].endswith(": better; the trainings lie apart: 96.2–98.8 against 87.5")
    assert headline(over)[0].startswith("新闻 accuracy 97.5 % [")
    assert "] (mean of 2 trainings, 96.2–98.8 %), wwm − char = +" in headline(over)[0]
    assert "the trainings overlap: 96.2–98.8 against 87.5–97.5</span>" in render(over)
    assert "各次训练的得分范围有重叠：96.2–98.8 对 87.5–97.5</span>" in render(over)
    assert over.sections[0].gaps[0].welch is not None


def test_touching_ranges_overlap() -> None:
    same = section_of(wwm=[said(0), said(0, 2)], char=[said(0, 2), said(0, 2, 4)])
    assert same.gaps[0].overlap


def test_a_list_of_one_is_the_training_itself(tmp_path: Path) -> None:
    one, other = said(0, 2), said(4)
    plain, listed = report_of(a=one, b=other.predictions), report_of(a=[one], b=[replace(other, facts={})])
    assert listed == plain
    for name, report in (("plain", plain), ("listed", listed)):
        write_report(report, tmp_path / name)
    for name in ("report.json", "report.html"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "listed" / name).read_bytes()


@pytest.mark.slow
def test_single_trainings_leave_no_trace(report: Report, several: Report, tmp_path: Path) -> None:
    for name, found in (("report", report), ("several", several)):
        write_report(found, tmp_path / name)
        assert read_report(tmp_path / name / "report.json") == found
    plain, spread = (
        json.loads((tmp_path / n / "report.json").read_text("utf-8")) for n in ("report", "several")
    )
    assert not {"spreads", "gaps"} & set().union(*plain["sections"])
    assert all({"spreads", "gaps"} <= set(section) for section in spread["sections"])
    html = [render(report), render(several)]
    assert ["Welch" in page for page in html] == [False, True]
    assert ["svg .one" in page for page in html] == [False, True]


def test_facts_that_differ_are_listed() -> None:
    facts = section_of(wwm=[said(0), said(0, 2)], char=said()).systems[0].facts
    assert facts == {"seed": "1, 2", "encoder.strategy": "wwm"}
    lacking = section_of(wwm=[said(0), replace(said(), facts={})]).systems[0].facts
    assert lacking == {"seed": "1, –", "encoder.strategy": "wwm, –"}
    assert section_of(wwm=[replace(said(), facts={}), said(0)]).systems[0].facts["seed"] == "–, 1"


def test_an_example_that_one_training_did_not_read_to_the_end_counts_once() -> None:
    assert section_of(wwm=[said(coverage=0.5), said(), said(coverage=0.7)]).systems[0].cut == 1


def test_the_page_shows_every_training(several: Report) -> None:
    html = render(several)
    entities = several.sections[0]
    assert html.count('<h3><span class="en">Trainings</span>') == 2
    for spread in entities.spreads:
        assert ", ".join(f"{100 * x:.1f}" for x in spread.figures) in html
        assert f"<td>{100 * spread.deviation:.2f}</td>" in html
    assert html.count('class="one"') == sum(len(s.figures) for sec in several.sections for s in sec.spreads)
    assert "whole &lt;words&gt;" in html
    assert "of several trainings the first" in html
    for section in several.sections:
        scale = spread_axis(section, section.headline)
        own = [s for s in section.spreads if s.metric == section.headline]
        assert all(scale.low <= s.low and s.high <= scale.high for s in own)


def test_equal_trainings_have_no_interval_over_trainings() -> None:
    section = section_of(a=[said(0), said(0)], b=[said(), said()])
    assert [gap.welch for gap in section.gaps] == [None] * 3
    assert section.spreads[0].deviation == 0
    given = SectionInput(name="新闻", task="classify", gold=GOLD, systems={"a": [said(0), said(0)]})
    assert render(build_report("题", sections=[given], rng=np.random.default_rng(1), draws=100))


def test_predictions_that_do_not_fit_name_their_training() -> None:
    short = replace(said(), predictions=cast(list[LabelPrediction], said().predictions)[1:])
    with pytest.raises(DataError, match=r"^wwm, training 2: no prediction for 题0"):
        report_of(wwm=[said(), short])
    with pytest.raises(DataError, match=r"^wwm: no prediction for 题0"):
        report_of(wwm=[short])
