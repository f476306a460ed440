"""Cut a long token sequence into overlapping windows, and merge what a model says of them.

What is peculiar:

- `stride` is how far the next window starts after the last one, as in BERT's own code; the tokenizers
  library calls the overlap, size - stride, by that name.
- The last window ends with the sequence, so that every window but a lonely one is full.
- Every token is answered for by one window alone: where it stands farthest from both edges. Averages
  would mix in the answers of windows that saw half of a token's context.
- An empty sequence has one empty window: an empty text still gets an answer.

Shapes: L tokens, W windows, K scores a token.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zhbert.errors import ConfigError

Window = tuple[int, int]


def windows(length: int, *, size: int, stride: int) -> list[Window]:
    """Return half-open ranges of at most `size` tokens that cover a sequence of `length` tokens.

    >>> windows(10, size=4, stride=3)
    [(0, 4), (3, 7), (6, 10)]
    >>> windows(9, size=4, stride=3)
    [(0, 4), (3, 7), (5, 9)]
    """
    if not 0 < stride <= size:
        raise ConfigError(f"windows need 0 < stride <= size, not stride {stride} and size {size}")
    last = max(0, length - size)
    return [(start, min(start + size, length)) for start in (*range(0, last, stride), last)]


def owners(length: int, windows: Sequence[Window]) -> npt.NDArray[np.int64]:
    """Return for every token the window in which its nearer edge is farthest, the first of equals.

    >>> owners(7, [(0, 5), (2, 7)]).tolist()
    [0, 0, 0, 0, 1, 1, 1]
    """
    owner_L, room_L = np.full(length, -1, dtype=np.int64), np.full(length, -1, dtype=np.int64)
    for index, (start, end) in enumerate(windows):
        places = np.arange(end - start)
        room = np.minimum(places, places[::-1])
        better = room > room_L[start:end]
        owner_L[start:end][better], room_L[start:end][better] = index, room[better]
    assert (owner_L >= 0).all(), "the windows do not cover the sequence"
    return owner_L


def merge(
    scores: Sequence[npt.ArrayLike], windows: Sequence[Window], length: int
) -> npt.NDArray[np.floating]:
    """Return the scores (length, K) of a sequence from those of its windows, each from a token's owner.

    >>> merge([[[1.0], [2.0], [3.0]], [[7.0], [8.0], [9.0]]], [(0, 3), (2, 5)], 5)[:, 0].tolist()
    [1.0, 2.0, 3.0, 8.0, 9.0]
    """
    arrays = [np.asarray(score) for score in scores]
    for array, (start, end) in zip(arrays, windows, strict=True):
        assert len(array) == end - start, f"window {start}..{end} has scores for {len(array)} tokens"
    if len(arrays) == 1 and tuple(windows[0]) == (0, length):
        return arrays[0]
    owner_L = owners(length, windows)
    merged_LK = np.empty((length, *arrays[0].shape[1:]), dtype=arrays[0].dtype)
    for index, (array, (start, end)) in enumerate(zip(arrays, windows, strict=True)):
        mine = owner_L[start:end] == index
        merged_LK[start:end][mine] = array[mine]
    return merged_LK
