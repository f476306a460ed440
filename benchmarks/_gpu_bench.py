"""Rows of figures, one after the other: what is measured on, for how long, and what was found so far."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from _gpu_steps import Job, Settings, Training

from zhbert.encode.tokenizer import Tokenizer

SIZES = (16_384, 32_768, 65_536, 131_072)  # tokens of a micro-batch
LARGER = (32_768, 65_536, 131_072, 262_144)
REHEARSED = (256, 512)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """An encoder, the longest sample that it learns from, and the sizes of micro-batch that are tried."""

    preset: str
    length: int
    sizes: tuple[int, ...] = SIZES


CASES = {"base128": Case("base", 128), "base512": Case("base", 512), "micro": Case("micro", 128, LARGER)}


def short(error: BaseException) -> str:
    """Return the kind of an error and the first line of what it says."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"[:200]


@dataclass(slots=True, kw_only=True)
class Bench:
    """What is measured on, for how long, and what was found so far."""

    shards: Path
    device: torch.device
    tokenizer: Tokenizer
    seconds: float
    ends: float
    peak: float | None
    rows: list[Row] = field(default_factory=list)
    best: dict[str, int] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)

    @property
    def rehearsal(self) -> bool:
        """Return whether everything is tiny and no figure means anything."""
        return self.device.type == "cpu"

    def sizes(self, name: str) -> tuple[int, ...]:
        """Return the sizes of micro-batch that are tried."""
        return REHEARSED if self.rehearsal else CASES[name].sizes

    def size(self, name: str) -> int:
        """Return the size of micro-batch that was found to be the best, or is likely to be."""
        return self.best.get(name, self.sizes(name)[-2])

    def row(self, part: str, what: str, measure: Callable[[], Row]) -> Row:
        """Measure, print and keep one row; what goes wrong stands in it."""
        if time.monotonic() > self.ends:
            found: Row = {"error": "left out: the time is up"}
        else:
            try:
                found = measure()
            except Exception as error:  # whatever it is, the other rows are worth having
                found = {"error": short(error)}
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        line = "  ".join(f"{key} {value}" for key, value in found.items())
        print(f"{part:9} {what:38} {line}", flush=True)
        self.rows.append({"part": part, "what": what, **found})
        return found

    def job(self, length: int) -> Job:
        """Return the batches of samples of up to so many tokens; the shards are cut once."""
        if length not in self.jobs:
            settings = Settings(shards=self.shards, max_tokens=length)
            self.jobs[length] = Job(settings, self.tokenizer, self.device)
        return self.jobs[length]

    def training(self, case: Case) -> Training:
        """Return a new encoder with its batches; in a rehearsal the smallest there is."""
        preset = "pico" if self.rehearsal else case.preset
        return Training(preset, self.job(case.length), self.tokenizer, self.device)

    def speed(self, training: Training, **how: Any) -> Row:
        """Train for the seconds of one measurement and return the figures, MFU among them."""
        found = training.measure(self.seconds, **how)
        flops = found.speed * training.flops(found.masked)
        row: Row = found.row() | {"tflops": round(flops / 1e12, 1 if not self.rehearsal else 4)}
        if self.peak:
            row["mfu"] = round(flops / self.peak, 4)
        return row
