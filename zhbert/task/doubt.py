"""How far two answers to the same batch are apart.

- Two looks of one model, each under a dropout of its own, should agree (R-Drop, Liang et al. 2021).
- A pupil should answer as its teacher does (distillation, Hinton et al. 2015).
"""

from typing import Any

import torch
from torch import Tensor

from zhbert.task.base import IGNORED
from zhbert.task.choice import grouped

_NEVER = -1e4
COMPARED = ("one", "several", "value", "softmax", "span", "options")  # heads whose answers can be compared


def disagreement(one: Any, other: Any, tensors: dict[str, Tensor]) -> Tensor:
    """Return how far two outputs are apart: nats, summed over what is asked, the mean of both directions.

    Two numbers are as far apart as the square of their difference.
    """
    if _numbers(tensors):
        return _squares(one, other)
    pairs = zip(_asked(one, tensors), _asked(other, tensors), strict=True)
    apart: Tensor = torch.stack([_divergence(a, b) for a, b in pairs]).mean()
    return apart


def departure(teacher: Any, pupil: Any, tensors: dict[str, Tensor], *, softness: float) -> Tensor:
    """Return how far a pupil's output is from its teacher's: nats, summed over what is asked.

    Both are softened by a temperature, and the result is multiplied by its square, so that gradients keep
    their size. Two numbers are as far apart as the square of their difference.
    """
    if _numbers(tensors):
        return _squares(teacher, pupil)
    pairs = zip(_asked(teacher, tensors), _asked(pupil, tensors), strict=True)
    far: Tensor = torch.stack([_surprise(a / softness, b / softness) for a, b in pairs]).mean()
    return softness**2 * far


def _numbers(tensors: dict[str, Tensor]) -> bool:
    labels = tensors.get("labels")
    return labels is not None and labels.dim() == 1 and labels.is_floating_point()


def _squares(one: Any, other: Any) -> Tensor:
    return torch.sum((one.logits.float() - other.logits.float()) ** 2)


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


def _surprise(one: Tensor, other: Tensor) -> Tensor:
    p, q = one.log_softmax(-1), other.log_softmax(-1)
    return (p.exp() * (p - q)).sum()
