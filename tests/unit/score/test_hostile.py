"""Texts, labels, names and settings that are meant to break out of the page, of Markdown and of YAML."""

import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from zhbert.score.report import Report, headline, read_report, write_report

HERE = Path(__file__).parent
PAGE = runpy.run_path(str(HERE / "test_render.py"))["Page"]
HOSTILE = runpy.run_path(str(HERE / "hostile.py"))
OURS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "input",
        "header",
        "main",
        "section",
        "footer",
        "article",
    ),
    *(
        "div",
        "span",
        "p",
        "h1",
        "h2",
        "h3",
        "ul",
        "li",
        "a",
        "b",
        "i",
        "small",
        "mark",
        "label",
        "br",
        "form",
    ),
    *(
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "dl",
        "dt",
        "dd",
        "details",
        "summary",
        "button",
        "figure",
    ),
    *("figcaption", "svg", "g", "line", "circle", "text", "rect", "path", "polyline"),
}
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.fixture(scope="module", params=HOSTILE["TASKS"])
def of_task(request: pytest.FixtureRequest) -> Report:
    names = {"classify": 9, "pair": 0, "ner": 1, "segment": 10, "reading": 13, "choice": 14}
    found: Report = HOSTILE["hostile_report"](HOSTILE["UGLY"][names[request.param]], request.param)
    return found


@pytest.fixture(scope="module", params=range(len(HOSTILE["UGLY"])))
def of_name(request: pytest.FixtureRequest) -> Report:
    found: Report = HOSTILE["hostile_report"](HOSTILE["UGLY"][request.param], "pair")
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[Report], Path]:
    def written(report: Report) -> Path:
        write_report(report, tmp_path, forms=("html", "md", "card"))
        assert read_report(tmp_path / "report.json") == report
        return tmp_path

    return written


def check_page(html: str) -> None:
    page = PAGE(html)
    assert page.open == []
    assert set(page.tags) <= OURS
    names = {name for name, _ in page.attributes}
    assert not [name for name in names if name.startswith("on")]
    assert not names & {"src", "srcset", "action", "background", "autofocus"}
    assert {value[:9] for name, value in page.attributes if name == "href"} <= {"#section-"}
    assert html.count("<style>") == html.count("</style>") == html.count("</title>") == 1
    assert "url(" not in html.partition("</style>")[0]
    assert "1337" not in html
    assert not UNSEEN.search(html)
    assert len(html.encode()) < 3_000_000


def inline(tokens: list[Any]) -> Iterator[Any]:
    for token in tokens:
        yield token
        yield from inline(token.children or [])


def check_markdown(text: str) -> None:
    assert not UNSEEN.search(text)
    tokens = list(inline(MarkdownIt().enable(["table", "strikethrough"]).parse(text)))
    kinds = {token.type.removesuffix("_open").removesuffix("_close") for token in tokens}
    assert kinds <= {
        *("heading", "inline", "text", "text_special", "paragraph", "bullet_list", "list_item"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    heads = [(token.tag, token.markup) for token in tokens if token.type == "heading_open"]
    assert [tag for tag, _ in heads].count("h1") <= 1
    assert {mark.strip("#") for _, mark in heads} <= {""}
    widths = [line.replace(r"\|", "").count("|") for line in text.splitlines() if line.startswith("|")]
    assert min(widths) >= 3
    assert len(text.encode()) < 1_000_000


def check_card(card: str, report: Report) -> None:
    head, body = card.removeprefix("---\n").split("\n---\n", 1)
    check_markdown(body)
    data = yaml.safe_load(head)
    assert set(data) <= {
        "language",
        "license",
        "license_name",
        "library_name",
        "tags",
        "pipeline_tag",
        "model-index",
    }
    assert data.get("license", "other") == "other"
    (model,) = data["model-index"]
    assert len(model["results"]) == len(report.sections)
    found: Any = ModelCard(card, ignore_metadata_errors=False).data
    assert len(found.eval_results) == sum(len(section.systems[0].figures) for section in report.sections)


@pytest.mark.slow
def test_no_text_of_any_task_breaks_out(of_task: Report, folder: Callable[[Report], Path]) -> None:
    place = folder(of_task)
    check_page((place / "report.html").read_text("utf-8"))
    check_markdown((place / "report.md").read_text("utf-8"))
    check_card((place / "README.md").read_text("utf-8"), of_task)


@pytest.mark.slow
def test_no_name_breaks_out(of_name: Report, folder: Callable[[Report], Path]) -> None:
    place = folder(of_name)
    check_page((place / "report.html").read_text("utf-8"))
    check_markdown((place / "report.md").read_text("utf-8"))
    check_card((place / "README.md").read_text("utf-8"), of_name)
    assert not [line for line in headline(of_name) if UNSEEN.search(line) or "\n" in line]


def test_the_checks_can_fail() -> None:
    for page in ("<b粗>", '<b onclick="x">', "<b>\u202e</b>", "1337", "</style>"):
        with pytest.raises((AssertionError, IndexError)):
            check_page(f"<style></style><title></title>{page}")
    for text in ("| a |\n| --- |\n", "<script>", "`x`", "[a](b)", "\u202e", "a\n---\n"):
        with pytest.raises((AssertionError, ValueError)):
            check_markdown("| a | b |\n| --- | --- |\n\n" + text)
