"""The masked-only head, and the task heads, which are transformers' own classes.

`BertForMaskedLM` computes vocabulary logits at every position; here they are computed for the
masked positions only, with the same weights. Task models are stock `AutoModelFor...` classes,
so that their folders load anywhere.
"""

from typing import Any

from torch import Tensor
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedModel,
)

from zhbert.errors import ModelError

TASK_MODELS: dict[str, Any] = {
    "classify": AutoModelForSequenceClassification,
    "pair": AutoModelForSequenceClassification,
    "ner": AutoModelForTokenClassification,
    "reading": AutoModelForQuestionAnswering,
}

_VOCABULARY_HEADS = ("cls", "lm_head")  # BERT and ERNIE; RoBERTa


def masked_logits(model: PreTrainedModel, hidden_1TH: Tensor, positions_M: Tensor) -> Tensor:
    """Return vocabulary logits (M, V) at the masked positions of a flat row."""
    return vocabulary_head(model)(hidden_1TH[0].index_select(0, positions_M))  # type: ignore[no-any-return]


def vocabulary_head(model: PreTrainedModel) -> Any:
    """Return the part of a masked-language model that turns hidden states into logits."""
    for name in _VOCABULARY_HEADS:
        if hasattr(model, name):
            return getattr(model, name)
    raise ModelError(
        f"{type(model).__name__} has no head that zhbert knows", remedy="use a BERT, ERNIE or RoBERTa"
    )
