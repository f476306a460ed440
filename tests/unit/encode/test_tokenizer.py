"""Loading, saving and using tokenizers; transformers is the oracle."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zhbert.encode.bert import NAMES, read_vocab
from zhbert.encode.tokenizer import Special, Tokenizer
from zhbert.errors import ModelError

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).parents[4] / "shared" / "data"))
LATIN = [*"abcdefghijklmnopqrstuvwxyz0123456789", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz0123456789")]
TOKENS = [
    *NAMES.values(),
    "[unused1]",
    *"我爱北京天安门，。！[]",
    *LATIN,
    "bert",
    "##ing",
    "A",
    "Ｂ",
    "ｂ",
    "##汉",
]
TEXTS = [
    "我爱北京天安门。",
    "我爱BERT，embedding 2024年！",
    "ＢＥＲＴ全角，半角",
    "😀😀👨‍👩‍👧 emoji 🇨🇳",
    "𠮷野家 㐀 龘 \U0002a6d6",
    "a\u200bb\u3000c\ufeffd\x00e\u2028f\tg\r\nh\ue000i",
    "x" * 101 + " " + "y" * 100,
    "[SEP] 我 [MASK]爱[UNK] [CLS]",
    "café Ångström ﬁ İstanbul ẞ 한국어 こんにちは",
    "",
    "   \u3000 ",
]


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer.from_vocab(TOKENS)


def real_vocab() -> list[str]:
    path = DATA / "vocab" / "bert-base-chinese.txt"
    if not path.is_file():
        pytest.skip(f"no {path}; set ZHBERT_DATA to the folder of data sets")
    return read_vocab(path)


@pytest.mark.parametrize("lowercase", [True, False])
def test_transformers_reads_the_same_tokenizer(tmp_path: Path, lowercase: bool) -> None:
    from transformers import AutoTokenizer, BertTokenizer

    ours = Tokenizer.from_vocab(TOKENS, lowercase=lowercase, max_length=128)
    ours.save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert isinstance(theirs, BertTokenizer)
    assert (theirs.model_max_length, len(theirs)) == (128, ours.size) == (ours.max_length, len(TOKENS))
    for role in NAMES:
        assert getattr(theirs, f"{role}_token_id") == getattr(ours.special, role)
    for text, encoded in zip(TEXTS, ours.encode_batch(TEXTS), strict=True):
        expected = theirs(text, return_offsets_mapping=True, add_special_tokens=False)
        assert encoded.ids.tolist() == expected["input_ids"]
        assert encoded.offsets.tolist() == [list(pair) for pair in expected["offset_mapping"]]
    cls, sep = ours.special.cls, ours.special.sep
    assert theirs("我", "爱").input_ids == [cls, TOKENS.index("我"), sep, TOKENS.index("爱"), sep]


def test_offsets_are_characters_of_the_original(tokenizer: Tokenizer) -> None:
    (encoded,) = tokenizer.encode_batch(["😀 我\u200b爱ＢＥＲＴ\ud800北京ing"])
    surfaces = ["😀 我\u200b爱ＢＥＲＴ\ud800北京ing"[a:b] for a, b in encoded.offsets]
    assert surfaces == ["😀", "我", "爱", "ＢＥＲＴ", "北", "京", "i", "n", "g"]
    assert encoded.offsets.shape == (len(encoded), 2)


def test_an_empty_text_has_no_tokens(tokenizer: Tokenizer) -> None:
    (encoded,) = tokenizer.encode_batch([""])
    assert (encoded.ids.shape, encoded.offsets.shape) == ((0,), (0, 2))
    assert tokenizer.encode_batch([]) == []
    assert tokenizer.unk_rate(["", "  "]) == 0


def test_saving_and_loading_keeps_everything(tmp_path: Path, tokenizer: Tokenizer) -> None:
    tokenizer.save(tmp_path / "a")
    again = Tokenizer.load(tmp_path / "a")
    again.save(tmp_path / "b")
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert again.fingerprint == tokenizer.fingerprint == pickle.loads(pickle.dumps(again)).fingerprint
    assert again.tokens == tuple(TOKENS)


def test_a_vocabulary_alone_is_a_bert_tokenizer(tmp_path: Path, tokenizer: Tokenizer) -> None:
    (tmp_path / "vocab.txt").write_bytes("\r\n".join(TOKENS).encode())
    assert Tokenizer.load(tmp_path).fingerprint == tokenizer.fingerprint
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false, "model_max_length": 77}')
    cased = Tokenizer.load(tmp_path)
    assert cased.fingerprint == Tokenizer.from_vocab(TOKENS, lowercase=False).fingerprint
    assert cased.max_length == 77


def test_what_the_config_says_of_the_normaliser_wins_as_in_transformers(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    Tokenizer.from_vocab(TOKENS).save(tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config | {"do_lower_case": False}))
    ours, theirs = Tokenizer.load(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    assert ours.encode_batch(["AbA"])[0].ids.tolist() == theirs("AbA", add_special_tokens=False).input_ids
    assert ours.encode_batch(["A"])[0].ids.tolist() == [TOKENS.index("A")]


def test_another_family_comes_through_transformers(tmp_path: Path) -> None:
    vocab = {token: i for i, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", "a", "b", "ab", "<mask>"])}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab))
    (tmp_path / "merges.txt").write_text("#version: 0.2\na b\n")
    (tmp_path / "config.json").write_text('{"model_type": "roberta"}')
    tokenizer = Tokenizer.load(tmp_path)
    assert tokenizer.special == Special(pad=1, unk=3, cls=0, sep=2, mask=7)
    assert tokenizer.encode_batch(["abba"])[0].ids.tolist() == [6, 5, 4]
    tokenizer.save(tmp_path / "out")
    assert not (tmp_path / "out" / "vocab.txt").exists()
    assert Tokenizer.load(tmp_path / "out").fingerprint == tokenizer.fingerprint


def test_truncation_in_the_file_is_switched_off(tmp_path: Path, tokenizer: Tokenizer) -> None:
    tokenizer.save(tmp_path)
    plain = json.loads((tmp_path / "tokenizer.json").read_text())
    plain["truncation"] = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    (tmp_path / "tokenizer.json").write_text(json.dumps(plain))
    assert len(Tokenizer.load(tmp_path).encode_batch(["我" * 50])[0]) == 50


def test_code_named_in_a_config_is_not_passed_on(tmp_path: Path, tokenizer: Tokenizer) -> None:
    tokenizer.save(tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps(config | {"auto_map": {"AutoTokenizer": "x.X"}})
    )
    Tokenizer.load(tmp_path).save(tmp_path / "out")
    assert "auto_map" not in (tmp_path / "out" / "tokenizer_config.json").read_text()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no tokenizer here: neither tokenizer.json nor vocab.txt"),
        ({"config.json": '{"model_type": "bert"}'}, "neither tokenizer.json nor vocab.txt"),
        ({"vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\n我\n"}, r"the vocabulary has no \[MASK\]"),
        (
            {"vocab.txt": "\n".join([*NAMES.values(), "我", "爱", "我"])},
            'token "我" stands at line 6 and at line 8',
        ),
        ({"vocab.txt": "\n".join(NAMES.values())}, "nothing but special tokens"),
        ({"tokenizer.json": "{"}, "not a tokenizer file"),
        ({"tokenizer.json": "{}", "tokenizer_config.json": "["}, "tokenizer_config.json: not valid JSON"),
        ({"tokenizer.json": "{}", "tokenizer_config.json": "[]"}, "must be an object"),
    ],
)
def test_a_wrong_folder_says_what_is_wrong(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        Tokenizer.load(tmp_path)


def test_what_is_neither_folder_nor_name_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        Tokenizer.load(tmp_path / "不在")
    (tmp_path / "vocab.txt").write_bytes("[PAD]\n我".encode("gbk"))
    with pytest.raises(ModelError, match="not UTF-8 at byte 6"):
        Tokenizer.load(tmp_path)
    with pytest.raises(ModelError, match="line feed"):
        Tokenizer.from_vocab([*TOKENS, "a\nb"])


def test_ordinary_ids_are_those_that_a_text_can_produce(tokenizer: Tokenizer) -> None:
    ordinary = {tokenizer.tokens[i] for i in tokenizer.ordinary_ids}
    assert {"我", "，", "bert", "##ing", "a", "##a", "ｂ"} <= ordinary
    assert not ordinary & {"[unused1]", "A", "Ｂ", "##汉", *NAMES.values()}


def test_fingerprint_follows_vocabulary_and_normaliser(tokenizer: Tokenizer) -> None:
    others = [
        Tokenizer.from_vocab(TOKENS, lowercase=False),
        Tokenizer.from_vocab([*TOKENS, "新"]),
        Tokenizer.from_vocab([*TOKENS[:-2], *TOKENS[:-3:-1]]),
    ]
    assert len({tokenizer.fingerprint, *(other.fingerprint for other in others)}) == 4
    assert Tokenizer.from_vocab(TOKENS, max_length=99).fingerprint == tokenizer.fingerprint


def test_decode_is_for_eyes(tokenizer: Tokenizer) -> None:
    (encoded,) = tokenizer.encode_batch(["我爱 bert bert，北京"])
    assert tokenizer.decode(np.append(encoded.ids, tokenizer.special.mask)) == "我爱bert bert，北京[MASK]"


def test_unk_rate(tokenizer: Tokenizer) -> None:
    assert tokenizer.unk_rate(["我爱", "龘龘"]) == 0.5


def test_neither_torch_nor_transformers_is_loaded() -> None:
    code = "import sys, zhbert.encode.tokenizer, zhbert.encode.vocab, zhbert.encode.masking\n"
    code += "sys.exit(any(name in sys.modules for name in ('torch', 'transformers')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.realdata
def test_bert_base_chinese(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokens = real_vocab()
    ours = Tokenizer.from_vocab(tokens)
    assert (ours.size, tokens[343], ours.special.mask) == (21128, "\u2028", 103)
    ours.save(tmp_path)
    assert len(read_vocab(tmp_path / "vocab.txt")) == 21128
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    for text, encoded in zip(TEXTS, ours.encode_batch(TEXTS), strict=True):
        assert encoded.ids.tolist() == theirs(text, add_special_tokens=False).input_ids
    ordinary = {tokens[i] for i in ours.ordinary_ids}
    assert 13_000 < len(ordinary) < 14_000
    assert {"我", "##ing"} <= ordinary
    assert not ordinary & {"##我", "[unused7]", "<S>"}
