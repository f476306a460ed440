"""Runs of words: which words are of use, which runs there are, and texts that are read again from bits."""

import random
from pathlib import Path

import numpy as np
import pytest

from zhbert.corpus.function_words import FUNCTION_WORDS
from zhbert.corpus.runs import Cut, Words, blobs
from zhbert.text.hashing import LONGEST
from zhbert.text.segment import segmenter


def words_of(*words: str) -> Words:
    return Words("".join(words), np.cumsum([len(word) for word in words], dtype=np.int64))


@pytest.mark.parametrize(
    ("word", "inside", "border", "between"),
    [
        ("人民", True, True, False),
        ("的", True, False, False),
        ("Linux", True, True, False),
        ("A", False, False, False),
        ("v2", True, True, False),
        ("2020", False, False, False),
        ("三百", False, False, False),
        ("三条", True, True, False),
        ("，", False, False, True),
        ("\n", False, False, True),
        ("😀", False, False, True),
        ("\ud800", False, False, True),
        ("a-b", False, False, False),
        ("𠀀𠀁", True, True, False),
    ],
)
def test_what_words_are_good_for(word: str, inside: bool, border: bool, between: bool) -> None:
    words = words_of("好", word, "好")
    found = (words.inside[1], words.border[1], words.between[1])
    assert found == (inside, border, between)


def test_no_function_word_is_too_long_to_be_known() -> None:
    assert {len(word) for word in FUNCTION_WORDS} <= {1, 2, 3, 4}
    for word in FUNCTION_WORDS:
        assert not words_of(word).border[0]


def test_runs_are_told_apart_by_their_words() -> None:
    rng = random.Random(6)
    chosen = rng.choices(["人民", "人", "民", "政府", "，", "的", "2020"], k=300)
    words = words_of(*chosen)
    for size in range(1, 5):
        first, keys = words.runs(size)
        expected = [i for i in range(300 - size + 1) if not {"，", "2020"} & set(chosen[i : i + size])]
        assert first.tolist() == expected
        assert [words.of(i, size) for i in expected] == [tuple(chosen[i : i + size]) for i in expected]
        assert len(set(keys.tolist())) == len({tuple(chosen[i : i + size]) for i in expected})
        assert keys.tolist() == words.keys(size)[first].tolist()


def test_the_words_beside() -> None:
    words = words_of("人民", "政府", "，")
    hashes, between = words.beside(np.array([-1, 0, 2, 3]))
    assert between.tolist() == [True, False, True, True]
    assert hashes[1] == words.keys(1)[0]


def test_no_words() -> None:
    words = Words("", np.zeros(0, dtype=np.int64))
    for size in (1, 4):
        assert [len(column) for column in words.runs(size)] == [0, 0]


def test_texts_are_joined_and_cut() -> None:
    assert list(blobs([])) == []
    assert list(blobs(["我", "", "们"])) == ["我\n们"]
    long = "长" * (2 * LONGEST)
    found = list(blobs(["我", long, "们"]))
    assert max(map(len, found)) <= LONGEST
    assert "".join(found).replace("\n", "") == f"我{long}们"
    halves = list(blobs(["半" * (LONGEST // 2)] * 2 + ["个"]))
    assert max(map(len, halves)) <= LONGEST


@pytest.mark.slow
def test_words_are_the_same_when_read_again(tmp_path: Path) -> None:
    texts = ["人民政府，的。" * 9, "", "依法追究刑事责任\ud800", "长城" * LONGEST]
    path = tmp_path / "ends.bits"
    with Cut(path, segmenter()) as cut:
        once, again = ([words.ends.tolist() for words in cut.words(texts)] for _ in range(2))
        assert once == again == [segmenter().ends(text).tolist() for text in blobs(texts)]
        assert path.exists()
    assert not path.exists()
