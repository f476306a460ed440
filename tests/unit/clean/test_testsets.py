"""The texts of evaluation files."""

import json
from pathlib import Path

import pytest

from zhbert.clean.testsets import evaluation_texts
from zhbert.errors import DataError


def read(path: Path, content: str | bytes) -> list[tuple[str, str]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [(place.removeprefix(str(path)), text) for place, text in evaluation_texts(path)]


def test_examples_of_every_task(tmp_path: Path) -> None:
    lines = [
        {"id": "例一", "text": "主队赢了", "labels": ["体育"]},
        {"id": "例二", "first": "今天下雨", "second": "今天晴", "label": "矛盾"},
        {
            "id": "例三",
            "context": "北京是首都",
            "question": "首都是哪",
            "answers": [{"surface": "北京", "start": 0}],
        },
    ]
    found = read(tmp_path / "a.jsonl", "\n\n".join(json.dumps(line) for line in lines))
    assert [text for _, text in found] == [
        "主队赢了", "今天下雨", "今天晴", "北京是首都", "首都是哪", "北京",
    ]  # fmt: skip
    assert [place for place, _ in found] == [":1", ":3", ":3", ":5", ":5", ":5"]


def test_squad_is_named_by_its_keys(tmp_path: Path) -> None:
    squad = {"version": "v1.0", "data": [{"paragraphs": [{"context": "首都", "qas": [{"question": "哪"}]}]}]}
    assert read(tmp_path / "a.json", json.dumps(squad, indent=1)) == [
        (":version", "v1.0"),
        (":data.0.paragraphs.0.context", "首都"),
        (":data.0.paragraphs.0.qas.0.question", "哪"),
    ]


def test_json_files_may_hold_a_value_a_line(tmp_path: Path) -> None:
    assert read(tmp_path / "a.json", '{"sentence": "一"}\r\n{"sentence": "二"}\n') == [
        (":1", "一"),
        (":2", "二"),
    ]


def test_tables(tmp_path: Path) -> None:
    assert read(tmp_path / "a.tsv", '\ufefflabel\ttext\n1\t他说"好\n0\t\u2028坏\n') == [
        (":1", "label"), (":1", "text"), (":2", '他说"好'), (":3", "\u2028坏"),
    ]  # fmt: skip
    assert read(tmp_path / "a.csv", 'text,score\r\n"一行\n又一行，""引""",-0.5%\r\n') == [
        (":1", "text"), (":1", "score"), (":3", '一行\n又一行，"引"'),
    ]  # fmt: skip
    assert read(tmp_path / "a.txt", "一\r\n\n 2.5 \n二") == [(":1", "一"), (":4", "二")]


def test_a_folder_stands_for_its_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("乙", "utf-8")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.jsonl").write_text('["甲"]', "utf-8")
    (tmp_path / "notes.md").write_text("不读", "utf-8")
    assert [text for _, text in evaluation_texts(tmp_path)] == ["甲", "乙"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"a": "一"}\n{"a": \n', r"a\.jsonl:2: not valid JSON: expecting value at column 7"),
        ("a.json", '{\n"a": "一",\n}', r"a\.json:3: not valid JSON: "),
        ("a.json", "[" * 100_000, r"a\.json: not valid JSON: nested too deep"),
        ("a.tsv", "好\n".encode("gb18030"), r"a\.tsv:1: not UTF-8 at byte 0 \(convert"),
        ("a.txt", "好\n坏".encode() + b"\xff", r"a\.txt:2: not UTF-8 at byte 7"),
        ("a.gz", b"", r'"\.gz" is not a known kind of file \(known: \.csv, \.json'),
    ],
)
def test_bad_files_say_where_they_are_bad(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / name, content)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no evaluation files in this folder"):
        list(evaluation_texts(tmp_path))
    with pytest.raises(DataError, match="no such file or folder"):
        list(evaluation_texts(tmp_path / "none.json"))
