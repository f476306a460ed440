"""Counts of reading comprehension, by the rule of the official CMRC 2018 script (v6).

- Units: after lower() and strip(), one Han character (U+4E00–9FA5 only) is a unit, and what lies
  between is cut into Treebank words; the listed punctuation is dropped before.
- F1 of two texts rests on their longest common *contiguous* run of units: neither a bag nor a
  subsequence (北京大学 against 北京清华大学 shares 2 units). The best of the gold answers counts.
- Exact match drops the listed characters only. "……" stands in the official list as two characters
  and so never matches one: neither "…" nor "……" is dropped. ASCII quotes, commas and brackets are
  not in the list. An answer that is all punctuation has EM 1 and F1 0.
- The official rule knows no unanswerable question: there the empty answer counts 1, any other 0.
- Every question is in the denominator; one without a prediction counts 0.
- Questions on one passage form one group and are resampled together.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from zhbert.records import ReadingExample
from zhbert.score.counts import Counts, Metric, ratio
from zhbert.score.latin import latin_words

DROPPED = frozenset("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")

F1 = Metric("f1", ("f1", "n"), ratio)
EXACT = Metric("exact_match", ("exact", "n"), ratio)
AVERAGE = Metric("average", ("exact", "f1", "n"), lambda exact, f1, n: ratio(exact + f1, 2 * n))
HAS_F1 = Metric("has_answer_f1", ("has_f1", "has"), ratio)
HAS_EXACT = Metric("has_answer_exact_match", ("has_exact", "has"), ratio)
NO_ANSWER = Metric("no_answer_accuracy", ("no_right", "no"), ratio)

Judge = Callable[[Sequence[str], str], tuple[float, float]]
Said = TypeVar("Said", str, Sequence[str])
_COLUMNS = ("n", "exact", "f1", "has", "has_exact", "has_f1", "no", "no_right")


def count_answers(
    examples: Sequence[ReadingExample], answers: Mapping[str, str], *, judge: Judge | None = None
) -> Counts:
    """Return the counts of predicted answer texts by question id; "" means "no answer".

    Another `judge` than that of CMRC 2018 gives exact match and F1 by its own rule.

    Gold are the texts as published, which are not always what stands in the passage: 193 of the 9657
    gold answers of the CMRC 2018 dev set have another full stop, or are numbers such as "39764.0".

    >>> from zhbert.records import Span
    >>> context = "他毕业于北京大学。"
    >>> asked = ReadingExample(id="问", context=context, question="哪里？", answers=(Span.of(context, 4, 8),))
    >>> counts = count_answers([asked], {"问": "北京"})
    >>> float(EXACT(counts)), round(float(F1(counts)), 3)
    (0.0, 0.667)
    """
    rows = [_row(example.texts, answers.get(example.id), judge or judge_answer) for example in examples]
    return _table(examples, rows)


def count_best(examples: Sequence[ReadingExample], answers: Mapping[str, Sequence[str]]) -> Counts:
    """Return the counts of whichever of several answers is best: what could be won by choosing among them.

    >>> asked = ReadingExample(id="问", context="他毕业于北大。", question="哪里？", published=("北京大学",))
    >>> float(EXACT(count_best([asked], {"问": ["北京", "北京大学", ""]})))
    1.0
    """
    return _table(examples, [_row(example.texts, answers[example.id], _judge_best) for example in examples])


def _judge_best(gold: Sequence[str], answers: Sequence[str]) -> tuple[float, float]:
    best = (0.0, 0.0)
    for answer in dict.fromkeys(answers):
        exact, f1 = judge_answer(gold, answer)
        best = max(best[0], exact), max(best[1], f1)
        if best == (1.0, 1.0):
            break
    return best


def _table(examples: Sequence[ReadingExample], rows: Sequence[tuple[float, ...]]) -> Counts:
    """Return one row a question, questions on one passage as a group."""
    passages = {
        context: f"passage {i}" for i, context in enumerate(dict.fromkeys(e.context for e in examples), 1)
    }
    return Counts(
        _COLUMNS,
        np.array(rows, dtype=np.float64).reshape(len(rows), len(_COLUMNS)),
        tuple(example.id for example in examples),
        tuple(passages[example.context] for example in examples),
    )


def _row(
    gold: Sequence[str], answer: Said | None, judge: Callable[[Sequence[str], Said], tuple[float, float]]
) -> tuple[float, ...]:
    exact, f1 = (0.0, 0.0) if answer is None else judge(gold, answer)
    return (1, exact, f1, 1, exact, f1, 0, 0) if gold else (1, exact, f1, 0, 0, 0, 1, exact)


def judge_answer(gold: Sequence[str], answer: str) -> tuple[float, float]:
    """Return exact match and F1 of an answer against the gold answers.

    >>> judge_answer(["北京大学"], "《北京大学》")
    (1.0, 1.0)
    >>> judge_answer(["北京大学"], "北京清华大学")
    (0.0, 0.4)
    >>> judge_answer([], "")
    (1.0, 1.0)
    """
    if not gold:
        empty = float(not answer.strip())
        return empty, empty
    kinds = dict.fromkeys(gold)
    exact = any(bare(text) == bare(answer) for text in kinds)
    said = units(answer)
    return float(exact), max(_f1(units(text), said) for text in kinds)


def units(text: str) -> list[str]:
    """Return the mixed units of a text: Han characters and Latin words.

    >>> units("1996年的《KOF》 vol.2")
    ['1996', '年', '的', 'kof', 'vol.2']
    """
    found: list[str] = []
    latin = ""
    for char in bare(text):
        if "\u4e00" <= char <= "\u9fa5":
            found += [*latin_words(latin), char] if latin else [char]
            latin = ""
        else:
            latin += char
    return found + latin_words(latin)


def bare(text: str) -> str:
    """Return the letters of an answer that are judged.

    >>> bare(" 《北京 University》")
    '北京 university'
    """
    return "".join(char for char in text.lower().strip() if char not in DROPPED)


def _f1(gold: list[str], said: list[str]) -> float:
    common = longest_common_run(gold, said)
    if not common:
        return 0.0
    precision, recall = common / len(said), common / len(gold)
    return 2 * precision * recall / (precision + recall)


def longest_common_run(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest run of units that stands in both.

    >>> longest_common_run("北京大学", "北京清华大学")
    2
    """
    best, above = 0, [0] * (len(second) + 1)
    for unit in first:
        row = [0, *(above[i] + 1 if unit == other else 0 for i, other in enumerate(second))]
        best, above = max(best, max(row)), row
    return best
