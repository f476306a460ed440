"""Masking, on batches made by hand; tests/prop/test_masking.py holds it to real sentences."""

import numpy as np
import pytest

from zhbert.encode.bert import NAMES
from zhbert.encode.masking import ALWAYS, Masked, mask
from zhbert.encode.pack import SPECIAL, FlatBatch
from zhbert.encode.replacement import MaskIds
from zhbert.encode.shards import CONTINUES_WORD
from zhbert.encode.strategies import LONGEST, Masking
from zhbert.encode.tokenizer import Tokenizer

CHARACTERS = [chr(0x4E00 + i) for i in range(300)]
TOKENIZER = Tokenizer.from_vocab([*NAMES.values(), "[unused1]", *CHARACTERS, "##中"])
IDS = MaskIds.of(TOKENIZER)
PAD, UNK, CLS, SEP, MASK = range(5)
FIRST, LAST = 6, 305  # the ordinary ids
JIEBA_LENGTHS, JIEBA_SHARES = (1, 2, 3, 4, 5, 6), (0.513, 0.414, 0.048, 0.021, 0.003, 0.001)


def batch(*words: list[int], epoch: int = 0, samples: list[int] | None = None, seed: int = 0) -> FlatBatch:
    """Return a batch of samples, each given by the lengths of its words."""
    rng = np.random.default_rng(seed)
    ids, flags, starts = [], [], [0]
    for lengths in words:
        ids += [CLS, *rng.integers(FIRST, LAST + 1, sum(lengths)), SEP]
        flags += [SPECIAL, *(flag for n in lengths for flag in [0] + [CONTINUES_WORD] * (n - 1)), SPECIAL]
        starts.append(len(ids))
    return FlatBatch(
        ids_T=np.array(ids, np.int64),
        flags_T=np.array(flags, np.uint8),
        starts_S1=np.array(starts, np.int64),
        samples_S=np.array(range(len(words)) if samples is None else samples, np.int64),
        epoch=epoch,
    )


def jieba_like(tokens: int, rng: np.random.Generator) -> list[int]:
    lengths: list[int] = []
    while (left := tokens - sum(lengths)) > 0:
        lengths.append(min(left, int(rng.choice(JIEBA_LENGTHS, p=JIEBA_SHARES))))
    return lengths


def chosen(one: FlatBatch, masked: Masked) -> list[list[int]]:
    """Return the chosen positions of each sample, counted from its [CLS]."""
    edges = np.searchsorted(masked.positions_M, one.starts_S1)
    starts = one.starts_S1.tolist()
    return [
        (masked.positions_M[a:b] - start).tolist()
        for a, b, start in zip(edges, edges[1:], starts, strict=False)
    ]


@pytest.mark.slow
def test_the_mean_rate_is_the_target_whatever_the_lengths_of_documents() -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(5, 400, 200)
    words = [jieba_like(int(n), rng) for n in sizes]
    rates = []
    for epoch in range(40):
        one = batch(*words, epoch=epoch)
        rates.append([len(row) for row in chosen(one, mask(one, Masking(), seed=1, vocabulary=IDS))] / sizes)
    assert abs(np.mean(rates) - 0.15) < 0.003  # every document counts the same
    assert abs((np.mean(rates, axis=0) * sizes).sum() / sizes.sum() - 0.15) < 0.001  # every token does
    long = sizes >= 100
    assert abs(np.array(rates)[:, long] - 0.15).max() < 0.05


@pytest.mark.parametrize("rate", [0.02, 0.15, 0.4])
def test_30_tokens_always_get_a_unit_and_short_samples_keep_the_mean(rate: float) -> None:
    rng = np.random.default_rng(4)
    words = [jieba_like(ALWAYS, rng) for _ in range(300)]
    one = batch(*words, *([1], [2], [2, 1], [3, 3]) * 500)
    rows = chosen(one, mask(one, Masking(rate=rate), seed=1, vocabulary=IDS))
    assert min(map(len, rows[:300])) >= 1
    assert abs(sum(map(len, rows[300:])) / sum(map(sum, ([1], [2], [2, 1], [3, 3]) * 500)) - rate) < 0.02


