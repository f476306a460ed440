"""Masking of real, unspaced, mixed Chinese: words whole, rates near the target, nobody left out.

A slow, obvious masker in plain Python, `slow_masker.py`, says what each strategy masks, to the last token.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import slow_masker as slow
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from zhbert.encode.align import continuations
from zhbert.encode.bert import NAMES
from zhbert.encode.masking import mask
from zhbert.encode.pack import SPECIAL, FlatBatch
from zhbert.encode.replacement import MaskIds
from zhbert.encode.shards import CONTINUES_WORD
from zhbert.encode.similar import SimilarWords
from zhbert.encode.strategies import STRATEGIES, Masking
from zhbert.encode.tokenizer import Tokenizer
from zhbert.text.segment import ranges, segmenter

SENTENCES = [
    "小明硕士毕业于中国科学院计算所，后在日本京都大学深造。",
    "中华人民共和国国务院发布关于加快发展养老服务业的若干意见",
    "他来到了网易杭研大厦，工信处女干事每月经过下属科室都要亲口交代24口交换机等技术性器件的安装工作",
    "南京市长江大桥于1968年12月29日建成通车，全长6772米。",
    "巧妇难为无米之炊，青出于蓝而胜于蓝；国际货币基金组织的报告说：“全球经济增长3.2%。”",
    "阿里巴巴的Qwen和DeepSeek-V3都用了transformer，参数量达671B，下载地址https://example.com/a/b?c=1。",
    "龘龖龗是生僻字，𠮷野家也是😀😀👍🏻，而ＡＢＣ１２３是全角。",
    "“你好！”她说，“明天下午3点钟在北京大学见面，好吗？”",
    "iPhone15ProMax售价9999元起，比上代贵了1,000元……",
    "结婚的和尚未结婚的都要登记。",
    "今天天气不错",
]
OTHERS = [
    "BERT pretraining",
    "x" * 120,
    "-" * 60,
    "a1b2c3d4e5f60718293a4b5c",
    "3.1415926535",
    "[SEP]",
    " \u3000",
    "。",
    "的",
    "😀",
    "",
]
PARTS = st.lists(st.sampled_from(SENTENCES + OTHERS), min_size=1, max_size=8).map("".join)
TEXTS = st.lists(PARTS, min_size=1, max_size=6)

KNOWN = sorted(set("".join(SENTENCES)) - set("龘龖龗𠮷😀👍🏻巧"))
LATIN = [*"abcdefghijklmnopqrstuvwxyz0123456789", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz0123456789")]
TOKENIZER = Tokenizer.from_vocab(
    dict.fromkeys([*NAMES.values(), *LATIN, *"-/:?=.%", *map(str.lower, KNOWN), "bert", "##ing"])
)
IDS = MaskIds.of(TOKENIZER)
LIST = {"北京": ["南京", "东京"], "工作": ["下载"], "小明": ["大学", "的"], "的": ["他"], "结婚": []}
MAC = replace(IDS, similar=SimilarWords.of(LIST, TOKENIZER))
PAD, UNK, CLS, SEP, MASK = range(5)
WORDS = segmenter("jieba")


def encode(texts: list[str], *, epoch: int) -> tuple[FlatBatch, list[list[tuple[int, int]]]]:
    """Return a batch and, for each jieba word of each text, its first token and the one after its last."""
    ids, flags, starts, words = [], [], [0], []
    for text, encoded in zip(texts, TOKENIZER.encode_batch(texts), strict=True):
        offsets, cut = encoded.offsets.tolist(), ranges(WORDS.ends(text)).tolist()
        joined = continuations(offsets, cut).astype(np.uint8) * CONTINUES_WORD
        touched = [[t for t, (a, b) in enumerate(offsets) if a < end and b > start] for start, end in cut]
        base = starts[-1] + 1
        words.append([(base + tokens[0], base + tokens[-1] + 1) for tokens in touched if tokens])
        ids += [CLS, *encoded.ids, SEP]
        flags += [SPECIAL, *joined, SPECIAL]
        starts.append(len(ids))
    one = FlatBatch(
        ids_T=np.array(ids, np.int64),
        flags_T=np.array(flags, np.uint8),
        starts_S1=np.array(starts, np.int64),
        samples_S=np.arange(len(texts), dtype=np.int64),
        epoch=epoch,
    )
    return one, words


@examples(50)
@given(TEXTS, st.integers(0, 2**64 - 1), st.integers(0, 1000))
def test_jieba_words_are_masked_whole_or_not_at_all(texts: list[str], seed: int, epoch: int) -> None:
    one, words = encode(texts, epoch=epoch)
    masked = mask(one, Masking(), seed=seed, vocabulary=IDS)
    chosen = np.zeros(len(one.ids_T), np.bool_)
    chosen[masked.positions_M] = True
    assert not np.isin(masked.targets_M, [PAD, UNK, CLS, SEP, MASK]).any()
    for sample, cut in enumerate(words):
        begin, end = one.starts_S1[sample : sample + 2].tolist()
        for first, last in cut:
            assert chosen[first:last].all() or not chosen[first:last].any() or last - first > 16
        real = int((~np.isin(one.ids_T[begin:end], [CLS, SEP])).sum())
        units = slow.units_of(one, sample, Masking(), seed)
        can = sum(len(unit) for unit in units if slow.fit(one, unit))
        got, budget = int(chosen[begin:end].sum()), min(0.15 * real, can / 2)
        assert abs(got - budget) < 16 if real >= 100 else got <= budget + 16
        assert got > 0 or real < 30 or can == 0


def test_the_mean_over_real_sentences_is_the_target() -> None:
    first, _ = encode([a + b for a in SENTENCES for b in SENTENCES], epoch=0)
    real_S = np.diff(first.starts_S1) - 2
    rates = []
    for epoch in range(60):
        masked = mask(replace(first, epoch=epoch), Masking(), seed=0, vocabulary=IDS)
        rates.append(np.diff(np.searchsorted(masked.positions_M, first.starts_S1)) / real_S)
    assert abs(np.mean(rates) - 0.15) < 0.003
    assert np.min(np.array(rates)[:, real_S >= 30]) > 0


BITS = [0, 0, 0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]
RAGGED = st.lists(
    st.tuples(
        st.integers(0, 60).flatmap(lambda n: st.lists(st.sampled_from(BITS), min_size=n, max_size=n)),
        st.lists(st.sampled_from([PAD, UNK, UNK, SEP, *range(5, 40)]), min_size=20, max_size=20),
        st.sampled_from([0, 0, 30, 70]),
    ),
    max_size=3,
)
MASKINGS = st.builds(
    Masking,
    strategy=st.sampled_from([name for name in STRATEGIES if name != "mac"]),
    rate=st.sampled_from([0.01, 0.15, 0.3, 0.5]),
    budget=st.sampled_from(["tokens", "units"]),
    replace=st.sampled_from([(0.8, 0.1, 0.1), (0.3, 0.6, 0.1), (0.0, 1.0, 0.0)]),
    replace_per=st.sampled_from(["token", "unit"]),
    ngrams=st.sampled_from([(0.4, 0.3, 0.2, 0.1), (6.0, 3.0, 2.0), (0.0, 1.0)]),
    span_p=st.sampled_from([0.2, 0.5]),
    span_longest=st.sampled_from([1, 3, 10]),
)


def ragged(rows: list[tuple[list[int], list[int], int]], seed: int, epoch: int) -> FlatBatch:
    ids, flags, starts, samples = [], [], [0], []
    for at, (joined, tokens, run) in enumerate(rows):
        body = joined + [1] * run
        ids += [CLS, *(tokens * 7)[: len(body)], SEP]
        flags += [SPECIAL, *body, SPECIAL]
        starts.append(len(ids))
        samples.append(at * 12_345 + seed % 1000)
    return FlatBatch(
        ids_T=np.array(ids, np.int64),
        flags_T=np.array(flags, np.uint8),
        starts_S1=np.array(starts, np.int64),
        samples_S=np.array(samples, np.int64),
        epoch=epoch,
    )


@examples(100)
@given(RAGGED, MASKINGS, st.integers(0, 2**64 - 1), st.integers(0, 99))
def test_the_slow_masker_agrees(
    rows: list[tuple[list[int], list[int], int]], masking: Masking, seed: int, epoch: int
) -> None:
    one = ragged(rows, seed, epoch)
    found = mask(one, masking, seed=seed, vocabulary=IDS)
    positions, new = slow.masked(one, masking, seed=seed, vocabulary=IDS)
    assert found.positions_M.tolist() == positions
    assert found.ids_T[found.positions_M].tolist() == new
    assert found.targets_M.tolist() == one.ids_T[positions].tolist()


@examples(40)
@given(RAGGED, st.integers(0, 2**64 - 1))
def test_mac_chooses_what_ngram_chooses_and_lays_whole_words(
    rows: list[tuple[list[int], list[int], int]], seed: int
) -> None:
    one = ragged(rows, seed, 0)
    plain = mask(one, Masking(strategy="ngram"), seed=seed, vocabulary=IDS)
    for per in ("token", "unit"):
        found = mask(one, Masking(strategy="mac", replace_per=per), seed=seed, vocabulary=MAC)
        assert found.positions_M.tolist() == plain.positions_M.tolist()
        assert found.targets_M.tolist() == plain.targets_M.tolist()
        assert not np.isin(found.ids_T[found.positions_M], [PAD, UNK, CLS, SEP, MASK]).any()


def random_rows(seed: int) -> list[tuple[list[int], list[int], int]]:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(12, 90, 24).tolist()
    return [(rng.choice(BITS, n).tolist(), rng.integers(5, 40, 20).tolist(), 0) for n in lengths]


def expect(found: NDArray[Any], wanted: NDArray[Any], rounds: int) -> None:
    assert abs(found.sum() / wanted.sum() - 1) < 0.35 / rounds**0.5
    assert np.abs(found / wanted - 1).max() < 4 / rounds**0.5


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_sample_meets_its_budget_of_tokens_in_expectation(strategy: str) -> None:
    rows = random_rows(5)
    rows[3][1][7] = UNK
    masking = Masking(strategy=strategy, ngrams=(0.6, 0.4), span_longest=3)
    one, found = ragged(rows, 0, 0), np.zeros(len(rows))
    for seed in range(300):
        positions = mask(one, masking, seed=seed, vocabulary=MAC).positions_M
        found += np.diff(np.searchsorted(positions, one.starts_S1))
    units = [slow.units_of(one, at, masking, 0) for at in range(len(rows))]
    expect(found, 300 * np.array([slow.budget_of(one, sample, masking) for sample in units]), 300)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_sample_meets_its_budget_of_units_in_expectation(strategy: str) -> None:
    rows = random_rows(6)
    masking = Masking(strategy=strategy, budget="units")
    one, found, wanted = ragged(rows, 0, 0), np.zeros(len(rows)), np.zeros(len(rows))
    for seed in range(150):
        chosen = set(mask(one, masking, seed=seed, vocabulary=MAC).positions_M.tolist())
        units = [slow.units_of(one, at, masking, seed) for at in range(len(rows))]
        found += [sum(unit[0] in chosen for unit in sample) for sample in units]
        wanted += [slow.budget_of(one, sample, masking) for sample in units]
    expect(found, wanted, 150)
