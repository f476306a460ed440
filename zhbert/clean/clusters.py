"""Near-duplicates: which texts stay, and which stay out because a text like them stays.

The rule: of the texts of a group (see `buckets`) the longest stays, the first of equally long ones; every
other text with a Jaccard index of `threshold` or more to it goes with it. Of what is left, the longest stays,
and so on. So a text that goes is a near-duplicate of the very text that stays for it, though A may be
like B, and B like C, and A not like C; and no two texts of a group that stay are near-duplicates.

- Groups are found by estimates, a little below the threshold; what decides is the Jaccard index, counted on
  the texts. Of pairs right at the threshold some 1 in 130 is missed, of those at 0.8 some 1 in 15,000.
  Without `texts_of`, the estimate decides.
- After `TURNS` texts of one group have stayed, the rest stays as it is; `unsettled` says how many those are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhbert.clean.buckets import groups, peel
from zhbert.clean.jaccard import Texts, jaccard
from zhbert.clean.runs import Bools, Numbers
from zhbert.clean.sketch import SHINGLE, Sketches, estimate, standard_error

THRESHOLD = 0.75
TURNS = 1000
_MARGIN = 2.5  # standard errors


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clusters:
    """For each text the one that stays for it, itself where it stays, and how much the two share."""

    keepers: Numbers
    similarity: NDArray[np.float32]
    unsettled: int

    @property
    def stays(self) -> Bools:
        """Which texts stay."""
        stays: Bools = self.keepers == np.arange(len(self.keepers))
        return stays

    def __iter__(self) -> Iterator[tuple[int, Numbers]]:
        """Yield every text that others go with, and those others, largest clusters first."""
        gone = np.flatnonzero(~self.stays)
        gone = gone[np.argsort(self.keepers[gone], kind="stable")]
        keepers, starts = np.unique(self.keepers[gone], return_index=True)
        members = np.split(gone, starts[1:])
        for place in sorted(range(len(keepers)), key=lambda place: -len(members[place])):
            yield int(keepers[place]), members[place]


def cluster(
    sketches: Sketches,
    lengths: NDArray[np.uint32],
    *,
    threshold: float = THRESHOLD,
    texts_of: Texts | None = None,
    among: Bools | None = None,
) -> Clusters:
    """Return the near-duplicates of texts given by their sketches and their numbers of letters.

    `among` marks the texts that count, such as those that are no exact duplicates; the others stay.

    >>> from zhbert.clean.fold import fold
    >>> from zhbert.clean.sketch import sketches
    >>> news = "北京大学计算机学院昨天举行了毕业典礼，校长和三百名毕业生参加了典礼"
    >>> texts = [news, "今天天气很好，我们去公园放风筝", news + "。完"]
    >>> letters = fold(texts).letters()
    >>> found = cluster(sketches(letters), letters.lengths, texts_of=lambda which: [texts[n] for n in which])
    >>> found.keepers.tolist(), [(keeper, members.tolist()) for keeper, members in found]
    ([2, 1, 2], [(2, [0])])
    """
    keepers, similarity = np.arange(len(sketches)), np.ones(len(sketches), dtype=np.float32)
    least = threshold - _MARGIN * standard_error(threshold) if texts_of else threshold

    def near(firsts: Numbers, others: Numbers) -> Bools:
        shared = estimate(sketches, firsts, others)
        if texts_of:
            likely = np.flatnonzero(shared >= least)
            pairs = firsts[likely], others[likely]
            shared[likely] = jaccard(*pairs, lengths=lengths, texts_of=texts_of)
        goes = shared >= threshold
        keepers[others[goes]], similarity[others[goes]] = firsts[goes], shared[goes]
        return goes

    counted = lengths >= SHINGLE
    texts = np.flatnonzero(counted if among is None else counted & among)
    group = groups(sketches, texts, least=least)
    crowd = np.flatnonzero(np.bincount(group, minlength=1)[group] > 1)
    order = crowd[np.lexsort((-lengths[texts[crowd]].astype(np.int64), group[crowd]))]
    left = peel(texts[order], group[order], near, turns=TURNS)
    return Clusters(keepers=keepers, similarity=similarity, unsettled=len(left))
