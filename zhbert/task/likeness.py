"""How far two forms of one task model lie apart: their numbers on the same batches, and their answers.

Without examples of the user's, they are made of sentences of the corpus `mini`: what is asked there makes no
sense, but it is real enough that all of the model takes part.

Shapes: B rows, T tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from zhbert.model.onnx import OnnxModel
from zhbert.model.store import Stored
from zhbert.progress import SILENT, Progress
from zhbert.read.references import find
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    EntityPrediction,
    Example,
    LabelExample,
    LabelPrediction,
    PairExample,
    PairPrediction,
    Prediction,
    ReadingExample,
)
from zhbert.score.interval import Difference, paired
from zhbert.score.judge import judge
from zhbert.task.base import collate, run_model
from zhbert.task.registry import task_of
from zhbert.text.sentences import sentences

EACH = 50  # sentences of every file of `mini:raw`
_AT_ONCE = 16
_SEED = 7
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """How far the numbers of two models lie apart at most, how large they are, and on how many tokens."""

    largest: float
    size: float
    tokens: int

    @property
    def share(self) -> float:
        """Return the difference by the size of the numbers, those below 1 counted as 1."""
        return self.largest / max(1.0, self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """The figure of a task before and after, and what is lost of it."""

    metric: str
    before: float
    after: float
    change: Difference


@torch.inference_mode()
def apart(
    stored: Stored, graph: OnnxModel, examples: Sequence[Example], *, progress: Progress = SILENT
) -> Apart:
    """Return how far what a graph says of examples lies from what the model says; padding does not count."""
    task = task_of(stored)
    largest = size = 0.0
    tokens = 0
    with progress.bar("compare", total=len(examples), unit="examples") as bar:
        for some in _batched(examples):
            for features in _batched([f for one in task.prepare(some) for f in one.features]):
                tensors = collate(task, features, with_targets=False).tensors
                ours, theirs = run_model(stored.model, tensors), vars(run_model(graph, tensors))
                for name, other in theirs.items():
                    wanted = (name in graph.by_token, tensors["attention_mask"])
                    one, other = _without_padding(ours[name], *wanted), _without_padding(other, *wanted)
                    largest = max(largest, float((one - other).abs().max().nan_to_num(torch.inf)))
                    size = max(size, float(one.abs().max()))
                tokens += int(tensors["attention_mask"].sum())
            bar.advance(len(some))
    return Apart(largest=largest, size=size, tokens=tokens)


def _batched(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE)]


def _without_padding(values: Tensor, by_token: bool, seen_BT: Tensor) -> Tensor:
    return values[seen_BT > 0] if by_token else values


def answer(prediction: Prediction) -> Any:
    """Return what a prediction says, without how sure it is.

    >>> from zhbert.records import LabelPrediction
    >>> answer(LabelPrediction(id="1", labels=("体育",), scores={"体育": 0.9}))
    ('体育',)
    """
    match prediction:
        case EntityPrediction():
            return prediction.entities
        case PairPrediction():
            return prediction.label if prediction.value is None else prediction.value
        case LabelPrediction():
            return tuple(sorted(prediction.labels)) if prediction.value is None else prediction.value
    return prediction.answer


def alike(first: Sequence[Prediction], second: Sequence[Prediction]) -> dict[str, float]:
    """Return the share of examples with the same answer; of numbers how far they lie apart."""
    pairs = [(answer(one), answer(other)) for one, other in zip(first, second, strict=True)]
    if not all(isinstance(value, float) for pair in pairs for value in pair):
        return {"same answers": round(sum(one == other for one, other in pairs) / len(pairs), 4)}
    ones, others = np.array(pairs).T
    return {"mean difference of values": float(f"{np.abs(ones - others).mean():.3g}")}


def loss(
    stored: Stored, gold: Sequence[Example], before: Sequence[Prediction], after: Sequence[Prediction]
) -> Loss:
    """Return what is lost of the task's figure, after minus before, with its paired interval."""
    facts = stored.facts
    first, second = (judge(facts.task, gold, said, head=facts.head) for said in (before, after))
    metric = first.headline
    return Loss(
        metric=metric.name,
        before=float(metric(first.counts)),
        after=float(metric(second.counts)),
        change=paired(second.counts, first.counts, metric, rng=np.random.default_rng(_SEED)),
    )


def examples_for(task: str) -> list[Example]:
    """Return examples of a task that are made of real sentences.

    >>> len(examples_for("ner")), examples_for("choice")[0].question == examples_for("ner")[1].text
    (300, True)
    """
    texts = [text for path in sorted(find("mini:raw").glob("*.txt")) for text in _sentences(path)]
    return [_example(task, str(n), [*texts[n:], *texts[:n]]) for n in range(len(texts))]


def _sentences(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")[: EACH * 400]
    found = [text[start:end].strip() for start, end in sentences(text)]
    return [sentence for sentence in found if sentence][:EACH]


def _example(task: str, name: str, texts: Sequence[str]) -> Example:
    """Return an example of texts that go on with its own."""
    match task:
        case "classify":
            return LabelExample(id=name, text=texts[0])
        case "pair":
            return PairExample(id=name, first=texts[0], second=texts[1])
        case "reading":
            return ReadingExample(id=name, question=texts[0], context="".join(texts[1:13]))
        case "choice":
            return ChoiceExample(id=name, context=texts[0], question=texts[1], options=tuple(texts[2:5]))
    return EntityExample(id=name, text=texts[0])
