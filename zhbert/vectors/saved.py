"""A folder of vectors: what `zhbert embed` writes.

vectors.npy    float32 (texts, width), for numpy.load(..., mmap_mode="r")
texts.jsonl    the texts in the same order, with their ids and labels
vectors.json   how they were made
centre.npy     what was taken away from all of them, where anything was
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zhbert.errors import DataError
from zhbert.records import from_plain
from zhbert.vectors.centre import Centre
from zhbert.vectors.embedder import Pooling
from zhbert.vectors.nearest import Floats
from zhbert.vectors.source import Text

VECTORS, TEXTS, FACTS, CENTRE = "vectors.npy", "texts.jsonl", "vectors.json", "centre.npy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How vectors were made; `model` is where their encoder was, or its name."""

    model: str
    pooling: str
    centre: bool = False
    components: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Saved:
    """A folder of vectors that is open; they stay on the disk until they are asked for."""

    folder: Path
    facts: Facts
    vectors_NH: Floats

    @classmethod
    def open(cls, folder: Path) -> "Saved":
        """Return the vectors of a folder."""
        for name in (VECTORS, TEXTS, FACTS):
            if not (folder / name).is_file():
                raise DataError(f"no vectors: there is no {name} in it", where=folder, remedy="zhbert embed")
        try:
            vectors_NH = np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False)
            facts = from_plain(Facts, json.loads((folder / FACTS).read_text(encoding="utf-8")))
        except ValueError as error:
            raise DataError(f"the vectors cannot be read: {error}", where=folder) from error
        return cls(folder=folder, facts=facts, vectors_NH=vectors_NH)

    def texts(self) -> Iterator[Text]:
        """Return the texts in the order of their vectors."""
        return texts_in(self.folder)

    def as_these(self, vectors_NH: Floats) -> Floats:
        """Return new vectors of the same encoder as those that were saved: about the same mean."""
        return Centre.load(self.folder / CENTRE).taken_from(vectors_NH) if self.facts.centre else vectors_NH

    @property
    def pooling(self) -> Pooling:
        """How tokens became a vector."""
        return self.facts.pooling  # type: ignore[return-value]  # written from a checked config


def texts_in(folder: Path) -> Iterator[Text]:
    """Yield the texts that stand in a folder, one line in memory at a time."""
    with (folder / TEXTS).open(encoding="utf-8", newline="\n") as handle:
        for line in handle:
            yield from_plain(Text, json.loads(line))
