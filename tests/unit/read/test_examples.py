"""Labelled examples: what is said of a label and an offset, and what stays as it is."""

import json
from pathlib import Path

import pytest

from zhbert.errors import DataError
from zhbert.read.examples import read_examples
from zhbert.records import EntityExample, LabelExample, PairExample, Span, to_json


def write(path: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def test_words_that_look_like_nothing_or_numbers_stay_texts(tmp_path: Path) -> None:
    examples = [
        LabelExample(id="001", text="NA", labels=("001",)),
        LabelExample(id="null", text="null", labels=("None",)),
        LabelExample(id="nan", text="", labels=()),
    ]
    path = write(tmp_path / "a.jsonl", "".join(to_json(e) + "\r\n" for e in examples))
    assert read_examples(path, "classify") == examples


def test_offsets_hold_beyond_the_basic_plane(tmp_path: Path) -> None:
    example = EntityExample(id="1", text="😀李明𠮷", entities=(Span.of("😀李明𠮷", 1, 3, "人名"),))
    path = write(tmp_path / "a.jsonl", json.dumps(json.loads(to_json(example))))  # as escaped pairs
    assert read_examples(path, "ner") == [example]


@pytest.mark.parametrize(
    ("task", "example"),
    [
        ("classify", LabelExample(id="1", text="主队赢了", labels=("体育", "财金"))),
        ("pair", PairExample(id="1", first="甲", second="乙", label="财金")),
        ("ner", EntityExample(id="1", text="股市", entities=(Span(0, 2, "财金"),))),
    ],
)
def test_every_label_of_every_task_is_held_against_the_set(
    task: str, example: object, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.jsonl", to_json(example))
    with pytest.raises(DataError, match=r'a\.jsonl:1: the label "财金" is not in the label set'):
        read_examples(path, task, labels=["体育", "财经"])
    assert read_examples(path, task, labels=["体育", "财经", "财金"]) == [example]
