"""What a source means: files, folders, patterns, their names and what is passed over."""

import os
from collections import Counter
from pathlib import Path

import pytest

from zhbert.errors import DataError
from zhbert.read.piece import Reject
from zhbert.read.reader import Reader
from zhbert.read.sources import expand, inputs_of

FILES = {
    "raw/b/x.txt": "乙",
    "raw/a/x.txt": "甲",
    "raw/a.txt": "点",
    "raw/c.jsonl": '{"text": "丙"}',
    "raw/.DS_Store": b"\0",
    "raw/.git/x.txt": "藏",
    "raw/notes.doc": b"\0",
    "raw/README": "x",
    "raw/b/table.doc": "x",
}


def names(*sources: str) -> list[tuple[str, str]]:
    return [(found.name, found.source) for found in inputs_of(sources, Counter())]


def test_a_folder_is_read_in_the_order_of_names(read, tmp_path: Path) -> None:
    documents = read(FILES, "raw")
    assert [(d.at, d.id, d.text, d.source) for d in documents] == [
        ("a/x.txt:1", "a/x.txt:1", "甲", "a"),
        ("a.txt:1", "a.txt:1", "点", "a.txt"),
        ("b/x.txt:1", "b/x.txt:1", "乙", "b"),
        ("c.jsonl:1", "c.jsonl:1", "丙", "c.jsonl"),
    ]
    reader = Reader(["raw"])
    assert reader.left_out == {"a file of another kind: .doc": 2, "a file of another kind: no suffix": 1}
    readable = [
        p for p in sorted(Path("raw").rglob("*")) if p.suffix in (".txt", ".jsonl") and ".git" not in p.parts
    ]
    assert [p.path for p in inputs_of(["raw"], Counter())] == readable
    assert reader.size == sum(p.stat().st_size for p in readable)
    assert len(list(reader)) == len(list(reader)) == 4  # a second time too
    assert reader.done == reader.size


def test_several_sources_are_told_apart(read) -> None:
    read(FILES | {"old/raw/x.txt": "旧", "one.txt": "一"}, "one.txt")
    assert names("raw", "one.txt", "-", "hub:x") == [
        ("raw/a/x.txt", "raw/a"),
        ("raw/a.txt", "raw/a.txt"),
        ("raw/b/x.txt", "raw/b"),
        ("raw/c.jsonl", "raw/c.jsonl"),
        ("one.txt", "one.txt"),
        ("stdin", "stdin"),
        ("hub:x", "hub:x"),
    ]
    here = Path.cwd().name
    assert names("raw/a", "old/raw", "one.txt")[1] == ("raw/x.txt", "raw/x.txt")
    assert names("raw", "old/raw")[-1] == ("old/raw/x.txt", "old/raw/x.txt")
    assert names("raw", "old/raw")[0] == (f"{here}/raw/a/x.txt", f"{here}/raw/a")


def test_patterns(read) -> None:
    read(FILES, "raw")
    assert names("raw/**/*.txt") == [("a/x.txt", "a"), ("a.txt", "a.txt"), ("b/x.txt", "b")]
    assert names("raw/[ab]/*.txt") == [("a/x.txt", "a"), ("b/x.txt", "b")]
    assert names("raw/?") == [("a/x.txt", "a"), ("b/x.txt", "b")]  # folders
    assert names("raw/**") == names("raw")
    assert names("raw/*.doc") == [("notes.doc", "notes.doc")]  # a pattern that ends in a suffix means it
    assert [p.as_posix() for p in expand("raw/*/x.txt")] == ["raw/a/x.txt", "raw/b/x.txt"]
    assert expand("raw") == [Path("raw")]
    with pytest.raises(DataError, match=r"raw/\*\.gz: nothing matches this pattern"):
        expand("raw/*.gz")
    with pytest.raises(DataError, match=r"raw/x: no such file or folder"):
        expand("raw/x")


def test_a_name_may_look_like_a_pattern(read) -> None:
    assert [d.at for d in read({"[甲]*.txt": "甲"})] == ["[甲]*.txt:1"]
    assert [d.at for d in read({"[乙]/a.txt": "甲"}, "[乙]")] == ["a.txt:1"]


