"""The one training loop, for pretraining and for fine-tuning, on accelerate.

- The loss of a step is (sum over all targets) / (number of targets) over every micro-batch, so
  accumulation changes nothing but memory. The sum is written for any number of processes; the
  stages run one so far.
- All randomness of step n comes from (seed, n): a resumed run needs no random state.
- Schedules are functions of the step. What is left to save is weights, optimizer and the job's
  own position; with these a killed run goes on as if nothing had happened, bit for bit on CPU.
"""

import json
import math
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from pydantic import Field
from torch import Tensor
from transformers import PreTrainedModel

from zhbert.config import Config
from zhbert.errors import ModelError, TrainingError
from zhbert.files import LOGS
from zhbert.progress import SILENT, Bar, Progress
from zhbert.records import to_plain
from zhbert.train import checkpoint
from zhbert.train.schedule import ScheduleName, share


class LoopConfig(Config):
    """How long and how fast to train."""

    steps: int = Field(ge=1, description="optimizer steps")
    lr: float = Field(gt=0, description="peak learning rate")
    schedule: ScheduleName = Field(
        default="linear", description="shape of the learning rate after the warm-up"
    )
    warmup: float = Field(default=0.06, ge=0, lt=1, description="share of the steps in which the rate rises")
    weight_decay: float = Field(
        default=0.01, ge=0, description="decay of weight matrices (not of norms and biases)"
    )
    betas: tuple[float, float] = Field(default=(0.9, 0.98), description="AdamW's two averages")
    clip: float = Field(default=1.0, gt=0, description="largest norm of the gradient")
    seed: int = Field(default=1, ge=0, description="seed of everything random")
    save_seconds: float = Field(default=60.0, gt=0, description="seconds between checkpoints")


@dataclass(frozen=True, slots=True)
class Micro:
    """What goes through the model at once, and how many targets the loss sums over."""

    tensors: dict[str, Tensor]
    targets: int
    tokens: int
    lengths: list[int] = field(default_factory=list)

    def to(self, device: torch.device) -> "Micro":
        """Return the same on a device."""
        tensors = {name: tensor.to(device, non_blocking=True) for name, tensor in self.tensors.items()}
        return Micro(tensors, self.targets, self.tokens, self.lengths)


class Job(Protocol):
    """What is being learnt: where batches come from, what the loss is, how good the model is."""

    def next_step(self) -> list[Micro]:
        """Return the micro-batches of the next step."""

    def loss(self, model: PreTrainedModel, micro: Micro) -> Tensor:
        """Return the loss SUMMED over the micro-batch's targets."""

    def evaluate(self, model: PreTrainedModel, step: int) -> float | None:
        """Return how good the model is after `step` steps, where this is a step to look; higher is better."""

    def state(self) -> dict[str, Any]:
        """Return the position in the data."""

    def resume(self, state: dict[str, Any]) -> None:
        """Go to a position in the data."""


