"""Reading, stated: whatever is written in whatever packing and encoding comes back, with its place."""

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from zhbert.read.config import ReadConfig
from zhbert.read.piece import Reject
from zhbert.read.reader import Reader
from zhbert.read.web import page_text
from zhbert.read.wikitext import plain_text

PACK = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.compress,
}
SPECIAL = "北京的一是不\n\n\n\r\r\n \t\u3000\u2028\x85\v\f\x1c\x00\ufeff\u200bé́😀𠮷㐀\ue000,\"'{}[]\\:#|<>&;"
CHARS = st.one_of(st.sampled_from(SPECIAL), st.characters(exclude_categories=("Cs",)))
TEXTS = st.text(CHARS, max_size=40)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-32-be"])
BAD = [b"{", b"[]", b"\xff", b'{"text": 7}', b'{"text": "\xe4\xb8"}']


def read(name: str, data: bytes, **config) -> tuple[list[tuple[str, str]], list[Reject]]:
    rejects: list[Reject] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        documents = list(Reader([str(path)], ReadConfig(**config), reject=rejects.append))
    return [(d.at.rpartition(":")[2], d.text) for d in documents], rejects


def slow_blocks(text: str) -> Iterator[tuple[str, str]]:
    """Blocks, read as slowly and plainly as can be."""
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    for number, line in enumerate(lines):
        if line.strip() and (number == 0 or not lines[number - 1].strip()):
            block = [line]
            for more in lines[number + 1 :]:
                if not more.strip():
                    break
                block.append(more)
            yield str(number + 1), "\n".join(block)


@given(text=st.text(CHARS, max_size=200), encoding=ENCODINGS, suffix=st.sampled_from(list(PACK)))
@examples(100)
def test_blocks_lines_and_files(text: str, encoding: str, suffix: str) -> None:
    data = PACK[suffix](text.encode(encoding))
    named = {"encoding": encoding.removesuffix("-sig")}
    blocks, _ = read(f"a.txt{suffix}", data, **named)
    assert blocks == list(slow_blocks(text))
    lines, _ = read(f"a.txt{suffix}", data, form="lines", **named)
    assert lines == [
        (str(number), line.removesuffix("\r"))
        for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1)
        if line.strip()
    ]


@given(texts=st.lists(TEXTS, max_size=8), encoding=ENCODINGS, ascii=st.booleans(), crlf=st.booleans())
@examples(100)
def test_jsonl(texts: list[str], encoding: str, ascii: bool, crlf: bool) -> None:
    end = "\r\n" if crlf else "\n"
    data = end.join(json.dumps({"text": text}, ensure_ascii=ascii) for text in texts).encode(encoding)
    found, _ = read("a.jsonl", data, encoding=encoding.removesuffix("-sig"))
    assert found == [(str(number), text) for number, text in enumerate(texts, 1)]


@given(texts=st.lists(TEXTS.filter(lambda text: "\r" not in text), max_size=8), encoding=ENCODINGS)
@examples(100)
def test_csv(texts: list[str], encoding: str) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(
        [["n", "text"], *([n, text] for n, text in enumerate(texts))]
    )
    found, _ = read("a.csv", file.getvalue().encode(encoding), encoding=encoding.removesuffix("-sig"))
    assert [text for _, text in found] == texts


@given(data=st.binary(max_size=300), name=st.sampled_from(["a.txt", "a.jsonl", "a.csv", "a.html", "a.xml"]))
@examples(150)
def test_noise_ends_in_documents_or_rejects(data: bytes, name: str) -> None:
    found, rejects = read(name, data)
    assert found or rejects


@given(
    data=st.binary(max_size=300),
    name=st.sampled_from(
        ["a.txt.gz", "a.txt.bz2", "a.txt.xz", "a.txt.zst", "a.tar", "a.zip", "a.parquet", "a.arrow"]
    ),
    begin=st.sampled_from(
        [b"", b"\x1f\x8b\x08\0", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1"]
    ),
)
@examples(150)
def test_noise_that_should_be_packed_ends_in_rejects(data: bytes, name: str, begin: bytes) -> None:
    found, rejects = read(name, begin + data)
    assert found or rejects


@given(good=st.lists(st.sampled_from(["好", "一二三", "long " * 9]), min_size=1, max_size=6), bad=st.data())
@examples(100)
def test_bad_records_cost_themselves_alone(good: list[str], bad: st.DataObject) -> None:
    lines: list[bytes] = []
    expected = []
    for text in good:
        lines += bad.draw(st.lists(st.sampled_from(BAD), max_size=2))
        lines.append(json.dumps({"text": text + "这是北京大学的一个学生"}, ensure_ascii=False).encode())
        expected.append(str(len(lines)))
    found, rejects = read("a.jsonl", b"\n".join(lines), encoding="utf-8")
    assert [place for place, _ in found] == expected
    assert len(found) + len(rejects) == len(lines)


@given(text=st.text(CHARS, max_size=100))
@examples(100)
def test_markup_readers_take_everything(text: str) -> None:
    assert isinstance(plain_text(text), str)
    page_text(text)
    shown = "".join(text.replace("\x00", "").split()) if not set(text) & set("<>&\x00") else None
    if shown is not None:
        assert "".join(page_text(text)[0].split()) == shown


def damaged_files() -> dict[str, bytes]:
    """A good file of every kind that has a structure."""
    texts = [f"第{n}篇，" + "北京大学" * n for n in range(30)]
    table, file = pa.table({"text": texts, "n": list(range(30))}), io.BytesIO()
    pq.write_table(table, file, row_group_size=10)
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=10)
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with (
        zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive,
        tarfile.open(fileobj=tarred, mode="w") as tar,
    ):
        for number, text in enumerate(texts[:5]):
            archive.writestr(f"文{number}.txt", text)
            info = tarfile.TarInfo(f"文{number}.txt")
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    plain = {"a.parquet": file, "a.arrow": stream, "a.zip": zipped, "a.tar": tarred}
    packed = {f"a.txt{suffix}": pack("\n\n".join(texts).encode()) for suffix, pack in PACK.items() if suffix}
    return {name: data.getvalue() for name, data in plain.items()} | packed


FILES = damaged_files()


@given(name=st.sampled_from(sorted(FILES)), draw=st.data())
@examples(200)
def test_damage_ends_in_rejects_or_documents_and_never_in_a_crash(name: str, draw: st.DataObject) -> None:
    data = bytearray(FILES[name])
    for _ in range(draw.draw(st.integers(1, 3))):
        place = draw.draw(st.integers(0, len(data) - 1))
        data[place] = draw.draw(st.integers(0, 255))
    found, rejects = read(name, bytes(data))
    assert found or rejects