@pytest.mark.slow
def test_a_token_is_as_likely_in_a_long_word_as_in_a_short_one() -> None:
    lengths = [1, 2, 3, 4] * 20
    hits = np.zeros(202)
    for epoch in range(600):
        one = batch(lengths, epoch=epoch)
        hits[mask(one, Masking(), seed=9, vocabulary=IDS).positions_M] += 1
    rates, place = [], 1
    per_length: dict[int, list[float]] = {n: [] for n in (1, 2, 3, 4)}
    for n in lengths:
        per_length[n].append(hits[place : place + n].mean() / 600)
        place += n
    rates = [float(np.mean(values)) for values in per_length.values()]
    assert max(abs(rate - 0.15) for rate in rates) < 0.012, rates


def test_words_are_whole_and_characters_are_not() -> None:
    one = batch([2] * 100)
    whole = mask(one, Masking(), seed=1, vocabulary=IDS)
    assert all(
        (a, b) == (a, a + 1) for a, b in zip(whole.positions_M[::2], whole.positions_M[1::2], strict=True)
    )
    assert (whole.positions_M[::2] % 2 == 1).all()
    single = mask(one, Masking(strategy="char"), seed=1, vocabulary=IDS)
    both = set(single.positions_M.tolist())
    assert any((p + 1 if p % 2 else p - 1) not in both for p in both)


def test_replacements_are_80_10_10_of_tokens_and_targets_are_what_stood_there() -> None:
    one = batch(*[[2] * 200] * 100)
    masked = mask(one, Masking(), seed=2, vocabulary=IDS)
    assert masked.targets_M.tolist() == one.ids_T[masked.positions_M].tolist()
    untouched = np.setdiff1d(np.arange(len(one.ids_T)), masked.positions_M)
    assert (masked.ids_T[untouched] == one.ids_T[untouched]).all()
    new = masked.ids_T[masked.positions_M]
    kept, hidden = new == masked.targets_M, new == MASK
    assert abs(hidden.mean() - 0.8) < 0.02
    assert abs(kept.mean() - 0.1) < 0.02
    others = new[~hidden & ~kept]
    assert FIRST <= others.min() < others.max() <= LAST  # no special, no [unused1], no ##中
    assert len(np.unique(others)) > 200
    assert (hidden[::2] != hidden[1::2]).any()  # drawn per token, not per word
    all_masked = mask(one, Masking(replace=(1, 0, 0)), seed=2, vocabulary=IDS)
    assert (all_masked.ids_T[all_masked.positions_M] == MASK).all()
    assert (all_masked.positions_M == masked.positions_M).all()


def test_the_mask_of_a_sample_depends_on_nothing_but_seed_and_epoch() -> None:
    words = [[2, 1, 3] * 10, [1] * 40, [4, 2] * 9, [20, 1, 1]]
    parts = [batch(w, samples=[at + 70], epoch=2, seed=at) for at, w in enumerate(words)]
    results = [mask(part, Masking(), seed=3, vocabulary=IDS) for part in parts]
    for order in ([0, 1, 2, 3], [3, 1, 0, 2], [2, 0]):
        joined = FlatBatch(
            ids_T=np.concatenate([parts[i].ids_T for i in order]),
            flags_T=np.concatenate([parts[i].flags_T for i in order]),
            starts_S1=np.cumsum([0, *(len(parts[i].ids_T) for i in order)]),
            samples_S=np.array([70 + i for i in order]),
            epoch=2,
        )
        assert mask(joined, Masking(), seed=3, vocabulary=IDS).ids_T.tolist() == [
            x for i in order for x in results[i].ids_T
        ]
    again = [
        mask(batch(words[0], samples=[s], epoch=e), Masking(), seed=d, vocabulary=IDS).positions_M.tolist()
        for s, e, d in ((70, 2, 3), (71, 2, 3), (70, 3, 3), (70, 2, 4))
    ]
    assert again[0] == results[0].positions_M.tolist()
    assert len(set(map(tuple, again))) == 4


