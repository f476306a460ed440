"""Archives: their members as if they lay in a folder; what is refused of them is in tests/golden."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable

import pytest
import zstandard

from zhbert.read.piece import Reject
from zhbert.read.reader import Reader

MEMBERS = {
    "语料/b.txt": "第一\n\n第二".encode(),
    "a.jsonl.gz": gzip.compress('{"text": "丙", "id": "7"}\n'.encode()),
    "语料/c.csv": "text\n丁\n".encode(),
    ".git/d.txt": b"hidden",
    "__MACOSX/e.txt": b"hidden",
    "photo.jpg": b"\xff\xd8",
    "inner.zip": b"PK",
}
PLACES = ["语料/b.txt:1", "语料/b.txt:3", "a.jsonl.gz:1", "语料/c.csv:2"]


def tar(members: dict[str, bytes], encoding: str = "utf-8", **how) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", encoding=encoding, **how) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.mkdir("语料")
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


PACKED: dict[str, Callable[[], bytes]] = {
    "x.tar": lambda: tar(MEMBERS),
    "gnu.tar": lambda: tar(MEMBERS, format=tarfile.GNU_FORMAT),
    "pax.tar": lambda: tar(MEMBERS, format=tarfile.PAX_FORMAT),
    "old.tar": lambda: tar(MEMBERS, format=tarfile.USTAR_FORMAT),
    "x.tar.gz": lambda: gzip.compress(tar(MEMBERS)),
    "x.tgz": lambda: gzip.compress(tar(MEMBERS)),
    "x.tar.zst": lambda: zstandard.compress(tar(MEMBERS)),
    "x.zip": lambda: zipped(MEMBERS),
    "stored.zip": lambda: zipped(MEMBERS, zipfile.ZIP_STORED),
    "bzip2.zip": lambda: zipped(MEMBERS, zipfile.ZIP_BZIP2),
    "lzma.zip": lambda: zipped(MEMBERS, zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("name", PACKED)
def test_members_are_read_in_order_with_their_places(name: str, read, tmp_path) -> None:
    documents = read({name: PACKED[name]()})
    assert [d.at for d in documents] == [f"{name}/{place}" for place in PLACES]
    assert [d.text for d in documents] == ["第一", "第二", "丙", "丁"]
    assert {d.source for d in documents} == {name}
    assert documents[2].id == "7"
    reader = Reader([name])
    list(reader)
    assert reader.left_out == {"a file of another kind: .jpg": 1, "an archive inside an archive": 1}
    assert reader.done == reader.size == (tmp_path / name).stat().st_size


def test_names_in_gb18030_are_read(read) -> None:
    members = {"新闻.txt": "甲".encode()}
    data = tar(members, encoding="gb18030", format=tarfile.GNU_FORMAT)
    assert [d.at for d in read({"a.tar": data})] == ["a.tar/新闻.txt:1"]
    old = zipped({"__.txt": "甲".encode()}).replace(b"__.txt", "新".encode("gb18030") + b".txt")
    assert [d.at for d in read({"a.zip": old})] == ["a.zip/新.txt:1"]
    odd = tar({"一\n二.txt": "甲".encode()})
    assert [d.at for d in read({"b.tar": odd})] == ["b.tar/一\ufffd二.txt:1"]


@pytest.mark.slow
def test_long_names_and_many_members_are_no_matter(read) -> None:
    members = {f"{'长' * 80}/{n:04}.txt": b"text" for n in range(2000)}
    documents = read({"a.tar": tar(members), "b.zip": zipped(members)})
    assert len(documents) == 4000
    assert len({d.id for d in documents}) == 4000


def test_nothing_is_written(read, tmp_path) -> None:
    read({"a.zip": PACKED["x.zip"](), "b.tar": PACKED["x.tar"]()})
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.zip", "b.tar"]


@pytest.mark.parametrize("count", [3, pytest.param(70_000, marks=pytest.mark.slow)])
def test_a_crowd_is_seen_before_the_list_is_read(count: int, read, monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for n in range(count):
            archive.writestr(f"{n}.txt", "")
    monkeypatch.setattr(zipfile, "ZipFile", None)  # it would hold them all
    rejects: list[Reject] = []
    read({"a.zip": file.getvalue()}, rejects=rejects, max_members=2)
    assert [r.what for r in rejects] == ["an archive of more than 2 members"]


@pytest.mark.parametrize("share", range(1, 20))
@pytest.mark.parametrize("name", ["x.tar", "x.zip", "x.tgz"])
def test_every_cut_is_noticed(name: str, share: int, read) -> None:
    data = PACKED[name]()
    data = data.rstrip(b"\0") if name == "x.tar" else data  # the end mark, and padding
    rejects: list[Reject] = []
    assert len(read({name: data[: len(data) * share // 20]}, rejects=rejects)) <= 4
    assert len(rejects) == 1
