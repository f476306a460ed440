"""The last pass of a build: a portion written again without what was decided against.

part.parquet     what stays; none where nothing does
left-out.jsonl   everything of this portion that does not, the first pass included, where it is wanted
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from zhbert.clean.paragraphs import without
from zhbert.clean.steps import NOTHING_LEFT
from zhbert.config import fingerprint
from zhbert.corpus.documents import Columns
from zhbert.corpus.leftout import LeftOut
from zhbert.corpus.sift import DOCUMENTS, LEFT_OUT, by_source
from zhbert.corpus.tallies import Tally
from zhbert.text.scripts import SCRIPTS, count_scripts, han_shares

PART = "part.parquet"
SHARED = "shared with a test"  # the key of a flag in a document's meta
PARAGRAPHS = "paragraphs"
LENGTHS: list[float] = [0, *(2**power for power in range(3, 25))]
HAN: list[float] = [round(step / 20, 2) for step in range(20)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was decided about a portion: reasons by row, lines to take out by row, flags by row."""

    portion: Path
    reasons: dict[int, str] = field(default_factory=dict)
    lines: dict[int, list[int]] = field(default_factory=dict)
    flags: dict[int, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Return the hash of what was decided, which the documents of the portion decide."""
        return fingerprint([self.reasons, self.lines, self.flags])


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Carries out verdicts."""

    left_out: bool
    paragraphs: bool

    def __call__(self, verdict: Verdict, folder: Path) -> Tally:
        """Write what stays and return what it is made of."""
        columns = Columns.read(verdict.portion / DOCUMENTS)
        before, reasons = list(columns.text), dict(verdict.reasons)
        for row, lines in verdict.lines.items():
            columns.text[row] = without(before[row], lines).strip("\n")
            if not columns.text[row].strip():
                reasons[row] = f"{PARAGRAPHS}: {NOTHING_LEFT}"
        for row, test in verdict.flags.items():
            columns.meta[row][SHARED] = test
        kept = columns.only([row not in reasons for row in range(len(columns))])
        if len(kept):
            kept.write(folder / PART)
        left_out = self._leave_out(verdict, folder, columns.with_texts(before), reasons)
        tally: Tally = {"documents": len(kept), "characters": sum(map(len, kept.text))}
        if self.paragraphs:
            tally["steps"] = {PARAGRAPHS: _removed(verdict, before, columns.text)}
        emptied = sorted(reasons.keys() - verdict.reasons.keys())
        return tally | described(kept) | {"examples": left_out.examples, "emptied": emptied}

    def _leave_out(
        self, verdict: Verdict, folder: Path, columns: Columns, reasons: dict[int, str]
    ) -> LeftOut:
        """Take down what goes now, after what the first pass left out."""
        if self.left_out:
            shutil.copyfile(verdict.portion / LEFT_OUT, folder / LEFT_OUT)
        left_out = LeftOut(folder / LEFT_OUT if self.left_out else None)
        for row, reason in sorted(reasons.items()):
            left_out.add(columns.id[row], columns.at[row], reason, columns.text[row])
        left_out.close()
        return left_out


def _removed(verdict: Verdict, before: list[str], after: list[str]) -> Tally:
    """Return what taking out paragraphs did to the documents that were left by then."""
    rows = [row for row in range(len(before)) if row not in verdict.reasons]
    left = [row for row in rows if after[row].strip()]
    return {
        "documents_in": len(rows),
        "documents_out": len(left),
        "characters_in": sum(len(before[row]) for row in rows),
        "characters_out": sum(len(after[row]) for row in left),
        "reasons": {NOTHING_LEFT: len(rows) - len(left)} if len(rows) > len(left) else {},
        "changes": {"repeated lines": sum(map(len, verdict.lines.values()))} if verdict.lines else {},
    }


def described(kept: Columns) -> Tally:
    """Return what documents are made of: lengths, shares of Han, scripts, sources."""
    scripts = count_scripts(kept.text)
    return {
        "lengths": _histogram([len(text) for text in kept.text], LENGTHS),
        "han": _histogram(han_shares(scripts), HAN),
        "scripts": dict(zip(SCRIPTS, scripts.sum(axis=0).tolist(), strict=True)),
        "sources": by_source(kept, "kept"),
    }


def _histogram(values: ArrayLike, edges: list[float]) -> dict[str, int]:
    """Return how many values lie from each edge to the next; the last takes whatever is larger.

    >>> _histogram([3, 20, 10**9], [0, 8, 16])
    {'0': 1, '8': 0, '16': 2}
    """
    homes = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 1)
    counts = np.bincount(homes, minlength=len(edges)).tolist()
    return {str(edge): count for edge, count in zip(edges, counts, strict=True)}
