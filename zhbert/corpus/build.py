"""`corpus build`: raw text in, clean documents out, nothing dropped without a reason.

Three passes, each resumed after a kill and the same bytes whoever works on them:

1. Sift (`sift`). The documents are read in order and handed out in portions. Every document goes through
   the steps; what is left of it gets its fingerprints.
2. Judge (`judge`). The fingerprints of the whole corpus are compared, here: what was seen before, what is
   nearly the same, which paragraphs are repeated.
3. Settle (`settle`). The portions are written again without what was decided against.

`facts.json` says what went in, what came out and why not the rest; `zhbert corpus report` shows it.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from zhbert.clean.guard import Guard
from zhbert.clean.steps import DEFAULT, Steps
from zhbert.clean.testsets import evaluation_texts
from zhbert.config import Input, Output, Source, fingerprint
from zhbert.corpus.account import account
from zhbert.corpus.documents import Columns
from zhbert.corpus.judge import INDEX, Compared, Judgement, judge, save_index
from zhbert.corpus.settle import PART, Settle
from zhbert.corpus.sift import GUARD, LEFT_OUT, SKETCHES, Portion, Sift
from zhbert.corpus.tallies import Tally
from zhbert.engine.run import Parallel, run_units
from zhbert.engine.unit import Unit, hash_texts, name_of
from zhbert.errors import DataError
from zhbert.files import Work, move, write_text
from zhbert.progress import SILENT, Progress
from zhbert.read.config import ReadConfig
from zhbert.read.piece import Reject
from zhbert.read.reader import Reader
from zhbert.read.references import is_reference
from zhbert.read.sets import asked, read_set
from zhbert.records import to_plain

FACTS = "facts.json"
SIFTED, SETTLED = "sifted", "settled"
FEW = 24  # portions that are written again, a fifth of a second each, sooner than workers have started


class BuildConfig(ReadConfig, Parallel):
    """How raw text becomes documents."""

    source: list[Source] = Field(
        min_length=1,
        description="files, folders, patterns such as raw/*.gz, a text of a card (mini:raw), hub:NAME, or - "
        "for standard input; packed or not",
    )
    steps: list[str] = Field(
        default=list(DEFAULT),
        description="what every document goes through, in order: `zhbert corpus steps` lists them",
    )
    dedup: Literal["none", "exact", "near"] = Field(
        default="exact", description="drop documents that were seen before: the same, or nearly the same"
    )
    similarity: float = Field(
        default=0.75,
        gt=0.4,
        le=1,
        description="near: share of five-character runs that two documents have in common at least",
    )
    paragraphs: int = Field(
        default=0,
        ge=0,
        description="drop lines of at least so many characters that were seen before [0: none]",
    )
    against: list[Input] = Field(
        default=[], description="earlier builds, made with --index: what is in them is dropped"
    )
    index: bool = Field(default=False, description="keep an index, for later builds to be checked against")
    guard: list[Input] = Field(
        default=[],
        description="evaluation sets: documents that share a run of 20 characters with a test text",
    )
    guarded: Literal["drop", "flag"] = Field(
        default="drop", description="what is done with a document that shares text with a test"
    )
    rejects: Output | None = Field(
        default=None,
        description="folder for what is left out, with reasons; records that cannot be read go there "
        "too instead of stopping the build",
    )
    part_characters: int = Field(
        default=4_000_000, ge=1, description="characters per portion, which is the unit of work and a part"
    )

    @field_validator("source", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("steps")
    @classmethod
    def _steps_exist(cls, value: list[str]) -> list[str]:
        Steps(value)
        return value


def build(config: BuildConfig, work: Work, progress: Progress = SILENT) -> None:
    """Clean every document of the sources and write the good ones."""
    rejects: list[Reject] = []
    reader = Reader(config.source, config, reject=rejects.append if config.rejects else None)
    tests: Counter[str] = Counter()
    guard = Guard.build(_counted(config.guard, tests)) if config.guard else None
    with progress.bar("clean", total=reader.size, unit="bytes") as bar:
        sifted = run_units(
            _sift(config, guard),
            portions(reader, rejects, size=config.part_characters),
            folder=work.folder / SIFTED,
            config=config,
            finished=lambda tally: bar.advance(tally["read"]["bytes"]),
        )
    compared = Compared(
        [work.folder / SIFTED / name_of(number) for number in range(len(sifted))],
        [tally["kept"] for tally in sifted],
        scratch=work.folder / SKETCHES,
    )
    judgement = judge(
        compared,
        dedup=config.dedup,
        similarity=config.similarity,
        paragraphs=config.paragraphs > 0,
        guard=config.guarded if config.guard else "",
        earlier=config.against,
    )
    with progress.bar("write", total=len(sifted), unit="parts") as bar:
        settled = run_units(
            Settle(left_out=config.rejects is not None, paragraphs=config.paragraphs > 0),
            (Unit(number=n, payload=v, fingerprint=v.fingerprint) for n, v in enumerate(judgement.verdicts)),
            folder=work.folder / SETTLED,
            config=config if len(sifted) > FEW else Parallel(workers=1),
            finished=lambda tally: bar.advance(1),
        )
    facts = account(sifted, judgement, settled, reader=reader, tests=tests)
    _refuse_nothing(facts, config)
    if config.index:
        save_index(compared, [tally["emptied"] for tally in settled], work.folder / INDEX)
    _finish(work, len(sifted), facts, judgement)


def portions(reader: Reader, rejects: list[Reject], *, size: int) -> Iterator[Unit[Portion]]:
    """Yield the documents so many characters at a time, with the bad records that stood among them."""
    columns, characters, done = Columns(), 0, 0
    number = 0
    for document in reader:
        columns.add(document)
        characters += len(document.text)
        if characters >= size:
            yield _portion(number, columns, rejects, reader.done - done)
            columns, characters, done = Columns(), 0, reader.done
            number += 1
    if columns.id or rejects or not number:
        yield _portion(number, columns, rejects, reader.done - done)


def _portion(number: int, columns: Columns, rejects: list[Reject], size: int) -> Unit[Portion]:
    bad = tuple(rejects)
    rejects.clear()
    key = hash_texts(
        columns.id, columns.text, columns.source, columns.at, [str(meta) for meta in columns.meta]
    )
    key = fingerprint([key, [to_plain(reject) for reject in bad]])
    payload = Portion(columns=columns, rejects=bad, bytes=size)
    return Unit(number=number, payload=payload, fingerprint=key, at=columns.at[0] if columns.at else "")


def _counted(files: Sequence[Path], tests: Counter[str]) -> Iterator[tuple[str, str]]:
    """Yield the texts of evaluation files with their places, and count them by file."""
    for file in files:
        for name, text in _asked(file) if is_reference(file) else _written(file):
            tests[name.rpartition(":")[0]] += 1
            yield name, text


def _written(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the texts of a file with their places; where it lies does not matter."""
    for place, text in evaluation_texts(file):
        yield file.name + place.removeprefix(str(file)), text


