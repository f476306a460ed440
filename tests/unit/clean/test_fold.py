"""The two forms of a text, and that a table which changed would be noticed."""

import numpy as np
import pytest

from zhbert.clean import fold as module
from zhbert.clean.fold import SYMBOL, fold, letter_places, table_fingerprint, unfold


def test_what_differs_only_in_looks_folds_to_the_same() -> None:
    one, other = unfold(fold(["Ａ股：漢字，１２％", "a股:\u3000汉字\u200b,\n12%"]))
    assert one == other == "a股:汉字,12%"


def test_letters_leave_out_punctuation_emoji_and_private_use() -> None:
    assert unfold(fold(["《红》😀，❤️ A-1\ue000 が①"]).letters()) == ["红a1が1"]


def test_rare_han_and_combining_marks_are_letters() -> None:
    text = "龘𠀀𪚥\U00031350e\u0301"
    assert unfold(fold([text]).letters()) == [text]


def test_halves_of_surrogate_pairs_and_controls_are_left_out() -> None:
    assert unfold(fold(["\ud800甲\udfff\x00乙\x85\u2028\ufeff", "\ud83d", ""])) == ["甲乙", "", ""]


def test_no_texts_at_all() -> None:
    folded = fold([])
    assert unfold(folded) == unfold(folded.letters()) == []
    assert folded.lengths.tolist() == folded.starts.tolist() == []


def test_traditional_characters_that_are_simplified_twice_meet() -> None:
    assert len(set(unfold(fold(["薴", "苧", "苎"])))) == 1


def test_parts_and_choices_are_the_texts_they_name() -> None:
    folded = fold(["甲乙", "", "丙", "丁戊"])
    assert unfold(folded.part(1, 3)) == ["", "丙"]
    assert unfold(folded.only(np.array([3, 0, 1]))) == ["丁戊", "甲乙", ""]
    assert [folded.range(number) for number in range(4)] == [(0, 2), (2, 2), (2, 3), (3, 5)]


def test_letter_places_count_in_the_text_as_it_is() -> None:
    assert letter_places("\ud800，甲😀 乙").tolist() == [2, 5]


def test_folding_twice_is_folding_once() -> None:
    table = module._table()
    assert (table[table & ~SYMBOL] == table).all()


def test_the_fingerprint_names_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    before = table_fingerprint()
    other = module._table().copy()
    other[ord("甲")] = ord("乙")
    monkeypatch.setattr(module, "_table", lambda: other)
    table_fingerprint.cache_clear()
    assert table_fingerprint() != before
    table_fingerprint.cache_clear()
