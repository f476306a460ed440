"""How well groups of texts that nobody named fit the labels that people gave.

Everything follows from one table: how many texts of each label are in each group.

- Normalised mutual information (over the mean of the two entropies), from 0 to 1. It grows with the number of
  groups even where they are drawn by lot.
- The adjusted Rand index counts pairs of texts that both keep together; groups drawn by lot have 0.
- Purity is the share of texts with the commonest label of their group; groups of one text are pure.

Shapes: L labels, K groups.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How well groups fit labels, over so many texts with one label each."""

    texts: int
    labels: int
    nmi: float
    ari: float
    purity: float


def fit(labels: Sequence[Hashable], groups: Sequence[Hashable]) -> Fit:
    """Return how well groups fit the labels of the same texts.

    >>> fit(["体育", "体育", "财经", "财经"], [0, 0, 1, 1])
    Fit(texts=4, labels=2, nmi=1.0, ari=1.0, purity=1.0)
    """
    table_LK = _table(labels, groups)
    return Fit(
        texts=len(labels),
        labels=len(table_LK),
        nmi=_nmi(table_LK),
        ari=_ari(table_LK),
        purity=float(table_LK.max(0, initial=0).sum() / max(1, len(labels))),
    )


def _table(labels: Sequence[Hashable], groups: Sequence[Hashable]) -> NDArray[np.int64]:
    rows = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    columns = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    table_LK = np.zeros((len(rows), len(columns)), np.int64)
    for label, group in zip(labels, groups, strict=True):
        table_LK[rows[label], columns[group]] += 1
    return table_LK


def _entropy(counts: NDArray[np.int64]) -> float:
    shares = counts[counts > 0] / max(1, counts.sum())
    return float(-(shares * np.log(shares)).sum())


def _nmi(table_LK: NDArray[np.int64]) -> float:
    of_labels, of_groups = _entropy(table_LK.sum(1)), _entropy(table_LK.sum(0))
    if of_labels + of_groups == 0:
        return 1.0  # one label and one group, which say the same
    mutual = of_labels + of_groups - _entropy(table_LK.ravel())
    return round(max(0.0, 2 * mutual / (of_labels + of_groups)), 12)


def _ari(table_LK: NDArray[np.int64]) -> float:
    def pairs(counts: NDArray[np.int64]) -> int:
        return sum(comb(int(n), 2) for n in counts.ravel())

    both, of_labels, of_groups = pairs(table_LK), pairs(table_LK.sum(1)), pairs(table_LK.sum(0))
    chance = of_labels * of_groups / max(1, comb(int(table_LK.sum()), 2))
    most = (of_labels + of_groups) / 2
    return 1.0 if most == chance else float((both - chance) / (most - chance))
