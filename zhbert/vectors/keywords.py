"""The words that set groups of texts apart, by weighted log-odds.

A word counts once in a text. For each group, the odds of a word in it are compared with those in all other
texts; the difference of the two logarithms is divided by its standard deviation, so that neither a frequent
word that is a little commoner nor a rare one seen twice comes first. Counts of all texts, scaled down, are
the prior (Monroe, Colaresi and Quinn 2008, "Fightin' Words").
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt

from zhbert.corpus.function_words import FUNCTION_WORDS
from zhbert.text.segment import Segmenter, words

PRIOR = 0.01  # what a text of all texts counts beside one of the group
FEWEST = 2  # texts of a group that must have the word


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword:
    """A word, how many standard deviations it is above its odds elsewhere, and how many texts have it."""

    word: str
    score: float
    texts: int


def keywords(
    texts: Iterable[str], groups: Sequence[int], count: int, cutter: Segmenter, *, top: int
) -> list[tuple[Keyword, ...]]:
    """Return the words of each group that set it apart, the best first.

    >>> from zhbert.text.segment import segmenter
    >>> texts = ["球队赢得比赛", "球队输了比赛", "基金公布业绩", "基金的业绩下跌"]
    >>> [[k.word for k in found] for found in keywords(texts, [0, 0, 1, 1], 2, segmenter(), top=9)]
    [['比赛', '球队'], ['业绩', '基金']]
    """
    seen = [Counter[str]() for _ in range(count)]
    for text, group in zip(texts, groups, strict=True):
        seen[group].update({word.lower() for word in words(cutter, text) if _tells(word)})
    total = Counter[str]()
    for counts in seen:
        total.update(counts)
    return [_best(counts, total, top) for counts in seen]


def _tells(word: str) -> bool:
    return len(word) > 1 and any(c.isalpha() for c in word) and word not in FUNCTION_WORDS


def _best(here: Counter[str], total: Counter[str], top: int) -> tuple[Keyword, ...]:
    size, whole = here.total(), total.total()
    found = [
        Keyword(word=word, score=round(score, 3), texts=n)
        for word, n in here.items()
        if n >= FEWEST and (score := log_odds(n, size, total[word], whole)) > 0
    ]
    return tuple(sorted(found, key=lambda one: (-one.score, -one.texts, one.word))[:top])


def log_odds(here: int, size: int, everywhere: int, whole: int) -> float:
    """Return by how many standard deviations a word's log-odds in a group exceed those elsewhere.

    `here` of `size` words of the group are this one, `everywhere` of the `whole`.

    >>> log_odds(10, 100, 10, 1000) > log_odds(2, 100, 2, 1000) > 0 > log_odds(1, 100, 90, 1000)
    True
    """
    prior, weight = PRIOR * everywhere, PRIOR * whole
    there = everywhere - here
    own = log((here + prior) / max(size + weight - here - prior, PRIOR))  # where there is no other word
    other = log((there + prior) / max(whole - size + weight - there - prior, PRIOR))
    return (own - other) / sqrt(1 / (here + prior) + 1 / (there + prior))
