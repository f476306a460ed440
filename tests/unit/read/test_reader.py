"""The reader as a whole: many files of many kinds, bad ones among them, and memory that does not grow."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from zhbert.errors import DataError
from zhbert.read.piece import Reject
from zhbert.read.reader import Reader

LINE = json.dumps({"text": "北京大学" * 50}, ensure_ascii=False) + "\n"


def test_one_bad_file_among_many_costs_itself(read) -> None:
    rejects: list[Reject] = []
    files = {
        "raw/a.txt": "甲",
        "raw/b.jsonl.gz": gzip.compress(LINE.encode() * 3)[:-20],
        "raw/c.txt": "",
        "raw/d.csv": "content\n丁",
        "raw/e.zip": b"PK",
        "raw/f.xml": "<rss/>",
        "raw/g.txt": "庚",
        "raw/h.html": b"\0\0",
    }
    assert [d.at for d in read(files, "raw", rejects=rejects)] == ["a.txt:1", "b.jsonl.gz:1", "g.txt:1"]
    assert [(r.at, r.reason) for r in rejects] == [
        ("b.jsonl.gz:2", "the gzip data is cut off"),
        ("c.txt", "the file has no text"),
        ("d.csv:1", 'no column "text"'),
        ("e.zip", "not a whole zip file"),
        ("f.xml:1", "not a MediaWiki dump"),
        ("h.html", "not a text file"),
    ]


def test_without_rejects_what_came_before_the_fault_was_there(read) -> None:
    read({"a.jsonl": LINE + "[]\n" + LINE}, rejects=[])
    documents = iter(Reader(["a.jsonl"]))
    assert next(documents).at == "a.jsonl:1"
    with pytest.raises(DataError, match=r"^a\.jsonl:2: not a JSON object, but a list \(every line"):
        next(documents)


def test_the_bar_moves_to_its_end_and_never_back(read) -> None:
    files = {
        "raw/a.jsonl": LINE * 4000,
        "raw/b.jsonl.gz": gzip.compress(LINE.encode() * 9000),
        "raw/c.txt": "末",
    }
    read(files, "raw")
    reader = Reader(["raw"])
    seen = [reader.done for _ in reader]
    assert seen == sorted(seen)
    assert len(set(seen)) > 5
    assert reader.done == reader.size == sum(p.stat().st_size for p in Path("raw").iterdir())


def peak(code: str) -> int:
    """The most memory that a fresh process held, in MB."""
    code += (
        "\nprint(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"  # rusage counts the parent
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return int(ended.stdout) >> 10


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the peak of one process")
@pytest.mark.parametrize("suffix", [".jsonl.gz", ".txt", ".csv", ".xml"])
def test_memory_does_not_grow_with_the_file(suffix: str, tmp_path: Path) -> None:
    text = "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(5000))
    head, record, tail = {
        ".jsonl.gz": ("", json.dumps({"text": text}, ensure_ascii=False) + "\n", ""),
        ".txt": ("", f"{text}\n\n", ""),
        ".csv": ("text\n", f'"{text}\n"\n', ""),
        ".xml": (
            "<mediawiki>\n",
            f"<page><title>t</title><ns>1</ns><revision><text>{text}</text></revision></page>\n",
            "</mediawiki>",
        ),
    }[suffix]
    found = []
    for count in (500, 8000):  # 7 and 120 MB
        path = tmp_path / f"{count}{suffix}"
        data = (head + record * count + tail).encode()
        path.write_bytes(gzip.compress(data, 1) if suffix.endswith(".gz") else data)
        del data
        code = f"from zhbert.read.reader import Reader\nfor d in Reader([{str(path)!r}]): pass"
        found.append(peak(code))
    assert found[1] < found[0] + 10
