"""Samples and batches, on small shards made by hand."""

import time
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from zhbert.encode import pack
from zhbert.encode.pack import SPECIAL, Batches, FlatBatch, SampleTable, State, flatten, order
from zhbert.encode.shards import CONTINUES_WORD, SENTENCE, Shards, ShardWriter
from zhbert.encode.tokenizer import Special
from zhbert.errors import ConfigError, DataError

SPECIALS = Special(pad=0, unk=1, cls=2, sep=3, mask=4)
W, S = int(CONTINUES_WORD), int(SENTENCE)


def shards_of(folder: Path, *shards: list[list[int]]) -> Shards:
    """Write shards of documents given by their flags; tokens are numbered from 10 on."""
    token = 10
    for at, docs in enumerate(shards):
        with ShardWriter(folder / f"{at:05d}", vocabulary=60_000, tokenizer="t", segmenter="s") as shard:
            for flags in docs:
                shard.add(range(token, token + len(flags)), flags)
                token += len(flags)
    return Shards.open(folder)


def lengths(table: SampleTable) -> list[int]:
    return (table.ends_N - table.begins_N).tolist()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([S] + [0] * 7, [8]),  # just fits
        ([S] + [0] * 8, [8, 1]),  # no sentence, every token a word
        ([S, *[0] * 6, S, 0, 0], [7, 3]),  # a sentence start in the last quarter
        ([S, *[0] * 5, S, 0, 0, 0], [8, 2]),  # one before the last quarter does not count
        ([S, *[0] * 7, S, 0], [8, 2]),  # one just at the end of the room
        ([S, *[0] * 5, 0, W, W, 0], [6, 4]),  # before the word that does not fit
        ([S, *[W] * 19], [8, 8, 4]),  # a word longer than a sample: anywhere
        ([S, 0, *[W] * 11], [1, 8, 4]),  # the long word begins a sample
        ([], []),
    ],
)
def test_where_a_document_is_cut(tmp_path: Path, flags: list[int], expected: list[int]) -> None:
    assert lengths(SampleTable.cut(shards_of(tmp_path, [flags]), max_tokens=10)) == expected


def test_samples_go_through_documents_in_order_and_empty_ones_give_none(tmp_path: Path) -> None:
    table = SampleTable.cut(shards_of(tmp_path, [[0] * 5, [], [0] * 12], [[]], [[], [0] * 3]), max_tokens=10)
    assert list(zip(table.begins_N.tolist(), table.ends_N.tolist(), strict=True)) == [
        (0, 5),
        (5, 13),
        (13, 17),
        (17, 20),
    ]


def test_cutting_in_blocks_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    docs = [rng.choice([0, W, S], n, p=[0.6, 0.35, 0.05]).tolist() for n in rng.integers(0, 60, 50)]
    shards = shards_of(tmp_path, docs[:20], docs[20:])
    whole = SampleTable.cut(shards, max_tokens=12)
    monkeypatch.setattr(pack, "BLOCK", 40)
    parts = SampleTable.cut(shards, max_tokens=12)
    assert whole.begins_N.tolist() == parts.begins_N.tolist()
    assert whole.ends_N.tolist() == parts.ends_N.tolist()


def test_a_flat_batch_carries_its_specials(tmp_path: Path) -> None:
    table = SampleTable.cut(shards_of(tmp_path, [[S, W, 0, W, W, W | 2 | 4]], [[S, 0]]), max_tokens=5)
    batch = flatten(table, np.array([3, 0]), specials=SPECIALS, epoch=3)
    assert batch.ids_T.tolist() == [2, 16, 17, 3, 2, 10, 11, 3]
    assert batch.starts_S1.tolist() == [0, 4, 8]
    assert batch.flags_T.tolist() == [SPECIAL, S, 0, SPECIAL, SPECIAL, S, W, SPECIAL]
    assert (batch.samples_S.tolist(), batch.epoch) == ([3, 0], 3)
    inside = flatten(table, np.array([2]), specials=SPECIALS, epoch=0)
    assert (inside.ids_T[1], inside.flags_T[1]) == (15, 0)  # what it continued is in another sample
    assert flatten(table, np.array([], np.int64), specials=SPECIALS, epoch=0).starts_S1.tolist() == [0]


