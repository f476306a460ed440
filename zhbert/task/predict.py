"""Predictions for many examples: windows of like length together, results in the order of the input.

Known answers are taken out before a task sees an example: none can leak into a prediction, and
a label that the model has never heard of does no harm.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from transformers import PreTrainedModel

from zhbert.progress import SILENT, Progress
from zhbert.records import (
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    Prediction,
    ReadingExample,
)
from zhbert.task.base import Feature, Prepared, Scores, Task, collate, run_model

CHUNK = 1024
TOKENS = 4096
_UNANSWERED: dict[type[Example], dict[str, Any]] = {
    LabelExample: {"labels": ()},
    PairExample: {"label": ""},
    EntityExample: {"entities": ()},
    ReadingExample: {"answers": ()},
}


def predict(
    task: Task, model: PreTrainedModel, examples: Sequence[Example], *, progress: Progress = SILENT
) -> Iterator[Prediction]:
    """Yield one prediction an example; memory is bounded by a chunk of examples."""
    model.eval()
    with progress.bar("predict", total=len(examples), unit="examples") as bar:
        for start in range(0, len(examples), CHUNK):
            asked = [replace(e, **_UNANSWERED[type(e)]) for e in examples[start : start + CHUNK]]
            prepared = list(task.prepare(asked))
            for one, scores in zip(prepared, _score(task, model, prepared), strict=True):
                yield task.decode(one, scores)
            bar.advance(len(prepared))


def _score(task: Task, model: PreTrainedModel, prepared: Sequence[Prepared]) -> list[list[Scores]]:
    """Return the scores of every window of every example."""
    found: list[list[Scores | None]] = [[None] * len(one.features) for one in prepared]
    places = [(i, j) for i, one in enumerate(prepared) for j in range(len(one.features))]
    places.sort(key=lambda place: -len(prepared[place[0]].features[place[1]].ids))
    for group in _groups(places, [len(prepared[i].features[j].ids) for i, j in places]):
        features = [prepared[i].features[j] for i, j in group]
        for (i, j), scores in zip(group, _run(task, model, features), strict=True):
            found[i][j] = scores
    return [[scores for scores in row if scores is not None] for row in found]


def _groups(places: Sequence[tuple[int, int]], lengths: Sequence[int]) -> Iterator[list[tuple[int, int]]]:
    """Cut places, longest first, into groups that stay below a budget of padded tokens."""
    group: list[tuple[int, int]] = []
    longest = 0
    for place, length in zip(places, lengths, strict=True):
        longest = longest or length
        if group and longest * (len(group) + 1) > TOKENS:
            yield group
            group, longest = [], length
        group.append(place)
    if group:
        yield group


@torch.inference_mode()
def _run(task: Task, model: PreTrainedModel, features: Sequence[Feature]) -> list[Scores]:
    micro = collate(task, features, with_targets=False)
    output = run_model(model, {name: tensor.to(model.device) for name, tensor in micro.tensors.items()})
    return [task.scores(output, row, len(feature.ids)) for row, feature in enumerate(features)]
