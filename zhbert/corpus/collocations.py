"""Find the runs of two to four words that stick together and stand free.

    pmi       how much more often the words come together than by chance, from -1 to 1: the logarithm of
              p(run) / (p(one part) · p(the other)), divided by -log p(run), for the weakest way to part it
    entropy   how varied the words before it are, and those behind it, in nats; the lower of the two counts;
              beside punctuation and line ends a run is free: each time it counts as another neighbour

The texts are read three times: to count all runs of words, to count the frequent ones exactly, and to count
the neighbours of those whose words stick together. Memory is bounded by `table`, see `keycounts`: with
4,000,000 entries 200 MB of text took as much as 100 MB, 400 MB beside the segmenter.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zhbert.corpus.keycounts import Counts, KeyCounts, Keys
from zhbert.corpus.runs import Words

Floats = npt.NDArray[np.float64]
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A run of words, and how it was judged."""

    words: tuple[str, ...]
    count: int
    pmi: float
    left: float
    right: float

    @property
    def text(self) -> str:
        """Return its characters."""
        return "".join(self.words)

    @property
    def score(self) -> float:
        """Return what the list is ordered by."""
        return self.pmi * min(self.left, self.right) * math.log(self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What makes a run of words a phrase; `table` and `candidates` bound the memory."""

    words: int = 4
    characters: int = 16
    count: int = 20
    pmi: float = 0.4
    entropy: float = 1.5
    table: int = 4_000_000
    candidates: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The phrases, the best first; how many words were counted; from which count on no run was missed."""

    phrases: list[Phrase]
    words: int
    complete_from: int


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Frequent runs by ascending hash: how often each is there, its size, the hashes of its parts.

    Row r is the run of hash keys[r]; parts[r, i] are the two parts when it is parted behind word i + 1.
    `good` are those that begin and end with words that a phrase may begin and end with.
    """

    keys: Keys
    counts: Counts
    sizes: Counts
    parts: npt.NDArray[np.uint64]
    good: npt.NDArray[np.bool_]


def find_phrases(read: Callable[[], Iterable[Words]], wanted: Thresholds) -> Found:
    """Return the phrases of texts, whose words `read` gives three times over."""
    table, total = KeyCounts(limit=wanted.table), 0
    for words in read():
        for size in range(1, wanted.words + 1):
            first, keys = words.runs(size)
            table.add(keys)
            total += len(first) if size == 1 else 0
    keys, counts = table.result()
    least = max(wanted.count - table.lost, 1)
    while np.count_nonzero(counts >= least) > wanted.candidates:
        least += 1
    complete_from = max(wanted.count, least + table.lost)
    keys = keys[counts >= least]
    del table, counts
    runs = _count_exactly(read(), keys, wanted)
    pmi = _pmi(runs, total, wanted)
    sticking = runs.good & (runs.sizes > 1) & (runs.counts >= wanted.count) & (pmi >= wanted.pmi)
    phrases = _stand_free(read(), keys[sticking], pmi[sticking], wanted)
    return Found(phrases=phrases, words=total, complete_from=complete_from)


def _count_exactly(texts: Iterable[Words], keys: Keys, wanted: Thresholds) -> _Runs:
    """Count the runs that have these hashes, and note what they are made of where they are first seen."""
    counts, sizes = np.zeros((2, len(keys)), dtype=np.int64)
    parts = np.zeros((len(keys), wanted.words - 1, 2), dtype=np.uint64)
    good = np.zeros(len(keys), dtype=np.bool_)
    for words in texts:
        for size in range(1, wanted.words + 1):
            first, found = words.runs(size)
            found, places, often = np.unique(found, return_index=True, return_counts=True)
            rows = _rows(keys, found)
            places, often, rows = places[rows >= 0], often[rows >= 0], rows[rows >= 0]
            counts[rows] += often
            new = sizes[rows] == 0
            rows, begin = rows[new], first[places[new]]
            sizes[rows] = size
            for i in range(size - 1):
                parts[rows, i, 0] = words.keys(i + 1)[begin]
                parts[rows, i, 1] = words.keys(size - 1 - i)[begin + i + 1]
            length = words.ends[begin + size - 1] - words.starts[begin]
            good[rows] = words.border[begin] & words.border[begin + size - 1] & (length <= wanted.characters)
    return _Runs(keys, counts, sizes, parts, good)


def _rows(keys: Keys, found: Keys) -> Counts:
    """Return the places of hashes among sorted ones, -1 where they are not there."""
    if not len(keys):
        return np.full(len(found), -1)
    rows = np.searchsorted(keys, found)
    rows[rows == len(keys)] = 0
    return np.where(keys[rows] == found, rows, -1)


def _pmi(runs: _Runs, total: int, wanted: Thresholds) -> Floats:
    """Return the normalised pointwise mutual information of the weakest way to part each run.

    A part that was lost when the table was full is as bad as can be.
    """
    together = np.log(runs.counts / total)
    weakest = np.full(len(runs.keys), np.inf)
    for i in range(wanted.words - 1):
        apart = np.zeros(len(runs.keys))
        for parts in runs.parts[:, i].T:
            rows = _rows(runs.keys, parts)
            apart += np.where(rows < 0, 0.0, np.log(runs.counts[rows] / total))
        weakest = np.where(runs.sizes > i + 1, np.minimum(weakest, together - apart), weakest)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(together < 0, weakest / -together, 1.0)


def _stand_free(texts: Iterable[Words], keys: Keys, pmi: Floats, wanted: Thresholds) -> list[Phrase]:
    """Return those that have varied neighbours on either side, the best first."""
    sides = [_Side(len(keys), wanted.table) for _ in range(2)]
    found_words: dict[int, tuple[str, ...]] = {}
    for words in texts:
        for size in range(2, wanted.words + 1):
            first, found = words.runs(size)
            rows = _rows(keys, found)
            first, rows = first[rows >= 0], rows[rows >= 0]
            sides[0].add(rows, *words.beside(first - 1))
            sides[1].add(rows, *words.beside(first + size))
            for row, place in zip(*np.unique(rows, return_index=True), strict=True):
                if int(row) not in found_words:
                    found_words[int(row)] = words.of(int(first[place]), size)
    left, right = (side.entropies().tolist() for side in sides)
    phrases = [
        Phrase(
            words=part, count=int(sides[0].seen[row]), pmi=float(pmi[row]), left=left[row], right=right[row]
        )
        for row, part in found_words.items()
        if min(left[row], right[row]) >= wanted.entropy
    ]
    best: dict[str, Phrase] = {}
    for phrase in sorted(phrases, key=lambda phrase: (-phrase.score, phrase.words)):
        best.setdefault(phrase.text, phrase)
    return list(best.values())


class _Side:
    """The neighbours that runs have on one side.

    What stands between phrases, a comma or the end of a line, is a free border: every time it counts as a
    neighbour of its own.
    """

    def __init__(self, runs: int, limit: int) -> None:
        self.seen, self._free = np.zeros((2, runs), dtype=np.int64)
        self._pairs = KeyCounts(limit=limit)

    def add(self, rows: Counts, neighbours: Keys, between: npt.NDArray[np.bool_]) -> None:
        """Note that runs have these neighbours."""
        self.seen += np.bincount(rows, minlength=len(self.seen))
        self._free += np.bincount(rows[between], minlength=len(self.seen))
        mixed = neighbours * _FACTOR >> np.uint64(32)  # the hash of one character has but low bits
        pairs = rows.astype(np.uint64) << np.uint64(32) | mixed
        self._pairs.add(pairs[~between])

    def entropies(self) -> Floats:
        """Return the entropy of each run's neighbours.

        >>> side = _Side(2, 100)
        >>> neighbours, between = np.array([5, 6], dtype=np.uint64), np.zeros(2, dtype=np.bool_)
        >>> side.add(np.array([1, 1]), neighbours, between)
        >>> side.entropies().round(2).tolist()
        [0.0, 0.69]
        """
        pairs, counts = self._pairs.result()
        rows = (pairs >> np.uint64(32)).astype(np.int64)
        shares = counts / self.seen[rows]
        entropies = np.bincount(rows, weights=-shares * np.log(shares), minlength=len(self.seen))
        seen = np.maximum(self.seen, 1)
        return entropies + self._free / seen * np.log(seen)
