"""Streams without a name: what they hold is told from their first bytes."""

import bz2
import gzip
import io
import lzma
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from zhbert.errors import DataError
from zhbert.read.reader import Reader
from zhbert.read.spool import spool


def parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"text": ["北京"]}), file)
    return file.getvalue()


STREAMS: dict[str, tuple[bytes, str]] = {
    "text": ("北京\n".encode(), "stdin.txt"),
    "jsonl": ('\ufeff\n {"text": "北京"}\n'.encode(), "stdin.jsonl"),
    "one long line": (b'{"more": "%s", "text": "%s"}' % (b"x" * 900_000, "北京".encode()), "stdin.jsonl"),
    "braces": ("{ 北京\n".encode(), "stdin.txt"),
    "html": ("<!-- x -->\n<!DOCTYPE HTML><p>北京".encode(), "stdin.html"),
    "wiki": (
        "<mediawiki><page><title>t</title><revision><text>北京</text></revision></page></mediawiki>".encode(),
        "stdin.xml",
    ),
    "parquet": (parquet(), "stdin.parquet"),
    "gzip": (gzip.compress('{"text": "北京"}'.encode()), "stdin.jsonl.gz"),
    "bzip2": (bz2.compress("北京".encode()), "stdin.txt.bz2"),
    "xz": (lzma.compress("北京".encode()), "stdin.txt.xz"),
    "zstd": (zstandard.compress('{"text": "北京"}'.encode()), "stdin.jsonl.zst"),
    "gb18030": ("他说这个问题我们想了很多年，北京".encode("gb18030"), "stdin.txt"),
}


class Pipe(io.RawIOBase):
    """Hands out a few bytes at a time, and cannot go back."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        few = 7 if len(self._data) < 1000 else 5000
        part, self._data = self._data[:few], self._data[few:]
        buffer[: len(part)] = part
        return len(part)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_becomes_a_file_that_is_read(name: str, tmp_path: Path) -> None:
    data, called = STREAMS[name]
    path = spool(io.BufferedReader(Pipe(data)), tmp_path / "new")
    assert path == tmp_path / "new" / called
    assert path.read_bytes() == data
    assert sorted(path.parent.iterdir()) == [path]
    assert [d.text[-2:] for d in Reader([str(path)])] == ["北京"]


@pytest.mark.parametrize("name", sorted(STREAMS.keys() - {"parquet"}))
def test_standard_input_is_read_as_it_comes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data, _ = STREAMS[name]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Pipe(data))))
    reader = Reader(["-"])
    assert [d.text[-2:] for d in reader] == ["北京"]
    assert reader.size == reader.done == 0


def test_places_in_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    data = '{"text": "甲"}\n{"text": 7}\n'.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    documents = iter(Reader(["-"]))
    assert next(documents).at == "stdin:1"
    with pytest.raises(DataError, match='standard input:2: "text" must be a text, not a number'):
        next(documents)


def test_an_empty_stream_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"-: standard input is empty \(pipe texts into it\)"):
        spool(io.BytesIO(), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
