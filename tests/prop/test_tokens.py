"""Whatever the texts, the fast way to tokens gives what the backend gives, and counts what it looks up."""

from collections import Counter
from dataclasses import fields

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken

from zhbert.encode.bert import NAMES, bert_backend
from zhbert.encode.extend import extend
from zhbert.encode.flat import BackendEncoder, TableEncoder
from zhbert.encode.tokenizer import Tokenizer
from zhbert.encode.words import LONGEST_WORD, count_words

LETTERS = "abexIK019éß"
TOKENS = [
    *dict.fromkeys(
        [
            *NAMES.values(),
            *"的一我爱，。[]#",
            *LETTERS,
            *(f"##{c}" for c in LETTERS),
            "ab",
            "##ab",
            "😀",
            "##我",
            "\u0301",
        ]
    )
]
SETTINGS = {
    "lower": {},
    "cased": {"do_lower_case": False},
    "accents": {"strip_accents": False},
    "cased, no accents": {"do_lower_case": False, "strip_accents": True},
    "Han joined": {"tokenize_chinese_chars": False},
}


def made(name: str) -> Tokenizer:
    backend = bert_backend(TOKENS, SETTINGS[name], where="")
    added = [AddedToken("<e1>", normalized=False, lstrip=True), AddedToken("爱我", normalized=False)]
    backend.add_special_tokens(added)
    return Tokenizer(backend, config=SETTINGS[name])


TOKENIZERS = {name: made(name) for name in SETTINGS}
ENCODERS = {name: (TableEncoder(t.backend), BackendEncoder(t.backend)) for name, t in TOKENIZERS.items()}

pieces = st.one_of(
    st.text(st.sampled_from(LETTERS + "我的一"), max_size=6),
    st.sampled_from("我的爱一㐀龘\U00020bb7\U0002a6d6\U0002b820\U00030000\uf900\U0002f800々〇"),
    st.sampled_from("，。！…—·～“”￥％[]()<>#~$^`"),
    st.sampled_from(" \n\t\r\v\f\x1c\x85\xa0\u1680\u2003\u2028\u202f\u3000"),
    st.sampled_from("\x00\x01\x7f\xad\u061c\u200b\u200d\u2060\ufeff\ufffd\ue000\ufdd0\U000e0041\ud800\udfff"),
    st.sampled_from("\u0301\u0300\u0327\u0345\u20dd\u302a\u3099\ufe0f\u0e31\u05b0\U000e0100"),
    st.sampled_from(
        ["😀", "👨\u200d👩\u200d👧", "🇨🇳", "é", "e\u0301", "ﬁ", "İ", "ß", "Σ", "ǅ", "가", "각", "か\u3099"]
    ),
    st.sampled_from(["[SEP]", "[MASK]", "[MASK", "SEP]", "[UNK]", "<e1>", " <e1> ", "<e1", "爱我", "##ab"]),
    st.characters(exclude_categories=()),
    st.integers(98, 103).map("a".__mul__),
)
texts = st.lists(pieces, max_size=14).map("".join)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
@examples(100)
@given(batch=st.lists(texts, max_size=5))
def test_tokens_are_those_of_the_backend(name: str, batch: list[str]) -> None:
    table, backend = ENCODERS[name]  # the same for all examples: it remembers
    found, wanted = table.encode(batch), backend.encode(batch)
    for field in fields(wanted):
        one, other = getattr(found, field.name), getattr(wanted, field.name)
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist(), field.name


@examples(100)
@given(batch=st.lists(texts, max_size=5))
def test_a_batch_is_its_texts_and_offsets_lie_in_them(batch: list[str]) -> None:
    tokenizer = TOKENIZERS["lower"]
    together, flat = tokenizer.encode_batch(batch), tokenizer.encode_flat(batch)
    assert len(together) == len(flat.docs) == len(batch)
    assert np.concatenate([[], *(e.ids for e in together)]).tolist() == flat.ids.tolist()
    for text, encoded, begin in zip(batch, together, flat.begins, strict=True):
        (alone,) = tokenizer.encode_batch([text])
        assert (alone.ids.tolist(), alone.offsets.tolist()) == (
            encoded.ids.tolist(),
            encoded.offsets.tolist(),
        )
        assert all(0 <= start <= end <= len(text) for start, end in encoded.offsets)
        assert "\n".join(batch)[begin : begin + len(text)] == text


def slowly_counted(batch: list[str], tokenizer: Tokenizer) -> dict[tuple[str, ...], int]:
    """The words of whole texts, normalised and split at once."""
    words: Counter[tuple[str, ...]] = Counter()
    for text in batch:
        clean = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
        normal = tokenizer.backend.normalizer.normalize_str(clean)
        for word, _ in tokenizer.backend.pre_tokenizer.pre_tokenize_str(normal):
            if len(word) <= LONGEST_WORD:
                words[word[0], *("##" + character for character in word[1:])] += 1
    return dict(words)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
@examples(50)
@given(batch=st.lists(texts, max_size=5))
def test_words_are_counted_as_if_text_by_text(name: str, batch: list[str]) -> None:
    tokenizer = TOKENIZERS[name]
    assert count_words(batch, tokenizer.backend) == slowly_counted(batch, tokenizer)


@examples(50)
@given(batch=st.lists(texts, max_size=5), room=st.integers(0, 30), fill=st.booleans())
def test_extending_moves_no_old_token(batch: list[str], room: int, fill: bool) -> None:
    base = TOKENIZERS["lower"]
    tokenizer, extension = extend(base, batch, room=room, min_count=1, fill_unused=fill)
    old, new = (t.backend.get_vocab(with_added_tokens=True) for t in (base, tokenizer))
    assert new == old | {token.token: token.id for token in extension.tokens}
    assert len(extension.tokens) <= room
    lost, unknown = ((t.encode_flat(batch).ids == t.special.unk).sum() for t in (tokenizer, base))
    assert lost <= unknown
    for id_, rows in extension.starts().items():
        assert base.size <= id_ < tokenizer.size == extension.size
        assert rows
        assert max(rows) < base.size
