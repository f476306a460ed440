"""Words of a corpus, counted."""

from collections import Counter

import pytest

from zhbert.encode import words
from zhbert.encode.bert import NAMES, bert_backend
from zhbert.encode.words import count_characters, count_words

UNCASED = bert_backend([*NAMES.values()], {}, where="")
CASED = bert_backend([*NAMES.values()], {"do_lower_case": False}, where="")


def test_words_are_those_that_the_tokenizer_will_look_up() -> None:
    found = count_words(["我爱 BERT，爱！", "Bert\u200b é25℃ \ud800\x00"], UNCASED)
    assert found == {
        **{("我",): 1, ("爱",): 2, ("，",): 1, ("！",): 1},
        ("b", "##e", "##r", "##t"): 2,
        ("e", "##2", "##5", "##℃"): 1,
    }
    assert ("B", "##E", "##R", "##T") in count_words(["我爱 BERT"], CASED)


def test_what_would_be_one_unknown_token_is_left_out() -> None:
    assert list(count_words(["x" * 101 + " " + "y" * 100], UNCASED)) == [("y", *["##y"] * 99)]


def test_a_special_token_in_a_text_is_only_letters_here() -> None:
    assert ("m", "##a", "##s", "##k") in count_words(["我[MASK]"], UNCASED)


def test_texts_are_counted_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"我爱{i}北京 bert{i % 3}" for i in range(50)]
    whole = count_words(iter(texts), UNCASED)
    monkeypatch.setattr(words, "AT_ONCE", 25)
    assert max(len(batch) for batch in words._batches(texts)) == 3
    assert [text for batch in words._batches(texts) for text in batch] == texts
    assert count_words(iter(texts), UNCASED) == whole
    assert whole[("我",)] == 50
    assert count_words([], UNCASED) == {}


def test_characters_are_counted_first_and_later_apart() -> None:
    assert count_characters({("a", "##a", "##a"): 2, ("a",): 1}) == Counter({"##a": 4, "a": 3})
