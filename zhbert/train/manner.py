"""How weights learn beyond descending: rates of their own, averages, disturbed embeddings, an early end.

All of it is off unless asked for. None of it depends on how a step is cut into micro-batches, or on how many
processes share it; a training that goes on after a kill ends bit for bit as it would have.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from zhbert.train.config import LoopConfig
from zhbert.train.state import Tensors

_PREFIX = "average."


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How weights learn.

    `rates` are the rates of weights by name, beside the 1 of all others. `average` is the share that the
    average of the weights keeps at each step; then the averages are judged and kept (Polyak). `disturb` is
    the length of the step by which the weight `disturbed` is moved uphill for a second look at the same
    batch (the fast gradient method, Miyato et al. 2017). `wait` is how many steps without a better
    judgement end the training; 0: none do.
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    average: float = 0.0
    disturb: float = 0.0
    disturbed: str = ""
    wait: int = 0


def make_optimizer(
    model: nn.Module, config: LoopConfig, rates: Mapping[str, float] = {}
) -> torch.optim.AdamW:
    """Return a fused AdamW that decays matrices only; each group knows its share of the rate."""
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {(True, 1.0): [], (False, 1.0): []}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            groups.setdefault((weight.ndim >= 2, rates.get(name, 1.0)), []).append(weight)
    made = [
        {"params": weights, "weight_decay": config.weight_decay if matrix else 0.0, "share": share}
        for (matrix, share), weights in groups.items()
        if weights
    ]
    return torch.optim.AdamW(made, lr=config.lr, betas=config.betas, eps=1e-6, fused=True)


class Average:
    """The running mean of the weights that learn; with a `keep` of 0 there is none."""

    def __init__(self, model: nn.Module, keep: float) -> None:
        self.keep = keep
        learnt = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
        self.weights = dict(learnt) if keep else {}
        self.means = {name: weight.detach().clone() for name, weight in self.weights.items()}

    @torch.no_grad()
    def follow(self) -> None:
        """Move towards the weights as they are after a step."""
        if self.means:
            torch._foreach_lerp_(list(self.means.values()), list(self.weights.values()), 1 - self.keep)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Have the model hold the averages for a while."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    @torch.no_grad()
    def swap(self) -> None:
        """Put the averages in the place of the weights, and the other way about."""
        for name, weight in self.weights.items():
            weight.data, self.means[name] = self.means[name], weight.data

    def state(self) -> Tensors:
        """Return what a checkpoint keeps."""
        return {_PREFIX + name: mean for name, mean in self.means.items()}

    @torch.no_grad()
    def resume(self, kept: Tensors) -> None:
        """Go on with what a checkpoint kept."""
        for name, mean in self.means.items():
            mean.copy_(kept[_PREFIX + name])


def apart(kept: Tensors) -> tuple[Tensors, Tensors]:
    """Return the optimizer's part of what a checkpoint kept, and that of the averages.

    >>> apart({"0.step": torch.ones(1), "average.x": torch.ones(1)})[1].keys()
    dict_keys(['average.x'])
    """
    averages = {name: value for name, value in kept.items() if name.startswith(_PREFIX)}
    return {name: value for name, value in kept.items() if name not in averages}, averages


@contextmanager
def moved(weight: nn.Parameter, direction: Tensor, length: float) -> Iterator[None]:
    """Have a weight stand a step uphill for a while; where there is no slope, where it is."""
    before, norm = weight.detach().clone(), direction.norm()
    with torch.no_grad():
        if norm > 0 and torch.isfinite(norm):
            weight.add_(direction * (length / norm))
    try:
        yield
    finally:
        with torch.no_grad():
            weight.copy_(before)
