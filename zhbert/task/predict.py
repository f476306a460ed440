"""Predictions for many examples: windows of like length together, results in the order of the input.

Known answers are taken out before a task sees an example: none can leak into a prediction, and
a label that the model has never heard of does no harm.

What is in memory at once is a chunk: so many examples, or so many characters, and a document that is longer
than that by itself. Of a chunk there are its tokens and the scores of its windows; through the model goes a
group of windows of a fixed number of tokens, however long the document is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from transformers import PreTrainedModel

from zhbert.progress import SILENT, Progress
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    Prediction,
    ReadingExample,
)
from zhbert.task.base import Feature, Prepared, Scores, Task, collate, run_model
from zhbert.task.script import Script, restored, simplified

CHUNK, CHARACTERS = 1024, 400_000  # the most of a chunk, but that an example is never cut
TOKENS = 4096  # padded tokens that go through the model at once
_UNANSWERED: dict[type[Example], dict[str, Any]] = {
    LabelExample: {"labels": (), "value": None},
    PairExample: {"label": "", "value": None},
    EntityExample: {"entities": ()},
    ReadingExample: {"answers": (), "published": ()},
    ChoiceExample: {"answer": None},
}


def predict(
    task: Task,
    model: PreTrainedModel,
    examples: Sequence[Example],
    *,
    script: Script = "kept",
    progress: Progress = SILENT,
) -> Iterator[Prediction]:
    """Yield one prediction an example; memory is bounded by a chunk of examples.

    With `script="simplified"` the model reads traditional text as simplified, and answers in the original.
    """
    model.eval()
    with progress.bar("predict", total=len(examples), unit="examples") as bar:
        for chunk in chunks(examples):
            asked = [replace(e, **_UNANSWERED[type(e)]) for e in chunk]
            prepared = list(task.prepare(list(map(simplified, asked)) if script == "simplified" else asked))
            for example, one, scores in zip(chunk, prepared, _score(task, model, prepared), strict=True):
                found = task.decode(one, scores)
                yield restored(found, example) if script == "simplified" else found
            bar.advance(len(prepared))


def chunks(examples: Sequence[Example]) -> Iterator[Sequence[Example]]:
    """Cut examples, in order, into runs that are prepared at once.

    >>> [len(chunk) for chunk in chunks([LabelExample(id="", text="字" * n) for n in (500_000, 3, 5)])]
    [1, 2]
    """
    start, size = 0, 0
    for place, example in enumerate(examples):
        more = sum(map(len, _texts(example)))
        if place > start and (size + more > CHARACTERS or place - start == CHUNK):
            yield examples[start:place]
            start, size = place, 0
        size += more
    if start < len(examples):
        yield examples[start:]


def _texts(example: Example) -> list[str]:
    found = (getattr(example, field.name) for field in fields(example))
    return [value for value in found if isinstance(value, str)]


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
