"""What a request asks becomes what a pipeline takes."""

import json
from typing import Any

import pytest

from zhbert.records import EXAMPLES
from zhbert.serve.asked import FIELDS, Refused, begun, parsed, questions_of
from zhbert.serve.page import example_of

ASKED = {"question": "谁？", "context": "王芳在。"}
TAKEN: list[tuple[str, Any, Any]] = [
    ("classify", {"texts": ["一", ""]}, ["一", ""]),
    ("segment", {"texts": []}, []),
    ("pair", {"pairs": [{"second": "乙", "first": "甲"}]}, [("甲", "乙")]),
    ("reading", {"questions": [ASKED]}, [("谁？", "王芳在。")]),
    ("choice", {"questions": [ASKED | {"options": ["甲", "乙"]}]}, [("王芳在。", "谁？", ["甲", "乙"])]),
]
NOT_TAKEN: list[tuple[str, Any, str]] = [
    ("choice", {"questions": [ASKED]}, "a choice needs two options or more"),
    ("choice", {"questions": [ASKED | {"options": ["甲"]}]}, "a choice needs two options or more"),
    ("reading", {"questions": [ASKED | {"options": ["甲"]}]}, "a reading model takes no options"),
    ("reading", {"questions": [ASKED | {"question": "谁" * 7}]}, r"questions\[0\] has 11 characters: 10 at"),
    ("pair", {"texts": ["甲"]}, 'a pair model takes "pairs" alone, not texts'),
]


@pytest.mark.parametrize(("task", "body", "questions"), TAKEN)
def test_what_is_taken(task: str, body: Any, questions: Any) -> None:
    assert questions_of(parsed(json.dumps(body).encode()), task, most=9, longest=10) == questions


@pytest.mark.parametrize(("task", "body", "words"), NOT_TAKEN)
def test_what_is_not(task: str, body: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        questions_of(parsed(json.dumps(body).encode()), task, most=9, longest=10)


@pytest.mark.parametrize("task", EXAMPLES)
def test_every_task_has_its_field_and_an_example_that_is_taken(task: str) -> None:
    example = example_of(task)
    assert list(example) == [FIELDS[task]]
    assert len(questions_of(parsed(json.dumps(example).encode()), task, most=9, longest=99)) == 1


def test_a_hundred_thousand_faults_are_found_as_soon_as_one() -> None:
    body = json.dumps({"texts": [0] * 500_000, "model": "one"}).encode()
    with pytest.raises(Refused, match="must be a text") as one:
        parsed(body)
    assert one.value.status == 422
    assert begun("x" * 10**6) == "x" * 60 + "…"
