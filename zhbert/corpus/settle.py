"""The last pass of a build: a portion written again without what was decided against.

part.parquet     what stays; none where nothing does
left-out.jsonl   everything of this portion that does not, the first pass included, where it is wanted
"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from zhbert.clean.paragraphs import without
from zhbert.clean.steps import NOTHING_LEFT
from zhbert.config import fingerprint
from zhbert.corpus.content import content
from zhbert.corpus.documents import Columns
from zhbert.corpus.leftout import LeftOut
from zhbert.corpus.sift import CONTENT, DOCUMENTS, LEFT_OUT
from zhbert.corpus.tallies import Tally
from zhbert.files import link

PART = "part.parquet"
SHARED = "shared with a test"  # the key of a flag in a document's meta
PARAGRAPHS = "paragraphs"


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
        if not (verdict.reasons or verdict.lines or verdict.flags):
            return self._as_it_is(verdict, folder)
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
        emptied = sorted(reasons.keys() - verdict.reasons.keys())
        tally = content(kept) | {"examples": left_out.examples, "emptied": emptied}
        if self.paragraphs:
            tally["steps"] = {PARAGRAPHS: _removed(verdict, before, columns.text)}
        return tally

    def _as_it_is(self, verdict: Verdict, folder: Path) -> Tally:
        """Take over what the first pass wrote."""
        tally: Tally = json.loads((verdict.portion / CONTENT).read_text(encoding="utf-8"))
        if tally["documents"]:
            link(verdict.portion / DOCUMENTS, folder / PART)
        self._leave_out(verdict, folder, Columns(), {})
        if self.paragraphs:
            kinds = ("documents", "characters")
            flow = {f"{kind}_{side}": tally[kind] for kind in kinds for side in ("in", "out")}
            tally["steps"] = {PARAGRAPHS: flow | {"reasons": {}, "changes": {}}}
        return tally | {"examples": {}, "emptied": []}

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
