"""Per-example sufficient statistics: what every metric, slice and interval is computed from.

- One row per example, one named column per statistic ("tp", "tp:地点", "em", ...).
- A metric names the columns that it needs and maps their sums to a figure. The sums may carry
  leading axes (one per bootstrap draw), so a metric is written once for one sum and for 10,000.
- `"tp:*"` needs a family: every column that starts with "tp:", as one last axis.
- Rows with the same group (questions on one passage) are resampled together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhbert.errors import DataError

Array = NDArray[np.float64]
Rows = NDArray[Any] | Sequence[int]


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """An (examples × statistics) table with the ids of its rows.

    >>> a = Counts(("n", "correct"), np.array([[1.0, 1.0], [1.0, 0.0]]), ("一", "二"))
    >>> a.sum().tolist(), a.filter([0]).ids, len(a + a.filter([]))
    ([2.0, 1.0], ('一',), 2)
    """

    names: tuple[str, ...]
    table: Array
    ids: tuple[str, ...]
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.ids), len(self.names))
        assert self.table.shape == shape, f"a table of {self.table.shape} where {shape} is named"
        assert len(self.groups) in (0, len(self.ids)), "one group per row, or none at all"

    def __len__(self) -> int:
        return len(self.ids)

    def __add__(self, other: "Counts") -> "Counts":
        """Return the rows of both; a column that one of them lacks is zero there."""
        both = set(self.ids) & set(other.ids)
        if both:
            raise DataError(f"ids that stand in both: {some(sorted(both))}")
        names = tuple(dict.fromkeys(self.names + other.names))
        return Counts(
            names,
            np.concatenate([self.pick(names).table, other.pick(names).table]),
            self.ids + other.ids,
            self._groups() + other._groups() if self.groups or other.groups else (),
        )

    def filter(self, rows: Rows) -> "Counts":
        """Return the named rows; `rows` is a mask or a list of row numbers."""
        index = np.asarray(rows)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.intp)
        groups = tuple(self.groups[i] for i in index) if self.groups else ()
        return Counts(self.names, self.table[index], tuple(self.ids[i] for i in index), groups)

    def pick(self, names: Sequence[str]) -> "Counts":
        """Return the named columns in that order, a missing one as zeros."""
        at = {name: i for i, name in enumerate(self.names)}
        table = np.zeros((len(self), len(names)))
        for i, name in enumerate(names):
            if name in at:
                table[:, i] = self.table[:, at[name]]
        return Counts(tuple(names), table, self.ids, self.groups)

    def sum(self) -> Array:
        """Return the column sums, the only thing that a metric sees."""
        return np.asarray(self.table.sum(axis=0))

    def units(self) -> Array:
        """Return what is resampled: the rows, or their sums by group.

        >>> Counts(("n",), np.ones((3, 1)), ("1", "2", "3"), ("甲", "乙", "甲")).units().tolist()
        [[2.0], [1.0]]
        """
        if not self.groups:
            return self.table
        number = {group: i for i, group in enumerate(dict.fromkeys(self.groups))}
        sums = np.zeros((len(number), len(self.names)))
        np.add.at(sums, [number[group] for group in self.groups], self.table)
        return sums

    def _groups(self) -> tuple[str, ...]:
        return self.groups or self.ids


@dataclass(frozen=True, slots=True)
class Metric:
    """A named figure, the columns it needs, and the function from their sums to it.

    >>> half = Metric("accuracy", ("correct", "n"), ratio)
    >>> float(half(Counts(("n", "correct"), np.array([[1.0, 1.0], [1.0, 0.0]]), ("一", "二"))))
    0.5
    """

    name: str
    needs: tuple[str, ...]
    of: Callable[..., Array]

    def __call__(self, counts: Counts) -> Array:
        """Return the figure of all rows together."""
        return self.at(counts.names, counts.sum())

    def columns(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return those of `names` that the metric looks at."""
        return tuple(name for need in self.needs for name in _named(need, names))

    def at(self, names: Sequence[str], sums: Array) -> Array:
        """Return the figure of sums of shape (..., columns)."""
        at = {name: i for i, name in enumerate(names)}
        zero = np.zeros(sums.shape[:-1])
        return self.of(
            *(
                sums[..., [at[name] for name in _named(need, names)]]
                if need.endswith(":*")
                else (sums[..., at[need]] if need in at else zero)
                for need in self.needs
            )
        )


def _named(need: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if name.startswith(need[:-1])] if need.endswith(":*") else [need]


def ratio(part: Array, whole: Array) -> Array:
    """Return part / whole, and 0 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)


def precision(tp: Array, fp: Array, _fn: Array) -> Array:
    """Return the share of what was predicted that is right."""
    return ratio(tp, tp + fp)


def recall(tp: Array, _fp: Array, fn: Array) -> Array:
    """Return the share of what is there that was found."""
    return ratio(tp, tp + fn)


def f1(tp: Array, fp: Array, fn: Array) -> Array:
    """Return the harmonic mean of precision and recall."""
    return ratio(2 * tp, 2 * tp + fp + fn)


def macro_f1(tp: Array, fp: Array, fn: Array) -> Array:
    """Return the mean F1 of the labels (last axis) that occur, as gold or as predicted."""
    return ratio(f1(tp, fp, fn).sum(axis=-1), ((tp + fp + fn) > 0).sum(axis=-1).astype(np.float64))


OVERALL = ("tp", "fp", "fn")
EVERY = ("tp:*", "fp:*", "fn:*")
PER_LABEL: dict[str, Callable[..., Array]] = {"precision": precision, "recall": recall, "f1": f1}


def label_metric(kind: str, label: str) -> Metric:
    """Return the precision, recall or F1 of one label."""
    return Metric(f"{kind}:{label}", (f"tp:{label}", f"fp:{label}", f"fn:{label}"), PER_LABEL[kind])


def label_table(
    found: Sequence[tuple[set[Any], set[Any]]], label_of: Callable[[Any], str]
) -> tuple[tuple[str, ...], Array]:
    """Return the columns tp, fp, fn, overall and per label, of (gold, predicted) sets.

    >>> names, table = label_table([({"体育"}, {"财经"})], str)
    >>> dict(zip(names, table[0].tolist()))["fp:财经"]
    1.0
    """
    labels = sorted({label_of(item) for gold, predicted in found for item in gold | predicted})
    at = {label: i for i, label in enumerate(labels)}
    table = np.zeros((len(found), 3, 1 + len(labels)))
    for row, (gold, predicted) in enumerate(found):
        for kind, items in enumerate((gold & predicted, predicted - gold, gold - predicted)):
            for item in items:
                table[row, kind, 1 + at[label_of(item)]] += 1
            table[row, kind, 0] = len(items)
    names = tuple(f"{kind}:{label}" if label else kind for kind in OVERALL for label in ("", *labels))
    return names, table.reshape(len(found), -1)


def some(ids: Sequence[str], *, most: int = 5) -> str:
    """Return the first few ids in words.

    >>> some(["甲", "乙", "丙"], most=2)
    '甲, 乙 and 1 more'
    """
    rest = len(ids) - most
    return ", ".join(ids[:most]) + (f" and {rest} more" if rest > 0 else "")
