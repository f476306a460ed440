"""Training steps on one device, timed, as the product takes them.

Batches, masking, the loss and compilation are `zhbert.task.masked`'s own. The step around them is written
after `zhbert.train.loop`, which cannot be imported where pydantic is not; it is to be kept like it. Two ways:

- `loop`: as that loop does it. The next step is made when the last one is done, and what is made is ordinary
  memory, so the device waits.
- `ahead`: a thread makes the steps, two of them ahead, in pinned memory, bounds of sequences included, and
  loss and norm are asked for at once. The same numbers are computed.
"""

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel

from zhbert.encode.pack import FlatBatch
from zhbert.encode.strategies import Masking
from zhbert.encode.tokenizer import Tokenizer
from zhbert.model.attention import Sequences, use_packed
from zhbert.model.encoder import first_position, new_config, new_encoder
from zhbert.model.flops import flops_per_token
from zhbert.task.masked import PretrainJob
from zhbert.train.job import Micro
from zhbert.train.ranks import Ranks
from zhbert.train.state import clip

WARM, LEAST = 4, 2  # steps before the clock starts, and after


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `PretrainJob` asks of its configuration, which is `PretrainConfig` elsewhere."""

    shards: Path
    max_tokens: int
    batch_tokens: int = 8192
    micro_tokens: int = 8192
    seed: int = 1
    rate: float = 0.15
    final_rate: float = 0.0
    first_batch_tokens: int = 0
    ramp: float = 0.3
    pairs: str = "none"
    similar: None = None
    judge_every: int = 0

    def masking(self, done: float) -> Masking:
        """Return what is masked: whole words."""
        return Masking(strategy="wwm", rate=self.rate)


class Job(PretrainJob):
    """The product's job, which can also make all that a step needs before the step."""

    def __init__(self, settings: Settings, tokenizer: Tokenizer, device: torch.device) -> None:
        self.ready, self.pinned = False, device.type == "cuda"
        super().__init__(settings, tokenizer, Ranks(0, 1, device))  # type: ignore[arg-type]
        self.beginning = self.state()

    def begin(self, *, micro_tokens: int, parts: int, ready: bool) -> None:
        """Go back to the first step, with steps of so many micro-batches."""
        sizes = {"micro_tokens": micro_tokens, "batch_tokens": micro_tokens * parts}
        self.config = replace(self.config, **sizes)  # type: ignore[arg-type]
        self.ready, self.shape = ready, None
        self.resume(self.beginning)

    def _masked(self, batch: FlatBatch, seed: int, done: float) -> Micro:
        micro = super()._masked(batch, seed, done)
        if not self.ready:
            return micro
        row = self.shape.sequences(micro.lengths) if self.shape else Sequences.of(micro.lengths)
        tensors = micro.tensors | {"bounds_S1": row.bounds_S1, "positions_1T": row.positions_1T}
        if self.pinned:
            tensors = {name: tensor.pin_memory() for name, tensor in tensors.items()}
        return replace(micro, tensors=tensors)

    def _hidden(self, model: PreTrainedModel, micro: Micro) -> Tensor:
        if not self.ready:
            return super()._hidden(model, micro)
        row = Sequences(
            lengths=micro.lengths,
            bounds_S1=micro.tensors["bounds_S1"],
            positions_1T=micro.tensors["positions_1T"],
            longest=self.shape.longest if self.shape else max(micro.lengths),
        ).to(model.device)
        places_1T = row.positions_1T + first_position(model)
        ids_1T = micro.tensors["ids_T"][None]
        output = model.base_model(input_ids=ids_1T, position_ids=places_1T, sequences=row)
        return output.last_hidden_state  # type: ignore[no-any-return]


