"""Counts of entity recognition: strict spans, and what kind of mistake each error is.

- An entity is right when start, end and label are; entities of one text are a set. On
  non-overlapping entities this is seqeval's `mode="strict", scheme=IOB2`, to the last digit.
- Macro F1 is the mean over the types that occur in gold or prediction.
- Every wrong entity falls in one of five classes. Gold and predicted entities that are left over
  are paired one to one: same range first (wrong type), then same label and overlapping (wrong
  boundary), then overlapping (wrong both), the larger overlap first. What stays alone is missed
  or spurious.
- The other three rules of SemEval 2013 (task 9.1) rest on the same pairs: `exact` asks for the borders alone,
  `type` for the label and an overlap, `partial` for an overlap, which counts half where a border is wrong.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from zhbert.records import Span
from zhbert.score.counts import (
    EVERY,
    OVERALL,
    Array,
    Counts,
    Metric,
    f1,
    label_table,
    macro_f1,
    precision,
    ratio,
    recall,
)

MICRO_F1 = Metric("micro_f1", OVERALL, f1)
PRECISION = Metric("precision", OVERALL, precision)
RECALL = Metric("recall", OVERALL, recall)
MACRO_F1 = Metric("macro_f1", EVERY, macro_f1)

ERRORS = ("missed", "spurious", "wrong type", "wrong boundary", "wrong both")


def _also(tp: Array, fp: Array, fn: Array, right: Array, half: Array | float = 0.0) -> Array:
    """Return F1 where some of the mistakes count as right, and some as half of that."""
    return ratio(2 * (tp + right) + half, 2 * tp + fp + fn)


EXACT = Metric("semeval_exact_f1", (*OVERALL, "wrong type"), _also)
TYPE = Metric("semeval_type_f1", (*OVERALL, "wrong boundary"), _also)
PARTIAL = Metric(
    "semeval_partial_f1",
    (*OVERALL, "wrong type", "wrong boundary", "wrong both"),
    lambda tp, fp, fn, same, shifted, both: _also(tp, fp, fn, same, shifted + both),
)
BY_OVERLAP = (EXACT, PARTIAL, TYPE)

Spans = Sequence[Span]


def count_entities(
    ids: Sequence[str],
    gold: Sequence[Spans],
    predicted: Sequence[Spans],
) -> Counts:
    """Return the counts of gold and predicted entities.

    >>> text = "李明在北京工作"
    >>> gold = [Span.of(text, 0, 2, "人名"), Span.of(text, 3, 5, "地点")]
    >>> counts = count_entities(["1"], [gold], [gold[1:]])
    >>> float(PRECISION(counts)), float(RECALL(counts))
    (1.0, 0.5)
    """
    found = [(set(a), set(b)) for a, b in zip(gold, predicted, strict=True)]
    names, table = label_table(found, lambda span: span.label)
    mistakes = [Counter(kind for kind, _, _ in errors(a, b)) for a, b in found]
    extra = np.array(
        [[1.0, len(a), *(m[e] for e in ERRORS)] for (a, _), m in zip(found, mistakes, strict=True)]
    )
    return Counts(
        ("n", "gold", *ERRORS, *names), np.hstack([extra.reshape(len(found), -1), table]), tuple(ids)
    )


def errors(gold: Iterable[Span], predicted: Iterable[Span]) -> list[tuple[str, Span | None, Span | None]]:
    """Return every mistake as (class, gold entity, predicted entity).

    >>> text = "李明在北京大学工作"
    >>> [kind for kind, _, _ in errors([Span.of(text, 3, 7, "机构")], [Span.of(text, 3, 5, "地点")])]
    ['wrong both']
    """
    missed, spurious = set(gold) - set(predicted), set(predicted) - set(gold)
    found: list[tuple[str, Span | None, Span | None]] = []
    pairs = ((_closeness(a, b), a, b) for a in missed for b in spurious if _overlap(a, b) > 0)
    for _, a, b in sorted(pairs) if missed and spurious else ():
        if a in missed and b in spurious:
            missed.remove(a)
            spurious.remove(b)
            found.append((_kind(a, b), a, b))
    found += [("missed", a, None) for a in sorted(missed)]
    return found + [("spurious", None, b) for b in sorted(spurious)]


def slips(gold: Iterable[Span], predicted: Iterable[Span]) -> list[tuple[int, int]]:
    """Return how far start and end lie off where only a border is wrong, predicted minus gold.

    >>> text = "李明在北京大学工作"
    >>> slips([Span.of(text, 3, 7, "机构")], [Span.of(text, 2, 5, "机构")])
    [(-1, -2)]
    """
    pairs = [(a, b) for kind, a, b in errors(gold, predicted) if kind == "wrong boundary"]
    return [(b.start - a.start, b.end - a.end) for a, b in pairs if a and b]


def _kind(gold: Span, predicted: Span) -> str:
    if (gold.start, gold.end) == (predicted.start, predicted.end):
        return "wrong type"
    return "wrong boundary" if gold.label == predicted.label else "wrong both"


def _closeness(gold: Span, predicted: Span) -> tuple[int, int]:
    return ("wrong type", "wrong boundary", "wrong both").index(_kind(gold, predicted)), -_overlap(
        gold, predicted
    )


def _overlap(a: Span, b: Span) -> int:
    return min(a.end, b.end) - max(a.start, b.start)
