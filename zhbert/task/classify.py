"""Classification of texts: one label each.

A long text is classified window by window; the windows' log-probabilities are averaged.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from zhbert.records import Example, LabelExample, LabelPrediction
from zhbert.task.base import IGNORED, Feature, Prepared, Scores, Setting


class Classify:
    """Texts into classes."""

    name = "classify"
    heads = ("one",)

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    @property
    def model_labels(self) -> list[str]:
        """Return the classes in order."""
        return list(self.setting.labels)

    def prepare(self, examples: Sequence[Example]) -> Iterator[Prepared]:
        """Turn texts into [CLS] text [SEP], one feature a window."""
        texts = cast("Sequence[LabelExample]", examples)
        for example, encoded in zip(
            texts, self.setting.tokenizer.encode_batch([e.text for e in texts]), strict=True
        ):
            target = self.setting.labels.index(example.labels[0]) if example.labels else IGNORED
            cuts = self.setting.cut(len(encoded.ids), taken=2)
            features = [
                self._feature(encoded.ids[start:end].tolist(), (start, end), target) for start, end in cuts
            ]
            yield Prepared(example=example, encoded=encoded, features=features)

    def _feature(self, ids: list[int], span: tuple[int, int], target: int) -> Feature:
        special = self.setting.tokenizer.special
        row = [special.cls, *ids, special.sep]
        return Feature(ids=row, segments=[0] * len(row), span=span, offset=1, target=target)

    def targets(self, features: Sequence[Feature], length: int) -> tuple[dict[str, Tensor], int]:
        """Return one class a feature."""
        labels = [f.target for f in features]
        return {"labels": torch.tensor(labels)}, len(labels) - labels.count(IGNORED)

    def loss(self, output: Any, tensors: dict[str, Tensor]) -> Tensor:
        """Return the summed cross-entropy."""
        return cross_entropy(output.logits.float(), tensors["labels"], ignore_index=IGNORED, reduction="sum")

    def scores(self, output: Any, row: int, length: int) -> Scores:
        """Return the log-probabilities of the classes."""
        return cast("Scores", output.logits[row].float().log_softmax(-1).cpu().numpy())

    def decode(self, prepared: Prepared, scores: Sequence[Scores]) -> LabelPrediction:
        """Return the most probable class."""
        probabilities = pooled(scores)
        named = {name: round(float(p), 6) for name, p in zip(self.setting.labels, probabilities, strict=True)}
        best = self.setting.labels[int(np.argmax(probabilities))]
        return LabelPrediction(
            id=prepared.example.id, labels=(best,), scores=named, coverage=prepared.coverage
        )


def pooled(scores: Sequence[Scores]) -> Scores:
    """Return the probabilities that windows' log-probabilities amount to.

    >>> pooled([np.log([0.5, 0.5]), np.log([0.5, 0.5])]).tolist()
    [0.5, 0.5]
    """
    mean = np.mean(scores, axis=0)
    weights = np.exp(mean - mean.max())
    return cast("Scores", weights / weights.sum())
