"""Hashes of runs: the polynomial they are said to be, the same wherever a run stands."""

import random

import numpy as np

from zhbert.text.blob import Blob
from zhbert.text.hashing import _FACTOR, LONGEST, row_hashes, run_hashes, sums


def slow(text: str) -> int:
    return sum(ord(character) * pow(_FACTOR, i, 1 << 64) for i, character in enumerate(text)) % (1 << 64)


def test_hashes_are_those_of_the_formula() -> None:
    rng = random.Random(3)
    for _ in range(100):
        text = "".join(rng.choices("人民的😀\ud800\x00a\n", k=rng.randrange(40)))
        starts = np.array([rng.randrange(len(text) + 1) for _ in range(9)])
        ends = np.array([rng.randrange(start, len(text) + 1) for start in starts.tolist()])
        starts = np.minimum(starts, max(len(text) - 1, 0))
        found = run_hashes(sums(Blob.of(text).codes), starts, ends).tolist()
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        assert found == [slow(text[start:end]) for start, end in pairs]
        assert row_hashes(Blob.of(text * 2).codes.reshape(2, -1)).tolist() == [slow(text)] * 2


def test_the_longest_text() -> None:
    codes = np.full(LONGEST, 0x4E00, dtype=np.uint32)
    found = run_hashes(sums(codes), np.array([0, LONGEST - 9]), np.array([9, LONGEST]))
    assert found[0] == found[1] == slow("一" * 9)
