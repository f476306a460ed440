"""How a classifier is taught: what weighs how much in its loss, and on which scale numbers are learnt.

- `balanced` weights: a class counts as if all were equally frequent. Their mean over the training examples
  is 1, so the size of a step stays what it was. Where several labels may apply, it is the positive answers
  of each label that are weighted against the negative ones.
- The focal loss of Lin et al. (2017): an example that is as good as learnt, of probability p, counts
  (1 - p) to the power of gamma.
- Smoothing takes a share of the certainty from the right answer and spreads it over all.
- Numbers are learnt as distances from the mean of train in standard deviations. When the training is over
  both go into the weights of the head (`model/rescale.py`), which then answers in the user's unit.

Shapes: F features, L labels.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from zhbert.errors import DataError
from zhbert.task.thresholds import How

Answers = tuple[str, ...]
Overlapping = Literal["refuse", "longest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What the loss of a training goes by; as it stands here, it is the plain loss.

    `thresholds` says how those of a model with several labels are chosen when the training is over,
    `overlapping` what becomes of entities that overlap where tags can hold flat ones only.
    """

    weights: tuple[float, ...] = ()
    focal: float = 0.0
    smoothing: float = 0.0
    mean: float = 0.0
    scale: float = 1.0
    thresholds: How = "one"
    overlapping: Overlapping = "refuse"


def one_loss(logits_FL: Tensor, labels_F: Tensor, lesson: Lesson, *, ignored: int) -> Tensor:
    """Return the loss of each feature that has exactly one label, 0 where it is not known."""
    weight = torch.tensor(lesson.weights, device=logits_FL.device) if lesson.weights else None
    losses_F = cross_entropy(
        logits_FL.float(),
        labels_F,
        weight=weight,
        ignore_index=ignored,
        label_smoothing=lesson.smoothing,
        reduction="none",
    )
    if not lesson.focal:
        return losses_F
    known_F1 = labels_F.clamp(min=0)[:, None]
    right_F = logits_FL.float().softmax(-1).gather(-1, known_F1)[:, 0]
    return losses_F * (1 - right_F) ** lesson.focal


def several_loss(logits_FL: Tensor, targets_FL: Tensor, lesson: Lesson) -> Tensor:
    """Return the loss of each feature to which any number of labels may apply: the mean over the labels."""
    weight = torch.tensor(lesson.weights, device=logits_FL.device) if lesson.weights else None
    wanted_FL = targets_FL * (1 - lesson.smoothing) + lesson.smoothing / 2
    losses_FL = binary_cross_entropy_with_logits(
        logits_FL.float(), wanted_FL, pos_weight=weight, reduction="none"
    )
    if lesson.focal:
        yes_FL = logits_FL.float().sigmoid()
        right_FL = torch.where(targets_FL > 0.5, yes_FL, 1 - yes_FL)
        losses_FL = losses_FL * (1 - right_FL) ** lesson.focal
    return losses_FL.mean(-1)


def value_loss(outputs_F: Tensor, targets_F: Tensor) -> Tensor:
    """Return the squared error of each feature, 0 where the target is not known."""
    known_F = ~targets_F.isnan()
    return torch.where(known_F, outputs_F.float() - targets_F.nan_to_num(), 0.0) ** 2


def balanced(answers: Sequence[Answers], labels: Sequence[str]) -> tuple[float, ...]:
    """Return the weights by which labels of one each count as if they were equally frequent.

    A label that no example has weighs nothing.

    >>> balanced([("体育",), ("体育",), ("体育",), ("财经",)], ["体育", "财经", "科技"])
    (0.6666666666666666, 2.0, 0.0)
    """
    times = Counter(label for found in answers for label in found)
    share = len(answers) / len(times)
    return tuple(share / times[label] if times[label] else 0.0 for label in labels)


def opposed(answers: Sequence[Answers], labels: Sequence[str]) -> tuple[float, ...]:
    """Return for each of several labels how many examples lack it for one that has it.

    A label that all or none of them have is not weighted.

    >>> opposed([("体育", "财经"), ("体育",), ("体育",)], ["体育", "财经"])
    (1.0, 2.0)
    """
    times = Counter(label for found in answers for label in found)
    known = [0 < times[label] < len(answers) for label in labels]
    return tuple(
        (len(answers) - times[label]) / times[label] if both else 1.0
        for label, both in zip(labels, known, strict=True)
    )


def scale_of(values: Sequence[float], *, where: object = "") -> tuple[float, float]:
    """Return mean and standard deviation, or refuse values that are all the same.

    >>> scale_of([1.0, 3.0])
    (2.0, 1.0)
    """
    mean, scale = float(np.mean(values)), float(np.std(values))
    if not scale > 0:
        raise DataError(f"all values are {mean:g}: there is nothing to learn", where=where)
    return mean, scale
