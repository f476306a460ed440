"""The company of tokens: counted as a slow loop counts it, and nothing said of what is not known."""

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from zhbert.encode.company import SELDOM, company
from zhbert.encode.counting import PORTION, ppmi, vectors
from zhbert.encode.shards import Shards
from zhbert.encode.tokenizer import Tokenizer

WEIGHTS = {1: 6, 2: 3, 3: 2}


@pytest.fixture
def shards(tiny_shards: Path) -> Shards:
    return Shards.open(tiny_shards / "train")


def counted_slowly(shards: Shards, vocabulary: int) -> np.ndarray:
    beside = np.zeros((vocabulary, vocabulary), np.int64)
    for shard in shards.shards:
        for begin, end in zip(shard.starts_D.tolist(), shard.ends_D.tolist(), strict=True):
            ids = shard.ids_T[begin:end].tolist()
            for i, one in enumerate(ids):
                for distance, weight in WEIGHTS.items():
                    if i + distance < len(ids):
                        beside[one, ids[i + distance]] += weight
                        beside[ids[i + distance], one] += weight
    return beside


def test_it_is_what_a_slow_loop_counts(shards: Shards, tiny_tokenizer: Tokenizer) -> None:
    size = tiny_tokenizer.size
    found = company(shards, vocabulary=size, dimensions=16)
    tokens = np.concatenate([shard.ids_T for shard in shards.shards])
    assert np.array_equal(found.counts_V, np.bincount(tokens, minlength=size))
    known = found.counts_V > SELDOM
    slow = counted_slowly(shards, size)[:, np.argsort(-found.counts_V, kind="stable")]
    slow[~known] = 0
    rows = vectors(ppmi(sparse.csr_matrix(slow)), 16)
    rows = rows - rows[known].mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert np.allclose(found.vectors_VD[known], rows[known], atol=1e-4)


def test_what_is_seldom_seen_has_no_vector_and_the_others_have_length_one(
    shards: Shards, tiny_tokenizer: Tokenizer
) -> None:
    found = company(shards, vocabulary=tiny_tokenizer.size, dimensions=16)
    known = found.counts_V > SELDOM
    assert 0 < known.sum() < len(known)
    assert not found.vectors_VD[~known].any()
    assert np.allclose(np.linalg.norm(found.vectors_VD[known], axis=1), 1, atol=1e-5)


def test_tokens_in_the_same_places_are_near(shards: Shards, tiny_tokenizer: Tokenizer) -> None:
    found = company(shards, vocabulary=tiny_tokenizer.size, dimensions=32)
    index = {token: i for i, token in enumerate(tiny_tokenizer.tokens)}
    one, near, far = (found.vectors_VD[index[token]] for token in ("一", "三", "。"))
    assert one @ near > one @ far


def test_portions_change_nothing(
    shards: Shards, tiny_tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = company(shards, vocabulary=tiny_tokenizer.size, dimensions=16)
    monkeypatch.setattr("zhbert.encode.counting.PORTION", 100)
    cut = company(shards, vocabulary=tiny_tokenizer.size, dimensions=16)
    assert PORTION > 100
    assert np.array_equal(whole.vectors_VD, cut.vectors_VD)


def test_without_any_known_token_there_is_nothing_to_say(
    shards: Shards, tiny_tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zhbert.encode.company.SELDOM", 10**9)
    assert not company(shards, vocabulary=tiny_tokenizer.size, dimensions=16).vectors_VD.any()
