"""The first pass of a build: the documents of a portion through the steps, and what they are compared by.

documents.parquet   what passed the steps
content.json        what these documents are made of
characters.npy      how many characters a document has
exact.npy           a hash a document                       (dedup exact, near)
sketches.npy        a sketch a document                     (dedup near)
letters.npy         how many letters a document has         (dedup near)
paragraphs.npz      a hash a paragraph, and where it stands (paragraphs)
guard.jsonl         what a document shares with test texts  (guard)
left-out.jsonl      what did not pass and what could not be read, where it is wanted
"""

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from zhbert.clean.exact import hashes
from zhbert.clean.fold import fold
from zhbert.clean.guard import Guard
from zhbert.clean.paragraphs import paragraphs
from zhbert.clean.sketch import sketches
from zhbert.clean.steps import Steps
from zhbert.corpus.content import by_source, content
from zhbert.corpus.documents import Columns
from zhbert.corpus.leftout import LeftOut
from zhbert.corpus.tallies import Tally
from zhbert.read.piece import Reject
from zhbert.records import to_plain

DOCUMENTS, LEFT_OUT, GUARD = "documents.parquet", "left-out.jsonl", "guard.jsonl"
CHARACTERS, EXACT, SKETCHES, LETTERS = "characters.npy", "exact.npy", "sketches.npy", "letters.npy"
CONTENT, PARAGRAPHS = "content.json", "paragraphs.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Some documents as they come, the records among them that could not be read, and how many bytes."""

    columns: Columns
    rejects: tuple[Reject, ...]
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sift:
    """Takes portions through the steps; `exact` and `near` say by what documents will be compared."""

    steps: tuple[str, ...]
    exact: bool
    near: bool
    paragraphs: int
    guard: Guard | None
    left_out: bool

    def __call__(self, portion: Portion, folder: Path) -> Tally:
        """Write what passes, and what it is compared by; return what was counted."""
        steps, funnel = _steps(self.steps), _steps(self.steps).funnel()
        left_out = LeftOut(folder / LEFT_OUT if self.left_out else None)
        for reject in portion.rejects:
            left_out.add(reject.at, reject.at, reject.reason, reject.raw, message=reject.what)
        texts: list[str] = []
        for document in portion.columns:
            cleaned = steps(document.text, funnel)
            texts.append("" if cleaned.reason else cleaned.text)
            if cleaned.reason:
                reason = f"{cleaned.dropped_by}: {cleaned.reason}"
                left_out.add(document.id, document.at, reason, document.text)
        left_out.close()
        kept = portion.columns.with_texts(texts).only(list(map(bool, texts)))
        kept.write(folder / DOCUMENTS)
        (folder / CONTENT).write_text(json.dumps(content(kept), ensure_ascii=False), encoding="utf-8")
        self._compare_by(kept, folder)
        return {
            "read": {
                "documents": len(texts),
                "characters": sum(map(len, portion.columns.text)),
                "bytes": portion.bytes,
                "bad": dict(Counter(reject.reason for reject in portion.rejects)),
            },
            "kept": len(kept),
            "steps": to_plain(funnel)["steps"],
            "sources": by_source(portion.columns, "read"),
            "examples": left_out.examples,
        }

    def _compare_by(self, kept: Columns, folder: Path) -> None:
        """Write the arrays of the documents that passed."""
        np.save(folder / CHARACTERS, np.array([len(text) for text in kept.text], dtype=np.uint32))
        folded = fold(kept.text) if self.exact or self.near else None
        if folded:
            np.save(folder / EXACT, hashes(folded))
        if folded and self.near:
            letters = folded.letters()
            np.save(folder / SKETCHES, sketches(letters))
            np.save(folder / LETTERS, letters.lengths.astype(np.uint32))
        if self.paragraphs:
            found = paragraphs(kept.text, shortest=self.paragraphs)
            np.savez(folder / PARAGRAPHS, hashes=found.hashes, texts=found.texts, lines=found.lines)
        if self.guard:
            shared = self._shared(kept)
            (folder / GUARD).write_text(shared, encoding="utf-8", errors="backslashreplace")

    def _shared(self, kept: Columns) -> str:
        """Return what the documents share with test texts, a line of JSON for each find."""
        assert self.guard
        lines = []
        for hit in self.guard.hits(kept.text):
            place = {"row": hit.text, "id": kept.id[hit.text], "at": kept.at[hit.text]}
            lines.append(json.dumps(place | {"test": hit.test, "run": hit.shared}, ensure_ascii=False) + "\n")
        return "".join(lines)


@cache
def _steps(lines: tuple[str, ...]) -> Steps:
    return Steps(lines)
