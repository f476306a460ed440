"""Pairs of segments: how they are cut, laid out, exchanged and labelled."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from zhbert.encode.pack import SPECIAL, Batches, FlatBatch, SampleTable
from zhbert.encode.pairs import NO_LABEL, PAIRS, SPECIALS, PairName, flatten_pairs
from zhbert.encode.shards import CONTINUES_WORD, SENTENCE, Shards, ShardWriter
from zhbert.encode.tokenizer import Special

IDS = Special(pad=0, unk=1, cls=2, sep=3, mask=4)
DOCUMENTS = 300
Ints = NDArray[np.int64]


def table(folder: Path, documents: int = DOCUMENTS, *, max_tokens: int = 24) -> SampleTable:
    """Make shards of documents whose every token is 10 + the number of the document, and its place."""
    rng = np.random.default_rng(1)
    for name in ("00000", "00001"):
        with ShardWriter(folder / name, vocabulary=65_000, tokenizer="t", segmenter="s") as shard:
            for number in range(documents // 2):
                size = int(rng.integers(1, 70))
                flags = np.where(rng.random(size) < 0.4, CONTINUES_WORD, 0).astype(np.uint8)
                flags[rng.random(size) < 0.15] = SENTENCE
                ids = 10 + (number + (name == "00001") * (documents // 2)) * 100 + np.arange(size)
                shard.add(ids, flags)
    return SampleTable.cut(Shards.open(folder), max_tokens=max_tokens, specials=SPECIALS)


def pair(samples: SampleTable, chosen: Ints, pairs: PairName, *, seed: int = 1, epoch: int = 0) -> FlatBatch:
    return flatten_pairs(samples, chosen, specials=IDS, epoch=epoch, pairs=pairs, seed=seed)


def segments(batch: FlatBatch, i: int) -> tuple[list[int], list[int]]:
    assert batch.segments_T is not None
    here = slice(*batch.starts_S1[i : i + 2].tolist())
    body = batch.ids_T[here] >= 10
    first = body & (batch.segments_T[here] == 0)
    return batch.ids_T[here][first].tolist(), batch.ids_T[here][body & ~first].tolist()


@pytest.mark.parametrize("pairs", PAIRS)
def test_every_sample_is_a_pair_with_its_label(pairs: PairName, tmp_path: Path) -> None:
    samples = table(tmp_path)
    batch = pair(samples, np.arange(len(samples)), pairs)
    assert batch.labels_S is not None
    assert batch.segments_T is not None
    for i, label in enumerate(batch.labels_S.tolist()):
        own = samples.read(np.array([i]))[0].tolist()
        first, second = segments(batch, i)
        here = slice(*batch.starts_S1[i : i + 2].tolist())
        if len(own) == 1:
            assert (label, first, second) == (NO_LABEL, own, [])
            assert batch.ids_T[here].tolist() == [IDS.cls, *own, IDS.sep]
            continue
        assert batch.ids_T[here].tolist() == [IDS.cls, *first, IDS.sep, *second, IDS.sep]
        assert batch.segments_T[here].tolist() == [0] * (len(first) + 2) + [1] * (len(second) + 1)
        assert (batch.flags_T[here] == SPECIAL).tolist() == (batch.ids_T[here] < 10).tolist()
        if label == 0:
            assert first + second == own
        elif pairs == "sop":
            assert second + first == own
        else:
            assert first == own[: len(first)]
            assert len({token // 100 for token in np.array(second) - 10}) == 1
            assert (second[0] - 10) // 100 != (own[0] - 10) // 100
            assert 1 <= len(second) <= len(own) - len(first)
    labels = batch.labels_S[batch.labels_S != NO_LABEL]
    assert 0.42 < labels.mean() < 0.58
    assert int(np.diff(batch.starts_S1).max()) <= 24


def test_the_cut_is_at_the_sentence_nearest_to_the_middle(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "00000", vocabulary=100, tokenizer="t", segmenter="s") as shard:
        starts, goes_on = int(SENTENCE), int(CONTINUES_WORD)
        shard.add(range(10, 20), [starts, 0, 0, starts, 0, 0, 0, starts, 0, 0])
        shard.add(range(20, 30), [starts, *[goes_on] * 6, 0, *[goes_on] * 2])
        shard.add(range(30, 35), [starts, *[goes_on] * 4])
    samples = SampleTable.cut(Shards.open(tmp_path), max_tokens=16, specials=SPECIALS)
    batch = pair(samples, np.arange(3), "nsp", seed=3)
    assert [segments(batch, i)[0][-1] for i in range(3)] == [12, 26, 32]


@pytest.mark.parametrize("pairs", PAIRS)
def test_a_sample_is_the_same_in_every_batch_and_new_in_every_epoch(pairs: PairName, tmp_path: Path) -> None:
    samples = table(tmp_path)
    everything = pair(samples, np.arange(len(samples)), pairs)
    some = np.array([5, 3, 200])
    batch = pair(samples, some, pairs)
    for place, i in enumerate(some.tolist()):
        assert segments(batch, place) == segments(everything, i)
    assert batch.ids_T.tolist() != pair(samples, some, pairs, epoch=1).ids_T.tolist()
    assert pair(samples, np.empty(0, np.int64), pairs).ids_T.tolist() == []


def test_one_document_has_nothing_to_exchange(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "00000", vocabulary=1000, tokenizer="t", segmenter="s") as shard:
        shard.add(range(10, 910), [0] * 900)
    samples = SampleTable.cut(Shards.open(tmp_path), max_tokens=30, specials=SPECIALS)
    batch = pair(samples, np.arange(len(samples)), "nsp")
    assert batch.labels_S is not None
    assert not batch.labels_S.any()


def test_batches_keep_to_their_budget(tmp_path: Path) -> None:
    samples = table(tmp_path)
    lay_out = partial(flatten_pairs, pairs="nsp", seed=1)
    batches = Batches(samples, tokens_per_batch=200, seed=1, specials=IDS, lay_out=lay_out)
    seen: list[int] = []
    for batch in batches:
        if batch.epoch:
            break
        assert len(batch.ids_T) <= 200
        seen += batch.samples_S.tolist()
    assert sorted(seen) == list(range(len(samples)))
