"""Spherical k-means: groups of vectors by their direction, each to the centre with the greatest cosine.

What is peculiar:

- Vectors are brought to length one, and so are centres: a centre is the direction of its group's sum.
- Several starts, each with k-means++ (the next centre is drawn by how far vectors are from those that there
  are), on a sample where there are many vectors; the best goes on over all of them.
- A group that has lost all its vectors begins again at the vector that lies farthest from its centre.
- Everything follows from the seed; vectors are read by blocks.

Shapes: N vectors, K groups, H width, n vectors of a block.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhbert.errors import ConfigError
from zhbert.vectors.nearest import Floats, Ints, blocks, unit

SAMPLE = 20_000  # vectors that starts are tried on
STARTS, ROUNDS = 5, 100
TRIED = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40)  # numbers of groups, where none is said
ENOUGH = 1e-6  # a round that makes the mean cosine greater by less is the last


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The group of each vector, its cosine to the centre, and the centres, largest group first."""

    groups_N: Ints
    cosines_N: Floats
    centres_KH: Floats

    @property
    def fit(self) -> float:
        """The mean cosine of vectors to their centres."""
        return float(self.cosines_N.mean(dtype=np.float64))


def group(vectors_NH: Floats, count: int, *, seed: int = 0, starts: int = STARTS) -> Groups:
    """Return so many groups of vectors.

    >>> vectors = np.array([[1, 0], [9, 1], [0, 2], [0.1, 1], [7, 1]], np.float32)
    >>> group(vectors, 2).groups_N.tolist()
    [0, 0, 1, 1, 0]
    """
    if not 1 <= count <= len(vectors_NH):
        raise ConfigError(
            f"{len(vectors_NH)} texts cannot be {count} groups",
            remedy=f"--clusters {len(vectors_NH)} or fewer",
        )
    rng = np.random.default_rng(seed)
    sample_nH = unit(vectors_NH[drawn(len(vectors_NH), max(SAMPLE, count), rng)])
    tried = [_settled(sample_nH, _begun(sample_nH, count, rng)) for _ in range(starts)]
    best = max(tried, key=lambda groups: groups.fit)
    if len(sample_nH) < len(vectors_NH):
        best = _settled(vectors_NH, best.centres_KH)
    return _largest_first(best)


def drawn(count: int, size: int, rng: np.random.Generator) -> Ints:
    """Return so many of `count` places, in order, drawn by lot; all where there are not more."""
    return np.arange(count) if count <= size else np.sort(rng.choice(count, size, replace=False))


def assigned(vectors_NH: Floats, centres_KH: Floats) -> tuple[Ints, Floats]:
    """Return for each vector the centre of the greatest cosine, the first of equals, and that cosine.

    >>> assigned(np.array([[1, 1], [5, 0]], np.float32), np.eye(2, dtype=np.float32))[0].tolist()
    [0, 0]
    """
    groups, cosines = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for _, block_nH in blocks(vectors_NH):
        cosines_nK = unit(block_nH) @ centres_KH.T
        groups.append(cosines_nK.argmax(1))
        cosines.append(np.take_along_axis(cosines_nK, groups[-1][:, None], 1)[:, 0])
    return np.concatenate(groups), np.concatenate(cosines)


