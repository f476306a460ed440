"""The company that tokens keep: which stand beside which in the shards, as a vector for each.

A new encoder can begin with these vectors instead of noise. Counting reads fifty million tokens in seconds;
by gradients, token by token, it takes hours to learn as much.

- The next, next but one and third token to either side count 6, 3 and 2: as 1, 1/2 and 1/3.
- Beside any token the CONTEXTS most frequent ones are counted, which bounds the memory.
- A token that is seen SELDOM or less has no vector: nothing is known of it.

Shapes: V tokens of the vocabulary, T tokens of a portion, C contexts, D dimensions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from zhbert.encode.counting import Vectors, cuts, ppmi, vectors
from zhbert.encode.draws import Ints
from zhbert.encode.shards import Shards
from zhbert.progress import SILENT, Progress

CONTEXTS = 4096
SELDOM = 5
TOKENS = 50_000_000  # that are read at most
_WEIGHTS = {1: 6, 2: 3, 3: 2}  # by distance


@dataclass(frozen=True, slots=True, eq=False)
class Company:
    """How often each token occurs, and a vector of length 1 for each; zeros where too little is known."""

    counts_V: Ints
    vectors_VD: Vectors


def company(shards: Shards, *, vocabulary: int, dimensions: int, progress: Progress = SILENT) -> Company:
    """Return the company of every token of a vocabulary; with few tokens, in fewer dimensions."""
    every = max(1, -(-shards.n_tokens // TOKENS))
    chosen = [(shard, first, last) for shard in shards.shards for first, last in cuts(shard)][::every]
    counts_V = np.zeros(vocabulary, np.int64)
    for shard, first, last in chosen:
        ids_T = shard.ids_T[int(shard.starts_D[first]) : int(shard.ends_D[last - 1])]
        counts_V += np.bincount(ids_T, minlength=vocabulary)
    contexts_C = np.argsort(-counts_V, kind="stable")[:CONTEXTS]
    column_V = np.full(vocabulary, -1, np.int64)
    column_V[contexts_C] = np.arange(len(contexts_C))
    beside_VC: NDArray[np.int32] = np.zeros((vocabulary, len(contexts_C)), np.int32)
    with progress.bar("count", total=len(chosen), unit="portions") as bar:
        for shard, first, last in chosen:
            begin, end = int(shard.starts_D[first]), int(shard.ends_D[last - 1])
            ids_T = shard.ids_T[begin:end].astype(np.int64)
            docs_T = np.searchsorted(shard.starts_D[first:last] - begin, np.arange(end - begin), side="right")
            _add(beside_VC, ids_T, docs_T, column_V)
            bar.advance()
    known_V = counts_V > SELDOM
    beside_VC[~known_V] = 0
    if not beside_VC.any():
        return Company(counts_V, np.zeros((vocabulary, 1), np.float32))
    vectors_VD = vectors(ppmi(sparse.csr_matrix(beside_VC)), dimensions)
    vectors_VD = vectors_VD - vectors_VD[known_V].mean(axis=0)
    lengths_V = np.linalg.norm(vectors_VD, axis=1)
    vectors_VD[~known_V | (lengths_V < 1e-6)] = 0
    return Company(counts_V, (vectors_VD / np.maximum(lengths_V, 1e-6)[:, None]).astype(np.float32))


def _add(beside_VC: NDArray[np.int32], ids_T: Ints, docs_T: Ints, column_V: Ints) -> None:
    """Count which tokens stand near which of the contexts, in the same document."""
    contexts = beside_VC.shape[1]
    for distance, weight in _WEIGHTS.items():
        same = docs_T[:-distance] == docs_T[distance:]
        one, other = ids_T[:-distance][same], ids_T[distance:][same]
        for rows, columns in ((one, column_V[other]), (other, column_V[one])):
            keys, counts = np.unique((rows * contexts + columns)[columns >= 0], return_counts=True)
            beside_VC.reshape(-1)[keys] += weight * counts
