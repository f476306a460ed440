"""What holds for every window plan and every alignment."""

from itertools import pairwise

import numpy as np
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from zhbert.encode.align import char_span, continuations, sentence_starts, token_range
from zhbert.encode.windows import merge, owners, windows


@st.composite
def plans(draw: st.DrawFn) -> tuple[int, int, int]:
    """Draw a length, a size and a stride."""
    size = draw(st.integers(1, 20))
    return draw(st.integers(0, 100)), size, draw(st.integers(1, size))


@examples(200)
@given(plans())
def test_windows_cover_in_order_and_end_with_the_sequence(plan: tuple[int, int, int]) -> None:
    length, size, stride = plan
    cut = windows(length, size=size, stride=stride)
    assert (cut[0][0], cut[-1][1]) == (0, length)
    assert all(end - start == min(size, length) for start, end in cut)
    assert all(0 < b[0] - a[0] <= stride and b[0] <= a[1] for a, b in pairwise(cut))


@examples(200)
@given(plans())
def test_owners_have_the_most_room(plan: tuple[int, int, int]) -> None:
    length, size, stride = plan
    cut = windows(length, size=size, stride=stride)
    for token, owner in enumerate(owners(length, cut).tolist()):
        rooms = [min(token - start, end - 1 - token) for start, end in cut]
        assert owner == rooms.index(max(rooms))


@examples(100)
@given(plans(), st.integers(1, 3))
def test_merging_what_windows_saw_gives_the_whole(plan: tuple[int, int, int], columns: int) -> None:
    length, size, stride = plan
    whole = np.arange(length * columns, dtype=np.float64).reshape(length, columns)
    cut = windows(length, size=size, stride=stride)
    assert np.array_equal(merge([whole[start:end] for start, end in cut], cut, length), whole)


def ranges_of(borders: set[int], keep: list[bool]) -> list[tuple[int, int]]:
    places = sorted(borders)
    return [pair for pair, kept in zip(pairwise(places), keep, strict=False) if kept]


@st.composite
def some_ranges(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Draw ranges in order, with gaps."""
    borders = draw(st.sets(st.integers(0, 25), max_size=12))
    return ranges_of(borders, draw(st.lists(st.booleans(), min_size=12, max_size=12)))


def touch(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


@examples(300)
@given(some_ranges(), some_ranges())
def test_continuations_are_shared_ranges(
    tokens: list[tuple[int, int]], ranges: list[tuple[int, int]]
) -> None:
    pairs = pairwise(tokens)
    expected = [any(touch(a, r) and touch(b, r) for r in ranges) for a, b in pairs]
    assert continuations(tokens, ranges).tolist()[1:] == expected


@examples(150)
@given(some_ranges(), st.integers(0, 25), st.integers(0, 25))
def test_token_range_is_what_touches(tokens: list[tuple[int, int]], start: int, size: int) -> None:
    hits = [i for i, token in enumerate(tokens) if size and touch(token, (start, start + size))]
    found = token_range(tokens, start, start + size)
    assert found == ((hits[0], hits[-1] + 1) if hits else None)
    if found:
        assert char_span(tokens, *found) == (tokens[hits[0]][0], tokens[hits[-1]][1])


@examples(100)
@given(some_ranges(), st.sets(st.integers(1, 24), max_size=6))
def test_a_sentence_starts_at_its_first_token(tokens: list[tuple[int, int]], borders: set[int]) -> None:
    places = sorted({0, 25, *borders})
    owner = [sum(place <= start for place in places) for start, _ in tokens]
    expected = [i == 0 or owner[i] != owner[i - 1] for i in range(len(tokens))]
    assert sentence_starts(tokens, list(pairwise(places))).tolist() == expected
