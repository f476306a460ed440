"""A vocabulary extended for a domain."""

import random
from pathlib import Path

import pytest
from tokenizers import AddedToken

from zhbert.encode.bert import NAMES, bert_backend
from zhbert.encode.extend import extend, spell
from zhbert.encode.extension import Extension
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ModelError

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
TOKENS = [
    *NAMES.values(),
    *("[unused1]", "[unused2]", "[unused3]"),
    *'我有炎肺邺"-，',
    *LETTERS,
    *(f"##{c}" for c in LETTERS),
    *("ア", "##ー", "an", "##ti", "##gen", "test"),
]
TEXTS = ["我有肺炎，鄴㎏ア", "antigen test 龘", "Antigen tests 2024", "“龘”—アアー", "Москва 😀 ー"] * 20


@pytest.fixture(scope="module")
def base() -> Tokenizer:
    return Tokenizer.from_vocab(TOKENS)


def named(base: Tokenizer, extension: Extension) -> dict[str, list[str] | str]:
    return {new.token: [base.tokens[i] for i in new.init] or new.group for new in extension.tokens}


def test_characters_come_first_then_pieces_each_with_its_start(base: Tokenizer) -> None:
    tokenizer, extension = extend(base, TEXTS)
    starts = named(base, extension)
    assert starts == {
        **{"龘": "Han", "“": ['"'], "”": ['"'], "—": ["-"], "鄴": ["邺"], "㎏": ["k", "##g"]},
        **{"##ア": ["ア"], "ー": ["##ー"], "😀": "all", "м": "all", "antigen": ["an", "##ti", "##gen"]},
        **{"##о": "all", "##с": "all", "##к": "all", "##в": "all", "##а": "all", "tests": ["test", "##s"]},
    }
    counts = {new.token: new.count for new in extension.tokens}
    assert (counts["龘"], counts["antigen"], counts["tests"]) == (40, 40, 20)
    characters, pieces = [c for c in counts if len(c.removeprefix("##")) == 1], ["antigen", "tests"]
    assert [*counts] == characters + pieces
    assert [counts[c] for c in characters] == sorted((counts[c] for c in characters), reverse=True)
    assert extension.groups.keys() == {"Han", "all"}
    assert [base.tokens[i] for i in extension.groups["Han"]] == [*"我有炎肺邺"]
    assert set(extension.groups["all"]) == set(base.ordinary_ids.tolist())
    assert (extension.base, extension.tokenizer) == (base.fingerprint, tokenizer.fingerprint)
    assert (extension.base_size, extension.size) == (len(TOKENS), tokenizer.size)
    assert tokenizer.unk_rate(TEXTS) == 0 < base.unk_rate(TEXTS)


def test_old_ids_stay_and_transformers_reads_the_same(tmp_path: Path, base: Tokenizer) -> None:
    from transformers import AutoTokenizer

    tokenizer, extension = extend(base, TEXTS)
    assert tokenizer.tokens == (*base.tokens, *(new.token for new in extension.tokens))
    tokenizer.save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert len(theirs) == tokenizer.size
    for text, encoded in zip(TEXTS, tokenizer.encode_batch(TEXTS), strict=True):
        assert theirs(text, add_special_tokens=False).input_ids == encoded.ids.tolist()
    assert Tokenizer.load(tmp_path).fingerprint == tokenizer.fingerprint


def test_unused_entries_are_given_away_where_that_is_wanted(tmp_path: Path, base: Tokenizer) -> None:
    tokenizer, extension = extend(base, TEXTS, fill_unused=True)
    ids = [new.id for new in extension.tokens]
    assert ids == [5, 6, 7, *range(base.size, base.size + len(ids) - 3)]
    assert not any(token.startswith("[unused") for token in tokenizer.tokens)
    few, extension = extend(base, TEXTS, fill_unused=True, room=2)
    assert (few.size, few.tokens[7]) == (base.size, "[unused3]")


def test_as_many_as_there_is_room_for(base: Tokenizer) -> None:
    everything = [new.token for new in extend(base, TEXTS)[1].tokens]
    for room in range(len(everything)):
        _, extension = extend(base, TEXTS, room=room)
        assert [new.token for new in extension.tokens] == everything[:room]
    assert [new.token for new in extend(base, TEXTS, min_count=40)[1].tokens] == ["##ア", "龘", "antigen"]


def test_pieces_that_are_only_steps_to_a_word_make_room_for_others(base: Tokenizer) -> None:
    texts = ["kubernetes"] * 50 + ["docker"] * 40 + ["helm"] * 30 + ["git"] * 19
    assert [(new.token, new.count) for new in extend(base, texts)[1].tokens] == [
        *(("kubernetes", 50), ("docker", 40), ("helm", 30)),
    ]
    assert [new.token for new in extend(base, texts, room=1)[1].tokens] == ["kubernetes"]


def test_the_pieces_that_save_most_tokens_stay(base: Tokenizer) -> None:
    texts = ["internationalization"] * 20 + ["kubernetes"] * 50 + ["go"] * 200
    for room, wanted in enumerate([[], ["kubernetes"], ["kubernetes", "internationalization"]]):
        assert [new.token for new in extend(base, texts, room=room)[1].tokens] == wanted


def test_numbers_han_and_kana_get_no_pieces() -> None:
    texts = ["2024 有炎 有b炎 ab12 アー"] * 30
    for joined in (True, False):
        config = {"tokenize_chinese_chars": not joined}
        base = Tokenizer(bert_backend([*TOKENS, "##炎"], config, where=""), config=config)
        assert [new.token for new in extend(base, texts)[1].tokens] == ["ab12"]


def test_no_word_is_lost_to_a_longer_piece() -> None:
    base = Tokenizer.from_vocab([*NAMES.values(), "a", "##b", "##bc", "d"])
    texts = ["abc"] * 5 + ["ab"] * 50
    assert base.unk_rate(texts) == 0
    tokenizer, extension = extend(base, texts, min_count=10)
    assert extension.tokens == ()  # "ab" would leave "##c", which is no token
    assert tokenizer.unk_rate(texts) == 0


def test_added_tokens_keep_their_ids() -> None:
    backend = bert_backend(TOKENS, {}, where="")
    backend.add_special_tokens([AddedToken("<e1>", normalized=False)])
    base = Tokenizer(backend, config={})
    tokenizer, _ = extend(base, TEXTS)
    assert tokenizer.tokens[: base.size] == base.tokens
    (before,), (after,) = (t.encode_batch(["<e1>我"]) for t in (base, tokenizer))
    assert before.ids.tolist() == after.ids.tolist() == [len(TOKENS), TOKENS.index("我")]


def test_any_order_of_the_texts_gives_the_same(base: Tokenizer) -> None:
    expected = extend(base, TEXTS, min_count=1)[1]
    for seed in range(3):
        assert extend(base, random.Random(seed).sample(TEXTS, len(TEXTS)), min_count=1)[1] == expected


def test_spelling_is_that_of_the_tokenizer(base: Tokenizer) -> None:
    vocabulary = set(TOKENS)
    for word in ("antigens", "testan", "antitest", "アー", "アア", "x"):
        pieces = [base.tokens[i] for i in base.encode_batch([word])[0].ids]
        assert [*spell(word, vocabulary)] == ([] if pieces == ["[UNK]"] else pieces)


def test_only_a_bert_can_be_extended() -> None:
    backend = bert_backend(TOKENS, {}, where="")
    backend.normalizer = None
    with pytest.raises(ModelError, match="here: only the tokenizer of a BERT can be extended"):
        extend(Tokenizer(backend, config={}), TEXTS, where="here")
