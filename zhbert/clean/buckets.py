"""From sketches to groups of texts that may be near-duplicates, without reading a text.

The sketch is cut into 25 bands of 5 bytes. Texts that agree in a whole band share its bucket, and only such
texts are compared: a pair with Jaccard index 0.8 meets in some band with a probability of 0.99995, one with
0.7 with 0.99, one with 0.3 with 0.06. One band is in memory at a time, some 70 bytes a text.

- In a bucket the first text is compared with all others that are not in its group yet, then the second, until
  all that are left belong to one group. A bucket of 100,000 equal texts takes 99,999 comparisons.
- After `TURNS` turns the rest of a bucket is left alone: texts made from one form, each with its own filling,
  would be compared each with each. Those that share more than the form meet in other bands as well.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from zhbert.clean.runs import Bools, Numbers, begins
from zhbert.clean.sketch import Sketches, Words, estimate

BANDS = 25
ROWS = 5
TURNS = 64

B = TypeVar("B", bound=np.generic)
Near = Callable[[Numbers, Numbers], Bools]


def band_keys(sketches: Sketches, band: int) -> Words:
    """Return the bytes of a band of each sketch as one number.

    >>> hex(band_keys(np.arange(128, dtype=np.uint8)[None], 1)[0])
    '0x908070605'
    """
    keys = np.zeros(len(sketches), dtype=np.uint64)
    for row in range(ROWS):
        keys |= sketches[:, band * ROWS + row].astype(np.uint64) << np.uint64(8 * row)
    return keys


def groups(sketches: Sketches, texts: Numbers, *, least: float) -> Numbers:
    """Return a number for each of some texts, the same where pairs with such an estimate link them.

    >>> of = np.random.default_rng(0).integers(0, 256, (3, 128)).astype(np.uint8)
    >>> groups(of[[0, 1, 0, 2]], np.arange(4), least=0.7).tolist()
    [0, 1, 0, 3]
    """
    forest = Forest(len(texts))

    def near(firsts: Numbers, others: Numbers) -> Bools:
        apart = np.flatnonzero(forest.roots(firsts) != forest.roots(others))
        alike = apart[estimate(sketches, texts[firsts[apart]], texts[others[apart]]) >= least]
        forest.join(firsts[alike], others[alike])
        together = forest.roots(firsts) == forest.roots(others)
        starts = np.flatnonzero(begins(firsts))
        done = np.logical_and.reduceat(together, starts)
        return np.repeat(done, np.diff(starts, append=len(firsts)))

    for band in range(BANDS):
        keys = band_keys(sketches, band)[texts]
        order = np.argsort(keys, kind="stable")
        peel(order, keys[order], near, turns=TURNS)
    return forest.roots(np.arange(len(texts)))


def peel(members: Numbers, buckets: NDArray[B], near: Near, *, turns: int) -> Numbers:
    """Compare the first member of each bucket with the others; it leaves with those it is near to, and so on.

    `members` stand in the order of their `buckets`. Returns those that are still there after so many turns.

    >>> same_tens = lambda firsts, others: firsts // 10 == others // 10
    >>> peel(np.array([11, 12, 23, 24, 35]), np.zeros(5), same_tens, turns=1).tolist()
    [23, 24, 35]
    """
    members, buckets = _shared(members, buckets)
    while turns and len(members):
        heads = begins(buckets)
        firsts, others = members[heads][np.cumsum(heads) - 1], np.flatnonzero(~heads)
        left = others[~near(firsts[others], members[others])]
        members, buckets = _shared(members[left], buckets[left])
        turns -= 1
    return members


def _shared(members: Numbers, buckets: NDArray[B]) -> tuple[Numbers, NDArray[B]]:
    """Return the members that are not alone in their buckets."""
    heads = begins(buckets)
    alone = heads & np.append(heads[1:], np.ones(1, dtype=np.bool_))[: len(heads)]
    return members[~alone], buckets[~alone]


class Forest:
    """Members in growing groups: union-find over arrays. A group is named after its least member.

    >>> forest = Forest(5)
    >>> forest.join(np.array([0, 3]), np.array([4, 4]))
    >>> forest.roots(np.arange(5)).tolist()
    [0, 1, 2, 0, 0]
    """

    def __init__(self, size: int) -> None:
        self._parents = np.arange(size)

    def roots(self, members: Numbers) -> Numbers:
        """Return the group of each member."""
        above = self._parents[members]
        while not np.array_equal(higher := self._parents[above], above):
            above = higher
        self._parents[members] = above
        return above

    def join(self, left: Numbers, right: Numbers) -> None:
        """Make one group of the groups of each pair."""
        while len(left):
            left, right = self.roots(left), self.roots(right)
            apart = left != right
            left, right = left[apart], right[apart]
            np.minimum.at(self._parents, np.maximum(left, right), np.minimum(left, right))
