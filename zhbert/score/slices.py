"""Named parts of a test set: where a system is good and where it is not.

- The families of `questions.py` name the part of every example. Parts of one family do not overlap.
- For entities a family may be asked of every entity instead: then gold and predicted entities with
  the same answer are counted again, and the size of the part is its number of gold entities.
- A part of fewer than 20 is `small`: shown, but nothing should be concluded from it.
- Parts are judged by the headline: the columns of single labels are left out, which are most of a table.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhbert.records import Span
from zhbert.score.counts import OVERALL, Counts
from zhbert.score.questions import FAMILIES, Family, training_families
from zhbert.score.segmentation import RANGES, shared_ranges

SMALL = 20


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some of the examples (or entities), and the counts over them alone."""

    family: str
    name: str
    size: int
    unit: str
    counts: Counts
    ids: tuple[str, ...]

    @property
    def small(self) -> bool:
        """Return whether the part is too small to conclude anything from."""
        return self.size < SMALL


def parts(
    task: str,
    gold: Sequence[Any],
    predictions: Sequence[Any],
    counts: Counts,
    *,
    train: Sequence[Any] | None = None,
) -> list[Part]:
    """Return every part of a judged data set, family by family; a family with one part is left out.

    >>> from zhbert.records import LabelExample
    >>> gold = [LabelExample(id=label, text="主队", labels=(label,)) for label in ("体育", "财经")]
    >>> counts = Counts(("n",), np.ones((2, 1)), ("1", "2"))
    >>> [(part.family, part.name, part.size) for part in parts("classify", gold, [], counts)]
    [('label', '体育', 1), ('label', '财经', 1)]
    """
    families = FAMILIES[task] + (training_families(task, train) if train else ())
    whole = _without_labels(counts)
    cut = (
        _parts(f, gold, whole) if f.unit == "examples" else _span_parts(f, gold, predictions)
        for f in families
    )
    return [part for family in cut if len(family) > 1 for part in family]


def _without_labels(counts: Counts) -> Counts:
    return counts.pick([name for name in counts.names if ":" not in name])


def _parts(family: Family, gold: Sequence[Any], counts: Counts) -> list[Part]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, example in enumerate(gold):
        rows[family.ask(example)].append(row)
    order = family.order or sorted(filter(None, rows), key=lambda name: (-len(rows[name]), name))
    picked = {name: counts.filter(rows[name]) for name in order if name in rows}
    return [Part(family.name, name, len(c), family.unit, c, c.ids) for name, c in picked.items()]


Spans = tuple[set[Span], set[Span]]  # gold and predicted ones of one text


def _span_parts(family: Family, gold: Sequence[Any], predictions: Sequence[Any]) -> list[Part]:
    ids = tuple(example.id for example in gold)
    cut: dict[str, dict[int, Spans]] = {name: {} for name in family.order}
    for row, (example, said) in enumerate(zip(gold, predictions, strict=True)):
        for side, spans in enumerate((example.entities, said.entities)):
            for span in spans:
                whole = span if span.surface else Span.of(example.text, span.start, span.end, span.label)
                if (name := family.ask(whole)) in cut:
                    cut[name].setdefault(row, (set(), set()))[side].add(whole)
    found = (_span_part(family, name, ids, rows) for name, rows in cut.items())
    return [part for part in found if part.size]


def _span_part(family: Family, name: str, ids: tuple[str, ...], rows: dict[int, Spans]) -> Part:
    """Return the counts of some spans, with a row of zeros for every text that has none of them."""
    names = ("gold", *OVERALL, *(RANGES if family.unit == "words" else ()))
    table = np.zeros((len(ids), len(names)))
    for row, (gold, said) in rows.items():
        both = len(gold & said)
        ranges = shared_ranges(gold, said) if family.unit == "words" else ()
        table[row] = len(gold), both, len(said) - both, len(gold) - both, *ranges
    touched = tuple(ids[row] for row in rows)
    return Part(family.name, name, int(table[:, 0].sum()), family.unit, Counts(names, table, ids), touched)
