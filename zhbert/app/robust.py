"""`robust`: what a model says when texts are changed, for the report's table of changes.

For every change a folder with the changed examples and the predictions; robust.json names the changes and
the seed. `zhbert score --robust FOLDER` sets the figures before and after beside each other.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from zhbert.app.score import TRIALS
from zhbert.config import Config, Input
from zhbert.errors import ConfigError, DataError, nearest
from zhbert.files import Work, write_text
from zhbert.model import store
from zhbert.plain import to_json
from zhbert.progress import SILENT, Progress
from zhbert.read.examples import read_examples
from zhbert.records import EXAMPLES, Example
from zhbert.score.changed import changed, changes_for
from zhbert.task.predict import predict
from zhbert.task.registry import task_of


class RobustConfig(Config):
    """Which model reads which texts, changed in which ways."""

    model: Input = Field(description="the output of `zhbert finetune`")
    gold: Input = Field(
        description="examples with their answers: JSONL, or a reference such as mini:ner/test"
    )
    changes: list[str] = Field(default=[], description="names of changes; none: all that the task knows")
    seed: int = Field(default=1, ge=0, description="seed of the places that change")


def robust(config: RobustConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write what the model says of every changed set."""
    store.inspect(config.model)
    task = store.read_facts(config.model).task
    gold = read_examples(config.gold, task)
    names = _names(config.changes, EXAMPLES[task])
    stored = store.load(config.model)
    done: list[str] = []
    for name in names:
        examples = [one.after for one in changed(gold, name, seed=config.seed)]
        work.counts[name] = len(examples)
        if not examples:
            continue
        done.append(name)
        (work.folder / name).mkdir()
        said = predict(task_of(stored), stored.model, examples, dtype="auto", progress=progress)
        _write(work.folder / name / "examples.jsonl", examples)
        _write(work.folder / name / "predictions.jsonl", list(said))
    if not done:
        raise DataError("no change does anything to these texts", where=config.gold)
    write_text(work.folder / TRIALS, json.dumps({"changes": done, "seed": config.seed}) + "\n")


def _names(wanted: list[str], kind: type[Example]) -> list[str]:
    known = changes_for(kind)
    for name in wanted:
        if name not in known:
            raise ConfigError(f'no change "{name}" for this task', remedy=nearest(name, known))
    return wanted or list(known)


def _write(path: Path, records: Sequence[Any]) -> None:
    write_text(path, "".join(to_json(record) + "\n" for record in records))
