"""The page of systems set against each other, for every task."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zhbert.records import LabelExample, LabelPrediction
from zhbert.score.match import ONLY_FIRST, ONLY_SECOND
from zhbert.score.render import render
from zhbert.score.report import Report, SectionInput, build_report
from zhbert.score.sheet_match import BEST
from zhbert.score.words import chinese

TEMPLATES = Path(__file__).parents[3] / "zhbert" / "score" / "templates"


class Nesting(HTMLParser):
    """What is open where the page ends."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "input", "br", "line", "circle", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "circle", "rect"):
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def report(made: dict[str, Any]) -> Report:
    """Entities, questions and topics; two or three systems each."""
    found: Report = made["compared_report"](n=40)
    return found


@pytest.fixture(scope="module")
def html(report: Report) -> str:
    return render(report)


def test_it_nests_and_escapes(html: str) -> None:
    assert Nesting(html).open == []
    assert "词 &lt;wwm&gt;" in html
    assert "词 <wwm>" not in html


def test_every_section_shows_who_alone_is_right(report: Report, html: str) -> None:
    parts = re.split(r'<section id="section-\d">', html)[1:]
    for section, part in zip(report.sections, parts, strict=True):
        assert section.match is not None
        assert "逐例对照" in part
        counts = section.match.tallies[0]
        row = part[part.index("逐例对照") :]
        found = re.findall(r"<td>([\d,]+)</td>", row)[:4]
        assert found == [str(n) for n in (counts.both, counts.only_first, counts.only_second, counts.neither)]
        assert all(f">{exhibit.id}</span>" in part for exhibit in section.contrasts)


def test_what_the_loser_says_is_marked(report: Report, html: str) -> None:
    reading = report.sections[1]
    exhibit = next(e for e in reading.contrasts if e.kinds[0] == ONLY_FIRST)
    assert exhibit.markings[2].spans == (), "the second says nothing"
    start = html.index("<article", html.index("逐例对照", html.index('id="section-1"')))
    assert '<mark class="gold"' in html[start : start + 4000]
    assert '<mark class="gold said"' not in html[start : start + 400], "not what the winner says"


def test_bars_fill_their_width(html: str) -> None:
    bars = re.findall(r'<svg height="14".*?</svg>', html, re.S)
    assert len(bars) == 3 + 1 + 1
    for bar in bars:
        assert sum(float(width) for width in re.findall(r'width="([\d.]+)%"', bar)) == pytest.approx(
            100, abs=0.1
        )


def test_every_word_has_its_chinese() -> None:
    texts = "".join(
        (TEMPLATES / name).read_text("utf-8") for name in ("match.html.j2", "leaderboard.html.j2")
    )
    literal = [*re.findall(r'\bt\("([^"]+)"\)', texts), ONLY_FIRST, ONLY_SECOND, BEST, "Comparison"]
    assert len(literal) > 20
    assert [word for word in literal if chinese(word) is None] == []


def test_two_systems_that_say_the_same_have_no_examples_to_show() -> None:
    gold = [LabelExample(id=str(i), text="主队", labels=("体育",)) for i in range(3)]
    said = [LabelPrediction(id=e.id, labels=("体育",), scores={}) for e in gold]
    asked = SectionInput(
        name="同", task="classify", gold=gold, systems={"甲": said, "乙": said}, every_pair=True
    )
    report = build_report("同", sections=[asked], rng=np.random.default_rng(1), draws=100)
    assert report.sections[0].contrasts == ()
    assert "只有一方答对的样例" not in render(report)
