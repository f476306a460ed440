"""Counts of entity recognition: strict spans, and what kind of mistake each error is.

- An entity is right when start, end and label are; entities of one text are a set. On
  non-overlapping entities this is seqeval's `mode="strict", scheme=IOB2`, to the last digit.
- Macro F1 is the mean over the types that occur in gold or prediction.
- Every wrong entity falls in one of five classes. Gold and predicted entities that are left over
  are paired one to one: same range first (wrong type), then same label and overlapping (wrong
  boundary), then overlapping (wrong both), the larger overlap first. What stays alone is missed
  or spurious.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from zhbert.records import Span
from zhbert.score.counts import EVERY, OVERALL, Counts, Metric, f1, label_table, macro_f1, precision, recall

MICRO_F1 = Metric("micro_f1", OVERALL, f1)
PRECISION = Metric("precision", OVERALL, precision)
RECALL = Metric("recall", OVERALL, recall)
MACRO_F1 = Metric("macro_f1", EVERY, macro_f1)

ERRORS = ("missed", "spurious", "wrong type", "wrong boundary", "wrong both")

Spans = Sequence[Span]


def count_entities(
    ids: Sequence[str],
    gold: Sequence[Spans],
    predicted: Sequence[Spans],
    *,
    keep: Callable[[int, Span], bool] = lambda _row, _span: True,
) -> Counts:
    """Return the counts of gold and predicted entities; `keep` restricts both to some of them.

    >>> text = "李明在北京工作"
    >>> gold = [Span.of(text, 0, 2, "人名"), Span.of(text, 3, 5, "地点")]
    >>> counts = count_entities(["1"], [gold], [gold[1:]])
    >>> float(PRECISION(counts)), float(RECALL(counts))
    (1.0, 0.5)
    """
    found = [
        ({span for span in a if keep(row, span)}, {span for span in b if keep(row, span)})
        for row, (a, b) in enumerate(zip(gold, predicted, strict=True))
    ]
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
    for _, a, b in sorted((_closeness(a, b), a, b) for a in missed for b in spurious if _overlap(a, b) > 0):
        if a in missed and b in spurious:
            missed.remove(a)
            spurious.remove(b)
            found.append((_kind(a, b), a, b))
    found += [("missed", a, None) for a in sorted(missed)]
    return found + [("spurious", None, b) for b in sorted(spurious)]


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
