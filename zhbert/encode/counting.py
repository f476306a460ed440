"""Vectors that are counted, not learnt: from what stands beside what.

Positive pointwise mutual information with the frequencies of the neighbours to the power of 0.75, then a
randomized singular value decomposition (Halko et al. 2011): seconds where word2vec takes minutes, and
nothing is drawn but signs that are hashes.

Shapes: K words or tokens, C contexts, D dimensions.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zhbert.encode.draws import draw, stream
from zhbert.encode.shards import Shard

Vectors = NDArray[np.float32]
PORTION = 1 << 21  # tokens that are counted at once
SMOOTH = 0.75
ROUNDS = 3  # of the power iteration
MORE = 20  # dimensions that are dropped in the end


def cuts(shard: Shard) -> list[tuple[int, int]]:
    """Return the first and last document of each portion of about PORTION tokens."""
    edges = np.searchsorted(shard.ends_D, np.arange(PORTION, shard.meta.tokens, PORTION), side="left") + 1
    bounds = sorted({0, *edges.tolist(), shard.meta.documents})
    return list(pairwise(bounds))


def ppmi(pairs_KC: "sparse.csr_matrix") -> "sparse.csr_matrix":
    """Return how much more often than by chance, as a logarithm, where it is more often.

    >>> ppmi(sparse.csr_matrix(np.array([[4, 0], [0, 4]]))).toarray().astype(float).round(2).tolist()
    [[0.69, 0.0], [0.0, 0.69]]
    """
    counts = pairs_KC.tocoo()
    words_K = np.asarray(pairs_KC.sum(axis=1)).ravel()
    smooth_C = np.asarray(pairs_KC.sum(axis=0)).ravel().astype(np.float64) ** SMOOTH
    by_chance = words_K[counts.row] * smooth_C[counts.col] / smooth_C.sum()
    values = np.maximum(np.log(counts.data / by_chance), 0).astype(np.float32)
    return sparse.csr_matrix((values, (counts.row, counts.col)), shape=pairs_KC.shape)


def vectors(matrix_KC: "sparse.csr_matrix", dimensions: int) -> Vectors:
    """Return a vector of length 1 for every row: the first singular vectors, times the roots of the values.

    The space is sought among the columns, of which there are few, so nothing large is decomposed.
    """
    columns = matrix_KC.shape[1]
    size = min(dimensions + MORE, *matrix_KC.shape)
    bits = draw(stream("signs", 0), np.arange(columns * size)).reshape(columns, size)
    basis = np.where(bits >> np.uint64(63), 1.0, -1.0)
    for _ in range(ROUNDS):
        basis = np.linalg.qr(matrix_KC.T @ (matrix_KC @ basis))[0]
    found = matrix_KC @ basis
    squares, turns = np.linalg.eigh(found.T @ found)
    best = np.argsort(-squares, kind="stable")[: min(dimensions, size)]
    vectors_KD = found @ (turns[:, best] * np.maximum(squares[best], 1e-9) ** -0.25)
    lengths_K = np.linalg.norm(vectors_KD, axis=1, keepdims=True)
    unit_KD: Vectors = (vectors_KD / np.maximum(lengths_K, 1e-12)).astype(np.float32)
    return unit_KD
