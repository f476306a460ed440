"""How far two answers to the same batch are apart.

- Two looks of one model, each under a dropout of its own, should agree (R-Drop, Liang et al. 2021).
- A pupil should answer as its teacher does (distillation, Hinton et al. 2015).

What is asked weighs as much as in the task's own loss: a text counts once however many windows it has, and
several labels count together as one does. With a teacher who is certain, and softness 1, both are the same.

Shapes: Q questions, N answers to choose from, F features, L labels, T tokens.
"""

from collections.abc import Callable
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
    return _summed(one, other, tensors, _both_ways)


def departure(teacher: Any, pupil: Any, tensors: dict[str, Tensor], *, softness: float) -> Tensor:
    """Return how far a pupil's output is from its teacher's: nats, summed over what is asked.

    Both are softened by a temperature, and the result is multiplied by its square, so that gradients keep
    their size. Two numbers are as far apart as the square of their difference.
    """

    def softened(one_QN: Tensor, other_QN: Tensor) -> Tensor:
        return softness**2 * _divergence(one_QN / softness, other_QN / softness)

    return _summed(teacher, pupil, tensors, softened)


def _summed(
    one: Any, other: Any, tensors: dict[str, Tensor], apart: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Return how far two outputs are apart, by what each question weighs; of start and end the mean."""
    if _numbers(tensors):
        return _squares(one, other, tensors)
    pairs = zip(_asked(one, tensors), _asked(other, tensors), strict=True)
    found = [(apart(said, heard) * weights).sum() for (said, weights), (heard, _) in pairs]
    return torch.stack(found).mean()


def _numbers(tensors: dict[str, Tensor]) -> bool:
    labels = tensors.get("labels")
    return labels is not None and labels.dim() == 1 and labels.is_floating_point()


def _squares(one: Any, other: Any, tensors: dict[str, Tensor]) -> Tensor:
    known_F = ~tensors["labels"].isnan()
    squares_F: Tensor = (one.logits[:, 0].float() - other.logits[:, 0].float()) ** 2
    return (squares_F * _weights(tensors, squares_F))[known_F].sum()


def _asked(output: Any, tensors: dict[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Return the logits that answers are made from, one row a question, and what each row weighs."""
    if "start_logits" in output:
        hidden_FT = tensors["attention_mask"] == 0
        ends = (output.start_logits.float(), output.end_logits.float())
        return [(logits.masked_fill(hidden_FT, _NEVER), logits.new_ones(len(logits))) for logits in ends]
    logits, labels = output.logits.float(), tensors["labels"]
    if labels.is_floating_point():  # every label is a question of its own, to be answered with yes or no
        yes_Q, count = logits.flatten(), labels.shape[1]
        weights_Q = _weights(tensors, logits[:, 0]).repeat_interleave(count) / count
        return [(torch.stack([yes_Q, torch.zeros_like(yes_Q)], dim=-1), weights_Q)]
    if "options" in tensors:
        logits = grouped(logits[:, 0], tensors["options"].tolist()).clamp(min=_NEVER)
    known = labels != IGNORED
    return [(logits[known], _weights(tensors, logits[..., 0])[known])]


def _weights(tensors: dict[str, Tensor], like: Tensor) -> Tensor:
    """Return what features, groups or tokens weigh: all the same where the task has no weights."""
    return tensors.get("weights", torch.ones_like(like))


def _both_ways(one_QN: Tensor, other_QN: Tensor) -> Tensor:
    """Return the mean of both divergences of each row."""
    p, q = one_QN.log_softmax(-1), other_QN.log_softmax(-1)
    return ((p.exp() - q.exp()) * (p - q)).sum(-1) / 2


def _divergence(one_QN: Tensor, other_QN: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of each row: what the other says, where the first is true."""
    p, q = one_QN.log_softmax(-1), other_QN.log_softmax(-1)
    return (p.exp() * (p - q)).sum(-1)
