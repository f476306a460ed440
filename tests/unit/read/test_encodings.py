"""Encodings are told apart, and none is chosen wrongly in silence."""

import gzip
import json
import os
from itertools import islice
from pathlib import Path

import pytest

from zhbert.read.encodings import detect
from zhbert.read.piece import Reject

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).parents[4] / "shared" / "data")) / "text"
MAINLAND = "他说这个问题我们已经想了很多年，现在是时候动手做了。中国的城市在发展，人们的生活越来越好了。"
TAIWAN = "他說這個問題我們已經想了很多年，現在是時候動手做了。中國的城市在發展，人們的生活越來越好了。"
OTHERS = {
    "euc_kr": "그는 이 문제에 대해 오랫동안 생각해 왔으며 이제 행동할 때가 되었다고 말했다.",
    "shift_jis": "彼はこの問題について長い間考えてきたが、今こそ行動する時だと言った。都市は発展している。",
    "euc_jp": "彼はこの問題について長い間考えてきたが、今こそ行動する時だと言った。都市は発展している。",
    "cp1251": "Он сказал, что мы думали об этой проблеме много лет, и теперь пришло время действовать.",
    "latin-1": "Il a dit que nous avions réfléchi à ce problème pendant des années; c'est l'été.",
    "cp1252": "Er sagte, wir hätten über dieses Problem „jahrelang“ nachgedacht — für größere Städte.",
    "big5hkscs": TAIWAN,
    "cp949": "그는 이 문제에 대해 오랫동안 생각해 왔다. 뷁 똠방각하",
}


@pytest.mark.parametrize("text", [MAINLAND, TAIWAN])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_what_is_certain_is_found(text: str, encoding: str) -> None:
    text = f"# news\n{text}\n"
    assert detect(text.encode(encoding), whole=True).encoding == encoding
    assert detect(text.encode(encoding)[:81]).encoding == encoding  # cut inside a character


@pytest.mark.parametrize("encoding", OTHERS)
def test_what_is_something_else_is_never_chosen(encoding: str) -> None:
    text = OTHERS[encoding]
    for length in (*range(2, 30), len(text)):
        for start in range(0, len(text) - length + 1, 3):
            sample = text[start : start + length].encode(encoding)
            found = detect(sample, whole=True).encoding
            assert found in ("", "utf-8"), text[start : start + length]
            assert not found or sample.decode("utf-8")  # for two letters can be UTF-8 by chance


def test_damaged_utf8_is_utf8() -> None:
    data = bytearray(MAINLAND.encode() * 10)
    data[100] = data[900] = 0xFF
    assert detect(bytes(data)).encoding == "utf-8"
    assert detect(MAINLAND.encode()[:-1]).encoding == "utf-8"


def test_a_stray_byte_in_ascii_makes_no_other_encoding() -> None:
    assert detect(b"plain text, and then\xa0some more. " + b"and more. " * 200).encoding == "utf-8"
    assert detect("caf\xe9 cr\xe8me".encode("latin-1"), whole=True).encoding == ""
    assert detect(b"code " * 1000 + "中文".encode("gbk"), whole=True).likely == "gb18030"


def test_big5_is_likely_at_most_and_noise_is_nothing() -> None:
    assert detect(TAIWAN.encode("big5"), whole=True).likely == "big5"
    assert detect(bytes(range(128, 256)) * 4, whole=True).encoding == ""
    assert detect(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))).binary
    assert detect(bytes(range(1, 30)) * 3).binary == "it is full of control characters"
    assert detect(b"").encoding == detect(b"plain").encoding == "utf-8"


def test_what_was_found_is_reported_by_file(read) -> None:
    from zhbert.read.reader import Reader

    files = {"a.txt": MAINLAND, "b.txt": MAINLAND.encode("gbk"), "c.txt": MAINLAND.encode("utf-16")}
    assert len({d.text for d in read(files)}) == 1
    reader = Reader(list(files))
    assert len(list(reader)) == 3
    assert reader.encodings == {"b.txt": "GB18030", "c.txt": "UTF-16"}


@pytest.mark.slow
def test_the_first_line_beyond_ascii_decides(read) -> None:
    head = "plain ascii, line after line\n" * 20_000  # more than is looked at first
    assert read({"a.txt": (head + MAINLAND).encode("gbk")}, form="lines")[-1].text == MAINLAND
    assert read({"a.txt": (head + MAINLAND).encode()}, form="lines")[-1].text == MAINLAND
    rejects: list[Reject] = []
    big5 = (head + TAIWAN).encode("big5") + b"\nmore\n"
    assert len(read({"a.txt": big5}, form="lines", rejects=rejects)) == 20_000
    assert [(r.at, r.what) for r in rejects] == [("a.txt:20001", f"not UTF-8 at byte {len(head)}")]


def test_a_chosen_encoding_is_not_left_again(read) -> None:
    rejects: list[Reject] = []
    mixed = f"{MAINLAND}\n".encode() * 5000 + f"{MAINLAND}\n".encode("gbk") + MAINLAND.encode()
    assert len(read({"a.txt": mixed}, form="lines", rejects=rejects)) == 5001
    assert [(r.at, r.reason) for r in rejects] == [("a.txt:5001", "not UTF-8")]


@pytest.mark.parametrize(("name", "encoding"), [("gb2312", "gbk"), ("Big5", "big5"), ("cp936", "gb18030")])
def test_a_named_encoding_is_taken(name: str, encoding: str, read) -> None:
    text = "中國" if encoding == "big5" else "镕㐀" if encoding == "gb18030" else "镕"
    assert [d.text for d in read({"a.txt": text.encode(encoding)}, encoding=name)] == [text]


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not there")
@pytest.mark.parametrize("name", ["docs", "histories", "laws", "tech-translations"])
def test_real_texts_are_never_taken_for_something_else(name: str) -> None:
    wrong = certain = 0
    with gzip.open(DATA / f"{name}.jsonl.gz") as lines:
        for line in islice(lines, 0, None, 97):
            text = json.loads(line)["text"][:3000]
            if text.isascii():
                continue
            for encoding in ("gb18030", "big5"):
                found = detect(text.encode(encoding, "ignore"), whole=True).encoding
                wrong += found not in ("", encoding) or found == "big5"
                certain += found == encoding
    assert wrong == 0
    assert certain > 20
