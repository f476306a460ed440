"""The fast encoder against the backend, which is the oracle."""

import os
import pickle
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from tokenizers import AddedToken

from zhbert.encode import flat
from zhbert.encode.bert import NAMES, bert_backend, read_vocab
from zhbert.encode.characters import ASKED
from zhbert.encode.flat import BackendEncoder, Flat, TableEncoder
from zhbert.encode.tokenizer import Tokenizer

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).parents[4] / "shared" / "data"))
TOKENS = [
    *NAMES.values(),
    *"我爱北京，。[]!i°é",
    "bert",
    "##s",
    "##i",
    "##°",
    "##é",
    "##我",
    "e",
    "##e",
    "\u0301",
]
SETTINGS = [
    {},
    {"do_lower_case": False},
    {"strip_accents": False},
    {"do_lower_case": False, "strip_accents": True},
    {"tokenize_chinese_chars": False},
]
TEXTS = [
    "我爱 BERTs，在北京！",
    "",
    "[SEP] 我 [MASK]爱[UNK]",
    "[SEP",
    "S[CLS]EP]",
    "[MASK]",
    "我\u0301。\u0301 e\u0327\u0301\x00e\u0301\u200b\u0327",
    "a\x00b\ud800c\udfff\ufffd\ue000",
    "x" * 100 + " " + "x" * 101 + "我" * 101,
    "😀👨‍👩‍👧🇨🇳 𠮷野家㐀龘\U0002a6d6豈\U0002f800",
    "\u2028\u3000\t\r\n \x85\x1c\xa0\xad\ufeff",
    "한국어こんにちはカﾞ ﬁ İ ẞ ſ ΑΣ ǅ",
    "°i° é° 我°",
]


def same(found: Flat, wanted: Flat) -> bool:
    return all(np.array_equal(getattr(found, f.name), getattr(wanted, f.name)) for f in fields(Flat))


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_every_token_is_that_of_the_backend(settings: dict[str, bool]) -> None:
    backend = bert_backend(TOKENS, settings, where="")
    table, oracle = TableEncoder(backend), BackendEncoder(backend)
    wanted = oracle.encode(TEXTS)
    assert same(table.encode(TEXTS), wanted)
    assert same(table.encode(TEXTS), wanted)  # from memory
    assert same(table.encode(TEXTS[::-1]), oracle.encode(TEXTS[::-1]))
    for text in TEXTS:
        assert same(table.encode([text]), oracle.encode([text]))


@pytest.mark.parametrize("texts", [[], [""], ["", ""], [" "], ["\x00"], ["。"], ["a"]])
def test_next_to_nothing_is_encoded_too(texts: list[str]) -> None:
    backend = bert_backend(TOKENS, {}, where="")
    found = TableEncoder(backend).encode(texts)
    assert same(found, BackendEncoder(backend).encode(texts))
    assert [getattr(found, f.name).dtype for f in fields(Flat)] == [np.int32] + [np.int64] * 4


@pytest.mark.parametrize("strip", [{}, {"lstrip": True}, {"rstrip": True}, {"single_word": True}], ids=str)
def test_added_tokens_are_found_as_the_backend_finds_them(strip: dict[str, bool]) -> None:
    backend = bert_backend(TOKENS, {}, where="")
    contents = ("[E1]", "[E11]", "我爱", "京", "i\nb", "é", "<s>")
    backend.add_special_tokens([AddedToken(token, normalized=False, **strip) for token in contents])
    assert TableEncoder.fit(backend)
    texts = [
        *TEXTS,
        "a [E1] b[E11]x",
        "我 爱我爱",
        "i\nb",
        "i",
        "b",
        "北京bert",
        "<s>我<s",
        "<",
        "\x00<s>\ud800",
    ]
    assert same(TableEncoder(backend).encode(texts), BackendEncoder(backend).encode(texts))


def test_a_token_to_be_found_in_normalised_text_is_left_to_the_backend(tmp_path: Path) -> None:
    backend = bert_backend(TOKENS, {}, where="")
    backend.add_tokens(["BERTs我"])
    assert not TableEncoder.fit(backend)
    tokenizer = Tokenizer(backend, config={})
    (encoded,) = tokenizer.encode_batch(["berts我 Berts 我"])
    assert encoded.ids[0] == tokenizer.size - 1
    assert encoded.offsets.tolist()[0] == [0, 6]


