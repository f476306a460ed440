"""Shards: what is written is what is read, and what was damaged is refused."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from zhbert.encode.shards import CONTINUES_WORD, SENTENCE, Shards, ShardWriter
from zhbert.errors import DataError

DOCS = [[[5, 6, 7], []], [[8, 65_535], [9], [5, 5]], [[]]]  # three shards; empty documents keep their number


def write(folder: Path, *, vocabulary: int = 65_536, segmenter: str = "jieba-1") -> Path:
    for at, docs in enumerate(DOCS):
        with ShardWriter(
            folder / f"{at:05d}",
            vocabulary=vocabulary,
            tokenizer="tok-1",
            segmenter=segmenter,
            config={"最长": "512"},
        ) as shard:
            for number, ids in enumerate(docs):
                shard.add(ids, [SENTENCE] * len(ids), sources=["新闻" if number else f"来源{at}"])
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "shards")


@pytest.mark.parametrize(("vocabulary", "name", "width"), [(65_536, "ids.u16", 2), (65_537, "ids.u32", 4)])
def test_documents_come_back(tmp_path: Path, vocabulary: int, name: str, width: int) -> None:
    shards = Shards.open(write(tmp_path, vocabulary=vocabulary), tokenizer="tok-1")
    assert (shards.n_docs, shards.n_tokens) == (6, 8)
    assert [shards.doc(i)[0].tolist() for i in range(6)] == [ids for docs in DOCS for ids in docs]
    assert shards.doc(3)[1].tolist() == [SENTENCE]
    assert (tmp_path / "00000" / name).stat().st_size == 3 * width
    with pytest.raises(IndexError):
        shards.doc(6)
    with pytest.raises(IndexError):
        shards.doc(-1)


def test_the_files_are_the_format_that_the_docstring_shows(folder: Path) -> None:
    shard = folder / "00001"
    assert sorted(path.name for path in shard.iterdir()) == [
        "docs.u64",
        "flags.u8",
        "ids.u16",
        "meta.json",
        "sources.u16",
    ]
    assert np.fromfile(shard / "ids.u16", "<u2").tolist() == [8, 65_535, 9, 5, 5]
    assert np.fromfile(shard / "docs.u64", "<u8").tolist() == [2, 3, 5]
    assert np.fromfile(shard / "sources.u16", "<u2").tolist() == [0, 1, 1]
    meta = json.loads((shard / "meta.json").read_text(encoding="utf-8"))
    assert meta["sources"] == ["来源1", "新闻"]
    assert (meta["documents"], meta["tokens"], meta["config"]) == (3, 5, {"最长": "512"})
    assert set(meta["sha256"]) == {"ids.u16", "flags.u8", "docs.u64", "sources.u16"}


def test_sources_have_one_numbering_over_all_shards(folder: Path) -> None:
    shards = Shards.open(folder)
    assert shards.sources == ("来源0", "新闻", "来源1", "来源2")
    assert shards.sources_D.tolist() == [0, 1, 2, 1, 1, 3]


def test_documents_without_a_source_have_the_empty_one(tmp_path: Path) -> None:
    write_one(tmp_path / "00000", [1], [0])
    assert Shards.open(tmp_path).sources == ("",)


def test_what_a_shard_cannot_number_has_one_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhbert.encode.shards.SOURCES", 2)
    with ShardWriter(tmp_path / "00000", vocabulary=9, tokenizer="t", segmenter="s") as shard:
        shard.add([1] * 5, [0] * 5, [1, 2, 3, 4, 5], sources=["甲", "乙", "丙", "丁", "甲"])
    shards = Shards.open(tmp_path)
    assert [shards.sources[i] for i in shards.sources_D] == ["甲", "乙", "…", "…", "甲"]


def test_the_same_documents_give_the_same_bytes(tmp_path: Path) -> None:
    for a, b in zip(
        sorted(write(tmp_path / "a").rglob("*")), sorted(write(tmp_path / "b").rglob("*")), strict=True
    ):
        assert a.is_dir() or a.read_bytes() == b.read_bytes()


def test_a_reader_is_sent_as_its_folder(folder: Path) -> None:
    data = pickle.dumps(Shards.open(folder))
    assert len(data) < 500
    assert pickle.loads(data).doc(0)[0].tolist() == [5, 6, 7]


def test_the_files_cannot_be_changed_through_a_reader(folder: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        Shards.open(folder).doc(0)[0][0] = 1


def write_one(folder: Path, ids: list[int], flags: list[int], *, then: type[Exception] | None = None) -> None:
    with ShardWriter(folder, vocabulary=9, tokenizer="tok-1", segmenter="jieba-1") as shard:
        shard.add(ids, flags)
        if then:
            raise then


def test_a_writer_that_fails_leaves_nothing_to_believe(folder: Path) -> None:
    with pytest.raises(KeyError):
        write_one(folder / "00001", [1], [0], then=KeyError)
    assert not list(folder.rglob("*.partial"))
    with pytest.raises(DataError, match=r"00001/meta\.json: this shard was never finished"):
        Shards.open(folder)


@pytest.mark.parametrize(("ids", "flags"), [([9], [0]), ([-1], [0]), ([1, 2], [0]), ([[1]], [[0]])])
def test_what_is_no_document_is_our_own_mistake(tmp_path: Path, ids: list[int], flags: list[int]) -> None:
    with pytest.raises(AssertionError):
        write_one(tmp_path / "00000", ids, flags)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


DAMAGE = {
    "missing ids": (lambda f: (f / "00001/ids.u16").unlink(), r"00001/ids\.u16: this file is missing"),
    "missing flags": (lambda f: (f / "00000/flags.u8").unlink(), r"00000/flags\.u8: this file is missing"),
    "short ids": (lambda f: truncate(f / "00001/ids.u16"), r"ids\.u16: 9 bytes, not 10"),
    "short docs": (lambda f: truncate(f / "00001/docs.u64"), r"docs\.u64: 23 bytes, not 24"),
    "no meta": (lambda f: (f / "00002/meta.json").unlink(), "this shard was never finished"),
    "broken meta": (
        lambda f: truncate(f / "00000/meta.json") or truncate(f / "00000/meta.json"),
        "not valid JSON",
    ),
    "foreign meta": (
        lambda f: edit(f / "00000/meta.json", format=1),
        r"shard format 1, not 2 \(encode the corpus again\)",
    ),
    "odd meta": (
        lambda f: edit(f / "00000/meta.json", tokens="3"),
        r'meta\.json: "tokens" must be a whole number',
    ),
    "other tokenizer": (
        lambda f: edit(f / "00002/meta.json", tokenizer="tok-2"),
        "00002/meta.json: encoded with another tokenizer",
    ),
    "other segmenter": (
        lambda f: edit(f / "00001/meta.json", segmenter="x"),
        "encoded with another segmenter",
    ),
    "ends elsewhere": (
        lambda f: (f / "00001/docs.u64").write_bytes(np.array([2, 3, 4], "<u8").tobytes()),
        "the last document does not end with the tokens",
    ),
    "nothing": (lambda f: [shutil.rmtree(path) for path in f.iterdir()], "no shards here"),
    "no folder": (shutil.rmtree, "no such folder"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named(folder: Path, name: str) -> None:
    damage, message = DAMAGE[name]
    damage(folder)
    with pytest.raises(DataError, match=message):
        Shards.open(folder)


def test_another_tokenizer_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"00000/meta\.json: encoded with another tokenizer"):
        Shards.open(folder, tokenizer="tok-2")


def test_verify_reads_every_byte(folder: Path) -> None:
    shards = Shards.open(folder)
    shards.verify()
    flags = bytearray((folder / "00001/flags.u8").read_bytes())
    flags[0] ^= int(CONTINUES_WORD)
    (folder / "00001/flags.u8").write_bytes(flags)
    with pytest.raises(DataError, match=r"00001/flags\.u8: the content has changed"):
        Shards.open(folder).verify()
