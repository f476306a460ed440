"""Phrases of small corpora, held against counts, pmi and entropy by the formula in plain Python."""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from zhbert.corpus.collocations import Phrase, Thresholds, find_phrases
from zhbert.corpus.function_words import FUNCTION_WORDS
from zhbert.corpus.runs import Words

VOCABULARY = [
    "人民",
    "政府",
    "县级",
    "以上",
    "的",
    "责任",
    "人员",
    "直接",
    "森林",
    "防火",
    "Linux",
    "去",
    "来",
    "，",
    "\n",
    "2020",
]
BETWEEN = {"，", "\n"}
LOOSE = Thresholds(count=3, pmi=0.05, entropy=0.3)


def corpus(seed: int, size: int = 3000) -> list[str]:
    """Return random words in which some runs come again and again."""
    rng = random.Random(seed)
    words: list[str] = []
    while len(words) < size:
        kind = rng.random()
        words += (
            ["直接", "责任", "人员"]
            if kind < 0.1
            else ["森林", "防火"]
            if kind < 0.2
            else [rng.choice(VOCABULARY)]
        )
    return words


def reading(words: list[str], parts: int = 1) -> Callable[[], Iterable[Words]]:
    size = -(-len(words) // parts) or 1
    pieces = [words[i : i + size] for i in range(0, len(words), size)]
    return lambda: [Words("".join(p), np.cumsum([len(w) for w in p], dtype=np.int64)) for p in pieces]


def slow_phrases(
    words: list[str], wanted: Thresholds
) -> dict[tuple[str, ...], tuple[int, float, float, float]]:
    """Count, judge and choose runs one after the other."""
    inside = [word not in BETWEEN and word != "2020" for word in words]
    runs: Counter[tuple[str, ...]] = Counter()
    sides: dict[tuple[str, ...], tuple[Counter[object], Counter[object]]] = {}
    for size in range(1, wanted.words + 1):
        for i in range(len(words) - size + 1):
            if all(inside[i : i + size]):
                run = tuple(words[i : i + size])
                runs[run] += 1
                left, right = sides.setdefault(run, (Counter(), Counter()))
                for counter, place in ((left, i - 1), (right, i + size)):
                    free = not 0 <= place < len(words) or words[place] in BETWEEN
                    counter[place if free else words[place]] += 1  # a free border is a neighbour of its own
    total = sum(count for run, count in runs.items() if len(run) == 1)
    found = {}
    for run, count in runs.items():
        if len(run) > 1 and not {run[0], run[-1]} & FUNCTION_WORDS and count >= wanted.count:
            pmi = min(
                math.log(count / total / (runs[run[:i]] / total) / (runs[run[i:]] / total))
                for i in range(1, len(run))
            ) / -math.log(count / total)
            left, right = (
                -sum(c / count * math.log(c / count) for c in counter.values()) for counter in sides[run]
            )
            if (
                pmi >= wanted.pmi
                and min(left, right) >= wanted.entropy
                and len("".join(run)) <= wanted.characters
            ):
                found[run] = (count, pmi, left, right)
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("wanted", [LOOSE, Thresholds(count=5, pmi=0.3, entropy=1.0, words=3, characters=5)])
def test_phrases_are_those_of_the_formulas(seed: int, wanted: Thresholds) -> None:
    words = corpus(seed)
    found = find_phrases(reading(words), wanted)
    expected = slow_phrases(words, wanted)
    assert expected
    assert {phrase.words for phrase in found.phrases} == set(expected)
    for phrase in found.phrases:
        figures = (phrase.count, phrase.pmi, phrase.left, phrase.right)
        assert figures == pytest.approx(expected[phrase.words])
    assert found.complete_from == wanted.count
    assert found.words == sum(word not in {*BETWEEN, "2020"} for word in words)


def test_the_best_come_first() -> None:
    found = find_phrases(reading(corpus(7)), LOOSE).phrases
    scores = [phrase.pmi * min(phrase.left, phrase.right) * math.log(phrase.count) for phrase in found]
    assert scores == sorted(scores, reverse=True) == [phrase.score for phrase in found]
    assert "森林防火" in [phrase.text for phrase in found[:3]]


def test_a_phrase_that_is_parted_in_two_ways_is_there_once() -> None:
    parted = [["南京市", "长江", "，"], ["南京", "市长江", "，"]] * 40
    rng = random.Random(8)
    words = [word for part in parted for word in [rng.choice(["在", "到", "过", "去"]), *part]]
    texts = [phrase.text for phrase in find_phrases(reading(words), LOOSE).phrases]
    assert texts == ["南京市长江"]


def test_a_small_table_misses_only_what_is_rare() -> None:
    words = corpus(9, size=6000)
    full = find_phrases(reading(words, parts=12), LOOSE)
    tight = Thresholds(count=3, pmi=0.05, entropy=0.3, table=800)
    found = find_phrases(reading(words, parts=12), tight)
    assert found.complete_from > full.complete_from
    sure = {phrase.words: phrase for phrase in full.phrases if phrase.count >= found.complete_from}
    assert sure
    assert set(sure) <= {phrase.words for phrase in found.phrases}
    few = Thresholds(count=3, pmi=0.05, entropy=0.3, candidates=100)
    found = find_phrases(reading(words, parts=12), few)
    assert found.complete_from > 3
    assert found.phrases
    assert min(phrase.count for phrase in found.phrases) >= found.complete_from


def test_texts_without_phrases() -> None:
    for words in ([], ["，"], ["人民"], ["人民", "政府"] * 50):
        assert find_phrases(reading(words), Thresholds(count=2, entropy=2.0)).phrases == []


def test_the_text_of_a_phrase() -> None:
    phrase = Phrase(words=("直接", "责任", "人员"), count=9, pmi=0.5, left=2.0, right=1.0)
    assert phrase.text == "直接责任人员"
    assert phrase.score == pytest.approx(0.5 * math.log(9))
