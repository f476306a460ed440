"""Options of a fine-tuning that learns from another model: a small one takes over what a large one knows.

The teacher is a model of the same task, with the same labels and the same vocabulary. It sees every batch
that the pupil sees, and the pupil learns its probabilities beside the right answers: they say which wrong
answers are nearly right. Texts without answers can be learnt from too; the teacher answers them.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor
from transformers import PreTrainedModel

from zhbert.config import Input
from zhbert.errors import ConfigError, ModelError
from zhbert.model import store
from zhbert.read.examples import read_examples
from zhbert.records import (
    ChoiceExample,
    ChoicePrediction,
    EntityExample,
    EntityPrediction,
    Example,
    LabelExample,
    LabelPrediction,
    PairExample,
    PairPrediction,
    Prediction,
    ReadingExample,
    ReadingPrediction,
)
from zhbert.task.base import Task, exactly, run_model
from zhbert.task.doubt import COMPARED, departure
from zhbert.task.lesson import Lesson
from zhbert.task.predict import predict
from zhbert.task.registry import head_of, shown, task_of
from zhbert.task.relations import Listener, apart
from zhbert.task.taught import Taught
from zhbert.task.ways import VALUE
from zhbert.train.job import Micro


class Pupil(Taught):
    """How a model learns from another one."""

    layers: int = Field(
        default=0,
        ge=0,
        description="take only so many layers of the encoder, evenly, the topmost too [0: all]",
    )
    teacher: Input | None = Field(
        default=None, description="a model of the same task whose answers are learnt too (distillation)"
    )
    teacher_weight: float = Field(
        default=0.5, gt=0, le=1, description="share of the loss that is about the teacher's answers"
    )
    teacher_softness: float = Field(
        default=2.0,
        ge=1,
        description="temperature of both answers: the higher, the more the unlikely ones say",
    )
    teacher_relations: float = Field(
        default=0.0,
        ge=0,
        description="weight of the likeness of tokens to each other, layer by layer, as the teacher has it",
    )
    unlabelled: Input | None = Field(
        default=None, description="further examples, without answers: the teacher answers them"
    )

    @model_validator(mode="after")
    def _has_a_teacher(self) -> Self:
        head = head_of(self.task, self.head)
        if self.teacher and head not in COMPARED:
            raise ConfigError(
                f'teacher: has no meaning for the task "{self.task}" with the head "{head}"',
                remedy=f"it is for the heads {', '.join(COMPARED)}",
            )
        given = [
            name
            for name in ("teacher_weight", "teacher_softness", "teacher_relations", "unlabelled")
            if getattr(self, name) != type(self).model_fields[name].default
        ]
        if given and not self.teacher:
            raise ConfigError(f"{given[0]}: there is no teacher", remedy="give one, or leave it out")
        return self


class Teacher:
    """A model whose answers are learnt."""

    def __init__(self, config: Pupil, task: Task) -> None:
        path = cast(Path, config.teacher)
        self.stored = store.load(path)
        self.model = cast(PreTrainedModel, self.stored.model)
        _check(self.stored, task, path)
        self.weight, self.softness = config.teacher_weight, config.teacher_softness
        self.relations = config.teacher_relations
        self.lesson: Lesson = task.setting.lesson
        self.numbers = task.setting.head == VALUE

    def answered(self, path: Path | None) -> list[Example]:
        """Return the examples of a file with the teacher's answers."""
        if path is None:
            return []
        examples = read_examples(path, self.stored.facts.task)
        said = predict(task_of(self.stored), self.model, examples)
        return [answered(example, one) for example, one in zip(examples, said, strict=True)]

    def mixed(self, loss: Tensor, output: Any, micro: Micro, heard: Listener) -> Tensor:
        """Return the loss with what is to be learnt from the teacher's answers to the same batch."""
        tensors = micro.tensors
        model = self.model.to(tensors["input_ids"].device)
        with torch.no_grad(), Listener(model, wanted=bool(heard)) as own:
            said = run_model(model, tensors)
        if self.numbers:  # its head speaks in the units of the data, the pupil's does not yet
            said.logits = (said.logits - self.lesson.mean) / self.lesson.scale
        with exactly(tensors):
            far = departure(said, output, tensors, softness=self.softness)
            loss = (1 - self.weight) * loss + self.weight * far
            if heard:
                mask_BL = tensors["attention_mask"]
                share = self.relations * micro.targets / len(mask_BL)  # a row weighs as much as its answers
                loss = loss + share * apart(own.layers, heard.layers, mask_BL)
        return loss

    def listener(self, pupil: PreTrainedModel) -> Listener:
        """Return who keeps what the layers of the pupil say, if it is wanted."""
        return Listener(pupil, wanted=self.relations > 0)


def _check(stored: store.Stored, task: Task, path: Path) -> None:
    """Refuse a teacher whose answers or tokens mean something else."""
    facts, setting = stored.facts, task.setting
    known, wanted = (facts.task, head_of(facts.task, facts.head)), (task.name, setting.head)
    if facts.task == store.MASKED or known != wanted:
        what = f"it has been taught {' '.join(known)}, not {' '.join(wanted)}"
        raise ModelError(what, where=path, remedy="a teacher knows the same task")
    if list(facts.labels) != list(setting.labels):
        what = (
            f"it knows other labels: {shown(list(facts.labels))}; here they are {shown(list(setting.labels))}"
        )
        raise ModelError(what, where=path, remedy="--labels gives their order")
    if stored.tokenizer.tokens != setting.tokenizer.tokens:
        raise ModelError(
            "it has another vocabulary than the pupil",
            where=path,
            remedy="begin with the teacher itself and --layers, or with an encoder of its vocabulary",
        )


def answered(example: Example, said: Prediction) -> Example:
    """Return an example with a model's answer as its own: also that no label applies, or that there is none.

    >>> answered(LabelExample(id="1", text="主队"), LabelPrediction(id="1", labels=("体育",), scores={}))
    LabelExample(id='1', text='主队', labels=('体育',), value=None)
    """
    match example, said:
        case LabelExample(), LabelPrediction():
            return replace(example, labels=said.labels, value=said.value)
        case PairExample(), PairPrediction():
            return replace(example, label=said.label, value=said.value)
        case EntityExample(), EntityPrediction():
            return replace(example, entities=said.entities)
        case ReadingExample(), ReadingPrediction():
            answers = (said.answer,) if said.answer else ()
            return replace(example, answers=answers, published=())
        case ChoiceExample(), ChoicePrediction():
            return replace(example, answer=said.answer)
    raise AssertionError(said)


def told(config: Pupil, examples: Sequence[Example]) -> dict[str, Any]:
    """Return who taught, for whoever reads the model's report."""
    if not config.teacher:
        return {}
    facts: dict[str, Any] = {"teacher": config.teacher.name, "teacher's share": config.teacher_weight}
    return facts | ({"answered by the teacher": len(examples)} if examples else {})
