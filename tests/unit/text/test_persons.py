"""Names of persons: Chinese and foreign ones, none where words are characters, and how precise it is."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from zhbert.text.blob import Blob
from zhbert.text.persons import persons
from zhbert.text.segment import segmenter

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).parents[4] / "shared" / "data"))


def find(text: str, cutter: str = "jieba") -> list[str]:
    borders = np.zeros(len(text) + 1, dtype=np.bool_)
    borders[[0, *segmenter(cutter).ends(text).tolist()]] = True
    return [text[start:end] for start, end in persons(Blob.of(text), borders)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("记者张志强、李晓红报道", ["张志强", "李晓红"]),
        ("司马懿和诸葛亮都见过公孙瓒，欧阳府上没有", ["司马懿", "诸葛亮", "公孙瓒"]),
        ("高水平论坛展示文明与康复，多云", []),
        ("见到路易·巴斯德和让·雷诺。", ["路易·巴斯德", "让·雷诺"]),
        ("", []),
        ("\ud800\x00张", []),
    ],
)
def test_names_in_a_line(text: str, names: list[str]) -> None:
    assert find(text) == names


def test_none_where_words_are_characters() -> None:
    assert find("记者张志强", "character") == []


@pytest.mark.parametrize("unit", ["阿·", "阿", "·", "张志强"])
def test_long_runs_take_one_pass(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    started = time.process_time()
    persons(Blob.of(text), np.ones(len(text) + 1, dtype=np.bool_))
    assert time.process_time() - started < 5


@pytest.mark.slow
@pytest.mark.realdata
def test_most_names_that_are_found_are_names() -> None:
    path = DATA / "msra-ner" / "test.txt"
    if not path.exists():
        pytest.skip(f"no {path}; set ZHBERT_DATA to the folder of data sets")
    rows = [line.split("\t") if line else ("\n", "O") for line in path.read_text("utf-8").split("\n")]
    text, tags = "".join(row[0] for row in rows), [row[1] for row in rows] + ["O"]
    starts = [i for i, tag in enumerate(tags) if tag == "B-PER"]
    gold = {(i, next(j for j in range(i + 1, len(tags)) if tags[j] != "I-PER")) for i in starts}
    borders = np.zeros(len(text) + 1, dtype=np.bool_)
    borders[[0, *segmenter().ends(text).tolist()]] = True
    found = persons(Blob.of(text), borders).tolist()
    right = len(gold.intersection(map(tuple, found)))
    assert right / len(found) > 0.9
    assert right / len(gold) > 0.58
