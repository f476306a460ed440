"""Arrays of ranges at their edges."""

import numpy as np

from zhbert.clean.runs import batches, begins, places_of


def numbers(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_of_nothing_there_is_nothing() -> None:
    assert begins(numbers()).tolist() == places_of(numbers(), numbers()).tolist() == []
    assert list(batches(numbers(), size=5, count=5)) == []


def test_empty_ranges_have_no_places() -> None:
    assert places_of(numbers(5, 9, 2), numbers(0, 2, 0)).tolist() == [9, 10]


def test_batches_take_every_item_once_and_stay_small() -> None:
    sizes = np.random.default_rng(0).integers(0, 9, 200)
    found = list(batches(sizes, size=20, count=7))
    assert [n for a, b in found for n in range(a, b)] == list(range(200))
    assert all(sizes[a:b].sum() <= 20 and b - a <= 7 for a, b in found)
    assert all(b - a == 7 or sizes[a : b + 1].sum() > 20 for a, b in found[:-1])
