"""Word lists in a text: every match that `str.find` finds, and no other."""

import os
import pickle
import random
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from zhbert.text.blob import Blob, Bools
from zhbert.text.matching import LONGEST, Matcher
from zhbert.text.wordlists import read_words

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).parents[4] / "shared" / "data"))
CHARACTERS = "人民政府的abc12 ·\n😀𠀀\ud800\x00e\u0301"


def slow(text: str, entries: list[str], borders: Bools | None = None) -> list[list[int]]:
    """Find every entry at every place."""
    found = []
    for entry in set(entries):
        at = text.find(entry)
        while at >= 0 and len(entry) > 1:
            if borders is None or (borders[at] and borders[at + len(entry)]):
                found.append([at, at + len(entry)])
            at = text.find(entry, at + 1)
    return sorted(found)


def test_matches_are_those_of_find() -> None:
    rng = random.Random(2)
    for _ in range(300):
        text = "".join(rng.choices(CHARACTERS, k=rng.randrange(60)))
        entries = [
            "".join(rng.choices(CHARACTERS[:10], k=rng.randrange(7))) for _ in range(rng.randrange(20))
        ]
        entries += [text[at : at + rng.randrange(1, 20)] for at in range(0, len(text), 9)]
        borders = np.array([rng.random() < 0.7 for _ in range(len(text) + 1)], dtype=np.bool_)
        matcher, blob = Matcher(entries), Blob.of(text)
        assert sorted(matcher.found(blob).tolist()) == slow(text, entries)
        assert sorted(matcher.found(blob, borders_N1=borders).tolist()) == slow(text, entries, borders)


@pytest.mark.parametrize("size", [2, 3, 15, 16, 17, LONGEST])
def test_matches_over_the_edges_of_pieces(size: int) -> None:
    entry = "".join(chr(0x4E00 + i) for i in range(size))
    starts = [0, 65535 - size, 65536 - size, 65536 - size // 2, 65535 + 2 * size, 131071, 131072 + size]
    starts = [starts[0], *(b for a, b in pairwise(starts) if b - a >= size)]
    characters = ["的"] * (131072 + 4 * LONGEST)
    for start in starts:
        characters[start : start + size] = entry
    text = "".join(characters)
    for end in (len(text), starts[-1] + size):
        assert sorted(Matcher([entry]).found(Blob.of(text[:end])).tolist()) == slow(text[:end], [entry])


def test_lists_and_texts_of_nothing() -> None:
    assert Matcher([]).found(Blob.of("人民")).tolist() == []
    assert Matcher(["", "人"]).found(Blob.of("人人")).tolist() == []
    for text in ("", "人"):
        assert Matcher(["人民"]).found(Blob.of(text)).tolist() == []
        assert (
            Matcher(["人民"]).found(Blob.of(text), borders_N1=np.ones(len(text) + 1, np.bool_)).tolist() == []
        )


def test_an_entry_may_not_be_endless() -> None:
    with pytest.raises(ValueError, match="more than 64"):
        Matcher(["长" * 65])


def test_a_matcher_travels() -> None:
    matcher = pickle.loads(pickle.dumps(Matcher(["人民政府", "人民"])))
    assert sorted(matcher.found(Blob.of("县人民政府")).tolist()) == [[1, 3], [1, 5]]
    assert matcher.size == 2


def test_a_long_run_takes_bounded_time() -> None:
    started = time.process_time()
    found = Matcher(["哈哈", "哈哈哈哈"]).found(Blob.of("哈" * 300_000))
    assert time.process_time() - started < 5
    assert len(found) == 2 * 300_000 - 1 - 3


@pytest.mark.slow
@pytest.mark.realdata
def test_a_list_of_many_words_on_real_text() -> None:
    lists = sorted((DATA / "lexicons" / "thuocl").glob("*.txt"))
    if not lists:
        pytest.skip(f"no lexicons in {DATA}; set ZHBERT_DATA to the folder of data sets")
    entries = [word for path in lists for word in read_words(path)]
    text = (DATA / "text" / "mixed-sample.txt").read_text("utf-8")[:40_000]
    known = {word for word in entries if len(word) > 1}
    longest = max(map(len, known))
    expected = sorted(
        [at, at + size]
        for at in range(len(text))
        for size in range(2, longest + 1)
        if at + size <= len(text) and text[at : at + size] in known
    )
    assert len(known) > 150_000
    assert sorted(Matcher(entries).found(Blob.of(text)).tolist()) == expected
