"""Blobs: code points as they are, and which of overlapping ranges stay, held against a slow choice."""

import random

import numpy as np

from zhbert.text.blob import NO_RANGES, Blob, leftmost_longest


def slow_choice(ranges: list[tuple[int, int]], ranks: list[int]) -> list[int]:
    """Take the leftmost, of these the longest, of these the lowest rank; go on behind it."""
    chosen, done = [], 0
    while True:
        left = [i for i, (start, _) in enumerate(ranges) if start >= done]
        if not left:
            return chosen
        best = min(left, key=lambda i: (ranges[i][0], -ranges[i][1], ranks[i], i))
        chosen.append(best)
        done = ranges[best][1]


def test_the_leftmost_and_longest_stay() -> None:
    rng = random.Random(1)
    for _ in range(500):
        starts = [rng.randrange(30) for _ in range(rng.randrange(25))]
        ranges = [(start, start + rng.randrange(1, 9)) for start in starts]
        ranks = [rng.randrange(3) for _ in ranges]
        found = leftmost_longest(
            np.array(ranges, dtype=np.int64).reshape(-1, 2), np.array(ranks, dtype=np.int64)
        )
        assert found.tolist() == slow_choice(ranges, ranks)


def test_nothing_stays_of_nothing() -> None:
    assert leftmost_longest(NO_RANGES).tolist() == []


def test_code_points_of_rare_characters() -> None:
    text = "京\ud800𠀀\x00\u2028😀e\u0301"
    assert Blob.of(text).codes.tolist() == [ord(character) for character in text]
    assert len(Blob.of("")) == 0
