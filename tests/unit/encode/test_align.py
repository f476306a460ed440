"""Alignment by offsets: words, sentences and spans over tokens that drop, merge and cut characters."""

import numpy as np
import pytest

from zhbert.encode.align import border_inside, char_span, continuations, sentence_starts, token_range

SPECIAL = (0, 0)
# 我 爱 [UNK over 😀😀北] 京 bert ##ology ' ' 。
TOKENS = [SPECIAL, (0, 1), (1, 2), (2, 5), (5, 6), (6, 10), (10, 15), (16, 17), SPECIAL]
WORDS = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 6), (6, 15), (15, 16), (16, 17)]


def test_continuations() -> None:
    expected = [False, False, False, False, True, False, True, False, False]
    assert continuations(TOKENS, WORDS).tolist() == expected
    assert continuations(np.array(TOKENS), np.array(WORDS)).tolist() == expected


def test_ranges_with_gaps_join_only_what_they_cover() -> None:
    tokens = [(i, i + 1) for i in range(6)]
    assert continuations(tokens, [(1, 3), (4, 6)]).tolist() == [False, False, True, False, False, True]
    assert not continuations(tokens, []).any()


def test_a_token_over_two_words_joins_them() -> None:
    assert continuations([(0, 1), (1, 4), (4, 5)], [(0, 2), (2, 5)]).tolist() == [False, True, True]


def test_a_special_token_ends_a_word() -> None:
    assert continuations([(0, 1), (1, 1), (1, 2)], [(0, 2)]).tolist() == [False, False, False]


def test_pieces_of_one_character_stay_together() -> None:
    assert continuations([(0, 1), (0, 1), (1, 2)], [(0, 1), (1, 2)]).tolist() == [False, True, False]
    assert continuations([(0, 2), (0, 2), (2, 3)], [(0, 1), (1, 2), (2, 3)]).tolist() == [False, True, False]


def test_ranges_out_of_order_are_our_own_mistake() -> None:
    with pytest.raises(AssertionError):
        continuations([(0, 1)], [(2, 3), (0, 1)])


def test_no_tokens() -> None:
    assert continuations([], [(0, 1)]).tolist() == sentence_starts([], [(0, 1)]).tolist() == []
    assert token_range([], 0, 1) is None
    assert char_span([], 0, 0) is None


def test_sentence_starts() -> None:
    tokens = [SPECIAL, (0, 1), (1, 3), (5, 6), (6, 9), (9, 10), SPECIAL]
    ranges = [(0, 3), (3, 5), (5, 7), (7, 10)]  # the second has no token; the third ends inside one
    assert sentence_starts(tokens, ranges).tolist() == [False, True, False, True, False, True, False]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 1, (1, 2)),
        (0, 17, (1, 8)),
        (3, 4, (3, 4)),
        (4, 7, (3, 6)),
        (15, 16, None),
        (9, 9, None),
        (17, 20, None),
    ],
)
def test_token_range(start: int, end: int, expected: tuple[int, int] | None) -> None:
    assert token_range(TOKENS, start, end) == expected


def test_char_span() -> None:
    assert char_span(TOKENS, 1, 4) == (0, 5)
    assert char_span(TOKENS, 0, 9) == (0, 17)
    assert char_span(TOKENS, 8, 9) is None
    assert char_span(TOKENS, 4, 4) is None


def test_border_inside() -> None:
    assert border_inside(TOKENS, 4, 6)
    assert border_inside(TOKENS, 0, 3)
    assert not border_inside(TOKENS, 2, 6)
    assert not border_inside(TOKENS, 15, 17)
