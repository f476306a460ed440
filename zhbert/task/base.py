"""What every task is made of: examples become features, outputs become predictions.

A text that is longer than the model's window becomes several features, one a window; decoding
merges them again, so nothing is cut silently. What a task cannot see in spite of that (the rest
of an over-long pair or question) lowers the prediction's `coverage`.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import PreTrainedModel

from zhbert.encode.tokenizer import Encoded, Tokenizer
from zhbert.encode.windows import windows
from zhbert.model.heads import chooses
from zhbert.model.onnx import OnnxModel
from zhbert.model.unpadded import unpadded
from zhbert.records import Example, Prediction
from zhbert.task.lesson import Lesson
from zhbert.task.temperature import Ballot
from zhbert.train.job import Micro

IGNORED = -100
Scores = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a task needs to know of the model that it works with; `head` is one of the task's `heads`.

    `decoding` are the numbers by which outputs become predictions (thresholds chosen on dev and the like);
    the model's folder keeps them. `lesson` is there while a model is taught, and says how losses are made.
    """

    tokenizer: Tokenizer
    labels: tuple[str, ...]
    window: int
    overlap: int
    head: str = ""
    decoding: Mapping[str, float] = field(default_factory=dict)
    lesson: Lesson = field(default_factory=Lesson)

    def cut(self, length: int, *, taken: int) -> list[tuple[int, int]]:
        """Return the windows over a text of so many tokens; `taken` places of each are not the text's."""
        room = self.window - taken
        return windows(length, size=room, stride=room - min(self.overlap, room // 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One window of one example, as the model sees it.

    `ids` are kept in four bytes each; of two texts, `second` is the place where the other one begins. `span`
    is the range of the example's text tokens that the window holds, `offset` the place of the first of them
    in `ids`; `target` is what the loss compares with (None: nothing is learnt) and `weight` how much that
    counts. One that `follows` belongs to the feature before it: their loss is one.
    """

    ids: Sequence[int]
    span: tuple[int, int]
    offset: int
    second: int | None = None
    target: Any = None
    weight: float = 1.0
    follows: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", array("i", self.ids))

    @property
    def segments(self) -> list[int]:
        """Return for every token which text it belongs to.

        >>> Feature(ids=[2, 9, 3, 8, 3], span=(0, 1), offset=3, second=3).segments
        [0, 0, 0, 1, 1]
        """
        first = len(self.ids) if self.second is None else self.second
        return [0] * first + [1] * (len(self.ids) - first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An example with its tokens and its features; `lost` counts the right answers that they cannot say.

    `unread` characters are in no feature; an option's, and its question's, count once for each option.
    """

    example: Example
    encoded: Encoded
    features: list[Feature]
    coverage: float = 1.0
    unread: int = 0
    lost: int = 0


def characters_after(text: str, encoded: Encoded, tokens: int) -> int:
    """Return how many characters of a text follow its first so many tokens; where all are kept, none do."""
    if tokens >= len(encoded):
        return 0
    return len(text) - int(encoded.offsets[tokens, 0])


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

    @property
    def problem(self) -> str:
        """Return what transformers calls the kind of answer, where it has a name for it."""
        return ""

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

    def measure(self, prepared: Sequence[Prepared]) -> dict[str, float]:
        """Return what to add to `decoding` because of what was found in train."""
        return {}

    @property
    def tempers(self) -> bool:
        """Return whether its probabilities are those of logits, which a temperature can divide."""
        return False

    def ballot(self, gold: Example, prepared: Prepared, scores: Sequence[Scores]) -> Ballot | None:
        """Return the logits of the answers to an example and what is right; None where that is not known."""
        return None

    @property
    def undecided(self) -> bool:
        """Return whether dev has a number of the answer to decide."""
        return False

    def choose(self, gold: Sequence[Example], said: Sequence[Prediction]) -> dict[str, float]:
        """Return what to add to `decoding`, chosen once, on dev alone, by the best epoch's predictions."""
        return {}


def together(features: Sequence[Feature]) -> list[list[int]]:
    """Return the numbers of features that must stand in one micro-batch, group by group.

    >>> one = Feature(ids=[1], span=(0, 1), offset=0)
    >>> together([one, replace(one, follows=True), one])
    [[0, 1], [2]]
    """
    groups: list[list[int]] = []
    for number, feature in enumerate(features):
        if feature.follows:
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def evened(prepared: Iterable[Prepared]) -> list[Feature]:
    """Return the features of examples with weights by which all examples count alike, on average 1.

    >>> one = Feature(ids=[1], span=(0, 1), offset=0)
    >>> short, long = (Prepared(example=None, encoded=None, features=[one] * n) for n in (1, 3))
    >>> [feature.weight for feature in evened([short, long])]
    [2.0, 0.6666666666666666, 0.6666666666666666, 0.6666666666666666]
    """
    found = [(one.features, sum(not feature.follows for feature in one.features)) for one in prepared]
    mean = sum(windows for _, windows in found) / max(1, len(found))
    return [replace(feature, weight=mean / windows) for features, windows in found for feature in features]


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


def _padded(rows: Sequence[Sequence[int]], length: int, value: int) -> Tensor:
    padded = np.full((len(rows), length), value, dtype=np.int64)
    for row, values in enumerate(rows):
        padded[row, : len(values)] = values
    return torch.from_numpy(padded)


def padded_targets(rows: Sequence[Sequence[int]], length: int) -> Tensor:
    """Return rows of targets, padded with what the loss ignores."""
    return _padded(rows, length, IGNORED)


def weights_of(features: Sequence[Feature]) -> Tensor:
    """Return how much each feature counts in the loss."""
    return torch.tensor([feature.weight for feature in features])


def exactly(tensors: dict[str, Tensor]) -> torch.autocast:
    """Return in what losses are computed: float32, whatever the encoder computes in."""
    return torch.autocast(tensors["input_ids"].device.type, enabled=False)


def run_model(model: PreTrainedModel | OnnxModel, tensors: dict[str, Tensor], *, half: bool = False) -> Any:
    """Return the model's output for a padded micro-batch; `half`: its encoder computes in bfloat16."""
    inputs = {name: tensors[name] for name in ("input_ids", "token_type_ids", "attention_mask")}
    if getattr(model.config, "type_vocab_size", 0) < 2:  # some tell two texts apart by [SEP] alone
        del inputs["token_type_ids"]
    if chooses(model):  # here every row is one option of a question of its own
        inputs = {name: rows[:, None] for name, rows in inputs.items()}
    with unpadded(model, half=half):
        return model(**inputs)
