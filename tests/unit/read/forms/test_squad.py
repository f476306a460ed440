"""SQuAD, CMRC 2018, DRCD and C3: answers stand where they should, or are kept as texts, or it is said."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zhbert.errors import DataError
from zhbert.read.forms import FORMS, How
from zhbert.records import ChoiceExample

TEXT = "北京在北方。他在北京。"
TIME: dict[str, Any] = {"question": "几点？", "choice": ["两点", "三点"], "answer": "三点"}
C3 = [["男：几点了？", "女：三点。"], [TIME], "c-1"]


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def asked(*answers: tuple[Any, str], **more: Any) -> dict[str, Any]:
    given = [{"text": text, "answer_start": start} for start, text in answers]
    questions = [{"id": "Q1", "question": "谁？", "answers": given, **more}]
    return {"version": "v1.0", "data": [{"title": "", "paragraphs": [{"context": TEXT, "qas": questions}]}]}


def test_answers_that_are_given_more_than_once_are_one(read: Callable[..., Any]) -> None:
    (example,), _ = read("squad", asked((0, "北京"), (0, "北京"), (8, "北京")))
    assert [(s.start, s.surface) for s in example.answers] == [(0, "北京"), (8, "北京")]
    assert example.published == ()


def test_a_question_without_an_answer_stays_one(read: Callable[..., Any]) -> None:
    (example,), how = read("squad", asked((0, "北京"), is_impossible=True))
    assert (example.answers, example.published, dict(how.counts)) == ((), (), {})


def test_an_answer_that_stands_nowhere_is_kept_as_a_text(read: Callable[..., Any]) -> None:
    (example,), how = read("squad", asked((-1, "北京市"), (0, "北京")))
    assert ([s.start for s in example.answers], example.published) == ([0], ("北京市", "北京"))
    assert how.counts == {"stands nowhere, kept as a text": 1}


def test_answers_are_written_in_the_order_in_which_they_were_published(
    read: Callable[..., Any], tmp_path: Path
) -> None:
    examples, _ = read("squad", asked((0, "北京"), (-1, "北京市"), (8, "北京"), (-1, "燕京"), (2, "在北方")))
    assert examples[0].published == ("北京", "北京市", "燕京", "在北方")
    FORMS["squad"].write(examples, tmp_path / "x.json")
    assert [example for _, example in FORMS["squad"].read(tmp_path / "x.json", How())] == examples


def test_an_answer_that_was_dropped_is_kept_as_a_text(read: Callable[..., Any]) -> None:
    (example,), how = read("squad", asked((0, "上海"), (0, "北京")), misplaced="search")
    assert ([s.start for s in example.answers], example.published) == ([0], ("上海", "北京"))
    assert how.counts == {"dropped": 1}


@pytest.mark.parametrize(
    ("misplaced", "start", "found", "counted"),
    [
        ("search", 7, [8], {"moved": 1}),
        ("search", 1, [0], {"moved": 1}),
        ("search", -1, [0], {"moved": 1}),
        ("drop", 7, None, {"dropped": 1, "without an answer": 1}),
    ],
)
def test_misplaced_answers(
    misplaced: str, start: int, found: Any, counted: dict[str, int], read: Callable[..., Any]
) -> None:
    examples, how = read("squad", asked((start, "北京")), misplaced=misplaced)
    assert [[s.start for s in e.answers] for e in examples] == ([found] if found else [])
    assert how.counts == counted


@pytest.mark.parametrize("start", [-1, 1, 99])
def test_a_misplaced_answer_is_refused_by_name(start: int, read: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match=f'data.txt: Q1: "北京" should stand at {start} but'):
        read("squad", asked((start, "北京")))


def test_withheld_answers_are_none(read: Callable[..., Any]) -> None:
    (example,), how = read("squad", asked((-1, "FAKE_ANSWER_1"), (-1, "FAKE_ANSWER_2")))
    assert (example.answers, example.published, dict(how.counts)) == ((), (), {})
    item = [["好"], [{"question": "几？", "choice": ["二", "三"], "answer": ""}], "1"]
    (choice,), _ = read("c3", f"[{as_json(item)}]")
    assert choice.answer is None


def test_options_and_the_right_one(read: Callable[..., Any]) -> None:
    (example,), _ = read("c3", f"[{as_json(C3)}]")
    assert example == ChoiceExample(
        id="c-1-0", context="男：几点了？\n女：三点。", question="几点？", options=("两点", "三点"), answer=1
    )


def test_options_that_stand_twice_are_counted(read: Callable[..., Any]) -> None:
    item = [["好"], [{"question": "几？", "choice": ["二", "三", "三"], "answer": "三"}], "1"]
    (example,), how = read("c3", f"[{as_json(item)}]")
    assert (example.answer, dict(how.counts)) == (1, {"options that stand twice": 1})


@pytest.mark.parametrize(
    ("form", "content", "said"),
    [
        ("squad", {"paragraphs": []}, "data: this key is needed"),
        ("squad", {"data": {"a": 1}}, "data: must be list, not dict"),
        ("squad", asked((True, "北京")), "answer_start: must be int, not bool"),
        ("squad", {"data": [5]}, "must be an object with paragraphs, not int"),
        ("squad", '{"data": [\n}', "data.txt:2: not valid JSON"),
        ("c3", {"data": []}, "the file: must be list, not dict"),
        ("c3", "[[1]]", r"item 1: an item must be \[lines, questions, id\]"),
        ("c3", f"[{as_json([['好'], [TIME | {'answer': '四点'}], '1'])}]", '"四点" is none of 2 options'),
    ],
)
def test_what_is_refused(form: str, content: Any, said: str, read: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match=said):
        read(form, content)
