"""R-Drop (Liang et al. 2021): two looks at a batch, each under a dropout of its own, should agree."""

from typing import Any

import torch
from torch import Tensor

from zhbert.task.base import IGNORED
from zhbert.task.choice import grouped

_NEVER = -1e4


def disagreement(one: Any, other: Any, tensors: dict[str, Tensor]) -> Tensor:
    """Return how far two outputs are apart: nats, summed over what is asked, the mean of both directions.

    Two numbers are as far apart as the square of their difference.
    """
    labels = tensors.get("labels")
    if labels is not None and labels.dim() == 1 and labels.is_floating_point():  # numbers
        return torch.sum((one.logits.float() - other.logits.float()) ** 2)
    pairs = zip(_asked(one, tensors), _asked(other, tensors), strict=True)
    apart: Tensor = torch.stack([_divergence(a, b) for a, b in pairs]).mean()
    return apart


def _asked(output: Any, tensors: dict[str, Tensor]) -> list[Tensor]:
    """Return the logits that answers are made from, one row a question."""
    if "start_logits" in output:
        hidden_FT = tensors["attention_mask"] == 0
        return [
            logits.float().masked_fill(hidden_FT, _NEVER)
            for logits in (output.start_logits, output.end_logits)
        ]
    logits, labels = output.logits.float(), tensors["labels"]
    if labels.is_floating_point():  # every label is a question of its own, to be answered with yes or no
        return [torch.stack([logits.flatten(), torch.zeros_like(logits.flatten())], dim=-1)]
    if "options" in tensors:
        logits = grouped(logits[:, 0], tensors["options"].tolist()).clamp(min=_NEVER)
    return [logits[labels != IGNORED]]


def _divergence(one: Tensor, other: Tensor) -> Tensor:
    p, q = one.log_softmax(-1), other.log_softmax(-1)
    return ((p.exp() - q.exp()) * (p - q)).sum() / 2
