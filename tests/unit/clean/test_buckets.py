"""Groups of sketches."""

import numpy as np

from zhbert.clean.buckets import BANDS, ROWS, Forest, band_keys, groups, peel
from zhbert.clean.sketch import BINS, Sketches


def random(count: int, seed: int = 0) -> Sketches:
    return np.random.default_rng(seed).integers(0, 256, (count, BINS), dtype=np.uint8)


def test_bands_are_apart_and_lie_in_the_sketch() -> None:
    assert BANDS * ROWS <= BINS
    one = random(1)
    for place in range(BANDS * ROWS):
        other = one.copy()
        other[0, place] ^= 1
        changed = [band for band in range(BANDS) if band_keys(one, band)[0] != band_keys(other, band)[0]]
        assert changed == [place // ROWS]


def test_pairs_are_linked_by_the_estimate_and_not_by_a_bucket_alone() -> None:
    of = random(4)
    of[1, :100] = of[0, :100]
    of[3, :60] = of[2, :60]
    assert groups(of, np.arange(4), least=0.7).tolist() == [0, 0, 2, 3]
    assert groups(of, np.arange(4), least=0.4).tolist() == [0, 0, 2, 2]


def test_only_the_named_texts_are_looked_at() -> None:
    of = random(3)[[0, 0, 1, 0]]
    assert groups(of, np.array([1, 2, 3]), least=0.7).tolist() == [0, 1, 0]


def test_a_pair_behind_a_stranger_in_its_bucket_is_found() -> None:
    of = random(3)
    of[:, :5] = 7  # one bucket for all three, led by a stranger
    of[2, :110] = of[1, :110]
    assert groups(of, np.arange(3), least=0.7).tolist() == [0, 1, 1]


def test_a_text_that_joined_the_first_is_still_compared_with_the_others() -> None:
    of = random(1).repeat(3, axis=0)  # all three share the first band and no other
    of[1, 5:125:5] ^= 1
    of[2, 5:125:5] ^= 1
    of[2, 6:125:5] ^= 1
    assert groups(of[[0, 2]], np.arange(2), least=0.7).tolist() == [0, 1]
    assert groups(of, np.arange(3), least=0.7).tolist() == [0, 0, 0]


def test_a_bucket_of_equal_texts_takes_one_turn() -> None:
    asked: list[int] = []

    def near(firsts: np.ndarray, others: np.ndarray) -> np.ndarray:
        asked.append(len(others))
        return np.ones(len(others), dtype=np.bool_)

    assert len(peel(np.arange(100_000), np.zeros(100_000), near, turns=9)) == 0
    assert asked == [99_999]


def test_what_is_left_after_the_turns_is_told() -> None:
    def never(firsts: np.ndarray, others: np.ndarray) -> np.ndarray:
        return np.zeros(len(others), dtype=np.bool_)

    assert peel(np.arange(5), np.zeros(5), never, turns=2).tolist() == [2, 3, 4]
    assert peel(np.arange(5), np.zeros(5), never, turns=5).tolist() == []
    assert peel(np.arange(0), np.zeros(0), never, turns=5).tolist() == []


def test_long_chains_become_one_group() -> None:
    forest = Forest(10_000)
    order = np.random.default_rng(1).permutation(9_999)
    forest.join(order, order + 1)
    assert not forest.roots(np.arange(10_000)).any()
