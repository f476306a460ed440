"""The masked-only head, and the task heads: nearly all are transformers' own classes.

A masked-language model of transformers computes vocabulary logits at every position; here they are
computed for the masked positions only, with the same weights. Task models are stock `AutoModelFor...`
classes, so that their folders load anywhere; the exceptions are in `tagger.py`.

A model's class may have `fast_parameters()`: the names of weights that want a higher learning rate than
the rest of the head (those of a chain of tags).
"""

from operator import attrgetter
from typing import Any

from torch import Tensor
from transformers import (
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedModel,
)

from zhbert.errors import ModelError, nearest
from zhbert.model.families import family_of
from zhbert.model.tagger import AutoTagger, Crf, Pointer

TASK_MODELS: dict[tuple[str, str], Any] = {
    ("classify", "one"): AutoModelForSequenceClassification,
    ("classify", "several"): AutoModelForSequenceClassification,
    ("classify", "value"): AutoModelForSequenceClassification,
    ("pair", "one"): AutoModelForSequenceClassification,
    ("pair", "value"): AutoModelForSequenceClassification,
    ("ner", "softmax"): AutoModelForTokenClassification,
    ("ner", "crf"): AutoTagger(Crf),
    ("ner", "pointer"): AutoTagger(Pointer),
    ("segment", "softmax"): AutoModelForTokenClassification,
    ("segment", "crf"): AutoTagger(Crf),
    ("reading", "span"): AutoModelForQuestionAnswering,
    ("choice", "options"): AutoModelForMultipleChoice,
}


def model_class(task: str, head: str = "") -> Any:
    """Return what makes and reads the models of a task's head; none is named: the task's usual one.

    >>> model_class("ner") is model_class("ner", "softmax")
    True
    """
    of_task = {name: kind for (other, name), kind in TASK_MODELS.items() if other == task}
    if not of_task:
        raise ModelError(f'unknown task "{task}"', remedy=nearest(task, {name for name, _ in TASK_MODELS}))
    if head and head not in of_task:
        raise ModelError(f'the task "{task}" has no head "{head}"', remedy=nearest(head, of_task))
    return of_task[head] if head else next(iter(of_task.values()))


def chooses(model: PreTrainedModel) -> bool:
    """Return whether a model compares options, so that it reads (questions, options, tokens)."""
    return type(model).__name__.endswith("ForMultipleChoice")


def masked_logits(model: PreTrainedModel, hidden_1TH: Tensor, positions_M: Tensor) -> Tensor:
    """Return vocabulary logits (M, V) at the masked positions of a flat row."""
    values = hidden_1TH[0].index_select(0, positions_M)
    for name in family_of(model.config).head:
        values = attrgetter(name)(model)(values)
    return values


def pair_logits(model: PreTrainedModel, hidden_1TH: Tensor, firsts_S: Tensor) -> Tensor:
    """Return for each sequence of a flat row the two logits of NSP or SOP, from its first token."""
    firsts_S1H = hidden_1TH[0].index_select(0, firsts_S)[:, None]
    pooled_SH = model.base_model.pooler(firsts_S1H)
    return model.cls.seq_relationship(pooled_SH)  # type: ignore[no-any-return]
