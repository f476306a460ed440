"""Entities by the rule of CLUENER's own script: surfaces, not places, and a mean over the types.

Per text and type the surfaces are a set: two mentions of one string count once, wherever they stand. F1 is
counted per type over all texts; the score is the unweighted mean over the types that occur.
"""

from collections.abc import Sequence

from zhbert.records import Span
from zhbert.score.counts import EVERY, Counts, Metric, label_table, macro_f1

SURFACE_F1 = Metric("surface_macro_f1", EVERY, macro_f1)


def count_surfaces(
    ids: Sequence[str],
    texts: Sequence[str],
    gold: Sequence[Sequence[Span]],
    predicted: Sequence[Sequence[Span]],
) -> Counts:
    """Return the counts of (type, surface) pairs, a set a text.

    >>> text = "上海到上海站"
    >>> gold = [Span.of(text, 0, 2, "地名"), Span.of(text, 3, 5, "地名")]
    >>> float(SURFACE_F1(count_surfaces(["1"], [text], [gold], [gold[:1]])))
    1.0
    """
    found = [
        ({(s.label, text[s.start : s.end]) for s in a}, {(s.label, text[s.start : s.end]) for s in b})
        for text, a, b in zip(texts, gold, predicted, strict=True)
    ]
    names, table = label_table(found, lambda pair: pair[0])
    return Counts(names, table, tuple(ids))
