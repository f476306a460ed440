"""`score`: gold examples and the predictions of one or more systems in, one report out.

The first system of a section is the one that is judged; the others are what it is compared
with. A system is the predictions of one training or a list of them, one a training: the same recipe,
other seeds. What is known of a training's model, of what it saw and of what that took lies beside its
predictions (`told.py`).
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from zhbert.app.told import (
    cost_of,
    coverage_of,
    facts_of,
    here,
    known_as,
    made_with,
    notes_on,
    predictions_file,
)
from zhbert.config import Config, Input
from zhbert.errors import DataError
from zhbert.files import Work
from zhbert.plain import from_plain
from zhbert.progress import SILENT, Progress
from zhbert.read.card import TaskName
from zhbert.read.examples import read_examples, read_predictions
from zhbert.records import Example
from zhbert.score.changed import changed
from zhbert.score.cost import SystemCost
from zhbert.score.judge import join
from zhbert.score.report import FORMS, SectionInput, System, build_report, write_report
from zhbert.score.robust import Trial
from zhbert.score.sections import merged
from zhbert.score.sheet import MEETINGS, Meeting, Note

TRIALS = "robust.json"  # what `zhbert robust` writes; named here, where no torch loads


class SectionConfig(Config):
    """One task on one data set."""

    name: str = Field(description="how the report calls it")
    task: TaskName = Field(description="what kind of task it is")
    head: str = Field(
        default="",
        description="how it is answered: one label, `several` or a `value`; default: as gold shows",
    )
    gold: Input = Field(description="the right answers")
    train: Input | None = Field(
        default=None, description="what the systems learnt from, for seen and unseen slices"
    )
    robust: Input | None = Field(
        default=None, description="what `zhbert robust` made of the first system's model and this gold"
    )
    contamination: Input | None = Field(
        default=None, description="what `zhbert contamination` found of this gold"
    )
    systems: dict[str, Input | list[Input]] = Field(
        min_length=1,
        description="predictions by system name, the judged one first; of several trainings, a list",
    )
    every_pair: bool = Field(
        default=False,
        description="whether each system is compared with each, and shown who is right where another is not",
    )

    @field_validator("systems", mode="before")
    @classmethod
    def _trainings(cls, systems: object) -> object:
        """Refuse what is neither a path nor some; a list of one is that one."""
        if not isinstance(systems, dict):
            return systems
        return {name: _one_or_several(str(name), given) for name, given in systems.items()}


def _one_or_several(name: str, given: object) -> object:
    """Return what a system's value means, or say what is wrong with it.

    >>> _one_or_several("wwm", ["said.jsonl"]), _one_or_several("wwm", ["a.jsonl", "b.jsonl"])
    ('said.jsonl', ['a.jsonl', 'b.jsonl'])
    """
    paths = given if isinstance(given, list) else [given]
    if not paths:
        raise ValueError(f'the system "{name}" has no predictions: give a path, or a list of some')
    for number, path in enumerate(paths, start=1):
        if not isinstance(path, str | Path):
            raise ValueError(f'the system "{name}" must be a path or a list of paths, one a training')
        if path in paths[: number - 1]:
            raise ValueError(f'the system "{name}" has {path} twice: each training counts once')
    return given if len(paths) > 1 else paths[0]


class ScoreConfig(Config):
    """What goes into a report."""

    title: str = Field(default="Evaluation", description="title of the report")
    sections: list[SectionConfig] = Field(min_length=1, description="tasks and data sets")
    draws: int = Field(default=10_000, ge=100, description="bootstrap draws behind every interval")
    seed: int = Field(default=1, ge=0, description="seed of the draws")
    format: list[Literal["json", "html", "md", "card", "schema"]] = Field(
        default=["json", "html"],
        description="forms of the report: html (a page), md (Markdown), card (README.md of the first system, "
        "for a model hub), schema (of report.json); json, the report itself, is always there",
    )

    @field_validator("format", mode="after")
    @classmethod
    def _in_order(cls, given: list[str]) -> list[str]:
        """Put forms in one order, so that it does not count in which one they were named."""
        return ["json", *(name for name in FORMS if name in given)]


def score(config: ScoreConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write report.json and the other forms that are wanted."""
    sections = []
    with progress.bar("score", total=len(config.sections) + 1, unit="sections") as bar:
        for section in config.sections:
            sections.append(_section(section))
            bar.advance(1)
        report = build_report(
            config.title,
            sections=sections,
            provenance=_provenance(config, sections),
            rng=np.random.default_rng(config.seed),
            draws=config.draws,
        )
        write_report(report, work.folder, forms=config.format, costs=list(_costs(config)))
        bar.advance(1)
    work.counts |= {section.name: len(section.gold) for section in sections}


