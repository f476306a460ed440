"""What every task is made of: examples become features, outputs become predictions.

A text that is longer than the model's window becomes several features, one a window; decoding
merges them again, so nothing is cut silently. What a task cannot see in spite of that (the rest
of an over-long pair or question) lowers the prediction's `coverage`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import PreTrainedModel

from zhbert.encode.tokenizer import Encoded, Tokenizer
from zhbert.encode.windows import windows
from zhbert.records import Example, Prediction
from zhbert.train.job import Micro

IGNORED = -100
Scores = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a task needs to know of the model that it works with; `head` is one of the task's `heads`."""

    tokenizer: Tokenizer
    labels: tuple[str, ...]
    window: int
    overlap: int
    head: str = ""

    def cut(self, length: int, *, taken: int) -> list[tuple[int, int]]:
        """Return the windows over a text of so many tokens; `taken` places of each are not the text's."""
        room = self.window - taken
        return windows(length, size=room, stride=room - min(self.overlap, room // 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One window of one example, as the model sees it.

    `span` is the range of the example's text tokens that the window holds, `offset` the place
    of the first of them in `ids`; `target` is what the loss compares with.
    """

    ids: list[int]
    segments: list[int]
    span: tuple[int, int]
    offset: int
    target: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An example with its tokens and its features."""

    example: Example
    encoded: Encoded
    features: list[Feature]
    coverage: float = 1.0


class Task(Protocol):
    """One thing that can be learnt; `model_labels` are the outputs of its head.

    `heads` are the ways in which a model can answer, the first of them the default.
    """

    name: str
    heads: tuple[str, ...]
    setting: Setting

    def __init__(self, setting: Setting) -> None:
        """Bind the task to a model's tokenizer, labels and window."""

    @property
    def model_labels(self) -> list[str]:
        """Return the names of the head's outputs, empty where the head has fixed outputs."""

    def prepare(self, examples: Sequence[Example]) -> Iterator[Prepared]:
        """Turn examples into features, with targets where the answer is known."""

    def targets(self, features: Sequence[Feature], length: int) -> tuple[dict[str, Tensor], int]:
        """Return target tensors for features padded to a length, and how many targets there are."""

    def loss(self, output: Any, tensors: dict[str, Tensor]) -> Tensor:
        """Return the summed loss of a model's output."""

    def scores(self, output: Any, row: int, length: int) -> Scores:
        """Return what one feature's output says, as log-probabilities."""

    def decode(self, prepared: Prepared, scores: Sequence[Scores]) -> Prediction:
        """Return the prediction that the scores of all windows of an example amount to."""


def collate(task: Task, features: Sequence[Feature], *, with_targets: bool = True) -> Micro:
    """Pad features to the longest and return them as one micro-batch."""
    length = max(len(feature.ids) for feature in features)
    pad = task.setting.tokenizer.special.pad
    tensors = {
        "input_ids": _padded([f.ids for f in features], length, pad),
        "token_type_ids": _padded([f.segments for f in features], length, 0),
        "attention_mask": _padded([[1] * len(f.ids) for f in features], length, 0),
    }
    targets, count = task.targets(features, length) if with_targets else ({}, 0)
    return Micro(tensors | targets, count, sum(len(f.ids) for f in features))


def _padded(rows: Sequence[list[int]], length: int, value: int) -> Tensor:
    return torch.tensor([row + [value] * (length - len(row)) for row in rows], dtype=torch.long)


def padded_targets(rows: Sequence[list[int]], length: int) -> Tensor:
    """Return rows of targets, padded with what the loss ignores."""
    return _padded(rows, length, IGNORED)


def run_model(model: PreTrainedModel, tensors: dict[str, Tensor]) -> Any:
    """Return the model's output for a padded micro-batch."""
    inputs = {name: tensors[name] for name in ("input_ids", "token_type_ids", "attention_mask")}
    if getattr(model.config, "type_vocab_size", 0) < 2:  # some tell two texts apart by [SEP] alone
        del inputs["token_type_ids"]
    return model(**inputs)
