"""Keywords: the words that are in a group and not elsewhere, by a formula computed the slow way too."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhbert.text.segment import segmenter
from zhbert.vectors.keywords import PRIOR, keywords, log_odds

WORDS = ["球队", "比赛", "基金", "业绩", "天气", "a股"]


@given(st.lists(st.tuples(st.lists(st.sampled_from(WORDS), max_size=6), st.integers(0, 2)), max_size=12))
def test_scores_are_those_of_the_formula(given_texts: list[tuple[list[str], int]]) -> None:
    texts, groups = [" ".join(words) for words, _ in given_texts], [g for _, g in given_texts]
    found = keywords(texts, groups, 3, segmenter("whitespace"), top=99)
    counts = [Counter(w for words, g in given_texts if g == n for w in set(words)) for n in range(3)]
    total = sum(counts, Counter())
    whole, prior = sum(total.values()), {word: PRIOR * n for word, n in total.items()}
    for here, best in zip(counts, found, strict=True):
        assert len(best) == len({k.word for k in best})
        assert [k.score for k in best] == sorted((k.score for k in best), reverse=True)
        for k in best:
            assert k.texts == here[k.word] >= 2
            there = total[k.word] - k.texts
            size = sum(here.values())
            a, b = k.texts + prior[k.word], there + prior[k.word]
            rest = max(size + PRIOR * whole - a, PRIOR), max(whole - size + PRIOR * whole - b, PRIOR)
            z = (math.log(a / rest[0]) - math.log(b / rest[1])) / math.sqrt(1 / a + 1 / b)
            assert k.score == pytest.approx(z, abs=1e-3)


def test_a_common_word_and_a_rare_one_stand_behind() -> None:
    texts = ["球队 今天 比赛"] * 20 + ["球队 今天 独苗"] * 2 + ["基金 今天 业绩"] * 22
    first, second = keywords(texts, [0] * 22 + [1] * 22, 2, segmenter("whitespace"), top=9)
    assert [k.word for k in first] == ["球队", "比赛", "独苗"]
    assert "今天" not in [k.word for k in first + second]


@pytest.mark.parametrize("text", ["", "   ", "\ud800", "。。。", "的 了 12 3.5", "一"])
def test_what_tells_nothing_gives_nothing(text: str) -> None:
    assert keywords([text] * 5, [0] * 5, 1, segmenter(), top=5) == [()]


def test_one_word_alone_has_finite_odds() -> None:
    assert math.isfinite(log_odds(3, 3, 3, 3))
    assert keywords(["北京"] * 3, [0] * 3, 1, segmenter(), top=5)[0][:1] is not None
