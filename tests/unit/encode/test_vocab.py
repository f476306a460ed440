"""Vocabularies built from a corpus."""

import random
import string
from collections.abc import Sequence

import pytest

from zhbert.encode.bert import NAMES, bert_backend
from zhbert.encode.tokenizer import Tokenizer
from zhbert.encode.vocab import CHINESE_MARKS, build_vocab
from zhbert.encode.words import count_words
from zhbert.errors import ConfigError

CORPUS = [
    "我爱北京天安门，天安门上太阳升。",
    "我在2024年用Transformer训练BERT，transformers很好用！",
    "BERT和RoBERTa都是transformer。温度25℃，カタカナ。",
    "café ÅNGSTRÖM ﬁ",
] * 3 + ["只有一次：龘", "x" * 101]


def test_the_order_of_the_parts() -> None:
    tokens = build_vocab(CORPUS, reserved=3).tokens
    assert tokens[:8] == (*NAMES.values(), "[unused1]", "[unused2]", "[unused3]")
    assert len(set(tokens)) == len(tokens)
    assert set(string.punctuation) | set(CHINESE_MARKS) <= set(tokens)
    assert {form for c in string.ascii_lowercase + string.digits for form in (c, "##" + c)} <= set(tokens)


def test_any_order_of_the_texts_gives_the_same() -> None:
    expected = build_vocab(CORPUS, size=210)
    for seed in range(5):
        texts = random.Random(seed).sample(CORPUS, len(CORPUS))
        assert build_vocab(texts, size=210) == expected
    assert len(expected.tokens) == 210


def test_counting_is_what_the_tokenizer_will_look_up() -> None:
    vocabulary = build_vocab(CORPUS, coverage=1, min_count=1)
    assert vocabulary.coverage == 1
    assert vocabulary.left_out == 0
    tokenizer = Tokenizer.from_vocab(vocabulary.tokens)
    assert tokenizer.unk_rate(CORPUS[:-1]) == 0
    assert {"##℃", "カ", "##カ", "angstrom"} <= set(vocabulary.tokens)  # ℃ and kana stand in words
    assert not any("x" * 50 in token for token in vocabulary.tokens)  # one [UNK] to the tokenizer


def test_rare_characters_are_left_out_and_counted() -> None:
    vocabulary = build_vocab(CORPUS)
    assert "龘" not in vocabulary.tokens
    assert vocabulary.left_out > 0
    assert vocabulary.characters - vocabulary.covered == vocabulary.left_out  # each occurs once
    assert vocabulary.counts["天"] == 6


def test_coverage_is_reached_and_not_passed() -> None:
    texts = ["的" * 90 + "我" * 9 + "你"]
    assert {"的", "我", "你"} & set(build_vocab(texts, coverage=0.99, min_count=1).tokens) == {"的", "我"}
    assert "你" in build_vocab(texts, coverage=0.991, min_count=1).tokens


def test_equal_counts_fall_to_the_first_in_order() -> None:
    fixed = len(build_vocab([]).tokens)
    assert build_vocab(["丁丙乙甲"], size=fixed + 2, min_count=1).tokens[-2:] == ("丁", "丙")


def slow_merges(words: dict[tuple[str, ...], int], steps: int) -> list[str]:
    """Byte-pair merging as one would explain it."""
    found = []
    for _ in range(steps):
        counts: dict[tuple[str, str], int] = {}
        for word, n in words.items():
            for i in range(len(word) - 1):
                counts[word[i], word[i + 1]] = counts.get((word[i], word[i + 1]), 0) + n
        if not counts:
            break
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        found.append(pair[0] + pair[1][2:])
        again: dict[tuple[str, ...], int] = {}
        for word, n in words.items():
            merged = slow_merge(word, pair)
            again[merged] = again.get(merged, 0) + n
        words = again
    return found


def slow_merge(word: Sequence[str], pair: tuple[str, str]) -> tuple[str, ...]:
    merged, i = [], 0
    while i < len(word):
        hit = tuple(word[i : i + 2]) == pair
        merged.append(pair[0] + pair[1][2:] if hit else word[i])
        i += 1 + hit
    return tuple(merged)


@pytest.mark.parametrize("seed", range(5))
def test_pieces_are_those_of_slow_byte_pair_merging(seed: int) -> None:
    rng = random.Random(seed)
    text = " ".join("".join(rng.choices("aab12", k=rng.randint(1, 9))) for _ in range(60))
    fixed = len(build_vocab([], reserved=0).tokens)
    pieces = build_vocab([text], size=10_000, reserved=0, min_count=1).tokens[fixed:]
    words = count_words([text], bert_backend([*NAMES.values()], {}, where=""))
    assert list(pieces) == list(dict.fromkeys(slow_merges(words, 10_000)))


def test_pieces_are_letters_and_digits_only() -> None:
    texts = ["────── ██████ BERT2024 你好"] * 9
    fixed = set(build_vocab([]).tokens)
    added = set(build_vocab(texts).tokens) - fixed
    assert {token for token in added if len(token.removeprefix("##")) > 1 and not token.isascii()} == set()
    assert {"bert2024", "─", "##─", "你"} <= added


def test_case_can_be_kept() -> None:
    tokens = build_vocab(["BERT Bert bert"] * 5, lowercase=False).tokens
    assert {"BERT", "Bert", "bert", "Z", "##Z"} <= set(tokens)


def test_a_size_without_room_is_refused() -> None:
    with pytest.raises(ConfigError, match="a vocabulary of 50 has no room"):
        build_vocab(CORPUS, size=50)
