"""Vectors are those of plain transformers for each text alone; long texts are read whole; so are words."""

from collections.abc import Callable
from itertools import count, islice

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhbert.encode.windows import owners, windows
from zhbert.errors import ConfigError, DataError
from zhbert.model.store import Stored
from zhbert.text.segment import segmenter
from zhbert.vectors import embedder as room
from zhbert.vectors.embedder import Embedder, Pooling

Make = Callable[..., Stored]
POOLINGS: list[Pooling] = ["mean", "cls", "last4"]
TEXTS = [
    "我爱北京",
    "",
    "  \t",
    "\ud800",
    "😀😀 BERTs is great",
    "王芳在杭州图书馆工作。" * 2,
    "爱",
    "\u200b",
]
LONG = "王芳在杭州图书馆工作，爱人民。" * 9


def said(stored: Stored, ids: list[int], pooling: Pooling) -> np.ndarray:
    """Return what plain transformers says of the tokens of one window, [CLS] and [SEP] around them."""
    special = stored.tokenizer.special
    row = torch.tensor([[special.cls, *ids, special.sep]])
    with torch.inference_mode():
        output = stored.model(input_ids=row, output_hidden_states=True)
    if pooling == "last4":
        return torch.stack([layer[0] for layer in output.hidden_states[-4:]]).mean(0).numpy()
    return output.last_hidden_state[0].numpy()


def tokens_of(stored: Stored, text: str, pooling: Pooling) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return slowly the hidden states of a text's tokens, and [CLS] and [SEP] of each window."""
    ids = stored.tokenizer.encode_batch([text])[0].ids.tolist()
    room_ = stored.facts.window - 2
    cut = windows(len(ids), size=room_, stride=room_ - room_ // 8)
    parts = [said(stored, ids[start:end], pooling) for start, end in cut]
    owner = owners(len(ids), cut)
    own = [parts[owner[i]][i - cut[owner[i]][0] + 1] for i in range(len(ids))]
    width = parts[0].shape[1]
    return np.array(own).reshape(-1, width), np.array([p[0] for p in parts]), np.array([p[-1] for p in parts])


def slowly(stored: Stored, text: str, pooling: Pooling) -> np.ndarray:
    own, firsts, lasts = tokens_of(stored, text, pooling)
    if pooling != "cls":
        return np.concatenate([own, firsts, lasts]).mean(0)
    ids = stored.tokenizer.encode_batch([text])[0].ids
    room_ = stored.facts.window - 2
    owner = owners(len(ids), windows(len(ids), size=room_, stride=room_ - room_ // 8))
    return np.average(firsts, axis=0, weights=np.bincount(owner, minlength=len(firsts)) + 2)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("family", ["bert", "roberta", "modernbert", "distilbert"])
def test_vectors_are_those_of_transformers(family: str, pooling: Pooling, make: Make) -> None:
    stored = make(family)
    found = Embedder(stored).embed([*TEXTS, LONG, LONG + "我"], pooling=pooling)
    assert found.dtype == np.float32
    for text, vector in zip([*TEXTS, LONG, LONG + "我"], found, strict=True):
        np.testing.assert_allclose(vector, slowly(stored, text, pooling), atol=1e-5, err_msg=text)


@pytest.mark.slow
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text("我爱北京大学图书馆的王芳在杭州 ab\n\ud800😀", max_size=70), max_size=7),
    st.sampled_from(POOLINGS),
    st.integers(30, 400),
)
def test_any_texts_in_any_batches(make: Make, texts: list[str], pooling: Pooling, tokens: int) -> None:
    stored = make()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "TOKENS", tokens)
        patch.setattr(room, "CHUNK", 3)
        found = Embedder(stored).embed(texts, pooling=pooling)
    assert found.shape == (len(texts), 24)
    for text, vector in zip(texts, found, strict=True):
        np.testing.assert_allclose(vector, slowly(stored, text, pooling), atol=1e-5)


