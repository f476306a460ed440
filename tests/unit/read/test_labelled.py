"""Labelled data as publishers write it: a span stands where it should, or it is said that it does not."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zhbert.errors import DataError
from zhbert.read.labelled import FORMS, Spans
from zhbert.records import EntityExample, Example, ReadingExample

CLUE = {
    "text": "温格的球队2比1战胜曼联",
    "label": {"name": {"温格": [[0, 1]]}, "organization": {"曼联": [[10, 11]]}},
}
TEXT = "北京在北方。他在北京。"


def read(tmp_path: Path, form: str, content: Any, misplaced: Any = "refuse") -> tuple[list[Example], Spans]:
    path, spans = tmp_path / "data.json", Spans(misplaced=misplaced)
    lines = content if isinstance(content, list) else [content]
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    return [example for _, example in FORMS[form].read(path, spans)], spans


def asked(*answers: tuple[int, str], **more: Any) -> dict[str, Any]:
    given = [{"text": text, "answer_start": start} for start, text in answers]
    questions = [{"id": "Q1", "question": "谁？", "answers": given, **more}]
    return {"version": "v1.0", "data": [{"title": "", "paragraphs": [{"context": TEXT, "qas": questions}]}]}


def test_ends_of_cluener_are_inclusive(tmp_path: Path) -> None:
    (example,), _ = read(tmp_path, "cluener", CLUE)
    assert isinstance(example, EntityExample)
    assert [(s.start, s.end, s.label, s.surface) for s in example.entities] == [
        (0, 2, "name", "温格"),
        (10, 12, "organization", "曼联"),
    ]


def test_answers_that_are_given_more_than_once_are_one(tmp_path: Path) -> None:
    (example,), _ = read(tmp_path, "squad", asked((0, "北京"), (0, "北京"), (8, "北京")))
    assert isinstance(example, ReadingExample)
    assert [(s.start, s.surface) for s in example.answers] == [(0, "北京"), (8, "北京")]


def test_a_question_without_an_answer_stays_one(tmp_path: Path) -> None:
    (example,), spans = read(tmp_path, "squad", asked((0, "北京"), is_impossible=True))
    assert isinstance(example, ReadingExample)
    assert example.answers == ()
    assert spans.without == 0


@pytest.mark.parametrize(
    ("misplaced", "start", "found", "counted"),
    [("search", 7, [8], (1, 0, 0)), ("search", 1, [0], (1, 0, 0)), ("drop", 7, None, (0, 1, 1))],
)
def test_misplaced_answers(
    misplaced: str, start: int, found: list[int] | None, counted: tuple[int, ...], tmp_path: Path
) -> None:
    examples, spans = read(tmp_path, "squad", asked((start, "北京")), misplaced)
    assert [[s.start for s in e.answers] for e in examples if isinstance(e, ReadingExample)] == (
        [found] if found else []
    )
    assert (spans.moved, spans.dropped, spans.without) == counted


@pytest.mark.parametrize("start", [-1, 1, 99])
def test_a_misplaced_answer_is_refused_by_name(start: int, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f'data.json: Q1: "北京" should stand at {start} but'):
        read(tmp_path, "squad", asked((start, "北京")))


def test_what_stands_nowhere_is_dropped_and_counted(tmp_path: Path) -> None:
    examples, spans = read(tmp_path, "squad", asked((0, "上海"), (0, "北京")), "search")
    assert len(examples) == 1
    assert (spans.moved, spans.dropped, spans.without) == (0, 1, 0)


@pytest.mark.parametrize(
    ("form", "content", "said"),
    [
        ("cluener", CLUE | {"label": {"name": {"温格": [[0]]}}}, r"data.json:1.*\[first, last\]"),
        ("cluener", CLUE | {"label": {"name": ["温格"]}}, "label.name: must be dict, not list"),
        ("cluener", {"label": {}}, "text: this key is needed"),
        ("cluener", [CLUE, 5], "data.json:2: must be an object with text, not int"),
        ("squad", {"paragraphs": []}, "data: this key is needed"),
        ("squad", {"data": {"a": 1}}, "data: must be list, not dict"),
        ("squad", asked((True, "北京")), "answer_start: must be int, not bool"),
    ],
)
def test_what_is_refused(form: str, content: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        read(tmp_path, form, content)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("form", "file", "examples", "mended"),
    [
        ("cluener", "cluener/train.json", 10748, (0, 0, 0)),
        ("cluener", "cluener/dev.json", 1343, (0, 0, 0)),
        ("squad", "cmrc2018/train.json", 10142, (21, 0, 0)),
        ("squad", "cmrc2018/cmrc2018_dev.json", 3219, (7, 193, 0)),
    ],
)
def test_published_files(
    form: str, file: str, examples: int, mended: tuple[int, ...], published: Callable[[str], Path]
) -> None:
    spans = Spans(misplaced="search")
    found = [example for _, example in FORMS[form].read(published(file), spans)]
    assert len(found) == examples
    assert (spans.moved, spans.dropped, spans.without) == mended
    assert Counter(example.id for example in found).most_common(1)[0][1] == 1
