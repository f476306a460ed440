"""How often each of many keys was seen, in bounded memory: sorted arrays that are merged.

What is peculiar:

- What is added waits until it is as much as the table, so every key is sorted a few times only.
- A table that has grown beyond its limit loses the keys seen once, then those seen twice, and so on until
  half the limit is left. So a count may be too low, but never by more than `lost`, which is the sum of what
  such rounds have taken from one key at most.
- The same keys in the same order give the same table, on every machine.
"""

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

_WAIT = 1 << 20


class KeyCounts:
    """Counts keys.

    >>> table = KeyCounts(limit=100)
    >>> table.add(np.array([7, 5, 7], dtype=np.uint64))
    >>> [column.tolist() for column in table.result()]
    [[5, 7], [1, 2]]
    """

    def __init__(self, *, limit: int, wait: int = _WAIT) -> None:
        self.lost = 0
        self._limit, self._wait = limit, wait
        self._keys, self._counts = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
        self._waiting: list[Keys] = []
        self._waiting_size = 0

    def add(self, keys: Keys) -> None:
        """Count some keys once each."""
        self._waiting.append(keys)
        self._waiting_size += len(keys)
        if self._waiting_size >= max(self._wait, len(self._keys)):
            self._merge()

    def result(self) -> tuple[Keys, Counts]:
        """Return the keys in ascending order and their counts."""
        self._merge()
        return self._keys, self._counts

    def _merge(self) -> None:
        if not self._waiting:
            return
        keys, counts = np.unique(np.concatenate(self._waiting), return_counts=True)
        self._waiting, self._waiting_size = [], 0
        keys, counts = np.concatenate([self._keys, keys]), np.concatenate([self._counts, counts])
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order]
        first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)])
        self._keys = keys[first]
        self._counts = np.add.reduceat(counts, first) if len(first) else counts
        self._prune()

    def _prune(self) -> None:
        if len(self._keys) <= self._limit:
            return
        floor = 0
        while np.count_nonzero(self._counts > floor) > self._limit // 2:
            floor += 1
        often = self._counts > floor
        self._keys, self._counts = self._keys[often], self._counts[often]
        self.lost += floor
