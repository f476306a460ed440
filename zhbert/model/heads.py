"""The masked-only head, and the task heads, which are transformers' own classes.

A masked-language model of transformers computes vocabulary logits at every position; here they are
computed for the masked positions only, with the same weights. Task models are stock `AutoModelFor...`
classes, so that their folders load anywhere.
"""

from operator import attrgetter
from typing import Any

from torch import Tensor
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedModel,
)

from zhbert.model.families import family_of

TASK_MODELS: dict[str, Any] = {
    "classify": AutoModelForSequenceClassification,
    "pair": AutoModelForSequenceClassification,
    "ner": AutoModelForTokenClassification,
    "reading": AutoModelForQuestionAnswering,
}


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
