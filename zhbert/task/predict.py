"""Predictions for many examples: windows of like length together, results in the order of the input.

Known answers are taken out before a task sees an example: none can leak into a prediction, and
a label that the model has never heard of does no harm.

What is in memory at once is a chunk: so many examples, or so many characters, and a document that is longer
than that by itself. Of a chunk there are its tokens and the scores of its windows; through the model goes a
group of windows of a fixed number of tokens, however long the document is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

import torch
from transformers import PreTrainedModel

from zhbert.model.onnx import OnnxModel
from zhbert.model.unpadded import in_half
from zhbert.precision import Dtype
from zhbert.progress import SILENT, Progress
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    Prediction,
    ReadingExample,
    characters_of,
)
from zhbert.task.base import Feature, Prepared, Scores, Task, collate, run_model
from zhbert.task.script import Script, restored, simplified
from zhbert.task.temperature import TEMPERATURE, sureness, temperature_of

CHUNK, CHARACTERS = 1024, 400_000  # the most of a chunk, but that an example is never cut
TOKENS = 4096  # padded tokens that go through a model at once
TOKENS_OF_GPU = 32_768
TOKENS_OF_GRAPH = 1024  # 4096 took a fifth more time each: what a layer makes of them leaves the cache
_UNANSWERED: dict[type[Example], dict[str, Any]] = {
    LabelExample: {"labels": (), "value": None},
    PairExample: {"label": "", "value": None},
    EntityExample: {"entities": ()},
    ReadingExample: {"answers": (), "published": ()},
    ChoiceExample: {"answer": None},
}


class Onlooker:
    """Who is told how predicting goes on; this one does not listen. Places count within a chunk."""

    def prepared(self, chunk: Sequence[Example], prepared: Sequence[Prepared], seconds: float) -> None:
        """Hear that a chunk of examples, known answers and all, became features in so many seconds."""

    def ran(self, places: Sequence[int], tokens: Sequence[int], seconds: float) -> None:
        """Hear how long the model took for a batch of windows of these examples and lengths."""

    def decoded(self, place: int, seconds: float) -> None:
        """Hear how long it took to make an answer of what the model said of an example."""


NOBODY = Onlooker()


def predict(
    task: Task,
    model: PreTrainedModel | OnnxModel,
    examples: Sequence[Example],
    *,
    script: Script = "kept",
    dtype: Dtype = "float32",
    progress: Progress = SILENT,
    onlooker: Onlooker = NOBODY,
) -> Iterator[Prediction]:
    """Yield one prediction an example; memory is bounded by a chunk of examples.

    With `script="simplified"` the model reads traditional text as simplified, and answers in the original.
    With another `dtype` than float32 its encoder may compute in bfloat16 (`in_half`).
    """
    model.eval()
    half = in_half(model, dtype)
    plain = _untempered(task)
    with progress.bar("predict", total=len(examples), unit="examples") as bar:
        for chunk in chunks(examples):
            started = perf_counter()
            asked = [replace(e, **_UNANSWERED[type(e)]) for e in chunk]
            prepared = list(task.prepare(list(map(simplified, asked)) if script == "simplified" else asked))
            onlooker.prepared(chunk, prepared, perf_counter() - started)
            said = _score(task, model, prepared, onlooker, half)
            for place, (example, one, scores) in enumerate(zip(chunk, prepared, said, strict=True)):
                started = perf_counter()
                found = task.decode(one, scores)
                if plain:
                    found = replace(found, raw=sureness(plain.decode(one, scores)))
                found = restored(found, example) if script == "simplified" else found
                onlooker.decoded(place, perf_counter() - started)
                yield found
            bar.advance(len(prepared))


def heard(
    task: Task, model: PreTrainedModel | OnnxModel, examples: Sequence[Example]
) -> Iterator[tuple[Example, Prepared, list[Scores]]]:
    """Yield every example as it is, and what the model says of its windows without knowing the answer."""
    model.eval()
    for chunk in chunks(examples):
        prepared = list(task.prepare([replace(e, **_UNANSWERED[type(e)]) for e in chunk]))
        yield from zip(chunk, prepared, _score(task, model, prepared, NOBODY), strict=True)


def _untempered(task: Task) -> Task | None:
    """Return the task without its temperature; None where it has none."""
    if temperature_of(task.setting.decoding) == 1:
        return None
    return type(task)(replace(task.setting, decoding={**task.setting.decoding, TEMPERATURE: 1.0}))


def chunks(examples: Sequence[Example]) -> Iterator[Sequence[Example]]:
    """Cut examples, in order, into runs that are prepared at once.

    >>> [len(chunk) for chunk in chunks([LabelExample(id="", text="字" * n) for n in (500_000, 3, 5)])]
    [1, 2]
    """
    start, size = 0, 0
    for place, example in enumerate(examples):
        more = characters_of(example)
        if place > start and (size + more > CHARACTERS or place - start == CHUNK):
            yield examples[start:place]
            start, size = place, 0
        size += more
    if start < len(examples):
        yield examples[start:]


def _score(
    task: Task,
    model: PreTrainedModel | OnnxModel,
    prepared: Sequence[Prepared],
    onlooker: Onlooker,
    half: bool = False,
) -> list[list[Scores]]:
    """Return the scores of every window of every example."""
    found: list[list[Scores | None]] = [[None] * len(one.features) for one in prepared]
    places = [(i, j) for i, one in enumerate(prepared) for j in range(len(one.features))]
    places.sort(key=lambda place: -len(prepared[place[0]].features[place[1]].ids))
    for group in _groups(
        places, [len(prepared[i].features[j].ids) for i, j in places], most=_most_tokens(model)
    ):
        features = [prepared[i].features[j] for i, j in group]
        started = perf_counter()
        for (i, j), scores in zip(group, _run(task, model, features, half), strict=True):
            found[i][j] = scores
        lengths = [len(feature.ids) for feature in features]
        onlooker.ran([i for i, _ in group], lengths, perf_counter() - started)
    return [[scores for scores in row if scores is not None] for row in found]


def _most_tokens(model: PreTrainedModel | OnnxModel) -> int:
    """Return how many padded tokens go through a model at once: as many as it is fast with."""
    if isinstance(model, OnnxModel):
        return min(TOKENS, TOKENS_OF_GRAPH)
    return TOKENS if model.device.type == "cpu" else TOKENS_OF_GPU


def _groups(
    places: Sequence[tuple[int, int]], lengths: Sequence[int], *, most: int
) -> Iterator[list[tuple[int, int]]]:
    """Cut places, longest first, into groups that stay below a budget of padded tokens."""
    group: list[tuple[int, int]] = []
    longest = 0
    for place, length in zip(places, lengths, strict=True):
        longest = longest or length
        if group and longest * (len(group) + 1) > most:
            yield group
            group, longest = [], length
        group.append(place)
    if group:
        yield group


@torch.inference_mode()
def _run(
    task: Task, model: PreTrainedModel | OnnxModel, features: Sequence[Feature], half: bool
) -> list[Scores]:
    micro = collate(task, features, with_targets=False)
    tensors = {name: tensor.to(model.device) for name, tensor in micro.tensors.items()}
    output = run_model(model, tensors, half=half)
    return [task.scores(output, row, len(feature.ids)) for row, feature in enumerate(features)]