def test_order_is_a_permutation_that_never_changes() -> None:
    assert sorted(order(1000, seed=1, epoch=2)) == list(range(1000))
    assert order(8, seed=0, epoch=0).tolist() == [5, 0, 7, 4, 6, 3, 2, 1]
    assert order(0, seed=0, epoch=0).tolist() == []
    begin = time.perf_counter()
    order(1_000_000, seed=1, epoch=2)
    assert time.perf_counter() - begin < 2


@pytest.fixture
def table(tmp_path: Path) -> SampleTable:
    rng = np.random.default_rng(2)
    docs = [[S, *rng.choice([0, W], n)] for n in rng.integers(0, 40, 60)]
    return SampleTable.cut(shards_of(tmp_path, docs[:25], docs[25:]), max_tokens=20)


def batches(table: SampleTable, rank: int = 0, world: int = 1, seed: int = 5, budget: int = 64) -> Batches:
    return Batches(table, tokens_per_batch=budget, seed=seed, specials=SPECIALS, rank=rank, world=world)


def same(a: FlatBatch, b: FlatBatch) -> bool:
    names = ("ids_T", "flags_T", "starts_S1", "samples_S")
    return a.epoch == b.epoch and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


def test_every_sample_once_an_epoch_in_the_order_of_the_epoch(table: SampleTable) -> None:
    seen: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for batch in batches(table):
        if batch.epoch == 3:
            break
        assert len(batch.ids_T) <= 64
        seen[batch.epoch] += batch.samples_S.tolist()
    for epoch, samples in seen.items():
        assert samples == order(len(table), seed=5, epoch=epoch).tolist()


def test_a_batch_is_as_full_as_the_budget_allows(table: SampleTable) -> None:
    row = list(islice(batches(table), 40))
    for one, other in pairwise(row):
        assert one.epoch != other.epoch or len(one.ids_T) + other.starts_S1[1] > 64


def test_a_sample_longer_than_the_budget_comes_alone(table: SampleTable) -> None:
    assert all(len(batch.samples_S) == 1 for batch in islice(batches(table, budget=3), 100))


def test_resuming_goes_on_exactly(table: SampleTable) -> None:
    run = batches(table)
    row, states = [], [run.state]
    for batch in islice(run, 50):
        row.append(batch)
        states.append(run.state)
    assert row[-1].epoch == 1
    for at in (0, 1, 7, 23, 49):
        again = next(iter(batches(table).resume(states[at])))
        assert same(again, row[at])


@pytest.mark.parametrize("world", [2, 3, 8])
def test_ranks_share_the_samples_of_a_step(table: SampleTable, world: int) -> None:
    ranks = [batches(table, rank, world) for rank in range(world)]
    for steps in islice(zip(batches(table), *ranks, strict=True), 30):
        whole, *shares = steps
        assert np.concatenate([share.samples_S for share in shares]).tolist() == whole.samples_S.tolist()
        sizes = [len(share.ids_T) for share in shares]
        assert max(sizes) - min(sizes) <= 2 * 20
    assert len({rank.state for rank in ranks}) == 1


def test_what_cannot_be_is_refused(table: SampleTable, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="max_tokens must be at least 3"):
        SampleTable.cut(table.shards, max_tokens=2)
    with pytest.raises(ConfigError, match="rank 2 of 2"):
        batches(table, rank=2, world=2)
    with pytest.raises(ConfigError, match="had seed 6, not 5"):
        batches(table).resume(State(seed=6))
    with pytest.raises(DataError, match="another corpus"):
        batches(table).resume(State(seed=5, consumed=len(table) + 1))
    with pytest.raises(DataError, match="every document is empty"):
        batches(SampleTable.cut(shards_of(tmp_path / "empty", [[]]), max_tokens=9))
