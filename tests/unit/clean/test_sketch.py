"""Sketches: the same for the same shingles, and as sharp as they say."""

import numpy as np

from zhbert.clean import sketch as module
from zhbert.clean.fold import Folded, fold
from zhbert.clean.sketch import BINS, estimate, shingles, sketches, standard_error


def test_a_sketch_depends_on_the_set_of_shingles_only() -> None:
    twice = "甲乙丙丁戊己庚甲乙丙丁戊己庚"
    of = sketches(fold([twice, twice + "甲乙丙丁戊", "", "甲乙丙丁", "甲，乙丙丁", twice]).letters())
    assert (of[0] == of[1]).all()
    assert (of[0] == of[5]).all()
    assert not of[2:5].any()


def test_a_sketch_does_not_depend_on_the_batch() -> None:
    rng = np.random.default_rng(3)
    texts = [
        "".join(map(chr, rng.integers(0x4E00, 0x9FFF, size))) for size in (3, 5, 6, 40, 3000, 200_000, 7)
    ]
    alone = np.concatenate([sketches(fold([text]).letters()) for text in texts])
    assert (sketches(fold(texts).letters()) == alone).all()
    assert alone[1:].any(axis=1).all()


def test_shingles_end_with_their_text() -> None:
    words, counts = shingles(fold(["甲乙丙丁戊己", "庚", "甲乙丙丁戊"]).letters())
    assert counts.tolist() == [2, 0, 1]
    assert words[0] == words[2] != words[1]


def test_shingles_of_many_texts_differ() -> None:
    rng = np.random.default_rng(4)
    codes = rng.integers(0x4E00, 0x4E10, 100_000).astype(np.uint32)
    words, _ = shingles(Folded(codes=codes, ends=np.array([len(codes)])))
    strings = {codes[i : i + 5].tobytes() for i in range(len(codes) - 4)}
    assert len(np.unique(words)) == len(strings)


def overlapping(size: int, shared: int, pairs: int) -> tuple[Folded, float]:
    """Return pairs of random texts with so many shingles, so many of them shared, and their Jaccard index."""
    rng = np.random.default_rng(size)
    wide = rng.integers(0x4E00, 0x9FFF, (pairs, 2 * size - shared + 4)).astype(np.uint32)
    codes = np.concatenate([wide[:, : size + 4], wide[:, size - shared :]], axis=1).reshape(-1)
    return Folded(codes=codes, ends=np.arange(1, 2 * pairs + 1) * (size + 4)), shared / (2 * size - shared)


def test_estimates_are_unbiased_and_as_sharp_as_stated() -> None:
    for size, shared in ((10, 7), (60, 53), (400, 200), (3000, 100)):
        letters, jaccard = overlapping(size, shared, 300)
        found = estimate(sketches(letters), np.arange(0, 600, 2), np.arange(1, 600, 2))
        error = standard_error(jaccard)
        assert abs(found.mean() - jaccard) < 4 * error / np.sqrt(300)
        assert found.std() < 1.25 * error + 0.005  # the byte adds a little where little is shared


def test_bins_are_filled_even_by_one_shingle() -> None:
    of = sketches(fold(["甲乙丙丁戊"]).letters())[0]
    assert len(set(of.tolist())) > BINS // 3


def test_no_text_no_sketch() -> None:
    assert sketches(fold([]).letters()).shape == (0, BINS)
    assert estimate(np.zeros((0, BINS), np.uint8), [], []).tolist() == []


def test_sketches_are_what_they_were() -> None:
    """An index that was saved holds only as long as this does: a change needs a new VERSION."""
    of = sketches(fold(["天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。"]).letters())[0]
    assert module.VERSION == 1
    assert of[:16].tolist() == [205, 82, 166, 147, 190, 157, 236, 37, 61, 156, 56, 179, 187, 6, 247, 63]
