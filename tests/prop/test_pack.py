"""What holds for every corpus that is cut and batched."""

import tempfile
from itertools import islice, takewhile
from pathlib import Path

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from zhbert.encode.pack import Batches, SampleTable
from zhbert.encode.shards import CONTINUES_WORD, SENTENCE, Shards, ShardWriter
from zhbert.encode.tokenizer import Special

SPECIALS = Special(pad=0, unk=1, cls=2, sep=3, mask=4)
FLAG = st.sampled_from([0, 0, 0, 1, 1, 1, 8])
FLAGS = st.integers(0, 70).flatmap(lambda n: st.lists(FLAG, min_size=n, max_size=n))  # long ones as often
CORPUS = st.lists(st.lists(FLAGS, max_size=3), min_size=1, max_size=3)


def make(folder: str, corpus: list[list[list[int]]]) -> Shards:
    token = 5
    for at, docs in enumerate(corpus):
        with ShardWriter(Path(folder, f"{at:05d}"), vocabulary=60_000, tokenizer="t", segmenter="s") as shard:
            for flags in docs:
                shard.add(range(token, token + len(flags)), flags)
                token += len(flags)
    return Shards.open(folder)


@pytest.mark.slow
@examples(100)
@given(CORPUS, st.integers(3, 40))
def test_samples_are_the_documents_in_order_cut_where_they_may_be(
    corpus: list[list[list[int]]], max_tokens: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = SampleTable.cut(make(folder, corpus), max_tokens=max_tokens)
    docs = [flags for part in corpus for flags in part]
    flat = np.array([flag for flags in docs for flag in flags], np.uint8)
    spans = list(zip(table.begins_N.tolist(), table.ends_N.tolist(), strict=True))
    assert [at for begin, end in spans for at in range(begin, end)] == list(range(len(flat)))
    room, borders = max_tokens - 2, set(np.cumsum([len(flags) for flags in docs]).tolist())
    for begin, end in spans:
        assert 0 < end - begin <= room
        assert not borders & set(range(begin + 1, end))
        if end not in borders:
            limit = begin + room
            late = [at for at in range(limit - room // 4 + 1, limit + 1) if flat[at] & SENTENCE]
            words = [at for at in range(begin + 1, limit + 1) if not flat[at] & CONTINUES_WORD]
            assert end == (late or words or [limit])[-1]


@examples(70)
@given(CORPUS, st.integers(3, 100), st.integers(0, 2**63), st.integers(1, 4), st.data())
def test_an_epoch_is_every_sample_once_on_any_number_of_ranks(
    corpus: list[list[list[int]]], budget: int, seed: int, world: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = SampleTable.cut(make(folder, corpus), max_tokens=16)
        if not len(table):
            return
        ranks = [
            Batches(table, tokens_per_batch=budget, seed=seed, specials=SPECIALS, rank=rank, world=world)
            for rank in range(world)
        ]
        steps = list(takewhile(lambda step: step[0].epoch == 0, zip(*ranks, strict=True)))
        samples = [
            step_sample for step in steps for share in step for step_sample in share.samples_S.tolist()
        ]
        assert sorted(samples) == list(range(len(table)))
        one = Batches(table, tokens_per_batch=budget, seed=seed, specials=SPECIALS)
        at = data.draw(st.integers(0, len(steps) - 1))
        list(islice(one, at))
        resumed = next(
            iter(Batches(table, tokens_per_batch=budget, seed=seed, specials=SPECIALS).resume(one.state))
        )
        assert resumed.samples_S.tolist() == [i for share in steps[at] for i in share.samples_S.tolist()]
        assert len(resumed.ids_T) <= max(budget, 16)
        texts = [
            resumed.ids_T[a:b].tolist()
            for a, b in zip(resumed.starts_S1, resumed.starts_S1[1:], strict=False)
        ]
        for text, i in zip(texts, resumed.samples_S, strict=True):
            assert text == [2, *range(table.begins_N[i] + 5, table.ends_N[i] + 5), 3]
