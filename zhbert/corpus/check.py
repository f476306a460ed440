"""`data check`: what is in labelled files, and what a person should look at before a model learns from them.

Nothing is changed, and nothing found is an error: whoever can read the files gets a report. `check.json`
holds it for programs, `check.txt` is what the command line shows.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from pydantic import Field

from zhbert.config import Input, ModelInput
from zhbert.corpus.findings import Finding, across, findings_in, labels_of
from zhbert.corpus.fit import Fit, fit_of
from zhbert.corpus.labelled import LabelledConfig
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import DataError
from zhbert.files import Work, write_text
from zhbert.progress import SILENT, Progress
from zhbert.read.forms import Placed
from zhbert.records import characters_of, to_plain
from zhbert.score.lengths import Lengths

CHECK_FILE, WORDS_FILE = "check.json", "check.txt"
_SHOWN = 12  # labels and unknown surfaces in a line


class CheckConfig(LabelledConfig):
    """Which files are looked at, and with which tokenizer."""

    source: list[Input] = Field(
        min_length=1, description="a file or reference; again: another split of the set"
    )
    tokenizer: ModelInput | None = Field(
        default=None, description="a model whose tokenizer the texts are given to"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What is in one file; `mended` is what reading it mended, left out or detected."""

    source: str
    task: str
    examples: int
    characters: Lengths
    labels: dict[str, int]
    mended: dict[str, str | int]
    findings: tuple[Finding, ...]
    tokens: Fit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What two files have in common."""

    one: str
    other: str
    findings: tuple[Finding, ...]


def check(config: CheckConfig, work: Work, _: Progress = SILENT) -> None:
    """Write check.json and check.txt."""
    tokenizer = Tokenizer.load(config.tokenizer) if config.tokenizer else None
    files: dict[str, list[Placed]] = {}
    reports: list[FileReport] = []
    for source in config.source:
        if str(source) in files:
            raise DataError("is given twice", where=source)
        how = config.how()
        files[str(source)] = list(config.read(source, how))
        mended = how.found | dict(sorted(how.counts.items()))
        reports.append(_report(source, config, files[str(source)], mended, tokenizer))
    pairs = combinations(files.items(), 2)
    shared = [Shared(one=a, other=b, findings=tuple(across(x, y))) for (a, x), (b, y) in pairs]
    plain = {"files": to_plain(reports), "shared": to_plain(shared)}
    write_text(work.folder / CHECK_FILE, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")
    lines = [line for report in reports for line in _in_words(report)]
    lines += [line for one in shared for line in _shared_in_words(one)]
    write_text(work.folder / WORDS_FILE, "".join(line + "\n" for line in lines))
    found = sum(len(report.findings) for report in reports) + sum(len(one.findings) for one in shared)
    work.counts |= {"files": len(files), "examples": sum(map(len, files.values())), "findings": found}


def _report(
    source: Path,
    config: CheckConfig,
    examples: list[Placed],
    mended: dict[str, str | int],
    tokenizer: Tokenizer | None,
) -> FileReport:
    if not examples:
        raise DataError("the file has no examples", where=source)
    return FileReport(
        source=str(source),
        task=config.task_of(source, examples[0][1]),
        examples=len(examples),
        characters=Lengths.of([characters_of(example) for _, example in examples]),
        labels=labels_of(examples),
        mended=mended,
        findings=tuple(findings_in(examples)),
        tokens=fit_of(examples, tokenizer) if tokenizer else None,
    )


def _in_words(report: FileReport) -> Iterator[str]:
    """Yield what is in a file, line by line."""
    long = report.characters
    yield f"{report.source}: {report.examples:,} examples of {report.task}"
    yield (
        f"  characters: {long.shortest} to {long.longest}, half have at most {long.median:g}, "
        f"95 % at most {long.p95:g}"
    )
    if report.labels:
        yield f"  labels ({len(report.labels)}): {_listed(report.labels)}"
    for what, count in report.mended.items():
        yield f"  when read: {what}: {count}"
    yield from _found(report.findings)
    if fit := report.tokens:
        share = fit.unknown / max(fit.tokens, 1)
        yield f"  tokens: {fit.tokens:,} in {fit.texts:,} texts, the longest has {fit.longest:,}"
        yield f"  [UNK]: {fit.unknown:,} ({share:.2%}) {_listed(fit.unknown_surfaces)}".rstrip()
        if fit.dropped:
            yield f"  in no token: {_listed(fit.dropped)}"
        yield from _found(fit.findings)


def _shared_in_words(shared: Shared) -> Iterator[str]:
    yield f"{shared.one} and {shared.other}: {'' if shared.findings else 'nothing in common'}".rstrip()
    yield from _found(shared.findings)


def _found(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        yield f"  {finding.what}: {finding.count:,}"
        yield from (f"    {place}" for place in finding.places)


def _listed(counts: dict[str, int]) -> str:
    shown = [f"{name} {count:,}" for name, count in list(counts.items())[:_SHOWN]]
    return ", ".join([*shown, *["…"] * (len(counts) > _SHOWN)]).replace("\n", "⏎")