def test_the_memory_forgets_and_learns_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flat, "FULL", 30)
    monkeypatch.setattr(flat, "AT_ONCE", 3)
    backend = bert_backend(TOKENS, {}, where="")
    table, oracle = TableEncoder(backend), BackendEncoder(backend)
    for i in range(50):
        texts = [f"bert{j}我i{i} e{j % 7}[SEP]" for j in range(i, i + 5)] + ["[MASK]", f"e{i}"]
        assert same(table.encode(texts), oracle.encode(texts))
    assert table._memory._held < 300


def test_an_interrupted_batch_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = bert_backend(TOKENS, {}, where="")
    table = TableEncoder(backend)
    with monkeypatch.context() as patch:
        patch.setattr(flat, "AT_ONCE", 2)
        keep, kept = flat._Memory._keep, []

        def stop(self: flat._Memory, *args: object) -> None:
            kept.append(args)
            if len(kept) == 3:
                raise KeyboardInterrupt
            keep(self, *args)  # type: ignore[arg-type]

        patch.setattr(flat._Memory, "_keep", stop)
        with pytest.raises(KeyboardInterrupt):
            table.encode(["bert berts i e ei ie", "[SEP] i"])
    for texts in (["é"], ["[SEP] i"]):
        assert same(table.encode(texts), BackendEncoder(backend).encode(texts))
    assert same(table.encode(TEXTS), BackendEncoder(backend).encode(TEXTS))


def test_threads_may_share_an_encoder_and_processes_get_their_own() -> None:
    backend = bert_backend(TOKENS, {}, where="")
    table, oracle = TableEncoder(backend), BackendEncoder(backend)
    batches = [[f"bert{i * j}我 e{i}s{j}" for j in range(40)] for i in range(40)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(table.encode, batches))
    assert all(same(f, oracle.encode(batch)) for f, batch in zip(found, batches, strict=True))
    copy = pickle.loads(pickle.dumps(table))
    assert same(copy.encode(TEXTS), oracle.encode(TEXTS))
    assert len(pickle.dumps(table)) < 10_000


def around(code: int) -> str:
    character = chr(code)
    return f"{character} e{character}i我{character}\u0301。{character}{character}e\u0327{character}\u0301"


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_every_character_that_may_stand_alone(settings: dict[str, bool]) -> None:
    backend = bert_backend(TOKENS, settings, where="")
    texts = [
        around(code)
        for first, last in ASKED
        for code in range(first, last + 1)
        if code % 10 == 3 or code < 0x3400
    ]
    assert same(TableEncoder(backend).encode(texts), BackendEncoder(backend).encode(texts))


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS[:2], ids=str)
def test_every_code_point(settings: dict[str, bool]) -> None:
    backend = bert_backend(TOKENS, settings, where="")
    table, oracle = TableEncoder(backend), BackendEncoder(backend)
    assigned = [c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Co") or c % 64 == 1]
    for first in range(0, len(assigned), 1 << 14):
        texts = [around(code) for code in assigned[first : first + (1 << 14)]]
        assert same(table.encode(texts), oracle.encode(texts)), hex(assigned[first])


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize("name", ["mixed-sample.txt", "wiki-traditional.txt"])
def test_real_lines_have_the_ids_and_offsets_of_transformers(tmp_path: Path, name: str) -> None:
    from transformers import AutoTokenizer, BertTokenizer

    text, vocabulary = DATA / "text" / name, DATA / "vocab" / "bert-base-chinese.txt"
    if not text.is_file() or not vocabulary.is_file():
        pytest.skip(f"no {text}; set ZHBERT_DATA to the folder of data sets")
    ours = Tokenizer.from_vocab(read_vocab(vocabulary))
    ours.save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert isinstance(theirs, BertTokenizer)
    lines = text.read_text(encoding="utf-8").split("\n")
    wanted = theirs(lines, add_special_tokens=False, return_offsets_mapping=True)
    encoded = ours.encode_batch(lines)
    assert [e.ids.tolist() for e in encoded] == wanted["input_ids"]
    assert [list(map(tuple, e.offsets.tolist())) for e in encoded] == wanted["offset_mapping"]