def _section(config: SectionConfig) -> SectionInput:
    train = read_examples(config.train, config.task) if config.train else None
    gold = read_examples(config.gold, config.task)
    systems = {
        name: [_system(path, config.task, gold) for path in (given if isinstance(given, list) else [given])]
        for name, given in config.systems.items()
    }
    trials = _trials(config.robust, config.task, gold) if config.robust else []
    return SectionInput(
        name=config.name,
        task=config.task,
        head=config.head,
        gold=gold,
        train=train,
        systems=systems,
        trials=trials,
        meetings=_meetings(config.contamination) if config.contamination else [],
        every_pair=config.every_pair,
        notes=tuple(dict.fromkeys(_notes(config))),
    )


def _meetings(folder: Path) -> list[Meeting]:
    """Return which test texts were met in what the systems have read."""
    try:
        record = json.loads((folder / MEETINGS).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"no {MEETINGS} in it", where=folder, remedy="zhbert contamination makes it"
        ) from error
    return [from_plain(Meeting, one) for one in record["meetings"]]


def _trials(folder: Path, task: str, gold: list[Example]) -> list[Trial]:
    """Return what a model says of these examples when they are changed."""
    try:
        facts = json.loads((folder / TRIALS).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"no {TRIALS} in it", where=folder, remedy="zhbert robust makes it") from error
    return [
        Trial(
            name=name,
            changed=list(changed(gold, name, seed=facts["seed"])),
            predictions=read_predictions(folder / name / "predictions.jsonl", task),
        )
        for name in facts["changes"]
    ]


def _system(path: Path, task: str, gold: list[Example]) -> System:
    """Return a training's predictions, which must fit the gold examples, and what is known of its model."""
    file = predictions_file(path)
    predictions = read_predictions(file, task)
    try:
        join(task, gold, predictions)
    except DataError as error:
        where = f'{file}: id "{error.where}"' if error.where else file
        raise DataError(error.what, where=where, remedy=error.remedy) from error
    return System(predictions=predictions, facts=facts_of(path), read=coverage_of(path))


def _notes(config: SectionConfig) -> Iterator[Note]:
    """Yield what a reader must know of what the systems learnt from, once for several trainings."""
    for name, path in _paths(config):
        yield from notes_on(name, path, gold=config.gold, train=config.train)


def _paths(config: SectionConfig) -> Iterator[tuple[str, Path]]:
    for name, given in config.systems.items():
        yield from ((name, path) for path in (given if isinstance(given, list) else [given]))


def _costs(config: ScoreConfig) -> Iterator[SystemCost]:
    """Yield what predicting took, of several trainings the first, where it was measured."""
    for section in config.sections:
        for name, path in dict(reversed(list(_paths(section)))).items():
            if cost := cost_of(path):
                yield SystemCost(section=section.name, system=name, cost=cost)


def _provenance(config: ScoreConfig, sections: Sequence[SectionInput]) -> dict[str, Any]:
    data: dict[str, str] = {}
    systems: dict[str, Any] = {}
    for given, read in zip(config.sections, sections, strict=True):
        data[f"{given.name}.gold"] = known_as(given.gold, read.gold)
        if given.train and read.train:
            data[f"{given.name}.train"] = known_as(given.train, read.train)
        made = [(f"{given.name}.{name}", made_with(path)) for name, path in _paths(given)]
        for name in dict.fromkeys(name for name, _ in made):
            systems[name] = merged([told for other, told in made if other == name])
    bootstrap = {"draws": config.draws, "seed": config.seed}
    return {"bootstrap": bootstrap, "data": data, "systems": systems, "made with": here()}