def test_a_batch_holds_no_more_tokens_than_it_may(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "TOKENS", 50)
    for family in ("bert", "distilbert"):
        embedder = Embedder(make(family))
        encoded = embedder.tokenizer.encode_batch(["我" * n for n in (3, 20, 1, 9, 60, 2, 2)])
        batches = [[len(w.ids) + 2 for w in batch] for batch in embedder._batches(encoded)]
        assert sum(map(len, batches)) == 6 + 3  # the longest text has three
        full = [sum(b) if family == "bert" else len(b) * max(b) for b in batches]
        assert max(full) <= 50
        assert len(batches) <= (4 if family == "bert" else 6)


def test_the_encoder_goes_on_as_before(make: Make) -> None:
    stored = make()
    row = torch.tensor([[2, 9, 3]])
    with torch.inference_mode():
        before = stored.model(input_ids=row).last_hidden_state
        Embedder(stored).embed(TEXTS)
        assert torch.equal(stored.model(input_ids=row).last_hidden_state, before)


def test_a_stream_reads_a_chunk_ahead_and_no_more(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "CHUNK", 5)
    asked = count()
    found = list(islice(Embedder(make()).stream("爱" * (n % 7) for n in asked), 3))
    assert [len(part) for part in found] == [5, 5, 5]
    assert next(asked) <= 16
    np.testing.assert_allclose(np.concatenate(found)[7], found[0][0], atol=1e-5)  # both are empty texts


@pytest.mark.parametrize("pooling", ["mean", "last4"])
@pytest.mark.parametrize("text", [*TEXTS, LONG, "我爱BERTs 3.是 北京 大学\n\n图书馆😀😀长城"])
def test_words_are_means_of_their_tokens(text: str, pooling: Pooling, make: Make) -> None:
    stored, cutter = make(), segmenter("jieba")
    (found,) = Embedder(stored).words([text], cutter, pooling=pooling)
    encoded = stored.tokenizer.encode_batch([text])[0]
    own, _, _ = tokens_of(stored, text, pooling)
    expected, start = {}, 0
    for end in cutter.ends(text).tolist():
        touching = [i for i, (a, b) in enumerate(encoded.offsets.tolist()) if a < end and b > start and a < b]
        if touching:
            expected[start, end] = own[touching].mean(0)
        start = end
    assert list(map(tuple, found.offsets_W2.tolist())) == list(expected)
    assert found.words(text) == [text[a:b] for a, b in expected]
    for vector, wanted in zip(found.vectors_WH, expected.values(), strict=True):
        np.testing.assert_allclose(vector, wanted, atol=1e-5)


def test_many_texts_of_words_keep_their_order(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder, cutter = Embedder(make()), segmenter("character")
    alone = [next(embedder.words([text], cutter)) for text in [*TEXTS, LONG]]
    monkeypatch.setattr(room, "OF_WORDS", 20)
    for one, other in zip(alone, embedder.words([*TEXTS, LONG], cutter), strict=True):
        np.testing.assert_allclose(one.vectors_WH, other.vectors_WH, atol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_half_precision_is_near(pooling: Pooling, make: Make) -> None:
    whole = Embedder(make(), dtype="float32").embed([*TEXTS, LONG], pooling=pooling)
    half = Embedder(make(), dtype="bfloat16").embed([*TEXTS, LONG], pooling=pooling)
    assert half.dtype == np.float32
    assert 1e-5 < np.abs(whole - half).max() < 0.1
    np.testing.assert_allclose(Embedder(make()).embed([*TEXTS, LONG], pooling=pooling), whole, atol=1e-6)
    with pytest.raises(ConfigError, match="float32 only"):
        Embedder(make("distilbert"), dtype="bfloat16")


def test_what_cannot_be_embedded_is_refused(make: Make) -> None:
    embedder = Embedder(make())
    with pytest.raises(DataError, match="not one text"):
        embedder.embed("我爱北京")
    with pytest.raises(DataError, match="not int"):
        embedder.embed(["爱", 3])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match='no pooling "max"'):
        embedder.embed(["爱"], pooling="max")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"a word has no \[CLS\]"):
        next(embedder.words(["爱"], segmenter("character"), pooling="cls"))
    assert embedder.embed([]).shape == (0, 24)
