"""A page is small however many examples there are: the rest is in report.json and with the predictions."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from zhbert.score.render import ROWS, render
from zhbert.score.report import build_report
from zhbert.score.summary import MOST, write_summary

LARGE = runpy.run_path(str(Path(__file__).with_name("large.py")))
MB = 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize("task", ["classify", "ner", "reading"])
def test_a_page_of_ten_thousand_examples_is_small(task: str) -> None:
    section = LARGE["large_section"](task, 10_000)
    report = build_report("大", sections=[section], rng=np.random.default_rng(1), draws=100)
    assert report.sections[0].n == 10_000
    assert len(report.sections[0].exhibits) == 60
    assert 50_000 < len(render(report).encode()) < 3 * MB
    assert len(write_summary(report).encode()) < MB // 5


@pytest.mark.slow
def test_long_lists_end_with_how_much_more_there_is() -> None:
    labels = [f"标签{i:03}" for i in range(ROWS + 25)]
    section = LARGE["labelled"](labels)
    report = build_report("多", sections=[section], rng=np.random.default_rng(1), draws=100)
    page, text = render(report), write_summary(report)
    assert len(report.sections[0].systems[0].classes) == ROWS + 25
    assert (
        page.count('report.json:</span><span class="zh" lang="zh-Hans">其余行见 report.json：</span> 25<')
        == 2
    )
    assert f"And {ROWS + 25 - MOST} more in report.json." in text
