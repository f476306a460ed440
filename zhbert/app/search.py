"""`search`: the same fine-tuning with several seeds, or with every cell of a grid of settings, and a table.

Every training is a folder of its own, made as `zhbert finetune` makes it: killed, it goes on; done, it is not
done again; more seeds or more cells only add to what is there. `table.json` holds every score on dev, the
mean of each cell and its spread. No seed is chosen for its score; a cell may be, and then its score on dev
flatters it: judge the chosen settings on a set that had no part in it.
"""

import json
import os
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import Field
from rich.console import Console

from zhbert.app.options import command_of
from zhbert.app.recipe import resolve
from zhbert.app.show import RichProgress
from zhbert.app.stages import execute, find_stage
from zhbert.config import INPUT, OUTPUT, parse, parse_value, says
from zhbert.errors import ConfigError, nearest
from zhbert.files import read_manifest, write_text
from zhbert.progress import SILENT, Progress
from zhbert.task.finetune import FinetuneConfig

TABLE = "table.json"
_FIXED = ("task", "head", "labels", "seed")  # what all cells of a table have in common


class SearchConfig(FinetuneConfig):
    """What to vary of a fine-tuning."""

    seeds: int = Field(default=1, ge=1, description="trainings of each cell: with seed, seed + 1, and so on")
    grid: list[str] = Field(
        default=[], description="settings to try in every combination, such as lr=1e-4,3e-4"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One combination of settings, and its scores on dev by folder."""

    settings: dict[str, Any]
    scores: dict[str, float]
    mean: float
    sd: float | None

    @classmethod
    def of(cls, settings: dict[str, Any], scores: dict[str, float]) -> "Cell":
        """Return a cell with mean and standard deviation of its scores; of one score there is no spread.

        >>> Cell.of({"lr": 1e-4}, {"seed-1": 0.7, "seed-2": 0.8}).sd
        0.0707
        """
        values = list(scores.values())
        sd = round(statistics.stdev(values), 4) if len(values) > 1 else None
        return cls(settings=settings, scores=scores, mean=round(statistics.mean(values), 4), sd=sd)

    def line(self) -> str:
        """Return the cell as a line of a table.

        >>> Cell.of({"lr": 1e-4}, {"seed-1": 0.7, "seed-2": 0.8}).line()
        'lr 0.0001: 0.7500 ± 0.0707 (0.7000 0.8000)'
        """
        name = ", ".join(f"{key} {value}" for key, value in self.settings.items())
        spread = "" if self.sd is None else f" ± {self.sd:.4f}"
        each = " ".join(f"{score:.4f}" for score in self.scores.values())
        return f"{name or 'dev'}: {self.mean:.4f}{spread} ({each})"


def search(config: SearchConfig, folder: Path, progress: Progress = SILENT) -> list[Cell]:
    """Make sure that every training is there, and write the table."""
    if read_manifest(folder) is not None:
        raise ConfigError("this is the result of one stage", where=folder, remedy="choose another output")
    stage, cells = find_stage("finetune"), []
    planned = [(name, settings, _seeded(config, settings)) for name, settings in combinations(config.grid)]
    for name, settings, trainings in planned:
        scores = {}
        for training in trainings:
            place = "/".join(filter(None, [name, f"seed-{training.seed}"]))
            outcome = execute(stage, training, folder / place, progress)
            scores[place] = round(float(outcome.manifest.counts["dev_score"]), 6)
            progress.say(f"{place}: {scores[place]:.4f} on dev")
        cells.append(Cell.of(settings, scores))
        _write(config, cells, folder)
    return cells


def _write(config: SearchConfig, cells: list[Cell], folder: Path) -> None:
    """Write the table as far as it is known; of several processes, the first one does."""
    if os.environ.get("RANK", "0") == "0":
        table = {"task": config.task, "score": "headline metric on dev", "cells": [asdict(c) for c in cells]}
        write_text(folder / TABLE, json.dumps(table, ensure_ascii=False, indent=1) + "\n")


def command(console: Console) -> Callable[..., None]:
    """Return the command that searches and shows the table."""

    def show(values: dict[str, Any], output: Path) -> None:
        config = parse(SearchConfig, resolve(values, Path()), where="zhbert search")
        for cell in search(config, output, RichProgress(console)):
            console.print(cell.line(), markup=False, highlight=False, soft_wrap=True)

    return command_of(SearchConfig, show)


def _seeded(config: SearchConfig, settings: dict[str, Any]) -> list[FinetuneConfig]:
    """Return the trainings of a cell, every setting checked."""
    values = {key: getattr(config, key) for key in FinetuneConfig.model_fields}
    seeds = range(config.seed, config.seed + config.seeds)
    return [parse(FinetuneConfig, values | settings | {"seed": seed}, where="grid") for seed in seeds]


def combinations(grid: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return every combination of a grid with the name of its folder.

    >>> [name for name, _ in combinations(["lr=1e-4,3e-4 batch=16"])]
    ['lr-1e-4-batch-16', 'lr-3e-4-batch-16']
    >>> combinations([])
    [('', {})]
    """
    axes = [_axis(word) for words in grid for word in words.split()]
    keys = [key for key, _ in axes]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise ConfigError(f"grid: {min(twice)} is given twice", remedy=f"{min(twice)}=1,2")
    found = []
    for texts in product(*(texts for _, texts in axes)):
        name = "-".join(f"{key}-{text}" for key, text in zip(keys, texts, strict=True))
        values = {key: parse_value(text) for key, text in zip(keys, texts, strict=True)}
        found.append((name, values))
    return found


def _axis(word: str) -> tuple[str, list[str]]:
    key, _, texts = word.partition("=")
    key = key.replace("-", "_")
    field = FinetuneConfig.model_fields.get(key)
    if field is None:
        raise ConfigError(f"grid: no setting {key}", remedy=nearest(key, FinetuneConfig.model_fields))
    if key in _FIXED or says(field, INPUT) or says(field, OUTPUT):
        raise ConfigError(f"grid: {key} must be the same in all cells")
    values = list(dict.fromkeys(text for text in texts.split(",") if text))
    if not values:
        raise ConfigError(f"grid: {key} has no values", remedy=f"{key}=1,2")
    return key, values
