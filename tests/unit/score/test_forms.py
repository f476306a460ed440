"""The report in Markdown and as a card: read by the hub's own reader and by a Markdown reader."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from zhbert.score.markdown import front_matter, one_line
from zhbert.score.modelcard import base_model, write_card
from zhbert.score.report import FORMS, Report, headline, shown_at, write_report
from zhbert.score.sheet import Note
from zhbert.score.summary import MOST, figure_cell, worst_first, write_summary
from zhbert.score.words import name_of, percent


def head_of(card: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(card.split("\n---\n", 1)[0].removeprefix("---\n"))
    return found


def rows_of(markdown: str) -> list[list[str]]:
    """Return the rows of all tables, each a list of cells as a reader sees them."""
    rows: list[list[str]] = []
    for before, token in pairwise(MarkdownIt().enable("table").parse(markdown)):
        if token.type == "tr_open":
            rows.append([])
        if before.type in ("th_open", "td_open"):
            rows[-1].append("".join(child.content for child in token.children or ()))
    return rows


def with_facts(report: Report, **facts: str) -> Report:
    first, *others = report.sections
    system, *rest = first.systems
    section = replace(first, systems=(replace(system, facts=facts), *rest))
    return replace(report, sections=(section, *others))


def test_the_hub_reads_the_results_and_writes_them_again(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path, forms=("card",))
    data: Any = ModelCard.load(tmp_path / "README.md").data
    assert (data.language, data.model_name, data.library_name) == ("zh", "pretrained", "transformers")
    ours = [section for section in report.sections if section.systems[0].name == "pretrained"]
    said = [(s.task, s.name, f.name, f.of.value) for s in ours for f in s.systems[0].figures]
    found = data.eval_results
    assert [round(value, 4) for *_, value in said] == [one.metric_value for one in found]
    assert {one.task_type for one in found} == {
        "token-classification",
        "text-classification",
        "question-answering",
    }
    assert [one.dataset_name for one in found] == [name for _, name, _, _ in said]
    assert found[0].metric_type == "f1"
    assert found[0].metric_name == "micro F1"
    assert {one.verified for one in found} == {False}
    again: Any = ModelCard(f"---\n{data.to_yaml()}\n---\n").data
    assert again.eval_results == found


def test_a_card_is_about_one_model(report: Report) -> None:
    card = write_card(report)
    assert [one["name"] for one in head_of(card)["model-index"]] == ["pretrained"]
    assert "of which this card says nothing: ocnli (majority)." in card
    assert "pipeline_tag" not in head_of(card)  # it does several things
    one = replace(report, sections=report.sections[2:3])
    assert head_of(write_card(one))["pipeline_tag"] == "text-classification"
    assert head_of(write_card(one)).keys() == {
        "language",
        "pipeline_tag",
        "model-index",
    }  # no facts, no claims
    assert "grey" not in card


def test_a_card_says_what_is_wrong_with_its_figures(report: Report) -> None:
    first = report.sections[0]
    notes = tuple(Note(system=name, what=f"{name} has seen it") for name in ("pretrained", "random"))
    systems = (replace(first.systems[0], cut=7), *first.systems[1:])
    card = write_card(replace(report, sections=(replace(first, notes=notes, systems=systems),)))
    limits = card.partition("## Limits")[2]
    assert "- cluener: pretrained has seen it.\n" in limits
    assert "random has" not in limits
    assert "- cluener: 7 examples were not read to their end.\n" in limits
    low, high = (
        percent(x) for x in (first.systems[0].figures[0].of.low, first.systems[0].figures[0].of.high)
    )
    assert f"between {low} and {high}" in limits


def test_a_card_claims_what_is_known(report: Report) -> None:
    known = with_facts(report, licence="Apache-2.0", **{"encoder.init": "hfl/chinese-roberta-wwm-ext"})
    head = head_of(write_card(known))
    assert (head["license"], head["base_model"]) == ("apache-2.0", "hfl/chinese-roberta-wwm-ext")
    assert head["tags"] == ["zhbert"]
    assert "license" not in head_of(write_card(with_facts(report, seed="1")))


@pytest.mark.parametrize(
    "name", ["random weights", "bundled", "runs/my/encoder", "/models/a", "a/b, c/d", "here/x"]
)
def test_what_may_lie_on_this_machine_is_no_base_model(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    assert base_model({"encoder": name}) == ""


def test_the_data_set_is_the_corpus_that_gold_is_of(report: Report) -> None:
    known = replace(report, provenance={"data.cluener.gold": "CLUENER2020:ner/dev sha256 12"})
    sets = [one["dataset"] for one in head_of(write_card(known))["model-index"][0]["results"]]
    assert sets[0] == {"name": "cluener", "type": "cluener2020"}
    assert sets[1]["type"] == "新闻标题"


def test_markdown_says_what_the_page_says(report: Report) -> None:
    text = write_summary(report)
    rows = rows_of(text)
    for section in report.sections:
        for system in section.systems:
            assert [system.name, *(figure_cell(f.of) for f in system.figures)] in rows
        for aside in section.systems[0].asides:
            assert any(row[:2] == [name_of(aside.name), figure_cell(aside.of)] for row in rows)
        for row in section.slices[:MOST]:
            few = " (few)" if row.small else ""
            assert [f"{row.family}: {row.name}{few}", str(row.size), *map(figure_cell, row.figures)] in rows
    verdicts = [token.content for token in MarkdownIt().parse(text) if token.type == "inline"]
    assert set(headline(report)) <= set(verdicts)
    assert ["cluener", "windows", "3"] in rows


def test_parts_come_worst_first_and_small_ones_last(report: Report) -> None:
    rows = worst_first(report.sections[0].slices)
    small = [row.small for row in rows]
    values = [row.figures[0].value for row in rows]
    assert small == sorted(small)
    at = small.index(True)
    assert values == sorted(values[:at]) + sorted(values[at:])
    assert values != sorted(values)


def test_trainings_are_told_too(several: Report) -> None:
    rows = rows_of(write_summary(several))
    spread = several.sections[0].spreads[0]
    assert any(row[0] == spread.system and "–" in row[-2] for row in rows)
    assert "the trainings overlap" in "".join(cell for row in rows for cell in row)


def test_only_what_is_wanted_is_written(report: Report, tmp_path: Path) -> None:
    for forms, files in (
        ((), []),
        (("md",), ["report.md"]),
        (("card", "html"), ["README.md", "report.html"]),
    ):
        folder = tmp_path / "-".join(["out", *forms])
        write_report(report, folder, forms=forms)
        assert sorted(path.name for path in folder.iterdir()) == sorted(["report.json", *files])
        best = {(): "report.json", ("md",): "report.md", ("card", "html"): "report.html"}[forms]
        assert shown_at(folder) == folder / best
    assert list(FORMS) == ["html", "md", "card", "schema"]


texts = st.text(max_size=30)
values = st.recursive(
    st.one_of(texts, st.integers(), st.booleans(), st.lists(texts, max_size=3)),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3),
        st.lists(st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3), max_size=3),
    ),
    max_leaves=8,
)


def on_one_line(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: on_one_line(item) for key, item in value.items()}
    if isinstance(value, list):
        return [on_one_line(item) for item in value]
    return one_line(value) if isinstance(value, str) else value


@given(st.dictionaries(st.sampled_from(["title", "model-index", "x"]), values, min_size=1, max_size=3))
def test_yaml_reads_in_the_head_what_was_written(record: dict[str, Any]) -> None:
    assert head_of(front_matter(record) + "\n") == on_one_line(record)
