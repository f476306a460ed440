"""What the loop asks of whatever is learnt."""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True)
class Micro:
    """What goes through the model at once, and how many targets the loss sums over."""

    tensors: dict[str, Tensor]
    targets: int
    tokens: int
    lengths: list[int] = field(default_factory=list)

    def to(self, device: torch.device) -> "Micro":
        """Return the same on a device; what a GPU fetches from pinned memory, nobody has to wait for."""
        ready = (
            {k: t.pin_memory() for k, t in self.tensors.items()} if device.type == "cuda" else self.tensors
        )
        tensors = {name: tensor.to(device, non_blocking=True) for name, tensor in ready.items()}
        return Micro(tensors, self.targets, self.tokens, self.lengths)

    def idle(self) -> "Micro":
        """Return the same without weight in the loss, for a process that has nothing else to do."""
        return replace(self, targets=0, tokens=0)


@dataclass(frozen=True, slots=True)
class Judged:
    """How good a model is: figures to look at, and a score, higher being better, to keep the best by."""

    figures: dict[str, float] = field(default_factory=dict)
    score: float | None = None


class Job(Protocol):
    """What is being learnt: where batches come from, what the loss is, how good the model is."""

    def next_step(self, *, done: float, parts: int) -> list[Micro]:
        """Return this process's micro-batches of the next step: at least one, if need be an idle one.

        `done` is the share of the training that is behind; `parts` says into how many smaller ones
        each micro-batch must be cut to fit into memory.
        """

    def loss(self, model: PreTrainedModel, micro: Micro) -> Tensor:
        """Return the loss SUMMED over the micro-batch's targets."""

    def evaluate(self, model: PreTrainedModel, step: int, *, last: bool) -> Judged | None:
        """Return how good the model is after `step` steps, where this is a step to look."""

    def compiled(self, model: PreTrainedModel) -> None:
        """Have torch.compile take over what can be fused in the model; called where that is wanted."""

    def where(self) -> str:
        """Name the samples of the last step."""

    def state(self) -> dict[str, Any]:
        """Return the position in the data."""

    def resume(self, state: dict[str, Any]) -> None:
        """Go to a position in the data."""
