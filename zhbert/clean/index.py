"""What a build kept, so that a later build can leave it out: a folder of two arrays.

    hashes.npy     the hash of each document that was kept (see `exact`), in their order: 8 bytes
    sketches.npy   its sketch (see `sketch`): 128 bytes
    meta.json      what hashes and sketches depend on; written last

- Row i is the i-th document that the build kept, so the folder needs no names of its own.
- Near-duplicates are decided by the estimate, for the texts of the earlier build are not at hand: near the
  threshold of 0.75 its standard error is 0.038 or less.
- The arrays are memory-mapped; a look-up takes some 50 bytes more for each document, a band at a time.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from zhbert.clean.buckets import BANDS, TURNS, band_keys
from zhbert.clean.clusters import THRESHOLD
from zhbert.clean.exact import Hashes
from zhbert.clean.fold import table_fingerprint
from zhbert.clean.runs import Bools, Numbers
from zhbert.clean.sketch import BINS, SHINGLE, VERSION, Sketches, Words, estimate
from zhbert.errors import DataError, UserError
from zhbert.files import write_text
from zhbert.records import from_plain

FORMAT = 1
_REMEDY = "build the documents that it stands for again"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meta:
    """What an index depends on."""

    documents: int
    format: int = FORMAT
    sketch: int = VERSION
    bins: int = BINS
    shingle: int = SHINGLE
    folding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matches:
    """For each document its row in the index, -1 where it has none; 1.0 is an equal text."""

    rows: Numbers
    similarity: NDArray[np.float32]
    exact: Bools

    @property
    def found(self) -> Bools:
        """Which documents are in the index."""
        found: Bools = self.rows >= 0
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Index:
    """The hashes and sketches of what earlier builds kept.

    >>> from zhbert.clean.exact import hashes
    >>> from zhbert.clean.fold import fold
    >>> from zhbert.clean.sketch import sketches
    >>> def arrays(*texts):
    ...     folded = fold(texts)
    ...     return {"hashes": hashes(folded), "sketches": sketches(folded.letters())}
    >>> news = "北京大学计算机学院昨天举行了毕业典礼，校长和三百名毕业生参加了典礼"
    >>> index = Index(**arrays("今天天气很好", news))
    >>> index.matches(**arrays("今天 天气很好", "明天下雨，不去公园", news + "。完")).rows.tolist()
    [0, -1, 1]
    """

    hashes: Hashes
    sketches: Sketches

    def save(self, folder: Path) -> None:
        """Write the index; it is there when meta.json is."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "meta.json").unlink(missing_ok=True)
        for name in ("hashes", "sketches"):
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        meta = _Meta(documents=len(self.hashes), folding=table_fingerprint())
        write_text(folder / "meta.json", json.dumps(asdict(meta), indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map the index of a folder; refuse one that was made in another way."""
        meta = _read_meta(folder / "meta.json")
        expected = _Meta(documents=meta.documents, folding=table_fingerprint())
        for name, value in asdict(expected).items():
            if getattr(meta, name) != value:
                what = f"made with {name} {getattr(meta, name)}, not {value}"
                raise DataError(what, where=folder / "meta.json", remedy=_REMEDY)
        arrays: dict[str, NDArray[Any]] = {
            "hashes": np.empty(0, np.uint64),
            "sketches": np.empty((0, BINS), np.uint8),
        }
        return cls(**{name: _map(folder / f"{name}.npy", of, meta.documents) for name, of in arrays.items()})

    def matches(self, hashes: Hashes, sketches: Sketches, *, threshold: float = THRESHOLD) -> Matches:
        """Return which documents are in the index: the same text, or one with such an estimate."""
        rows, similarity = np.full(len(hashes), -1, dtype=np.int64), np.zeros(len(hashes), dtype=np.float32)
        order, first, counts = _meet(self.hashes, hashes)
        exact = counts > 0
        rows[exact], similarity[exact] = order[first[exact]], 1.0
        known, asked = (np.flatnonzero(of.any(axis=1)) for of in (self.sketches, sketches))
        for band in range(BANDS):
            asked = asked[rows[asked] < 0]
            if not len(asked):
                break
            order, first, counts = _meet(
                band_keys(self.sketches, band)[known], band_keys(sketches, band)[asked]
            )
            for turn in range(min(TURNS, int(counts.max(initial=0)))):
                open_ = np.flatnonzero((counts > turn) & (rows[asked] < 0))
                new, old = asked[open_], known[order[first[open_] + turn]]
                shared = estimate(sketches, new, old, others=self.sketches)
                near = shared >= threshold
                rows[new[near]], similarity[new[near]] = old[near], shared[near]
        return Matches(rows=rows, similarity=similarity, exact=exact)


def _meet(known: Words, asked: Words) -> tuple[Numbers, Numbers, Numbers]:
    """Return the order of what is known and, for each key asked for, its first place there and how many."""
    order = np.argsort(known, kind="stable")
    ordered = known[order]
    first = np.searchsorted(ordered, asked, side="left")
    return order, first, np.searchsorted(ordered, asked, side="right") - first


def _read_meta(path: Path) -> _Meta:
    if not path.is_file():
        raise DataError("no index here", where=path.parent, remedy="a build writes one as its folder `index`")
    try:
        return from_plain(_Meta, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, UserError) as error:
        raise DataError("not the facts of an index", where=path, remedy=_REMEDY) from error


def _map(path: Path, like: NDArray[Any], documents: int) -> Any:
    """Map an array and refuse one of another shape or kind than the empty one it must be like."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError("missing or broken", where=path, remedy=_REMEDY) from error
    if found.dtype != like.dtype or found.shape != (documents, *like.shape[1:]):
        raise DataError(f"does not hold {documents} documents", where=path, remedy=_REMEDY)
    return found
