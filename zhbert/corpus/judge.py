"""The second pass of a build: every document against the whole corpus, by what the first pass left behind.

In this order, and a document goes for the first reason: what shares text with a test (or is flagged), what is
in an earlier build, what was seen before, what is nearly the same as another, and then the paragraphs that
were seen before. Arrays of all documents are held here: 8 bytes a document for exact duplicates, 132 more
for near ones, of which 128 lie on disk; texts are read again only for pairs that look alike.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from zhbert.clean.clusters import Clusters, cluster
from zhbert.clean.exact import first_occurrences
from zhbert.clean.index import Index
from zhbert.clean.sketch import BINS
from zhbert.corpus.leftout import SHOWN
from zhbert.corpus.settle import Verdict
from zhbert.corpus.sift import CHARACTERS, DOCUMENTS, EXACT, GUARD, LETTERS, PARAGRAPHS, SKETCHES
from zhbert.corpus.tallies import Tally

SHARED = "guard: shared with a test"
EARLIER = "duplicates: in an earlier build"
REPEATED = "duplicates: repeated"
NEARLY = "near duplicates: nearly the same"
REASONS = ("", SHARED, EARLIER, REPEATED, NEARLY)
INDEX = "index"
CLUSTERS, MEMBERS = 20, 5  # what is shown of the clusters


class Compared:
    """The documents that passed the steps, all portions on end, and why some of them go."""

    def __init__(self, portions: Sequence[Path], kept: Sequence[int], *, scratch: Path) -> None:
        self.portions, self._scratch = portions, scratch
        self.firsts = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
        self.reasons = np.zeros(self.firsts[-1], dtype=np.int8)
        self.flags: dict[int, str] = {}
        self.lines: dict[int, list[int]] = {}

    @property
    def stays(self) -> NDArray[np.bool_]:
        """Which documents nothing speaks against so far."""
        return np.equal(self.reasons, 0)

    def drop(self, numbers: NDArray[np.int64], reason: str) -> None:
        """Give a reason to those of these documents that have none yet."""
        fresh = numbers[self.reasons[numbers] == 0]
        self.reasons[fresh] = REASONS.index(reason)

    def load(self, name: str) -> NDArray[Any]:
        """Return an array of all documents."""
        return np.concatenate([np.load(portion / name) for portion in self.portions])

    @cached_property
    def sketches(self) -> NDArray[Any]:
        """The sketches of all documents, which lie on disk."""
        parts = (np.load(portion / SKETCHES) for portion in self.portions)
        shape = (len(self.reasons), BINS)
        if not len(self.reasons):
            return np.zeros(shape, dtype=np.uint8)
        whole = np.lib.format.open_memmap(self._scratch, mode="w+", dtype=np.uint8, shape=shape)
        for start, part in zip(self.firsts, parts, strict=False):
            whole[start : start + len(part)] = part
        return whole

    def texts_of(self, numbers: Sequence[int]) -> list[str]:
        """Return texts by their numbers, which ascend."""
        return self._column("text", numbers)

    def _column(self, name: str, numbers: Sequence[int]) -> list[str]:
        homes = np.searchsorted(self.firsts, numbers, side="right") - 1
        found: list[str] = []
        for home in np.unique(homes).tolist():
            rows = np.asarray(numbers)[homes == home] - self.firsts[home]
            found += _column(self.portions[home] / DOCUMENTS, name).take(rows).to_pylist()
        return found

    def shown(self, numbers: Sequence[int]) -> dict[int, dict[str, str]]:
        """Return ids, places and the beginnings of texts by their numbers, which ascend."""
        rows = zip(*(self._column(name, numbers) for name in ("id", "at", "text")), strict=True)
        return {
            number: {"id": name, "at": at, "text": text[:SHOWN]}
            for number, (name, at, text) in zip(numbers, rows, strict=True)
        }

    def verdicts(self) -> list[Verdict]:
        """Return what was decided about each portion."""
        found = []
        for portion, first, end in zip(self.portions, self.firsts, self.firsts[1:], strict=False):
            rows = np.flatnonzero(self.reasons[first:end])
            reasons = {row: REASONS[self.reasons[first + row]] for row in rows.tolist()}
            lines = {row: self.lines[first + row] for row in range(end - first) if first + row in self.lines}
            flags = {row: self.flags[first + row] for row in range(end - first) if first + row in self.flags}
            found.append(Verdict(portion=portion, reasons=reasons, lines=lines, flags=flags))
        return found

    def funnel(self, steps: Sequence[str]) -> dict[str, Tally]:
        """Return what went into each of these steps and came out of it."""
        characters = self.load(CHARACTERS)
        into = np.ones(len(self.reasons), dtype=np.bool_)
        found: dict[str, Tally] = {}
        for step in steps:
            codes = [code for code, reason in enumerate(REASONS) if reason.startswith(step + ":")]
            counts = Counter(
                {REASONS[code].partition(": ")[2]: int((self.reasons == code).sum()) for code in codes}
            )
            out = into & ~np.isin(self.reasons, codes)
            found[step] = {
                "documents_in": int(into.sum()),
                "documents_out": int(out.sum()),
                "characters_in": int(characters[into].sum()),
                "characters_out": int(characters[out].sum()),
                "reasons": dict(+counts),
                "changes": {},
            }
            into = out
        return found


@lru_cache(maxsize=6)
def _column(path: Path, name: str) -> Any:
    return pq.read_table(path, columns=[name]).column(0).combine_chunks()


def drop_repeated(compared: Compared) -> None:
    """Of documents with the same text the first stays."""
    firsts = first_occurrences(compared.load(EXACT))
    compared.drop(np.flatnonzero(firsts != np.arange(len(firsts))), REPEATED)


def drop_earlier(compared: Compared, folders: Sequence[Path], *, near: bool, similarity: float) -> None:
    """Drop what is in earlier builds, or nearly; their texts are not here, so estimates decide that."""
    for folder in folders:
        found = Index.load(folder / INDEX).matches(
            compared.load(EXACT), compared.sketches, threshold=similarity
        )
        compared.drop(np.flatnonzero(found.found if near else found.exact), EARLIER)


def save_index(compared: Compared, emptied: Sequence[Sequence[int]], folder: Path) -> None:
    """Keep what later builds are compared with; `emptied` are the rows that lost all their paragraphs."""
    stays = compared.stays
    for first, rows in zip(compared.firsts, emptied, strict=False):
        stays[first + np.array(rows, dtype=np.int64)] = False
    Index(hashes=compared.load(EXACT)[stays], sketches=compared.sketches[stays]).save(folder)


def drop_nearly_same(compared: Compared, *, similarity: float) -> Clusters:
    """Of documents that share so much the longest stays; return who went with whom."""
    found = cluster(
        compared.sketches,
        compared.load(LETTERS),
        threshold=similarity,
        texts_of=compared.texts_of,
        among=compared.stays,
    )
    compared.drop(np.flatnonzero(~found.stays), NEARLY)
    return found


def find_repeated_paragraphs(compared: Compared) -> None:
    """Of paragraphs with the same text the first stays, in the documents that stay."""
    found = [np.load(portion / PARAGRAPHS) for portion in compared.portions]
    texts = np.concatenate(
        [part["texts"] + first for part, first in zip(found, compared.firsts, strict=False)]
    )
    lines = np.concatenate([part["lines"] for part in found])
    stays = compared.stays[texts]
    texts, lines = texts[stays], lines[stays]
    firsts = first_occurrences(np.concatenate([part["hashes"] for part in found])[stays])
    for place in np.flatnonzero(firsts != np.arange(len(firsts))).tolist():
        compared.lines.setdefault(int(texts[place]), []).append(int(lines[place]))


def mark_shared(compared: Compared, *, drop: bool) -> list[dict[str, Any]]:
    """Drop or flag the documents that share text with a test; return what they share."""
    hits = []
    for portion, first in zip(compared.portions, compared.firsts, strict=False):
        for line in (portion / GUARD).read_text(encoding="utf-8").split("\n")[:-1]:
            hit = json.loads(line)
            number = int(first) + hit.pop("row")
            compared.flags.setdefault(number, hit["test"])
            hits.append(hit)
    if drop:
        compared.drop(np.array(sorted(compared.flags), dtype=np.int64), SHARED)
        compared.flags.clear()
    return hits


def describe(found: Clusters, compared: Compared) -> Tally:
    """Return how many clusters there are, and the largest ones."""
    all_of_them = list(found)
    largest = []
    for keeper, members in all_of_them[:CLUSTERS]:
        numbers = sorted([keeper, *members[:MEMBERS].tolist()])
        shown = compared.shown(numbers)
        dropped = [
            shown[n] | {"similarity": round(float(found.similarity[n]), 3)} for n in numbers if n != keeper
        ]
        largest.append({"kept": shown[keeper], "dropped": dropped, "size": len(members) + 1})
    return {
        "count": len(all_of_them),
        "documents": sum(len(members) for _, members in all_of_them),
        "unsettled": found.unsettled,
        "largest": largest,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was decided: a verdict a portion, and what there is to say about it."""

    compared: Compared
    verdicts: list[Verdict]
    steps: dict[str, Tally]
    clusters: Tally
    shared: list[dict[str, Any]]


def judge(
    compared: Compared,
    *,
    dedup: str,
    similarity: float,
    paragraphs: bool,
    guard: str,
    earlier: Sequence[Path],
) -> Judgement:
    """Compare everything with everything else, as far as it is asked for."""
    clusters: Tally = {}
    shared = mark_shared(compared, drop=guard == "drop") if guard else []
    drop_earlier(compared, earlier, near=dedup == "near", similarity=similarity)
    if dedup != "none":
        drop_repeated(compared)
    if dedup == "near":
        clusters = describe(drop_nearly_same(compared, similarity=similarity), compared)
    if paragraphs:
        find_repeated_paragraphs(compared)
    asked = {
        "guard": guard == "drop",
        "duplicates": dedup != "none" or bool(earlier),
        "near duplicates": dedup == "near",
    }
    steps = compared.funnel([step for step, wanted in asked.items() if wanted])
    verdicts = compared.verdicts()
    return Judgement(compared=compared, verdicts=verdicts, steps=steps, clusters=clusters, shared=shared)
