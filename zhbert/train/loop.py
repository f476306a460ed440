"""The one training loop, for pretraining and for fine-tuning, in one process or in many.

- The loss of a step is (sum over all targets) / (number of targets) over every micro-batch of every
  process, so neither accumulation nor the number of processes changes more than the order of a sum.
- All randomness of step n comes from (seed, n), rates and batch sizes are functions of the step. What is
  left to save is weights, optimizer, a few losses and the job's position; with these a killed run goes on
  as if nothing had happened, bit for bit on CPU with as many processes as before.
- Every process takes part in everything; only process 0 writes and shows. What could differ (a clock, a
  signal, a lack of memory) is agreed on before it is acted on.
- Gradients are added up once a step, when all processes have theirs. That leaves the network idle
  meanwhile, but a process that runs out of memory can still say so, and the step is done again.
"""

import copy
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from zhbert.errors import ModelError, TrainingError
from zhbert.precision import training
from zhbert.progress import SILENT, Bar, Progress
from zhbert.train import checkpoint
from zhbert.train.config import LoopConfig
from zhbert.train.course import Course
from zhbert.train.guard import Guard
from zhbert.train.history import History, step_seed
from zhbert.train.job import Job, Micro
from zhbert.train.manner import Average, Manner, apart, make_optimizer, moved
from zhbert.train.ranks import join
from zhbert.train.record import Record
from zhbert.train.state import clip, gathered, moments_of, put_moments, put_weights, share_out, weights_of
from zhbert.train.stopping import Stopping

EVERY = 10  # steps between two rows of the record
PLAIN = Manner()


def train(
    model: PreTrainedModel,
    job: Job,
    config: LoopConfig,
    *,
    folder: Path,
    progress: Progress = SILENT,
    manner: Manner = PLAIN,
) -> History:
    """Train `model` in place, resuming from a checkpoint in `folder`, and return what happened.

    Where the job evaluates, the best weights seen are the ones that the model ends with. Checkpoints
    stay until the caller, who has saved the model, clears them: a kill in between costs nothing.
    """
    return _Training(model, job, config, folder, progress, manner).run()


class _Loss(nn.Module):
    """The loss as a module: what gathers shared-out weights when it is called."""

    def __init__(self, model: PreTrainedModel, job: Job) -> None:
        super().__init__()
        self.model, self.job = model, job

    def forward(self, micro: Micro) -> Tensor:
        return self.job.loss(self.model, micro)


