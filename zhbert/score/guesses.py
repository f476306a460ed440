"""Counts of guessed words: how well an encoder fills in what was hidden from it.

- An item is something that was hidden whole: a word, a phrase, an entity, or one token. Items are summed by
  the document they stand in, so that documents are what is resampled.
- An item is right at 1 (at 5) when each of its tokens is the likeliest (among the five likeliest) there.
- Losses are natural logarithms. Those of a token depend on what the tokenizer calls a token; those of a
  character do not, as far as the same words were hidden.

Shapes: I items, D documents, C columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhbert.score.counts import Array, Counts, Metric, ratio

Ints = NDArray[np.int64]
COLUMNS = ("n", "tokens", "characters", "loss", "token@1", "token@5", "item@1", "item@5")
FIVE = 5


def perplexity(loss: Array, whole: Array) -> Array:
    """Return e to the mean loss, and 1 where there is nothing.

    >>> float(perplexity(np.array(0.0), np.array(3.0)))
    1.0
    """
    return np.asarray(np.exp(ratio(loss, whole)))


LOSS = Metric("loss", ("loss", "tokens"), ratio)
LOSS_PER_CHARACTER = Metric("loss_per_character", ("loss", "characters"), ratio)
PERPLEXITY = Metric("perplexity", ("loss", "tokens"), perplexity)
PERPLEXITY_PER_CHARACTER = Metric("perplexity_per_character", ("loss", "characters"), perplexity)
TOKEN_1 = Metric("token@1", ("token@1", "tokens"), ratio)
TOKEN_5 = Metric("token@5", ("token@5", "tokens"), ratio)
ITEM_1 = Metric("item@1", ("item@1", "n"), ratio)
ITEM_5 = Metric("item@5", ("item@5", "n"), ratio)


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """What was hidden, item by item: the document of each (by its place in a list) and its counts."""

    documents_I: Ints
    table_IC: Array

    @classmethod
    def of(
        cls, documents_I: Ints, begins_I: Ints, *, losses_M: Array, ranks_M: Ints, characters_M: Ints
    ) -> "Items":
        """Return items, each the hidden tokens from its begin to the next one's.

        >>> one = Items.of(
        ...     np.array([0]), np.array([0]),
        ...     losses_M=np.array([0.5, 1.5]), ranks_M=np.array([0, 3]), characters_M=np.array([1, 1]),
        ... )
        >>> dict(zip(COLUMNS, one.table_IC[0].tolist()))["item@5"]
        1.0
        """
        columns_M = [np.ones(len(losses_M)), characters_M, losses_M, ranks_M == 0, ranks_M < FIVE]
        if not len(begins_I):
            return cls(documents_I, np.zeros((0, len(COLUMNS))))
        sums_I = [np.add.reduceat(column.astype(np.float64), begins_I) for column in columns_M]
        whole_I = [(sums_I[at] == sums_I[0]).astype(np.float64) for at in (3, 4)]
        return cls(documents_I, np.stack([np.ones(len(begins_I)), *sums_I, *whole_I], axis=1))

    def __len__(self) -> int:
        return len(self.documents_I)

    def counts(self, documents: Sequence[str], chosen_I: NDArray[np.bool_] | None = None) -> Counts:
        """Return the counts of the items, or of some of them, document by document."""
        documents_I, table_IC = self.documents_I, self.table_IC
        if chosen_I is not None:
            documents_I, table_IC = documents_I[chosen_I], table_IC[chosen_I]
        sums_DC: Array = np.stack(
            [np.bincount(documents_I, weights=column, minlength=len(documents)) for column in table_IC.T],
            axis=1,
        ).astype(np.float64)
        return Counts(COLUMNS, sums_DC, tuple(documents))