def test_a_mask_never_changes_between_versions() -> None:
    one = batch([2, 1, 3, 2] * 8, epoch=1, samples=[5])
    masked = mask(one, Masking(), seed=7, vocabulary=IDS)
    assert masked.positions_M.tolist() == [12, 13, 14, 47, 48, 49, 50, 57, 58, 63, 64]
    assert masked.ids_T[masked.positions_M].tolist() == [279, 4, 4, 64, 4, 4, 4, 4, 4, 4, 122]


def test_what_is_special_or_unknown_is_never_chosen_nor_is_its_word() -> None:
    lengths = [2, 3] * 20
    one = batch(lengths)
    one.ids_T[2] = UNK  # the second character of the first word
    one.ids_T[3:6] = [FIRST, SEP, FIRST]  # the letters "[SEP]" in a text
    one.ids_T[10] = PAD
    ever = set()
    for seed in range(300):
        ever |= set(mask(one, Masking(), seed=seed, vocabulary=IDS).positions_M.tolist())
    assert ever == set(range(102)) - {0, 1, 2, 4, 10, 101}
    ever = set()
    for seed in range(300):
        ever |= set(mask(one, Masking(strategy="char"), seed=seed, vocabulary=IDS).positions_M.tolist())
    assert ever == set(range(102)) - {0, 2, 4, 10, 101}


def test_a_long_run_neither_swallows_the_budget_nor_goes_without() -> None:
    for run in (17, 40, 500):
        for seed in range(50):
            one = batch([run, *[1, 2] * 20])
            row = np.array(chosen(one, mask(one, Masking(), seed=seed, vocabulary=IDS))[0])
            assert abs(len(row) - 0.15 * (run + 60)) < 4
            alone = batch([run])
            assert (
                0 < len(chosen(alone, mask(alone, Masking(), seed=seed, vocabulary=IDS))[0]) < 0.15 * run + 4
                or run < 30
            )


def test_the_longest_word_is_still_a_word() -> None:
    one = batch([LONGEST, *[1] * 100])
    sizes = {
        sum(p <= LONGEST for p in mask(one, Masking(), seed=seed, vocabulary=IDS).positions_M)
        for seed in range(100)
    }
    assert sizes == {0, LONGEST}


def test_words_longer_than_the_budget_come_last() -> None:
    one = batch([10, *[1] * 20])  # budget 4.5
    for seed in range(100):
        assert min(mask(one, Masking(), seed=seed, vocabulary=IDS).positions_M) > 10
    only = batch([10, 10, 10])
    assert {len(mask(only, Masking(), seed=seed, vocabulary=IDS).positions_M) for seed in range(30)} == {10}


def test_mostly_unknown_text_keeps_half_of_what_it_has() -> None:
    one = batch([1] * 100)
    one.ids_T[11:101] = UNK
    sizes = [len(mask(one, Masking(), seed=seed, vocabulary=IDS).positions_M) for seed in range(20)]
    assert set(sizes) == {5}
    one.ids_T[1:101] = UNK
    assert len(mask(one, Masking(), seed=0, vocabulary=IDS).positions_M) == 0


def test_nothing_to_mask_is_no_error() -> None:
    for one in (batch(), batch([]), batch([], [1, 1], [])):
        masked = mask(one, Masking(), seed=0, vocabulary=IDS)
        assert len(masked.positions_M) == len(masked.targets_M) <= 2
        assert len(masked.ids_T) == len(one.ids_T)


def test_a_batch_is_not_changed() -> None:
    one = batch([2] * 50)
    before = one.ids_T.copy(), one.flags_T.copy()
    mask(one, Masking(), seed=0, vocabulary=IDS)
    assert (one.ids_T == before[0]).all()
    assert (one.flags_T == before[1]).all()
