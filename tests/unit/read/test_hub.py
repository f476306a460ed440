"""Data sets through `datasets`: a folder stands in for the hub, which no test may reach."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zhbert.errors import DataError
from zhbert.read.piece import Reject
from zhbert.read.reader import Reader


@pytest.fixture
def folder(tmp_path: Path) -> str:
    rows = [{"id": str(n), "text": f"第{n}篇", "n": n} for n in range(3)] + [
        {"id": "x", "text": None, "n": 0}
    ]
    for split, part in (("train", rows), ("test", rows[:1])):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part)
        (tmp_path / f"{split}.jsonl").write_text(lines, "utf-8")
    return f"hub:{tmp_path}"


def test_rows_are_streamed(read, folder: str) -> None:
    rejects: list[Reject] = []
    documents = read({}, folder, rejects=rejects)
    assert [(d.id, d.text, d.source, d.at) for d in documents] == [
        (str(n), f"第{n}篇", folder, f"{folder}:row {n + 1}") for n in range(3)
    ]
    assert documents[1].meta == {"n": "1"}
    assert [(r.at, r.what) for r in rejects] == [(f"{folder}:row 4", '"text" must be a text, not null')]
    assert [d.text for d in read({}, folder, split="test")] == ["第0篇"]
    assert Reader([folder]).size == 0


def test_pictures_and_sound_are_no_texts(read, tmp_path: Path) -> None:
    picture = {"bytes": b"\xff", "path": "a.png"}
    table = pa.table({"text": ["图"], "picture": [picture], "raw": [b"\0"], "of": [{"a": [1.5]}]})
    pq.write_table(table, tmp_path / "train.parquet")
    (document,) = read({}, f"hub:{tmp_path}")
    assert document.meta == {"of": '{"a": [1.5]}'}


def test_a_split_or_column_that_is_not_there(read, folder: str) -> None:
    with pytest.raises(DataError, match=r'hub:.*: cannot be loaded: .*(split|"dev")'):
        read({}, folder, split="dev")
    with pytest.raises(
        DataError, match=r'no column "body" \(known: id, n, text; --text-key names the right one\)'
    ):
        read({}, folder, text_key="body")


def test_a_name_that_cannot_be_reached_is_one_clear_line(read) -> None:
    with pytest.raises(DataError) as caught:
        read({}, "hub:no/such-data-set")
    assert str(caught.value).startswith("hub:no/such-data-set: cannot be loaded: ")
    assert str(caught.value).endswith(
        "(is the name right, and the network there? a downloaded folder needs neither)"
    )
    assert "\n" not in str(caught.value)
