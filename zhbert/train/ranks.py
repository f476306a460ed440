"""The processes that train together, as `torchrun` or `accelerate launch` started them; else this one alone.

Whatever all must do alike is agreed on: figures are summed over all processes, and a decision is what
process 0 says. These words go from CPU to CPU and wait as long as it takes, for process 0 may have an
hour of other work to do first. Whoever fails ends the others: their launcher sees to that. All processes
must see the same folders.
"""

import atexit
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import groupby
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

T = TypeVar("T")
PATIENCE = timedelta(days=30)
BUCKET = 1 << 25  # weights whose gradients travel together


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those that train together; with a `world` of 1 nothing is sent anywhere."""

    rank: int
    world: int
    device: torch.device
    words: Any = None  # the group that agreements go through

    @property
    def main(self) -> bool:
        """Return whether this is the process that writes, shows and reports."""
        return self.rank == 0

    def total(self, *values: float) -> list[float]:
        """Return each figure summed over all processes."""
        return self._reduced(values, dist.ReduceOp.SUM) if self.world > 1 else list(values)

    def most(self, value: int) -> int:
        """Return the largest of a figure over all processes."""
        return int(self._reduced([value], dist.ReduceOp.MAX)[0]) if self.world > 1 else value

    def _reduced(self, values: Iterable[float], how: Any) -> list[float]:
        figures = torch.tensor(list(values), dtype=torch.float64)
        dist.all_reduce(figures, op=how, group=self.words)
        return [float(figure) for figure in figures]

    def said(self, value: T) -> T:
        """Return what process 0 has here."""
        if self.world > 1:
            heard = [value]
            dist.broadcast_object_list(heard, src=0, group=self.words)
            return heard[0]
        return value

    def added(self, values: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes."""
        if self.world > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def add_gradients(self, weights: Iterable[nn.Parameter]) -> None:
        """Give every process the sum of all gradients; a process without one adds nothing."""
        if self.world > 1:
            trained = [weight for weight in weights if weight.requires_grad]
            for weight in trained:
                if weight.grad is None:
                    weight.grad = torch.zeros_like(weight)
            for bucket in _buckets([weight.grad for weight in trained if weight.grad is not None]):
                flat = torch.cat([gradient.flatten() for gradient in bucket])
                dist.all_reduce(flat)
                parts = torch.split(flat, [gradient.numel() for gradient in bucket])
                for gradient, part in zip(bucket, parts, strict=True):
                    gradient.copy_(part.view_as(gradient))


def _buckets(gradients: list[Tensor]) -> list[list[Tensor]]:
    ends, end = [], 0
    for gradient in gradients:
        end += gradient.numel()
        ends.append(end // BUCKET)
    pairs = groupby(zip(ends, gradients, strict=True), key=lambda pair: pair[0])
    return [[gradient for _, gradient in pair] for _, pair in pairs]


@cache
def join() -> Ranks:
    """Return this process among those that were started together."""
    world, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    device = _device(int(os.environ.get("LOCAL_RANK", "0")))
    if world == 1:
        return Ranks(0, 1, device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    atexit.register(dist.destroy_process_group)
    return Ranks(rank, world, device, dist.new_group(backend="gloo", timeout=PATIENCE))


def _device(local: int) -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda", local)
    alone = "WORLD_SIZE" not in os.environ
    return torch.device("mps" if torch.backends.mps.is_available() and alone else "cpu")
