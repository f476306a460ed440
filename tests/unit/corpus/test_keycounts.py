"""Counts of keys: those of a Counter, and bounded when there are too many."""

import random
from collections import Counter

import numpy as np

from zhbert.corpus.keycounts import KeyCounts


def counted(table: KeyCounts) -> dict[int, int]:
    keys, counts = table.result()
    assert (np.diff(keys.astype(np.float64)) >= 0).all()
    return dict(zip(keys.tolist(), counts.tolist(), strict=True))


def test_counts_are_those_of_a_counter() -> None:
    rng = random.Random(4)
    for wait in (1, 7, 1000):
        table, slow = KeyCounts(limit=10_000, wait=wait), Counter[int]()
        for _ in range(30):
            keys = [rng.choice([0, 1, 2**64 - 1, rng.randrange(50) << 57]) for _ in range(rng.randrange(20))]
            table.add(np.array(keys, dtype=np.uint64))
            slow.update(keys)
        assert counted(table) == slow
        assert table.lost == 0


def test_a_full_table_loses_the_rarest_and_says_how_much() -> None:
    rng = random.Random(5)
    table, slow = KeyCounts(limit=100, wait=1), Counter[int]()
    for _ in range(60):
        keys = [int(rng.paretovariate(0.6)) for _ in range(100)]
        table.add(np.array(keys, dtype=np.uint64))
        slow.update(keys)
        assert len(table.result()[0]) <= 100
    found = counted(table)
    assert 0 < table.lost < slow[1]
    assert all(slow[key] - table.lost <= found.get(key, 0) <= slow[key] for key in slow)


def test_nothing_was_added() -> None:
    assert counted(KeyCounts(limit=10)) == {}
    table = KeyCounts(limit=10)
    table.add(np.empty(0, dtype=np.uint64))
    assert counted(table) == {}
