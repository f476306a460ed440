"""Runs that texts share with a fixed set."""

import numpy as np
import pytest

from zhbert.clean.fold import Folded, fold
from zhbert.clean.overlap import PLACES, RUN, FixedSet, Overlap

ALPHABET = "".join(map(chr, range(0x4E00, 0x4E00 + 60)))


def letters(*texts: str) -> Folded:
    return fold(texts).letters()


def stand_in(size: int, seed: int) -> str:
    return "".join(map(chr, np.random.default_rng(seed).integers(0x5000, 0x9000, size)))


@pytest.mark.parametrize("before", range(9))
@pytest.mark.parametrize("size", [RUN - 1, RUN, RUN + 1])
def test_a_run_is_found_wherever_it_stands_and_only_when_long_enough(before: int, size: int) -> None:
    known = FixedSet.of(letters(stand_in(30, 1), ALPHABET))
    found = known.overlaps(letters("", stand_in(before, 2) + ALPHABET[11 : 11 + size] + stand_in(40, 3)))
    assert found == ([Overlap(text=1, other=1, start=before, length=size)] if size >= RUN else [])


def test_no_run_reaches_from_one_text_into_the_next() -> None:
    half = ALPHABET[:RUN]
    assert FixedSet.of(letters(half)).overlaps(letters(half[:10], half[10:])) == []
    assert FixedSet.of(letters(half[:19], half[19:])).overlaps(letters(half)) == []


def test_the_longest_run_of_two_texts_is_told() -> None:
    text = ALPHABET[:25] + "。" + stand_in(9, 4) + ALPHABET[26:60] + stand_in(9, 5) + ALPHABET[3:24]
    assert FixedSet.of(letters(ALPHABET)).overlaps(letters(text)) == [
        Overlap(text=0, other=0, start=34, length=34)
    ]


def test_every_text_of_the_set_that_shares_a_run_is_named() -> None:
    known = FixedSet.of(letters(ALPHABET, ALPHABET[::-1], ALPHABET[20:45], ALPHABET[41:]))
    found = known.overlaps(letters(ALPHABET, ALPHABET[18:42]))
    assert [(of.text, of.other, of.length) for of in found] == [
        (0, 0, 60),
        (0, 2, 25),
        (1, 0, 24),
        (1, 2, 22),
    ]


def test_repeated_letters_end_where_they_end() -> None:
    known = FixedSet.of(letters("哈" * 30, "哈" * 500))
    found = known.overlaps(letters("哈" * 25 + "，" + "嘿" * 40, "哈" * 19))
    assert [(of.text, of.other, of.length) for of in found] == [(0, 0, 25), (0, 1, 25)]


def test_of_a_gram_in_too_many_places_the_first_are_looked_at() -> None:
    known = FixedSet.of(letters(*[ALPHABET[:20]] * (PLACES + 9)))
    found = known.overlaps(letters(ALPHABET))
    assert [of.other for of in found] == list(range(PLACES))


def test_a_hash_that_two_grams_share_is_no_find(monkeypatch: pytest.MonkeyPatch) -> None:
    known = FixedSet.of(letters(ALPHABET))
    monkeypatch.setattr("zhbert.clean.overlap._grams", lambda codes, stride: known.words[:1].repeat(4))
    assert known.overlaps(letters(stand_in(60, 6))) == []


def test_nothing_shares_nothing() -> None:
    assert FixedSet.of(letters()).overlaps(letters(ALPHABET)) == []
    assert FixedSet.of(letters("甲乙")).overlaps(letters()) == []
    assert FixedSet.of(letters(ALPHABET)).overlaps(letters("", "甲")) == []