def _asked(reference: Path) -> Iterator[tuple[str, str]]:
    """Yield the texts of a labelled set that a card describes, with the numbers of their examples."""
    for number, (_, example) in enumerate(read_set(reference), start=1):
        for text in asked(example):
            yield f"{reference.as_posix()}:{number}", text


def _sift(config: BuildConfig, guard: Guard | None) -> Sift:
    indexed = config.index or bool(config.against)
    return Sift(
        steps=tuple(config.steps),
        exact=config.dedup != "none" or indexed,
        near=config.dedup == "near" or indexed,
        paragraphs=config.paragraphs,
        guard=guard,
        left_out=config.rejects is not None,
    )


def _refuse_nothing(facts: Tally, config: BuildConfig) -> None:
    if facts["kept"]["documents"]:
        return
    dropped = {
        f"{step['step']}: {reason}": n for step in facts["steps"] for reason, n in step["reasons"].items()
    }
    remedy = f"left out: {dropped | facts['read']['bad']}"
    raise DataError("no document is left", where=", ".join(config.source), remedy=remedy)


def _finish(work: Work, portions: int, facts: Tally, judgement: Judgement) -> None:
    """Give everything its last place."""
    for number in range(portions):
        settled = work.folder / SETTLED / name_of(number)
        move(settled / PART, work.folder / f"part-{name_of(number)}.parquet")
        for rejects in work.beside:
            move(settled / LEFT_OUT, rejects.folder / f"left-out-{name_of(number)}.jsonl")
    shared = [json.dumps(hit, ensure_ascii=False) + "\n" for hit in judgement.shared]
    if facts["guard"]:
        write_text(work.folder / GUARD, "".join(shared))
    write_text(work.folder / FACTS, json.dumps(facts, ensure_ascii=False, indent=1) + "\n")
    for folder in (SIFTED, SETTLED):
        shutil.rmtree(work.folder / folder)
    (work.folder / SKETCHES).unlink(missing_ok=True)
    dropped = Counter({reason: n for step in facts["steps"] for reason, n in step["reasons"].items()})
    work.counts |= facts["kept"] | {"dropped": dict(dropped)}
    for rejects in work.beside:
        rejects.counts |= {"left out": dropped.total() + sum(facts["read"]["bad"].values())}
