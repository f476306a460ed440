"""The nearest of many vectors, exactly: cosines by blocks, however many vectors there are.

Vectors may lie in a memory-mapped file: a block is read, compared and forgotten. Of equals the first comes
first. A vector of zeros is as far from everything as a right angle.

Shapes: N vectors, Q queries, K nearest, H width, n vectors of a block.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhbert.errors import ConfigError, DataError

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
BYTES = 32 * 2**20  # of a block


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """One of the nearest: its place among the vectors, and the cosine of the angle."""

    place: int
    cosine: float


def nearest(queries_QH: Floats, vectors_NH: Floats, k: int) -> tuple[Ints, Floats]:
    """Return the places (Q, K) of the `k` nearest vectors to each query, nearest first, and their cosines.

    >>> vectors = np.array([[0, 1], [2, 0], [1, 1]], np.float32)
    >>> places, cosines = nearest(np.array([[3, 0]], np.float32), vectors, 2)
    >>> places.tolist(), cosines.astype(float).round(2).tolist()
    ([[1, 2]], [[1.0, 0.71]])
    """
    if k < 1:
        raise ConfigError(f"k = {k}: at least one neighbour must be wanted")
    if queries_QH.ndim != 2 or vectors_NH.ndim != 2 or queries_QH.shape[1] != vectors_NH.shape[1]:
        raise DataError(f"vectors of shape {vectors_NH.shape} do not compare with {queries_QH.shape}")
    queries_QH = unit(queries_QH)
    places_QK = np.zeros((len(queries_QH), 0), np.int64)
    cosines_QK = np.zeros((len(queries_QH), 0), np.float32)
    for start, block_nH in blocks(vectors_NH):
        cosines_Qn = queries_QH @ unit(block_nH).T
        kept_QK = _first(cosines_Qn, k)
        cosines_QK = np.hstack([cosines_QK, np.take_along_axis(cosines_Qn, kept_QK, 1)])
        places_QK = np.hstack([places_QK, kept_QK + start])
        best_QK = _first(cosines_QK, k)
        places_QK = np.take_along_axis(places_QK, best_QK, 1)
        cosines_QK = np.take_along_axis(cosines_QK, best_QK, 1)
    return places_QK, cosines_QK


def _first(values_Qn: Floats, k: int) -> Ints:
    """Return the places of the `k` largest of each row, of equals the first."""
    return np.argsort(-values_Qn, axis=1, kind="stable")[:, :k]


def unit(vectors_NH: NDArray[np.floating]) -> Floats:
    """Return vectors of length one; zeros stay zeros.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths_N1 = np.linalg.norm(vectors_NH, axis=1, keepdims=True)
    return (vectors_NH / np.where(lengths_N1 > 0, lengths_N1, 1)).astype(np.float32)


def blocks(vectors_NH: Floats) -> Iterator[tuple[int, Floats]]:
    """Yield vectors block by block with the place of the first, as arrays in memory."""
    size = max(1, BYTES // (4 * vectors_NH.shape[1]))
    for start in range(0, len(vectors_NH), size):
        yield start, np.asarray(vectors_NH[start : start + size])
