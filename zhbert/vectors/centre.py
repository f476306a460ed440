"""Vectors about their mean, without the directions that all of them share.

The vectors of a masked-language model fill a narrow cone: any two texts have a cosine near 1, and what tells
them apart is what is left when their mean, and perhaps the first principal components, are taken away.

Shapes: N vectors, H width, C components.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zhbert.errors import DataError
from zhbert.vectors.nearest import Floats, blocks

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Centre:
    """What is taken away from vectors: their mean, and the components in the directions (C, H)."""

    mean_H: Doubles
    axes_CH: Doubles

    @classmethod
    def of(cls, vectors_NH: Floats, *, components: int = 0) -> "Centre":
        """Return the mean of vectors and so many of their first principal components, read by blocks.

        >>> centre = Centre.of(np.array([[1, 1], [3, 1], [5, 1.5]], np.float32), components=1)
        >>> centre.mean_H.round(2).tolist(), np.abs(centre.axes_CH).round(1).tolist()
        ([3.0, 1.17], [[1.0, 0.1]])
        """
        count, width = vectors_NH.shape
        check_components(components, count=count, width=width)
        mean_H = sum(block.sum(0, dtype=np.float64) for _, block in blocks(vectors_NH)) / count
        return cls(mean_H, axes(vectors_NH, mean_H, components))

    def taken_from(self, vectors_NH: Floats) -> Floats:
        """Return vectors about the mean, without the components."""
        about_NH = vectors_NH - self.mean_H
        return (about_NH - (about_NH @ self.axes_CH.T) @ self.axes_CH).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write one array: the mean, and below it the directions."""
        np.save(path, np.vstack([self.mean_H, self.axes_CH]))

    @classmethod
    def load(cls, path: Path) -> "Centre":
        """Return what was saved."""
        rows = np.load(path, allow_pickle=False)
        return cls(rows[0], rows[1:])


def check_components(components: int, *, count: int, width: int) -> None:
    """Refuse more principal components than so many vectors of a width have."""
    if components > min(count - 1, width):
        raise DataError(
            f"{count} vectors of width {width} do not have {components} components to remove",
            remedy="fewer components, or more texts",
        )


def axes(vectors_NH: Floats, mean_H: Doubles, count: int) -> Doubles:
    """Return so many principal directions, the widest first, each with its largest entry above zero."""
    if not count:
        return np.zeros((0, len(mean_H)))
    spread_HH = np.zeros((len(mean_H), len(mean_H)))
    for _, block in blocks(vectors_NH):
        about = block - mean_H
        spread_HH += about.T @ about
    found_CH = np.linalg.eigh(spread_HH).eigenvectors[:, ::-1][:, :count].T
    largest_C = np.take_along_axis(found_CH, np.abs(found_CH).argmax(1)[:, None], 1)
    signs_C1: Doubles = np.where(largest_C < 0, -1.0, 1.0)
    return found_CH * signs_C1
