"""The report on disk: complete, escaped, offline and the same for the same seed."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from zhbert.records import Span
from zhbert.score.marks import clean, pieces, windows
from zhbert.score.render import axis, render, t
from zhbert.score.report import Report, headline, read_report, write_report
from zhbert.score.trainings import LIE, MEAN
from zhbert.score.words import chinese, table


class Page(HTMLParser):
    """The tags and attributes of a page, and whether they nest."""

    VOID = frozenset({"meta", "input", "br", "line", "circle", "rect"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module", params=["report", "several"])
def html(request: pytest.FixtureRequest) -> str:
    return render(request.getfixturevalue(request.param))


def test_tags_nest_and_no_text_becomes_a_tag(html: str) -> None:
    page = Page(html)
    assert page.open == []
    assert not {"script", "img", "link", "iframe", "b粗"} & set(page.tags)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
    assert "<title>医疗领域 BERT &lt;评估&gt;</title>" in html


def test_nothing_is_fetched(html: str) -> None:
    page = Page(html)
    assert {name for name, _ in page.attributes} & {
        "src",
        "srcset",
        "data",
        "action",
        "background",
    } == set()
    places = {f"#{value}" for name, value in page.attributes if name == "id"}
    assert {value for name, value in page.attributes if name == "href"} <= places  # within the page alone
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "url(" not in html
    assert "@import" not in html
    outside = re.findall(r"https?://[^\s\"'<&]+", html)
    assert set(outside) <= {"http://example.invalid/x.png"}  # a text of the data, not an address of the page


def test_the_content_policy_allows_styles_only(html: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    assert policy[1].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert "script" not in policy[1]


def test_characters_that_reorder_the_page_are_spelt_out(html: str) -> None:
    assert not re.search("[\x00-\x08\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html)
    assert "‹U+202E›" in html
    assert clean("\ud83d") == "‹U+D83D›"


def test_the_page_is_small_and_in_two_languages(html: str) -> None:
    assert len(html.encode()) < 3_000_000
    assert "实体识别" in html
    assert "entity recognition" in html
    assert str(t("wrong type")).count("<span") == 2
    assert "类型错误" in t("wrong type")
    assert str(t("<b>")) == "&lt;b&gt;"


def test_every_word_of_the_page_has_its_chinese(report: Report) -> None:
    templates = Path(__file__).parents[3] / "zhbert" / "score" / "templates"
    texts = [(templates / name).read_text("utf-8") for name in ("report.html.j2", "trainings.html.j2")]
    literal = [*re.findall(r'\bt\("([^"]+)"\)', "".join(texts)), MEAN, *LIE.values()]
    assert len(literal) > 50
    assert [word for word in literal if chinese(word) is None] == []
    said = [kind for section in report.sections for ex in section.exhibits for kind in ex.kinds]
    families = [row.family for section in report.sections for row in section.slices]
    definitions = [section.definition for section in report.sections]
    assert [word for word in {*said, *families, *definitions, *report.limits} if chinese(word) is None] == []
    assert all(table()["words"].values())


def test_a_report_comes_back_from_its_json(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["report.html", "report.json"]
    assert read_report(tmp_path / "out" / "report.json") == report
    assert json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["format"] == 1


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report(made, report: Report) -> None:
    again = made["made_report"](n=60, draws=200)
    assert again == report
    assert render(again) == render(report)
    assert made["made_report"](n=60, draws=200, seed=8) != report


def test_the_headline_says_the_verdict(report: Report) -> None:
    lines = headline(report)
    assert re.match(
        r"cluener micro F1 \d\d\.\d % \[\d\d\.\d, \d\d\.\d\], pretrained − random = \+\d+\.\d points "
        r"\[[−\d.]+, [\d.]+\], p = 0\.\d+: better$",
        lines[0],
    )
    assert lines[-1].startswith("cmrc2018 F1 ")


def test_right_examples_are_shown_too(report: Report) -> None:
    for section in report.sections:
        kinds = [kind for exhibit in section.exhibits for kind in exhibit.kinds]
        assert "right" in kinds
        assert len(section.exhibits) <= 60


def test_small_parts_are_marked_and_parts_name_their_examples(report: Report) -> None:
    rows = [row for section in report.sections for row in section.slices]
    assert {row.small for row in rows} == {True, False}
    assert all(row.small == (row.size < 20) and row.ids for row in rows)
    seen = [row for row in rows if row.family == "entity in the training set"]
    assert sum(row.size for row in seen) == sum(row.support for row in report.sections[0].systems[0].classes)


def test_unanswerable_questions_have_their_own_figures(report: Report) -> None:
    reading = next(section for section in report.sections if section.task == "reading")
    names = [figure.name for figure in reading.systems[0].figures]
    assert names[-1] == "no_answer_accuracy"
    assert any(marking.spans == () for ex in reading.exhibits for marking in ex.markings)


def test_crossing_spans_lose_no_text() -> None:
    text = "中国国家图书馆"
    spans = [Span(0, 4, "机构"), Span(2, 7, "地点"), Span(2, 4, "职称")]
    found = pieces(text, spans, classes=lambda over: over[0].label, tags=True)
    assert "".join(piece.text for piece in found) == text
    assert [(piece.text, piece.classes) for piece in found] == [
        ("中国", "机构"),
        ("国家", "职称"),
        ("图书馆", "地点"),
    ]


@pytest.mark.parametrize("at", [0, 10, 700, 990])
def test_a_crop_holds_what_is_marked(at: int) -> None:
    ((start, end),) = windows("字" * 1000, [Span(at, at + 9)])
    assert start <= at
    assert at + 9 <= end
    assert end - start <= 470


def test_the_axis_holds_every_interval(report: Report) -> None:
    for section in report.sections:
        figures = [figure.of for system in section.systems for figure in system.figures]
        scale = axis(figures)
        assert all(scale.low <= of.low and of.high <= scale.high for of in figures)
        assert 2 <= len(scale.ticks) <= 8
