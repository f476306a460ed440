"""A flat map of grouped vectors: the two directions in which the centres lie farthest apart.

A little of the spread of all vectors counts too, so that one group, or two, still fill a plane.

Shapes: N vectors, K groups, H width; `_N2` are places on the map.
"""

import numpy as np

from zhbert.vectors.kmeans import Groups, sums
from zhbert.vectors.nearest import Floats, blocks, unit

LITTLE = 0.01  # weight of the spread of all vectors
_EDGE = 3.0  # hundredths that stay free


def plane(vectors_NH: Floats, groups: Groups) -> tuple[Floats, float]:
    """Return the place of each vector, in hundredths, and the share of the centres' spread that is kept."""
    count, width = vectors_NH.shape
    means_KH = _means(vectors_NH, groups)
    sizes_K = np.bincount(groups.groups_N, minlength=len(means_KH))
    middle_H = sizes_K @ means_KH / count
    about_KH = (means_KH - middle_H) * np.sqrt(sizes_K)[:, None]
    between_HH = about_KH.T @ about_KH
    spread_HH = np.zeros((width, width))
    for _, block_nH in blocks(vectors_NH):
        rows = unit(block_nH) - middle_H
        spread_HH += rows.T @ rows
    axes_H2 = np.linalg.eigh(between_HH + LITTLE * spread_HH).eigenvectors[:, ::-1][:, :2]
    axes_H2 = axes_H2 * np.where(axes_H2.sum(0) < 0, -1, 1)
    places = [(unit(block_nH) - middle_H) @ axes_H2 for _, block_nH in blocks(vectors_NH)]
    whole = float(np.trace(between_HH))
    kept = float(np.trace(axes_H2.T @ between_HH @ axes_H2)) / whole if whole > 1e-9 else 1.0
    return _framed(np.concatenate(places)), min(1.0, kept)


def _means(vectors_NH: Floats, groups: Groups) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    sums_KH = np.zeros(groups.centres_KH.shape)
    for start, block_nH in blocks(vectors_NH):
        sums_KH += sums(unit(block_nH), groups.groups_N[start : start + len(block_nH)], len(sums_KH))
    return sums_KH / np.maximum(np.bincount(groups.groups_N, minlength=len(sums_KH)), 1)[:, None]


def _framed(places_N2: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Floats:
    """Return places in hundredths; the outermost thousandths lie on the edge."""
    if places_N2.shape[1] < 2:
        places_N2 = np.column_stack([places_N2, np.zeros(len(places_N2))])
    low, high = np.quantile(places_N2, [0.001, 0.999], axis=0)
    room = np.where(high - low > 1e-9, high - low, 1)
    shares_N2 = np.clip((places_N2 - low) / room, 0, 1)
    framed_N2: Floats = (_EDGE + (100 - 2 * _EDGE) * shares_N2).astype(np.float32)
    return framed_N2
