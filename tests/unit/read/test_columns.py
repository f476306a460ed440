"""Parquet and Arrow: rows in batches, values as texts."""

import datetime
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zhbert.read.piece import Reject
from zhbert.read.reader import Reader

ROWS = {
    "id": ["甲", None, "3"],
    "text": ["NA", "一\u2028二", ""],
    "source": ["wiki", None, "web"],
    "n": [1, None, 3],
    "share": [0.5, 1.25, None],
    "good": [True, False, None],
    "when": [datetime.date(2024, 5, 1)] * 3,
    "price": [Decimal("1.10")] * 3,
    "tags": [["a", "乙"], None, []],
    "of": [{"b": 1}, {"b": None}, None],
    "picture": [b"\xff", None, b""],
    "raw": [{"bytes": b"\xff", "path": "x"}] * 3,
}


def parquet(table: pa.Table, **how) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **how)
    return file.getvalue()


def arrow(table: pa.Table, new=pa.ipc.new_stream) -> bytes:
    file = io.BytesIO()
    with new(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return file.getvalue()


FILES = {
    "a.parquet": lambda table: parquet(table, row_group_size=2),
    "a.arrow": arrow,
    "file.arrow": lambda table: arrow(table, pa.ipc.new_file),
}


@pytest.mark.parametrize("name", FILES)
def test_rows_are_documents(name: str, read) -> None:
    documents = read({name: FILES[name](pa.table(ROWS))})
    assert [(d.id, d.text, d.source, d.at) for d in documents] == [
        ("甲", "NA", "wiki", f"{name}:row 1"),
        (f"{name}:row 2", "一\u2028二", name, f"{name}:row 2"),
        ("3", "", "web", f"{name}:row 3"),
    ]
    always = {"when": "2024-05-01", "price": "1.10"}
    assert [d.meta for d in documents] == [
        {"n": "1", "share": "0.5", "good": "true", "tags": '["a", "乙"]', "of": '{"b": 1}'} | always,
        {"share": "1.25", "good": "false", "of": '{"b": null}'} | always,
        {"n": "3", "tags": "[]"} | always,
    ]
    reader = Reader([name])
    assert len(list(reader)) == 3
    assert reader.left_out == {"a column of bytes: picture": 1, "a column of bytes: raw": 1}
    assert reader.done == reader.size


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.binary()])
def test_texts_may_be_kept_in_several_ways(kind: pa.DataType, read) -> None:
    table = pa.table({"text": pa.array(["北京", "大学"], pa.string()).cast(kind)})
    assert [d.text for d in read({"a.parquet": parquet(table), "b.arrow": arrow(table)})] == [
        "北京",
        "大学",
    ] * 2


@pytest.mark.parametrize("name", FILES)
def test_a_packed_or_archived_file_is_read_too(name: str, read) -> None:
    import gzip

    data = FILES[name](pa.table({"text": ["北京"]}))
    assert [d.at for d in read({f"{name}.gz": gzip.compress(data)})] == [f"{name}.gz:row 1"]


@pytest.mark.slow
def test_memory_is_bounded_by_the_batch(tmp_path) -> None:
    texts = pa.array(["长" * 100_000] * 1000)
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", row_group_size=250)
    before = pa.total_allocated_bytes()
    most = 0
    for _ in Reader([str(tmp_path / "a.parquet")]):
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < 100 << 20  # of 300 MB


def test_no_rows_are_no_records(read) -> None:
    rejects: list[Reject] = []
    table = pa.table({"text": pa.array([], pa.string())})
    assert read({"a.parquet": parquet(table), "b.arrow": arrow(table)}, rejects=rejects) == []
    assert [r.what for r in rejects] == ["the file has no records"] * 2


@pytest.mark.parametrize("size", [0, 3, 8, 100, 400])
@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_is_one_reject(name: str, size: int, read) -> None:
    rejects: list[Reject] = []
    assert len(read({name: FILES[name](pa.table(ROWS))[:size]}, rejects=rejects)) <= 2
    assert len(rejects) == 1


def test_bad_text_beside_the_texts(read) -> None:
    rejects: list[Reject] = []
    table = pa.table({"text": ["甲", "乙"], "a": ["好好", "二"], "b": [["好好"], ["二"]]})
    flat = parquet(table.drop("b"), compression="none", use_dictionary=False).replace(
        "好好".encode(), b"\xff" * 6
    )
    documents = read({"a.parquet": flat}, rejects=rejects)
    assert [d.meta for d in documents] == [{"a": "\\xff" * 6}, {"a": "二"}]
    nested = parquet(table, compression="none", use_dictionary=False).replace("好好".encode(), b"\xff" * 6)
    assert read({"b.parquet": nested}, rejects=rejects) == []
    assert [(r.at, r.reason) for r in rejects] == [("b.parquet:row 1", "the file is damaged")]