class Ahead:
    """The steps of a job, made by a thread, two of them ahead."""

    def __init__(self, job: Job) -> None:
        self.job, self.thread = job, ThreadPoolExecutor(1)
        self.coming: deque[Future[list[Micro]]] = deque([self._ask(), self._ask()])

    def _ask(self) -> Future[list[Micro]]:
        return self.thread.submit(self.job.next_step, done=0.0, parts=1)

    def next_step(self) -> list[Micro]:
        """Return the next step, waiting for it if need be."""
        self.coming.append(self._ask())
        return self.coming.popleft().result()

    def close(self) -> None:
        """Let the thread end."""
        self.thread.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was measured over some seconds of training."""

    speed: float  # real tokens a second
    waiting: float  # the share of the time in which the next step was waited for
    step: float  # seconds
    masked: float  # targets per token
    first_step: float  # seconds, compilation included
    first_loss: float
    memory: float  # GiB

    def row(self) -> dict[str, object]:
        """Return the figures to print."""
        return {
            "tokens_per_second": round(self.speed),
            "waiting": round(self.waiting, 4),
            "step_ms": round(1000 * self.step, 1),
            "gib": round(self.memory, 1),
            "first_step": round(self.first_step, 2),
            "first_loss": round(self.first_loss, 4),
        }


class Training:
    """A new encoder, its optimizer, and the steps of the product."""

    def __init__(self, preset: str, job: Job, tokenizer: Tokenizer, device: torch.device) -> None:
        self.job, self.device, self.bf16 = job, device, device.type == "cuda"
        self.preset, self.compiled = preset, False
        self.config: PreTrainedConfig = new_config(preset, tokenizer)
        torch.set_float32_matmul_precision("high")
        self.model = new_encoder(self.config, seed=1).to(device).train()
        use_packed(self.model)
        self.weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        groups: list[dict[str, Any]] = [
            {"params": [w for w in self.weights if w.ndim >= 2], "weight_decay": 0.01},
            {"params": [w for w in self.weights if w.ndim < 2], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.98), eps=1e-6, fused=True)

    def measure(
        self, seconds: float, *, tokens: int, parts: int = 1, ahead: bool, compiled: bool = False
    ) -> Found:
        """Train for some seconds, from the first batch on, in steps of `parts` times so many tokens."""
        self.job.begin(micro_tokens=tokens, parts=parts, ready=ahead)
        if compiled and self.compiled:
            self.job.shape = self.job._shape(1)
        elif compiled:
            self.compiled = True
            self.job.compiled(self.model)
        if self.bf16:
            torch.cuda.reset_peak_memory_stats()
        source = Ahead(self.job) if ahead else None
        try:
            return self._timed(seconds, source)
        finally:
            if source:
                source.close()

    def _timed(self, seconds: float, source: Ahead | None) -> Found:
        began = time.perf_counter()
        first_loss = self._step(self._next(source), once=source is not None)
        first_step = time.perf_counter() - began
        for _ in range(WARM - 1):
            self._step(self._next(source), once=source is not None)
        started, waited, steps, tokens, targets = time.perf_counter(), 0.0, 0, 0, 0
        while steps < LEAST or time.perf_counter() - started < seconds:
            before = time.perf_counter()
            micros = self._next(source)
            waited += time.perf_counter() - before
            self._step(micros, once=source is not None)  # ends with figures that the device has sent
            steps += 1
            tokens += sum(micro.tokens for micro in micros)
            targets += sum(micro.targets for micro in micros)
        if self.bf16:
            torch.cuda.synchronize()
        spent = time.perf_counter() - started
        return Found(
            speed=tokens / spent,
            waiting=waited / spent,
            step=spent / steps,
            masked=targets / tokens,
            first_step=first_step,
            first_loss=first_loss,
            memory=torch.cuda.max_memory_allocated() / 2**30 if self.bf16 else 0.0,
        )

    def _next(self, source: Ahead | None) -> list[Micro]:
        return source.next_step() if source else self.job.next_step(done=0.0, parts=1)

    def _step(self, micros: list[Micro], *, once: bool) -> float:
        """Do a step and return its loss; `once` asks the device for loss and norm together."""
        targets = max(1, sum(micro.targets for micro in micros))
        total = torch.zeros((), device=self.device)
        for micro in micros:
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
                loss = self.job.loss(self.model, micro.to(self.device)) / targets
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        if once:
            norm = torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
            figures = torch.stack([total, norm]).tolist()
        else:
            figures = [float(total), clip(self.weights, 1.0)]
        if not np.isfinite(figures).all():
            raise ArithmeticError(f"loss and norm of the gradient are {figures}")
        self.optimizer.step()
        self.optimizer.zero_grad()
        return float(figures[0])

    def flops(self, masked: float) -> float:
        """Return the operations per token for samples such as these."""
        table = self.job.batches.table
        some_S = np.random.default_rng(1).integers(len(table), size=min(2000, len(table)))
        lengths = (table.lengths(some_S) + table.specials).tolist()
        return flops_per_token(self.config, lengths=lengths, masked=masked)
