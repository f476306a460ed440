"""Bring characters, tokens and words together by their offsets, never by looking tokens up.

What is peculiar:

- A tokenizer drops spaces and control characters and makes one [UNK] of a run of emoji, so decoded
  tokens cannot be found in the text again; their offsets are always right.
- A token with an empty range (a special token) belongs to no word, no sentence and no span.
- Offsets are those of one text. In a pair the second text starts at 0 again: ask for each text alone.
- A token over several words, such as that [UNK], joins them: the unit that is masked stays whole.
- Tokens and ranges are in order; ranges do not overlap but may leave gaps (phrases, entities).

Shapes: T tokens, R ranges; `_T2` is a start and an end.
"""

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Ranges = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int32]


def continuations(token_offsets: npt.ArrayLike, ranges: npt.ArrayLike) -> Bools:
    """Return which tokens continue a range (a word, a phrase) that the token before them is in.

    >>> continuations([(0, 0), (0, 1), (1, 2), (2, 5), (5, 6), (0, 0)], [(0, 2), (2, 4), (4, 6)]).tolist()
    [False, False, True, False, True, False]
    """
    tokens_T2 = _pairs(token_offsets)
    joined_T = np.zeros(len(tokens_T2), dtype=np.bool_)
    if len(tokens_T2) and np.size(ranges):
        begun_C, ended_C = _counted(ranges, int(tokens_T2[:, 1].max()))
        real_T = tokens_T2[:, 0] < tokens_T2[:, 1]
        first_T = ended_C[tokens_T2[:, 0]]  # the first range that ends after the token's start
        last_T = begun_C[tokens_T2[:, 1] - 1] - 1  # the last one that begins before its end
        joined_T[1:] = real_T[1:] & real_T[:-1] & (first_T[1:] <= last_T[:-1])
    return joined_T


def sentence_starts(token_offsets: npt.ArrayLike, ranges: npt.ArrayLike) -> Bools:
    """Return which tokens are the first of their sentence.

    >>> sentence_starts([(0, 0), (0, 1), (1, 2), (2, 3), (0, 0)], [(0, 2), (2, 3)]).tolist()
    [False, True, False, True, False]
    """
    tokens_T2 = _pairs(token_offsets)
    real_T = tokens_T2[:, 0] < tokens_T2[:, 1]
    starts_T = np.zeros(len(tokens_T2), dtype=np.bool_)
    if len(tokens_T2):
        _, ended_C = _counted(ranges, int(tokens_T2[:, 1].max()))
        starts_T[real_T] = np.diff(ended_C[tokens_T2[real_T, 0]], prepend=-1) != 0
    return starts_T


def token_range(token_offsets: npt.ArrayLike, start: int, end: int) -> tuple[int, int] | None:
    """Return the half-open range of the tokens that touch some characters, None where no token does.

    >>> token_range([(0, 0), (0, 1), (2, 4), (4, 5), (0, 0)], 1, 5)
    (2, 4)
    """
    tokens_T2 = _pairs(token_offsets)
    starts_T, ends_T = tokens_T2[:, 0], tokens_T2[:, 1]
    hits = np.flatnonzero((starts_T < end) & (ends_T > start) & (starts_T < ends_T))
    return (int(hits[0]), int(hits[-1]) + 1) if len(hits) and start < end else None


def char_span(token_offsets: npt.ArrayLike, first: int, stop: int) -> tuple[int, int] | None:
    """Return the half-open range of the characters of some tokens, None for special tokens alone.

    >>> char_span([(0, 0), (0, 1), (2, 4), (4, 5), (0, 0)], 1, 3)
    (0, 4)
    """
    chosen_T2 = _pairs(np.asarray(token_offsets)[first:stop])
    chosen_T2 = chosen_T2[chosen_T2[:, 0] < chosen_T2[:, 1]]
    return (int(chosen_T2[0, 0]), int(chosen_T2[-1, 1])) if len(chosen_T2) else None


def border_inside(token_offsets: npt.ArrayLike, start: int, end: int) -> bool:
    """Tell whether a border of some characters falls inside a token, so that no tokens are exactly they.

    >>> border_inside([(0, 1), (1, 4)], 1, 3), border_inside([(0, 1), (1, 4)], 1, 4)
    (True, False)
    """
    tokens_T2 = _pairs(token_offsets)
    return any(bool(((tokens_T2[:, 0] < at) & (at < tokens_T2[:, 1])).any()) for at in (start, end))


def _pairs(offsets: npt.ArrayLike) -> Ranges:
    return np.asarray(offsets, dtype=np.int64).reshape(-1, 2)


def _counted(ranges: npt.ArrayLike, size: int) -> tuple[Counts, Counts]:
    """Return how many ranges have begun, and how many have ended, at each character up to one.

    >>> [counts.tolist() for counts in _counted([(0, 2), (3, 4)], 5)]
    [[1, 1, 1, 2, 2, 2], [0, 0, 1, 1, 2, 2]]
    """
    ranges_R2 = _pairs(ranges)
    _in_order(ranges_R2)
    marks_2C = np.zeros((2, size + 2), dtype=np.int32)
    marks_2C[0, np.minimum(ranges_R2[:, 0], size + 1)] = 1
    marks_2C[1, np.minimum(ranges_R2[:, 1], size + 1)] = 1
    begun_C, ended_C = np.cumsum(marks_2C, axis=1, dtype=np.int32)[:, : size + 1]
    return begun_C, ended_C


def _in_order(ranges_R2: Ranges) -> None:
    assert (ranges_R2[:, 0] < ranges_R2[:, 1]).all(), "a range must hold a character"
    assert (ranges_R2[1:, 0] >= ranges_R2[:-1, 1]).all(), "ranges must be in order and apart"
