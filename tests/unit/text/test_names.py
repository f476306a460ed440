"""Titles and Latin names: what is found in a line, what is left, and that hostile lines take one pass."""

import time

import pytest

from zhbert.text.blob import Blob
from zhbert.text.names import RUN, TITLE, latin_names, titles

LATIN = """
    用|iPhone 15 Pro|和|GPT-4|写|node.js|。|University of Oxford|的deep learning，BERT
    |Arch Linux|或|Ubuntu 14.04|，|Seth Kenlon|写|do_stuff|函数，|AT&T|的|I/O|，|TCP/IP|，|Café Noir|
    访问github.com/LCTT/TranslateProject或/usr/local/bin，|www.example.com|，Python3，3.14，2020-03-05
    |Red Hat Enterprise Linux 9|，the Python，|John of the Gaunt|，|C-3PO|
"""


@pytest.mark.parametrize("line", LATIN.strip().splitlines())
def test_latin_names(line: str) -> None:
    line = line.strip()
    text = line.replace("|", "")
    expected = line.split("|")[1::2]
    assert [text[start:end] for start, end in latin_names(Blob.of(text))] == expected


def test_a_sentence_of_latin_words_holds_no_names() -> None:
    short = "He met Donald Knuth" + " again" * (RUN - 4)
    assert [short[a:b] for a, b in latin_names(Blob.of(short))] == ["Donald Knuth"]
    assert latin_names(Blob.of(short + " today")) == []


def test_titles_are_what_stands_between_the_signs() -> None:
    text = f"《红楼梦》《》《未完\n《{'长' * TITLE}》《{'长' * (TITLE + 1)}》《甲《乙〈丙〉丁》"
    found = [text[start:end] for start, end in titles(Blob.of(text))]
    assert found == ["红楼梦", "长" * TITLE, "乙〈丙〉丁"]


@pytest.mark.parametrize("unit", ["A", "A ", "a.", "A-", "a/", "《", "《书", "》", "A b ", "'"])
def test_long_runs_take_one_pass(unit: str) -> None:
    blob = Blob.of(unit * (300_000 // len(unit)))
    started = time.process_time()
    latin_names(blob)
    titles(blob)
    assert time.process_time() - started < 5


def test_nothing_of_nothing() -> None:
    assert latin_names(Blob.of("")) == titles(Blob.of("")) == []
    assert latin_names(Blob.of("A\nB\ud800 C\x00-")) == []
