"""What characters are to a tokenizer, learnt by asking it."""

import unicodedata

import numpy as np
import pytest
import tokenizers
from tokenizers import AddedToken, models, normalizers, pre_tokenizers

from zhbert.encode.bert import NAMES, bert_backend
from zhbert.encode.characters import ASKED, GAP, RUN, Characters, code_points, run_texts

TOKENS = [*NAMES.values(), *"我x，。!\u8c48\uf900", "##x", "##°", "##我"]
BACKEND = bert_backend(TOKENS, {}, where="")


def kinds(text: str, backend: tokenizers.Tokenizer = BACKEND) -> list[int]:
    return Characters(backend).kinds(code_points([text])).tolist()[:-1]


def test_what_stands_alone_has_its_id() -> None:
    assert kinds("我，!\uf900龘") == [5, 7, 9, 10, 1]  # to the normaliser U+F900 is U+8C48
    assert kinds(" \t\n\r\u3000\u2028\xa0") == [GAP] * 7


@pytest.mark.parametrize(
    "text", ["x°é", "\x00\x01\x7f\x85\xad\u200b\ufeff", "\u0301\u302a", "𝒳あ가Ａ１￥～🀄"]
)
def test_everything_else_is_part_of_a_run(text: str) -> None:
    assert kinds(text) == [RUN] * len(text)


def test_what_the_tokenizer_does_is_believed_and_no_table() -> None:
    joined = bert_backend(TOKENS, {"tokenize_chinese_chars": False}, where="")
    assert kinds("我，龘", joined) == [RUN, 7, RUN]


def test_added_tokens_have_no_say_in_it() -> None:
    backend = bert_backend(TOKENS, {}, where="")
    backend.add_special_tokens([AddedToken(token, normalized=False) for token in ("x", "é", "我", " ")])
    assert kinds("我°é ", backend) == [5, RUN, RUN, GAP]


def test_combining_marks_are_never_asked_about() -> None:
    asked = [chr(code) for first, last in ASKED for code in range(first, last + 1)]
    assert len(asked) == len(set(asked))
    assert not any(unicodedata.combining(character) for character in asked)


def test_runs_are_cut_out_and_unfit_characters_replaced() -> None:
    codes = code_points(["a\x00b\ud800 c", "", "d"])
    assert len(codes) == len("a\x00b\ud800 c\n\nd\n")
    assert run_texts(codes, (codes != 32) & (codes != 10)) == ["a\ufffdb\ufffd", "c", "d"]
    assert run_texts(code_points([]), np.zeros(0, dtype=np.bool_)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"normalizer": normalizers.BertNormalizer(clean_text=False)},
        {"normalizer": normalizers.NFC()},
        {"pre_tokenizer": pre_tokenizers.Whitespace()},
        {"model": models.WordPiece({"[UNK]": 0, "x": 1}, continuing_subword_prefix="")},
        {"model": models.BPE()},
    ],
)
def test_other_tokenizers_do_not_fit(change: dict[str, object]) -> None:
    backend = bert_backend(TOKENS, {}, where="")
    assert Characters.fit(backend)
    for name, value in change.items():
        setattr(backend, name, value)
    assert not Characters.fit(backend)