def test_links_to_folders_lead_in_circles_and_are_left_out(read) -> None:
    read(FILES, "raw")
    os.symlink("../raw", "raw/loop")
    os.symlink("a/x.txt", "raw/linked.txt")
    os.symlink("nowhere", "raw/dead.txt")
    reader = Reader(["raw"])
    assert [d.text for d in reader] == ["甲", "点", "乙", "丙", "甲"]
    assert reader.left_out["a link to a folder"] == 1
    assert reader.left_out["no file, but a device, a pipe or a dead link"] == 1
    assert len(names("raw/**/*.txt")) == 4
    os.symlink("raw", "top")
    assert len(list(Reader(["top"]))) == len(list(Reader(["top/**"]))) == 5  # a link that was named


def test_a_file_that_was_named_is_read_whatever_it_is_called(read) -> None:
    import gzip

    line = '{"text": "北京"}\n'
    files = {
        "a.json": line,
        "b.log": "北京",
        "c": gzip.compress(line.encode()),
        "d.log.gz": gzip.compress(b"{"),
    }
    assert [(d.text, d.at) for d in read(files)] == [
        ("北京", "a.json:1"),
        ("北京", "b.log:1"),
        ("北京", "c:1"),
        ("{", "d.log.gz:1"),
    ]


def test_a_json_that_was_named_is_jsonl_or_a_mistake(read) -> None:
    listed = '[\n{"text": "北京"}\n]\n'
    rejects: list[Reject] = []
    assert [d.text for d in read({"a.json": '{"text": "北京"}', "b.json": listed}, rejects=rejects)] == [
        "北京"
    ] * 2
    assert [(r.at, r.reason) for r in rejects] == [
        ("b.json:1", "not valid JSON"),
        ("b.json:3", "not valid JSON"),
    ]
    rejects.clear()
    read({"c": listed}, rejects=rejects)
    assert [r.reason for r in rejects] == ["not valid JSON"] * 2
    with pytest.raises(DataError, match=r"no text files in this folder \(known: \.arrow, "):
        read({"raw/a.json": "{}"}, "raw")


def test_a_folder_of_datasets_is_its_parts_and_not_its_cache(read, tmp_path: Path) -> None:
    import datasets

    data = datasets.Dataset.from_dict({"id": ["1", "2"], "text": ["甲", "乙"]})
    data.save_to_disk(str(tmp_path / "one"), num_shards=2)
    datasets.DatasetDict({"train": data, "test": data}).save_to_disk(str(tmp_path / "two"))
    (tmp_path / "one" / "cache-1234.arrow").write_bytes(b"old")
    assert [(d.at, d.text) for d in read({}, "one")] == [
        ("data-00000-of-00002.arrow:row 1", "甲"),
        ("data-00001-of-00002.arrow:row 1", "乙"),
    ]
    assert [d.source for d in read({}, "two")] == ["test", "test", "train", "train"]
    assert not any(name.endswith(".json") for name in Reader(["one"]).left_out)


def test_what_cannot_be_opened(read, monkeypatch: pytest.MonkeyPatch) -> None:
    read({"raw/a.txt": "甲", "raw/b.txt": "乙"}, "raw")

    class Locked:
        def __init__(self, path: Path) -> None:
            raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("zhbert.read.reader.io.FileIO", Locked)
    with pytest.raises(DataError, match=r"raw/a\.txt: cannot be read: permission denied"):
        list(Reader(["raw"]))
    rejects = []
    assert list(Reader(["raw"], reject=rejects.append)) == []
    assert [(r.at, r.what) for r in rejects] == [
        ("a.txt", "cannot be read: permission denied"),
        ("b.txt", "cannot be read: permission denied"),
    ]


def test_a_folder_that_cannot_be_listed(read, monkeypatch: pytest.MonkeyPatch) -> None:
    read({"raw/a.txt": "甲"})

    def locked(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("zhbert.read.sources.os.scandir", locked)
    with pytest.raises(DataError, match=r"raw: cannot be read: permission denied"):
        Reader(["raw"])
