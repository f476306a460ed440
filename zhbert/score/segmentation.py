"""Counts of word segmentation: words by their range, with their part of speech, and those that train lacks.

- A word is right when it starts and ends where one of gold does, as in the SIGHAN bakeoffs. With parts of
  speech a word counts once more, for range and label together; then that is the headline.
- A word is new when nothing in train is written as it is: of those only the recall is known, for a word that
  was predicted where there is none is neither old nor new.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zhbert.records import Span
from zhbert.score.counts import (
    OVERALL,
    Array,
    Counts,
    Metric,
    f1,
    label_table,
    precision,
    ratio,
    recall,
)

RANGES = ("right", "extra", "lacking")
WORD_F1 = Metric("word_f1", RANGES, f1)
WORD_PRECISION = Metric("word_precision", RANGES, precision)
WORD_RECALL = Metric("word_recall", RANGES, recall)
TAGGED_F1 = Metric("tagged_f1", OVERALL, f1)
NEW_RECALL = Metric("new_word_recall", ("new", "new_found"), lambda new, found: ratio(found, new))

Words = Sequence[Span]


def count_words(
    ids: Sequence[str],
    gold: Sequence[Words],
    predicted: Sequence[Words],
) -> Counts:
    """Return the counts of gold and predicted words.

    >>> text = "我在北京大学"
    >>> gold = [Span.of(text, 0, 1), Span.of(text, 1, 2), Span.of(text, 2, 6)]
    >>> counts = count_words(["1"], [gold], [[*gold[:2], Span.of(text, 2, 4), Span.of(text, 4, 6)]])
    >>> round(float(WORD_PRECISION(counts)), 4), round(float(WORD_RECALL(counts)), 4)
    (0.5, 0.6667)
    """
    found = [(set(a), set(b)) for a, b in zip(gold, predicted, strict=True)]
    names, table = label_table(found, lambda span: span.label)
    ranges = np.array([[1.0, len(a), *shared_ranges(a, b)] for a, b in found]).reshape(len(found), -1)
    return Counts(("n", "gold", *RANGES, *names), np.hstack([ranges, table]), tuple(ids))


def shared_ranges(gold: set[Span], predicted: set[Span]) -> tuple[int, int, int]:
    """Return how many ranges are right, how many too many, and how many are lacking."""
    one, other = ({(span.start, span.end) for span in spans} for spans in (gold, predicted))
    return len(one & other), len(other - one), len(one - other)


def metrics(gold: Sequence[Any]) -> tuple[Metric, ...]:
    """Return the metrics for gold examples, the headline first."""
    labels = {span.label for example in gold for span in example.entities}
    tagged = (TAGGED_F1,) if len(labels) > 1 else ()
    return (*tagged, WORD_F1, WORD_PRECISION, WORD_RECALL)


def with_new(counts: Counts, gold: Sequence[Any], predictions: Sequence[Any], train: Sequence[Any]) -> Counts:
    """Return the counts and two columns more: gold words that train lacks, and how many were found."""
    known = {example.text[span.start : span.end] for example in train for span in example.entities}
    more: Array = np.zeros((len(counts), 2))
    for row, (example, said) in enumerate(zip(gold, predictions, strict=True)):
        found = {(span.start, span.end) for span in said.entities}
        new = {
            (span.start, span.end)
            for span in example.entities
            if example.text[span.start : span.end] not in known
        }
        more[row] = len(new), len(new & found)
    names = (*counts.names, "new", "new_found")
    return Counts(names, np.hstack([counts.table, more]), counts.ids, counts.groups)