def _begun(units_NH: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return centres to begin with, by k-means++ over 1 - cosine, half the squared distance."""
    centres = [units_NH[rng.integers(len(units_NH))]]
    far_N = 1 - units_NH @ centres[0]
    while len(centres) < count:
        chances_N = np.maximum(far_N, 0, dtype=np.float64)
        total = chances_N.sum()
        place = rng.choice(len(units_NH), p=chances_N / total) if total > 0 else rng.integers(len(units_NH))
        centres.append(units_NH[place])
        far_N = np.minimum(far_N, 1 - units_NH @ centres[-1])
    return np.stack(centres)


def _settled(vectors_NH: Floats, centres_KH: Floats) -> Groups:
    """Return the groups at which centres come to rest."""
    groups_N, cosines_N = assigned(vectors_NH, centres_KH)
    before = -np.inf
    for _ in range(ROUNDS):
        centres_KH = _centres(vectors_NH, groups_N, cosines_N, centres_KH)
        groups_N, cosines_N = assigned(vectors_NH, centres_KH)
        fit = float(cosines_N.mean(dtype=np.float64))
        if fit - before < ENOUGH:
            break
        before = fit
    return Groups(groups_N, cosines_N, centres_KH)


def _centres(vectors_NH: Floats, groups_N: Ints, cosines_N: Floats, centres_KH: Floats) -> Floats:
    """Return the directions of the groups' sums; an empty group takes the vector that lies worst."""
    sums_KH = np.zeros(centres_KH.shape)
    for start, block_nH in blocks(vectors_NH):
        sums_KH += sums(unit(block_nH), groups_N[start : start + len(block_nH)], len(sums_KH))
    empty = np.flatnonzero(np.bincount(groups_N, minlength=len(sums_KH)) == 0)
    if len(empty):
        sums_KH[empty] = unit(np.asarray(vectors_NH[np.argsort(cosines_N, kind="stable")[: len(empty)]]))
    return unit(sums_KH)


def sums(vectors_NH: NDArray[np.floating], groups_N: Ints, count: int) -> NDArray[np.float64]:
    """Return the sum of the vectors of each group, (count, H).

    >>> sums(np.array([[1.0], [2.0], [5.0]]), np.array([1, 0, 1]), 3).tolist()
    [[2.0], [6.0], [0.0]]
    """
    sums_KH = np.zeros((count, vectors_NH.shape[1]))
    order_N = np.argsort(groups_N, kind="stable")
    found, begins = np.unique(groups_N[order_N], return_index=True)
    if len(found):
        sums_KH[found] = np.add.reduceat(vectors_NH[order_N], begins, axis=0, dtype=np.float64)
    return sums_KH


def _largest_first(groups: Groups) -> Groups:
    """Return the groups that have vectors, the largest first: vectors all alike are one group."""
    sizes_K = np.bincount(groups.groups_N, minlength=len(groups.centres_KH))
    order_K = np.argsort(-sizes_K, kind="stable")[: np.count_nonzero(sizes_K)]
    names_K: NDArray[np.int64] = np.zeros(len(sizes_K), np.int64)
    names_K[order_K] = np.arange(len(order_K))
    return Groups(names_K[groups.groups_N], groups.cosines_N, groups.centres_KH[order_K])


def silhouette(vectors_NH: Floats, groups_N: Ints) -> float:
    """Return how much nearer vectors are to their own group than to the next one, on average, from -1 to 1.

    Distances are 1 - cosine, so the mean distance to a group follows from its sum. A group of one counts 0.

    >>> round(silhouette(np.array([[1, 0], [9, 1], [0, 2], [0.1, 1]], np.float32), np.array([0, 0, 1, 1])), 2)
    0.99
    """
    units_NH = unit(vectors_NH).astype(np.float64)
    sizes_K = np.bincount(groups_N)
    sums_KH = sums(units_NH, groups_N, len(sizes_K))
    rows_N = np.arange(len(units_NH))
    far_NK = sizes_K - units_NH @ sums_KH.T
    far_NK[rows_N, groups_N] -= 1 - (units_NH**2).sum(
        1
    )  # a vector of zeros is as far from itself as from any
    own_N = far_NK[rows_N, groups_N] / np.maximum(sizes_K[groups_N] - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        means_NK = np.where(sizes_K > 0, far_NK / sizes_K, np.inf)
    means_NK[rows_N, groups_N] = np.inf
    next_N = means_NK.min(1)
    wide_N = np.maximum(own_N, next_N)
    alone_N = (sizes_K[groups_N] == 1) | ~np.isfinite(next_N) | (wide_N <= 0)
    return float(np.where(alone_N, 0, (next_N - own_N) / np.where(alone_N, 1, wide_N)).mean())


def number_of_groups(vectors_NH: Floats, *, seed: int = 0) -> tuple[int, dict[int, float]]:
    """Return the number of groups with the best silhouette on a sample, and all that were tried."""
    sample_NH = vectors_NH[drawn(len(vectors_NH), SAMPLE // 4, np.random.default_rng(seed))]
    most = max(1, min(len(sample_NH) - 1, int(len(sample_NH) ** 0.5) + 1))
    tried = {count: _silhouette_of(sample_NH, count, seed) for count in TRIED if count <= most}
    return (max(tried, key=lambda count: (tried[count], -count)) if tried else 1), tried


def _silhouette_of(vectors_NH: Floats, count: int, seed: int) -> float:
    return silhouette(vectors_NH, group(vectors_NH, count, seed=seed, starts=2).groups_N)
