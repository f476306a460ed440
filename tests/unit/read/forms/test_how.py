"""Places: what a unit means, and which unit explains a whole file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from zhbert.errors import DataError
from zhbert.read.forms import FORMS
from zhbert.read.forms.how import OFFSETS, How, bounds_of
from zhbert.records import EntityExample

TEXTS = st.text(st.sampled_from("好a 😀𠮷\r\n\u0301👩\u200d家é"), max_size=12)
SENTENCES = ["😀👍🏽在北京\n工作", "他在上海\n工作👍🏽了"]


def counted(text: str, place: int, unit: str) -> int:
    """Return a place as a tool would count it: the slow, obvious way."""
    before = text[:place]
    match unit:
        case "utf16":
            return len(before.encode("utf-16-le")) // 2
        case "graphemes":
            return len(regex.findall(r"\X", before))
        case "crlf":
            return len(before.replace("\n", "\r\n"))
        case _:
            return place


@given(TEXTS, st.sampled_from(["characters", "inclusive", "utf16"]))
def test_every_place_is_found_again(text: str, unit: str) -> None:
    bounds = bounds_of(text, unit)
    assert [bounds[counted(text, place, unit)] for place in range(len(text) + 1)] == list(
        range(len(text) + 1)
    )


@given(TEXTS)
def test_clusters_are_what_the_expression_says(text: str) -> None:
    clusters = regex.findall(r"\X", text)
    wanted = [len("".join(clusters[:i])) for i in range(len(clusters) + 1)]
    assert list(bounds_of(text, "graphemes")) == wanted


@given(TEXTS.map(lambda text: text.replace("\r", "")))
def test_line_breaks_that_were_two_characters(text: str) -> None:
    bounds = bounds_of(text, "crlf")
    there = [bounds[counted(text, place, "crlf")] for place in range(len(text) + 1)]
    assert there == list(range(len(text) + 1))


@given(TEXTS.map(lambda text: text.replace("\r", "").replace("\n", "\r\n")))
def test_line_breaks_that_were_one_character(text: str) -> None:
    bounds, short = bounds_of(text, "crlf"), text.replace("\r\n", "\n")
    for place in range(len(short) + 1):
        assert text[: bounds[place]] == short[:place].replace("\n", "\r\n")


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def marked(unit: str, texts: list[str], surface: str = "工作") -> list[dict[str, Any]]:
    """Label Studio's tasks, whose places are counted in some unit."""
    tasks = []
    for text in texts:
        start = text.find(surface)
        places = [counted(text, place, unit) for place in (start, start + len(surface))]
        value = {"start": places[0], "end": places[1] - (unit == "inclusive"), "text": surface}
        result = {"type": "labels", "value": value | {"labels": ["X"]}}
        tasks.append({"data": {"text": text}, "annotations": [{"result": [result]}]})
    return tasks


@pytest.mark.parametrize("unit", [unit for unit in OFFSETS if unit != "utf16"])
def test_the_unit_that_fits_the_whole_file_is_named_and_applied(unit: str, read: Callable[..., Any]) -> None:
    tasks = marked(unit, SENTENCES)
    with pytest.raises(DataError, match=rf"task 1: .*\(all spans of the file fit with --offsets {unit}\)"):
        read("labelstudio", as_json(tasks))
    examples, how = read("labelstudio", as_json(tasks), offsets=unit)
    assert [[s.surface for s in e.entities] for e in examples] == [["工作"], ["工作"]]
    assert not how.counts


def test_a_unit_that_does_not_fit_one_record_is_not_named(read: Callable[..., Any]) -> None:
    tasks = marked("graphemes", SENTENCES[:1]) + marked("crlf", SENTENCES[1:2])
    with pytest.raises(DataError, match="--misplaced search looks for it nearby"):
        read("labelstudio", as_json(tasks))
    examples, how = read("labelstudio", as_json(tasks), misplaced="search")
    assert how.counts["moved"] == 2
    assert all(isinstance(example, EntityExample) and len(example.entities) == 1 for example in examples)


def test_line_breaks_in_a_surface(read: Callable[..., Any]) -> None:
    value = {"start": 0, "end": 5, "text": "北京\r\n好", "labels": ["X"]}
    task = {"data": {"text": "北京\n好"}, "annotations": [{"result": [{"type": "labels", "value": value}]}]}
    examples, _ = read("labelstudio", as_json([task]), offsets="crlf")
    assert [(s.start, s.end) for s in examples[0].entities] == [(0, 4)]


def test_a_surface_of_another_length_is_not_its_place() -> None:
    with pytest.raises(DataError, match=r'"北京" has 2 characters but should stand at 0\.\.1'):
        How().span("北京好", 0, 1, "北京", where="a:1")


@pytest.mark.parametrize(("start", "end"), [(0, 4), (2, 2), (-1, 1), (3, 1), (10**30, 10**30 + 1)])
def test_a_range_outside_of_the_text(start: int, end: int) -> None:
    with pytest.raises(DataError, match="does not lie in the text"):
        How().span("北京好", start, end, None, where="a:1")
    how = How(misplaced="drop")
    assert how.span("北京好", start, end, None, where="a:1") is None
    assert how.counts == {"dropped": 1}


def test_a_form_of_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"squad holds no examples of ner \(it holds those of reading\)"):
        list(FORMS["squad"].read(tmp_path / "x.json", How(task="ner")))
