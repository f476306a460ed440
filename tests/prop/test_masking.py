"""Masking of real, unspaced, mixed Chinese: words whole, rates near the target, nobody left out.

Below it a slow, obvious masker in plain Python, which the vectorised one must equal to the last token.
"""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zhbert.encode.align import continuations
from zhbert.encode.bert import NAMES
from zhbert.encode.masking import MaskIds, mask
from zhbert.encode.pack import SPECIAL, FlatBatch
from zhbert.encode.shards import CONTINUES_WORD
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


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(0, 2**64 - 1), st.integers(0, 1000))
def test_jieba_words_are_masked_whole_or_not_at_all(texts: list[str], seed: int, epoch: int) -> None:
    one, words = encode(texts, epoch=epoch)
    masked = mask(one, seed=seed, vocabulary=IDS)
    chosen = np.zeros(len(one.ids_T), np.bool_)
    chosen[masked.positions_M] = True
    assert not np.isin(masked.targets_M, [PAD, UNK, CLS, SEP, MASK]).any()
    for sample, cut in enumerate(words):
        begin, end = one.starts_S1[sample : sample + 2].tolist()
        for first, last in cut:
            assert chosen[first:last].all() or not chosen[first:last].any() or last - first > 16
        real = int((~np.isin(one.ids_T[begin:end], [CLS, SEP])).sum())
        can = choosable(one, begin, end)
        got, budget = int(chosen[begin:end].sum()), min(0.15 * real, can / 2)
        assert abs(got - budget) < 16 if real >= 100 else got <= budget + 16
        assert got > 0 or real < 30 or can == 0


def choosable(one: FlatBatch, begin: int, end: int) -> int:
    return sum(last - first for first, last in slow_units(one, begin, end, words=True))


def test_the_mean_over_real_sentences_is_the_target() -> None:
    first, _ = encode([a + b for a in SENTENCES for b in SENTENCES], epoch=0)
    real_S = np.diff(first.starts_S1) - 2
    rates = []
    for epoch in range(60):
        masked = mask(replace(first, epoch=epoch), seed=0, vocabulary=IDS)
        rates.append(np.diff(np.searchsorted(masked.positions_M, first.starts_S1)) / real_S)
    assert abs(np.mean(rates) - 0.15) < 0.003
    assert np.min(np.array(rates)[:, real_S >= 30]) > 0


RAGGED = st.lists(
    st.tuples(
        st.integers(0, 60).flatmap(
            lambda n: st.lists(st.sampled_from([0, 0, 0, 1, 1]), min_size=n, max_size=n)
        ),
        st.lists(st.integers(0, 40), min_size=20, max_size=20),
        st.sampled_from([0, 30, 70]),
    ),
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(
    RAGGED,
    st.sampled_from(["wwm", "char"]),
    st.sampled_from([0.01, 0.15, 0.3, 0.5]),
    st.integers(0, 2**64 - 1),
    st.integers(0, 99),
)
def test_the_slow_masker_agrees(
    rows: list[tuple[list[int], list[int], int]], strategy: str, rate: float, seed: int, epoch: int
) -> None:
    ids, flags, starts, samples = [], [], [0], []
    for at, (joined, tokens, run) in enumerate(rows):
        body = joined + [1] * run
        ids += [CLS, *(tokens * 7)[: len(body)], SEP]
        flags += [SPECIAL, *body, SPECIAL]
        starts.append(len(ids))
        samples.append(at * 12_345 + seed % 1000)
    one = FlatBatch(
        ids_T=np.array(ids, np.int64),
        flags_T=np.array(flags, np.uint8),
        starts_S1=np.array(starts, np.int64),
        samples_S=np.array(samples, np.int64),
        epoch=epoch,
    )
    masked = mask(one, strategy=strategy, rate=rate, seed=seed, vocabulary=IDS)
    positions, new = slow_mask(one, words=strategy == "wwm", rate=rate, seed=seed)
    assert masked.positions_M.tolist() == positions
    assert masked.ids_T[masked.positions_M].tolist() == new


LOW = 2**64 - 1


def slow_mix(x: int) -> int:
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & LOW
    x = (x ^ x >> 27) * 0x94D049BB133111EB & LOW
    return x ^ x >> 31


def slow_draw(purpose: str, seed: int, epoch: int, sample: int, place: int) -> int:
    x = int.from_bytes(purpose.encode().ljust(8), "little")
    for key in (seed, epoch, sample):
        x = slow_mix(slow_mix(x) ^ key)
    return slow_mix((x + place * 0x9E3779B97F4A7C15) & LOW)


def slow_units(one: FlatBatch, begin: int, end: int, *, words: bool) -> list[tuple[int, int]]:
    """Return the units of one sample that can be chosen."""
    units: list[list[int]] = []
    special = [
        bool(one.flags_T[t] & SPECIAL) or one.ids_T[t] in (PAD, CLS, SEP, MASK) for t in range(len(one.ids_T))
    ]
    for t in range(begin, end):
        joins = (
            words and one.flags_T[t] & CONTINUES_WORD and t > begin and not special[t] and not special[t - 1]
        )
        if joins:
            units[-1].append(t)
        else:
            units.append([t])
    pieces = [u[i : i + 4] for u in units for i in range(0, len(u), 4) if len(u) > 16]
    pieces += [u for u in units if len(u) <= 16]
    fit = [u for u in pieces if not any(special[t] or one.ids_T[t] == UNK for t in u)]
    return sorted((u[0], u[-1] + 1) for u in fit)


def slow_mask(one: FlatBatch, *, words: bool, rate: float, seed: int) -> tuple[list[int], list[int]]:
    positions, new = [], []
    for at, sample in enumerate(one.samples_S.tolist()):
        begin, end = one.starts_S1[at : at + 2].tolist()
        key = (seed, one.epoch, sample)
        units = slow_units(one, begin, end, words=words)
        real = sum(
            not one.flags_T[t] & SPECIAL and one.ids_T[t] not in (PAD, CLS, SEP, MASK)
            for t in range(begin, end)
        )
        budget = min(rate * real, sum(b - a for a, b in units) / 2)

        crossing = (slow_draw("cross", *key, 0) >> 11) / 2**53
        before, taken = 0, []
        for _, _, a, b in sorted(
            (b - a > max(budget, 4), slow_draw("unit", *key, a - begin) >> 37, a, b) for a, b in units
        ):
            if before + crossing * (b - a) < budget or (before == 0 and real >= 30):
                taken += range(a, b)
            before += b - a
        for t in sorted(taken):
            positions.append(t)
            kind = (slow_draw("replace", *key, t - begin) >> 11) / 2**53
            other = IDS.random_R[(slow_draw("other", *key, t - begin) >> 32) * len(IDS.random_R) >> 32]
            new.append(MASK if kind < 0.8 else int(other) if kind < 0.9 else int(one.ids_T[t]))
    return positions, new