class _Training:
    def __init__(
        self,
        model: PreTrainedModel,
        job: Job,
        config: LoopConfig,
        folder: Path,
        progress: Progress,
        manner: Manner,
    ) -> None:
        self.given, self.job, self.config, self.folder, self.progress = model, job, config, folder, progress
        self.manner = manner
        self.ranks, self.history, self.course = join(), History(), Course(config)
        self.shared_out = config.shard and self.ranks.world > 1
        self.record = Record(folder, progress, writes=self.ranks.main, tensorboard=config.tensorboard)

    def run(self) -> History:
        moments = self._resume()
        self._place(moments)
        self.record.begin(self.history.steps)
        self.started, self.before = time.monotonic(), self.history.seconds
        self.saved, self.logged = self.before, (self.history.tokens, self.before)
        with Stopping() as stopping:
            self._loop(stopping)
            if self.ranks.total(stopping.asked)[0]:
                self._save()
                self.ranks.said(None)  # nobody leaves before it is on the disk
                self.progress.say(f"stopped after step {self.history.steps}: the same command goes on there")
                stopping.obey()
        self._finish()
        return self.history

    def _loop(self, stopping: Stopping) -> None:
        course, history, stop = self.course, self.history, False
        with self.progress.bar("train", total=course.length, unit=course.unit) as bar:
            bar.advance(course.place(history.steps, history.seconds))
            while not (self._over() or stop):
                stop = self._step(bar, stopping)
                if history.seconds - self.saved > self.config.save_seconds and not stop:
                    self._save()

    def _resume(self) -> dict[str, Tensor]:
        """Go to the newest checkpoint; return the optimizer's part of it."""
        found = self.ranks.said(checkpoint.latest(self.folder))
        if found is None:
            return {}
        moments, state = checkpoint.load(found, model=self.given)
        guard = Guard(**state["history"].pop("guard"))
        self.history = History(**state["history"], guard=guard)
        if self.history.best is not None and not checkpoint.has_best(self.folder):
            raise ModelError(
                "the best weights so far are gone",
                where=self.folder,
                remedy="remove the folder to start again",
            )
        self.job.resume(state["job"])
        return moments

    def _place(self, kept: dict[str, Tensor]) -> None:
        """Bring everything to where it is computed."""
        cuda = self.ranks.device.type == "cuda"
        if cuda:
            torch.set_float32_matmul_precision("highest" if self.config.dtype == "float32" else "high")
        self.model = (copy.deepcopy(self.given) if self.shared_out else self.given).to(self.ranks.device)
        self.model.train()
        self.loss = _Loss(self.model, self.job)
        if self.shared_out:
            share_out(self.loss, self.ranks)
        self.weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        self.optimizer = make_optimizer(self.model, self.config, self.manner.rates)
        self.average = Average(self.model, self.manner.average)
        moments, averages = apart(kept)
        put_moments(self.optimizer, moments)
        if averages:
            self.average.resume(averages)
        if self.config.compile and cuda:
            self.job.compiled(self.model)

    def _step(self, bar: Bar, stopping: Stopping) -> bool:
        """Do one step; return whether it is to be the last one for now."""
        history, guard = self.history, self.history.guard
        place = self.course.place(history.steps, history.seconds)
        rate = self._set_rate()
        loss, tokens, stop = self._attempt(stopping)
        norm = 0.0
        fault = guard.fault(loss, factor=self.config.spike)
        if not fault:
            norm = self._gradient()
            fault = guard.fault(loss, norm, factor=self.config.spike)
        history.steps += 1
        history.tokens += tokens
        if fault:
            self._skip(fault)
        else:
            self.optimizer.step()
            self.average.follow()
            guard.passed(loss)
        self.optimizer.zero_grad()
        if history.steps % EVERY == 0 or self._over():
            self._log(bar, loss=loss, norm=norm, lr=rate, batch_tokens=tokens)
        bar.advance(self.course.place(history.steps, history.seconds) - place)
        self._judge(bar)
        return stop

    def _set_rate(self) -> float:
        rate = self.course.rate(self.history.steps, self.history.seconds)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        return rate

    def _gradient(self) -> float:
        """Add up the gradients of all processes, shorten the sum, and return what its norm was."""
        if not self.shared_out:  # FSDP2 has done it
            self.ranks.add_gradients(self.weights)
        return clip(self.weights, self.config.clip)

    def _attempt(self, stopping: Stopping) -> tuple[float, int, bool]:
        """Return the loss of a step, its gradients in place, its tokens, and whether to stop after it."""
        history, position, fewer = self.history, self.job.state(), 0.0
        done = self.course.done(history.steps, history.seconds)
        while True:
            torch.manual_seed(step_seed(self.config.seed, history.steps, self.ranks.rank))
            micros = self.job.next_step(done=done, parts=history.parts)
            mine = [sum(micro.targets for micro in micros), sum(micro.tokens for micro in micros)]
            targets, tokens, pieces = self.ranks.total(*mine, len(micros))
            loss, full = self._backward(micros, max(targets, 1))
            if self.manner.disturb:
                full = self._look_again(micros, max(targets, 1), full)
            clock = self.before + time.monotonic() - self.started if self.ranks.main else 0.0
            loss, full, asked, history.seconds = self.ranks.total(loss, full, stopping.asked, clock)
            if not full:
                return loss, int(tokens), asked > 0
            if pieces == fewer:
                raise TrainingError("out of memory with one sample at a time", remedy="take shorter samples")
            fewer = pieces
            self.optimizer.zero_grad()  # in every process: where there was room, there are gradients
            history.parts *= 2
            self.progress.say(
                f"out of memory: from step {history.steps} on micro-batches of 1/{history.parts}"
            )
            self.job.resume(position)

    def _backward(self, micros: list[Micro], targets: float) -> tuple[float, float]:
        """Return the loss of this process's share, and 1 where memory ran out, else 0."""
        total = torch.zeros((), device=self.ranks.device)
        if self.shared_out:  # every micro-batch needs all processes, because each has a part of the weights
            micros = micros + [micros[-1].idle()] * (self.ranks.most(len(micros)) - len(micros))
        try:
            for micro in micros:
                if micro.targets or self.shared_out:
                    with training(self.config.dtype, self.ranks.device):
                        loss = self.loss(micro.to(self.ranks.device)) * min(micro.targets, 1) / targets
                    (loss * self.ranks.world if self.shared_out else loss).backward()  # FSDP2 takes the mean
                    total += loss.detach()
            return float(total), 0.0
        except torch.OutOfMemoryError as error:
            if self.shared_out:  # the others wait inside the step and cannot be told
                raise TrainingError(f"out of memory: {error}", remedy="lower micro_tokens") from error
        torch.cuda.empty_cache()
        return 0.0, 1.0

    def _look_again(self, micros: list[Micro], targets: float, full: float) -> float:
        """Add the gradients of the same batch with one weight moved; return 1 where memory ran out."""
        if self.ranks.total(full)[0]:
            return full
        weight = self.model.get_parameter(self.manner.disturbed)
        slope = self.ranks.added(torch.zeros_like(weight) if weight.grad is None else weight.grad)
        with moved(weight, slope, self.manner.disturb):
            return self._backward(micros, targets)[1]

    def _skip(self, fault: str) -> None:
        step, where = self.history.steps, self.job.where()
        self.progress.say(f"step {step} skipped: {fault} ({where})")
        self.record.write({"step": step, "fault": fault, "where": where})
        self.history.guard.skip(step, fault, where, patience=self.config.patience)

    def _over(self) -> bool:
        return self.history.settled or self.course.done(self.history.steps, self.history.seconds) >= 1

    def _log(self, bar: Bar, **figures: float) -> None:
        history, (tokens, seconds) = self.history, self.logged
        speed = (history.tokens - tokens) / max(history.seconds - seconds, 1e-9)
        self.logged = (history.tokens, history.seconds)
        more = {"skipped": history.guard.skipped, "seconds": round(history.seconds, 2)}
        self.record.write({"step": history.steps, **figures, "tokens_per_second": round(speed, 1), **more})
        bar.advance(0, loss=figures["loss"], tokens_per_second=speed)

    def _judge(self, bar: Bar) -> None:
        history = self.history
        with gathered(self.loss), self.average.shown():
            judged = self.ranks.said(self.job.evaluate(self.model, history.steps, last=self._over()))
        self.model.train()
        if judged is None:
            return
        figures = judged.figures | ({} if judged.score is None else {"score": judged.score})
        self.record.write({"step": history.steps, **figures})
        bar.advance(0, **figures)
        if judged.score is not None and (history.best is None or judged.score > history.best):
            history.best, history.best_step = judged.score, history.steps
            with self.average.shown():
                weights = weights_of(self.model)
                if self.ranks.main:
                    checkpoint.save_best(self.folder, weights)
        waited = history.steps - history.best_step
        history.settled = judged.score is not None and 0 < self.manner.wait <= waited

    def _save(self) -> None:
        weights, moments = weights_of(self.model), moments_of(self.optimizer) | self.average.state()
        state: dict[str, Any] = {"job": self.job.state(), "history": asdict(self.history)}
        if self.ranks.main:
            checkpoint.save(
                self.folder,
                step=self.history.steps,
                weights=weights,
                moments=moments,
                state=state,
                keep=self.config.keep,
            )
        self.saved = self.history.seconds

    def _finish(self) -> None:
        self.record.close()
        if self.shared_out:
            put_weights(self.given, weights_of(self.model))
        if self.ranks.said(self.history.best) is not None:  # and process 0 has written the last of them
            checkpoint.load_best(self.folder, self.given)
        else:
            self.average.swap()
