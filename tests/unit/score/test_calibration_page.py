"""What the page shows of how sure systems are and how right."""

import re
from dataclasses import replace

import numpy as np
import pytest

from zhbert.records import LabelExample, LabelPrediction
from zhbert.score.keptcurve import drawn, lowest_shown
from zhbert.score.render import render
from zhbert.score.report import Report, SectionInput, build_report

LABELS = ("体育", "财经")


@pytest.fixture(scope="module")
def report() -> Report:
    """Two systems: one whose probabilities would be too great without its temperature, and one without."""
    rng = np.random.default_rng(3)
    gold = [LabelExample(id=str(i), text=f"第{i}条", labels=(LABELS[i % 2],)) for i in range(240)]

    def say(*, tempered: bool) -> list[LabelPrediction]:
        found = []
        for example, p in zip(gold, (0.5 + rng.random(len(gold)) / 2).round(6).tolist(), strict=True):
            label = example.labels[0] if rng.random() < p else LABELS[example.labels[0] == LABELS[0]]
            raw = (round(1 - (1 - p) / 5, 6),) if tempered else ()
            found.append(LabelPrediction(id=example.id, labels=(label,), scores={label: p}, raw=raw))
        return found

    systems = {"with": say(tempered=True), "without": say(tempered=False)}
    section = SectionInput(name="<标题>", task="classify", gold=gold, systems=systems)
    return build_report("把握", sections=[section], rng=np.random.default_rng(1), draws=100)


def part_of(html: str) -> str:
    return html[html.index('<div class="sureness">') :].split("</table>")[0]


def test_both_sets_of_dots_and_the_curve_are_drawn(report: Report):
    page = part_of(render(report))
    one, other = report.sections[0].calibration
    assert one.before is not None
    assert one.before.error > 0.1 > one.error
    hollow = re.findall(r'class="hollow" cx="(.*?)" cy="(.*?)"', page)
    assert len(hollow) == 10
    for (x, y), part in zip(hollow, one.before.bins, strict=True):
        assert (float(x), float(y)) == pytest.approx(
            (100 * part.said, 100 - 100 * part.right.value), abs=0.01
        )
    assert page.count('class="dot"') == len(one.bins) + len(other.bins)
    assert f"{100 * one.before.error:.1f} → {100 * one.error:.1f}" in page
    assert f"<td>{100 * other.error:.1f}</td>" in page, "no arrow where there is no temperature"
    lines = re.findall(r'<polyline class="line s(\d)" points="(.*?)"', page)
    assert [colour for colour, _ in lines] == ["0", "1"]
    for _, points in lines:
        places = [tuple(map(float, point.split(","))) for point in points.split()]
        assert len(places) == 100
        assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in places)
    assert "without the temperature" in render(report)


def test_a_report_without_curve_and_temperature_shows_neither(report: Report):
    (section,) = report.sections
    old = tuple(replace(one, curve=(), aurc=None, before=None) for one in section.calibration)
    html = render(replace(report, sections=(replace(section, calibration=old),)))
    assert "<polyline" not in html
    assert "AURC</th>" not in html
    assert "without the temperature" not in html


def test_the_box_holds_the_lowest_curve(report: Report):
    found = report.sections[0].calibration
    low = lowest_shown(found)
    lowest = min(right for one in found for _, right in one.curve)
    assert low <= lowest < low + 0.1 + 1e-9
    assert drawn([(1.0, low)], low) == "100,100"
