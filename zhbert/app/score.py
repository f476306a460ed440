"""`score`: gold examples and the predictions of one or more systems in, one report out.

The first system of a section is the one that is judged; the others are what it is compared
with. A system is the predictions of one training or a list of them, one a training: the same recipe,
other seeds. What is known of a training's model (size, seed, best epoch, its encoder's pretraining) comes
from the `model.json` beside its predictions.
"""

import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from zhbert.config import HUB, Config, Input
from zhbert.errors import DataError
from zhbert.files import Work, hash_file, read_manifest
from zhbert.plain import from_plain
from zhbert.progress import SILENT, Progress
from zhbert.read.card import TaskName
from zhbert.read.examples import read_examples, read_predictions
from zhbert.read.references import find, is_reference
from zhbert.records import Example
from zhbert.score.changed import changed
from zhbert.score.judge import join
from zhbert.score.report import SectionInput, System, build_report, write_report
from zhbert.score.robust import Trial
from zhbert.score.sheet import MEETINGS, Meeting

# What `zhbert apply` writes beside predictions, and `zhbert robust`; named here, where no torch loads.
MODEL, TRIALS = "model.json", "robust.json"


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


def score(config: ScoreConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write report.html and report.json."""
    sections = []
    with progress.bar("score", total=len(config.sections) + 1, unit="sections") as bar:
        for section in config.sections:
            sections.append(_section(section))
            bar.advance(1)
        report = build_report(
            config.title,
            sections=sections,
            provenance=_provenance(config),
            rng=np.random.default_rng(config.seed),
            draws=config.draws,
        )
        write_report(report, work.folder)
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
    return System(predictions=predictions, facts=_facts(path))


def predictions_file(path: Path) -> Path:
    """Return the file of predictions: the path itself, or the one that `zhbert apply` left in it."""
    if path.is_dir():
        path = path / "predictions.jsonl"
    if not path.is_file():
        raise DataError(
            "no such file", where=path, remedy="give predictions.jsonl, or the folder that zhbert apply wrote"
        )
    return path


def _facts(path: Path) -> dict[str, Any]:
    """Return what the model behind a folder of predictions says of how it came about."""
    file = path / MODEL
    if not file.is_file() or read_manifest(path) is None:  # not there, or somebody else's
        return {}
    facts = json.loads(file.read_text(encoding="utf-8"))
    return {"window": facts["window"], **facts["provenance"]}


def _known_as(path: Path) -> str:
    """Return the name of a file, or its reference, and its checksum."""
    name = path.as_posix() if is_reference(path) else path.name
    return name if f"@{HUB}" in name else f"{name} sha256 {hash_file(find(path))[:16]}"


def _provenance(config: ScoreConfig) -> dict[str, Any]:
    files = {f"{s.name}.gold": _known_as(s.gold) for s in config.sections}
    files |= {f"{s.name}.train": _known_as(s.train) for s in config.sections if s.train}
    return {
        "bootstrap": {"draws": config.draws, "seed": config.seed},
        "data": files,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