@dataclass(slots=True)
class History:
    """What happened so far."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best: float | None = None
    best_step: int = 0
    tokens: int = 0
    seconds: float = 0.0


def train(
    model: PreTrainedModel, job: Job, config: LoopConfig, *, folder: Path, progress: Progress = SILENT
) -> History:
    """Train `model` in place, resuming from a checkpoint in `folder`, and return what happened.

    Where the job evaluates, the best weights seen are the ones that the model ends with.
    """
    return _Training(model, job, config, folder).run(progress)


class _Training:
    def __init__(self, model: PreTrainedModel, job: Job, config: LoopConfig, folder: Path) -> None:
        self.job, self.config, self.folder = job, config, folder
        self.accelerator = Accelerator(mixed_precision="bf16" if torch.cuda.is_available() else "no")
        optimizer = make_optimizer(model, config)
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.plain = model
        self.history, self.step = History(), 0
        self.log = folder / LOGS / "metrics.jsonl"

    def run(self, progress: Progress) -> History:
        self._resume()
        self.model.train()
        saved = time.monotonic()
        with progress.bar("train", total=self.config.steps, unit="steps") as bar:
            bar.advance(self.step)
            while self.step < self.config.steps:
                self._do_step(bar)
                if time.monotonic() - saved > self.config.save_seconds:
                    self._save()
                    saved = time.monotonic()
        self._finish()
        return self.history

    def _do_step(self, bar: Bar) -> None:
        started = time.perf_counter()
        torch.manual_seed(step_seed(self.config.seed, self.step))
        micros = self.job.next_step()
        rate = self._set_rate()
        loss = self._backward(micros)
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        self.history.tokens += sum(micro.tokens for micro in micros)
        self.history.seconds += time.perf_counter() - started
        if self.step % 10 == 0 or self.step == self.config.steps:
            self._log(bar, loss=float(loss), norm=float(norm), lr=rate)
        bar.advance(1)
        self._judge(bar)

    def _backward(self, micros: list[Micro]) -> Tensor:
        mine = torch.tensor(sum(micro.targets for micro in micros), device=self.accelerator.device)
        targets = max(int(self.accelerator.reduce(mine, reduction="sum")), 1)
        total = torch.zeros((), device=self.accelerator.device)
        for position, micro in enumerate(micros, start=1):
            last = position == len(micros)
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                with self.accelerator.autocast():
                    loss = self.job.loss(self.model, micro.to(self.accelerator.device)) / targets
                # gradients are averaged over processes, and the sum is wanted
                self.accelerator.backward(loss * self.accelerator.num_processes)
            total += loss.detach()
        return total

    def _set_rate(self) -> float:
        c = self.config
        rate = c.lr * share(c.schedule, self.step, steps=c.steps, warmup=c.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    def _log(self, bar: Bar, *, loss: float, norm: float, lr: float) -> None:
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise TrainingError(
                f"the loss is {loss} and its gradient {norm} at step {self.step}",
                remedy="a lower learning rate may help",
            )
        speed = self.history.tokens / self.history.seconds
        self._write({"step": self.step, "loss": loss, "norm": norm, "lr": lr, "tokens_per_second": speed})
        bar.advance(0, loss=loss, tokens_per_second=speed)

    def _judge(self, bar: Bar) -> None:
        score = self.job.evaluate(self.plain, self.step)
        self.model.train()
        if score is None:
            return
        self._write({"step": self.step, "score": score})
        bar.advance(0, score=score)
        if self.history.best is None or score > self.history.best:
            self.history.best, self.history.best_step = score, self.step
            checkpoint.save_best(self.folder, self.plain)

    def _write(self, row: dict[str, float]) -> None:
        self.history.rows.append(row)
        with self.log.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(row) + "\n")

    def _save(self) -> None:
        state = {"job": self.job.state(), "history": to_plain(self.history)}
        checkpoint.save(self.folder, step=self.step, model=self.plain, optimizer=self.optimizer, state=state)

    def _resume(self) -> None:
        rows: list[dict[str, float]] = []
        if found := checkpoint.latest(self.folder):
            state = checkpoint.load(found, model=self.plain, optimizer=self.optimizer)
            self.step, self.history = state["step"], History(**state["history"])
            if self.history.best is not None and not checkpoint.has_best(self.folder):
                raise ModelError(
                    "the best weights so far are gone",
                    where=self.folder,
                    remedy="remove the folder to start again",
                )
            self.job.resume(state["job"])
            rows = self.history.rows
        self.log.parent.mkdir(exist_ok=True)
        self.log.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def _finish(self) -> None:
        if self.history.best is not None:
            checkpoint.load_best(self.folder, self.plain)
        checkpoint.clear(self.folder)


def step_seed(seed: int, step: int) -> int:
    """Return the seed of one step."""
    return (seed * 1_000_003 + step) % 2**63


def make_optimizer(model: PreTrainedModel, config: LoopConfig) -> torch.optim.AdamW:
    """Return a fused AdamW that decays matrices only."""
    weights = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in weights if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in weights if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, betas=config.betas, eps=1e-6, fused=True)
