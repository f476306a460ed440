"""Windows: what they cover, who owns a token, and how scores come together."""

import numpy as np
import pytest

from zhbert.encode.windows import merge, owners, windows
from zhbert.errors import ConfigError


@pytest.mark.parametrize(
    ("length", "size", "stride", "expected"),
    [
        (0, 4, 2, [(0, 0)]),
        (3, 4, 2, [(0, 3)]),
        (4, 4, 2, [(0, 4)]),
        (5, 4, 2, [(0, 4), (1, 5)]),
        (8, 4, 4, [(0, 4), (4, 8)]),
        (9, 4, 4, [(0, 4), (4, 8), (5, 9)]),
    ],
)
def test_windows(length: int, size: int, stride: int, expected: list[tuple[int, int]]) -> None:
    assert windows(length, size=size, stride=stride) == expected


@pytest.mark.parametrize(("size", "stride"), [(4, 0), (4, 5), (0, 0), (4, -1)])
def test_windows_that_would_leave_gaps_are_refused(size: int, stride: int) -> None:
    with pytest.raises(ConfigError, match="stride"):
        windows(9, size=size, stride=stride)


def test_owners_prefer_room_then_the_first() -> None:
    assert owners(10, [(0, 6), (4, 10)]).tolist() == [0] * 5 + [1] * 5
    assert owners(9, [(0, 6), (3, 9)]).tolist() == [0] * 5 + [1] * 4
    assert owners(0, [(0, 0)]).tolist() == []


def test_owners_of_a_gap_are_our_own_mistake() -> None:
    with pytest.raises(AssertionError, match="cover"):
        owners(5, [(0, 2), (3, 5)])


def test_merge_keeps_type_and_columns() -> None:
    cut = windows(10, size=6, stride=4)
    scores = [np.full((6, 2), index, dtype=np.float32) for index in range(len(cut))]
    merged = merge(scores, cut, 10)
    assert merged.shape == (10, 2)
    assert merged.dtype == np.float32
    assert merged[:, 1].tolist() == owners(10, cut).tolist()


def test_merge_wants_every_score() -> None:
    with pytest.raises(AssertionError, match="scores for 3 tokens"):
        merge([np.zeros((3, 1))], [(0, 4)], 4)
