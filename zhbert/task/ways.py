"""The ways in which a classifier answers, by the name of its head: what it learns, and what it then says.

- `one`: exactly one label; softmax.
- `several`: any number of labels, also none; a sigmoid each, and a label is said where its probability
  reaches its threshold (`thresholds.py`), 0.5 where none was chosen.
- `value`: a number; one output, in the unit of the data (`lesson.py` says how it is learnt).

Windows of a long text are pooled before anything is decided: log-probabilities, logits or values are
averaged. The temperature comes last, when the best answer is known.

Shapes: F features, L labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor

from zhbert.task.base import IGNORED, Scores, Setting
from zhbert.task.lesson import Answers, one_loss, several_loss, value_loss
from zhbert.task.temperature import Ballot, Numbers, logs, temperature_of, tempered
from zhbert.task.thresholds import best_thresholds, threshold_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer: labels, best first, with the probability of every label, or a number."""

    labels: Answers = ()
    scores: dict[str, float]
    value: float | None = None


class Way(Protocol):
    """How one head learns and answers; `problem` is what transformers calls it."""

    problem: str

    def __init__(self, setting: Setting) -> None:
        """Bind it to the labels, the numbers and the lesson of a setting."""

    def target(self, labels: Answers, value: float | None) -> Any:
        """Return what the loss compares with."""

    def tensor(self, targets: Sequence[Any]) -> tuple[Tensor, int]:
        """Return the targets of features as a tensor, and how many are known."""

    def losses(self, logits_FL: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of every feature."""

    def scores(self, logits_L: Tensor) -> Tensor:
        """Return what is averaged over the windows of a text."""

    def pooled(self, windows: Sequence[Scores]) -> Scores:
        """Return the probabilities, or the value, that the scores of all windows amount to."""

    def said(self, pooled_L: Scores) -> Said:
        """Return the answer."""

    def ballot(self, pooled_L: Scores, labels: Answers) -> Ballot | None:
        """Return the logits of an answer, and what would be right."""

    def choose(self, gold: Sequence[Answers], said: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return the numbers that dev decides."""


class One:
    """Exactly one label."""

    problem = "single_label_classification"

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def target(self, labels: Answers, value: float | None) -> int:
        """Return the label's number."""
        return self.setting.labels.index(labels[0]) if labels else IGNORED

    def tensor(self, targets: Sequence[Any]) -> tuple[Tensor, int]:
        """Return one number a feature."""
        return torch.tensor(targets), len(targets) - list(targets).count(IGNORED)

    def losses(self, logits_FL: Tensor, targets: Tensor) -> Tensor:
        """Return cross-entropies."""
        return one_loss(logits_FL, targets, self.setting.lesson, ignored=IGNORED)

    def scores(self, logits_L: Tensor) -> Tensor:
        """Return log-probabilities."""
        return logits_L.log_softmax(-1)

    def pooled(self, windows: Sequence[Scores]) -> Scores:
        """Return the probabilities of the mean log-probabilities."""
        return pooled(windows)

    def said(self, pooled_L: Scores) -> Said:
        """Return the most probable label."""
        best = self.setting.labels[int(np.argmax(pooled_L))]
        sure_L = tempered(pooled_L, temperature_of(self.setting.decoding))
        return Said(labels=(best,), scores=named(self.setting.labels, sure_L))

    def ballot(self, pooled_L: Scores, labels: Answers) -> Ballot | None:
        """Return one choice among all labels."""
        right_L = np.array([label in labels for label in self.setting.labels])
        return Ballot(logs(pooled_L)[None], right_L[None]) if labels else None

    def choose(self, gold: Sequence[Answers], said: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return nothing: the most probable label wins."""
        return {}


class Several:
    """Any number of labels."""

    problem = "multi_label_classification"

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.thresholds = [threshold_of(setting.decoding, label) for label in setting.labels]

    def target(self, labels: Answers, value: float | None) -> list[float]:
        """Return 1 for every label that applies."""
        return [float(label in labels) for label in self.setting.labels]

    def tensor(self, targets: Sequence[Any]) -> tuple[Tensor, int]:
        """Return a row a feature."""
        return torch.tensor(targets), len(targets)

    def losses(self, logits_FL: Tensor, targets: Tensor) -> Tensor:
        """Return the mean binary cross-entropies."""
        return several_loss(logits_FL, targets, self.setting.lesson)

    def scores(self, logits_L: Tensor) -> Tensor:
        """Return the logits."""
        return logits_L

    def pooled(self, windows: Sequence[Scores]) -> Scores:
        """Return the probabilities of the mean logits."""
        return cast("Scores", 1 / (1 + np.exp(-np.mean(windows, axis=0, dtype=np.float64))))

    def said(self, pooled_L: Scores) -> Said:
        """Return the labels that reach their thresholds, the most probable first."""
        sure_L = tempered(_yes_or_no(pooled_L), temperature_of(self.setting.decoding))[:, 0]
        scores = named(self.setting.labels, sure_L)
        reached = [
            label for label, least in zip(scores, self.thresholds, strict=True) if scores[label] >= least
        ]
        return Said(labels=tuple(sorted(reached, key=lambda label: -scores[label])), scores=scores)

    def ballot(self, pooled_L: Scores, labels: Answers) -> Ballot | None:
        """Return a yes or no for every label."""
        right_L = np.array([label in labels for label in self.setting.labels])
        return Ballot(logs(_yes_or_no(pooled_L)), np.stack([right_L, ~right_L], axis=-1))

    def choose(self, gold: Sequence[Answers], said: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return the best thresholds."""
        return best_thresholds(gold, said, self.setting.labels, how=self.setting.lesson.thresholds)


class Value:
    """A number."""

    problem = "regression"

    def __init__(self, setting: Setting) -> None:
        self.lesson = setting.lesson

    def target(self, labels: Answers, value: float | None) -> float:
        """Return the distance from the mean of train, in standard deviations; NaN where it is not known."""
        return float("nan") if value is None else (value - self.lesson.mean) / self.lesson.scale

    def tensor(self, targets: Sequence[Any]) -> tuple[Tensor, int]:
        """Return one number a feature."""
        found = torch.tensor(targets)
        return found, int((~found.isnan()).sum())

    def losses(self, logits_FL: Tensor, targets: Tensor) -> Tensor:
        """Return squared errors, 0 where the value is not known."""
        return value_loss(logits_FL[:, 0], targets)

    def scores(self, logits_L: Tensor) -> Tensor:
        """Return the value in the unit of the data."""
        return logits_L * self.lesson.scale + self.lesson.mean

    def pooled(self, windows: Sequence[Scores]) -> Scores:
        """Return the mean value."""
        return cast("Scores", np.mean(windows, axis=0, dtype=np.float64))

    def said(self, pooled_L: Scores) -> Said:
        """Return the value."""
        return Said(scores={}, value=round(float(pooled_L[0]), 6))

    def ballot(self, pooled_L: Scores, labels: Answers) -> Ballot | None:
        """Return nothing: a value has no probability."""
        return None

    def choose(self, gold: Sequence[Answers], said: Sequence[dict[str, float]]) -> dict[str, float]:
        """Return nothing: a value is what it is."""
        return {}


WAYS: dict[str, type[Way]] = {"one": One, "several": Several, "value": Value}
VALUE = "value"  # the head, and the name of its only output


def pooled(windows: Sequence[Scores]) -> Scores:
    """Return the probabilities that windows' log-probabilities amount to.

    >>> pooled([np.log([0.5, 0.5]), np.log([0.5, 0.5])]).tolist()
    [0.5, 0.5]
    """
    mean = np.mean(windows, axis=0)
    weights = np.exp(mean - mean.max())
    return cast("Scores", weights / weights.sum())


def _yes_or_no(pooled_L: Scores) -> Numbers:
    """Return the probabilities (L, 2) that a label applies and that it does not."""
    return np.stack([pooled_L, 1 - pooled_L], axis=-1)


def named(labels: Sequence[str], probabilities: Scores) -> dict[str, float]:
    """Return probabilities by label, as they are written down."""
    return {name: round(float(p), 6) for name, p in zip(labels, probabilities, strict=True)}
