"""Taggers with a head of our own: a linear chain (`Crf`) and a global pointer (`Pointer`).

Either is put before transformers' token classifier of the encoder's family, so that weights have the names
that they have there: plain transformers finds the encoder of such a folder with `AutoModel`, and a chain,
without its steps, with `AutoModelForTokenClassification`.

Both say their part token by token (`logits`); what binds tokens together is computed from that, by `crf.py`
and `pointer.py`.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING,
    AutoConfig,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers import initialization as init
from transformers.utils import ModelOutput

from zhbert.errors import ModelError
from zhbert.model import pointer


@dataclass
class Said(ModelOutput):  # type: ignore[misc]  # it has no types
    """What a tagger says: numbers for every token, and the steps between tags where it learns them."""

    logits: Tensor | None = None
    transitions: Tensor | None = None


class Transitions(nn.Module):
    """What each step from one tag to the next scores; they begin at nothing."""

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(tags, tags))


class _Tagger(PreTrainedModel):  # type: ignore[misc]  # nor has this
    """What both have in common; the class that follows it in the order of classes is transformers'."""

    def forward(self, *inputs: Any, **named: Any) -> Said:
        """Return what the head says of every token."""
        return self._said(super().forward(*inputs, **named).logits)

    def _said(self, logits: Tensor) -> Said:
        return Said(logits=logits)


class Crf(_Tagger):
    """Scores of tags for every token, and of steps between them."""

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__(config)
        self.transitions = Transitions(config.num_labels)
        self.post_init()

    def fast_parameters(self) -> list[str]:
        """Return the weights that want a rate of their own: steps start at nothing and have far to go."""
        return ["transitions.weight"]

    def _said(self, logits: Tensor) -> Said:
        return Said(logits=logits, transitions=self.transitions.weight)

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, Transitions):
            init.zeros_(module.weight)
        else:
            super()._init_weights(module)


class Pointer(_Tagger):
    """What `pointer.py` makes scores of spans of, for every token."""

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__(config)
        self.classifier = nn.Linear(config.hidden_size, pointer.outputs(config.num_labels))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is getattr(self, "classifier", None):
            start = torch.zeros_like(module.bias)
            start[2 * pointer.WIDTH :] = pointer.START
            init.copy_(module.bias, start)


class AutoTagger:
    """Finds the class for an encoder's family, as transformers' Auto classes do."""

    def __init__(self, head: type[_Tagger]) -> None:
        self.head = head

    def class_of(self, config: PreTrainedConfig) -> Any:
        """Return the class that has this head on the encoder of a configuration."""
        if type(config) not in MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING:
            raise ModelError(f"its family, {config.model_type}, has no tagger in transformers")
        stock = MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING[type(config)]
        return _joined(self.head, stock)  # type: ignore[arg-type]  # a class is hashable

    def from_config(self, config: PreTrainedConfig, **options: Any) -> PreTrainedModel:
        """Return a model with random weights."""
        model: PreTrainedModel = self.class_of(config)._from_config(config, **options)
        return model

    def from_pretrained(self, name: str, *, config: PreTrainedConfig | None = None, **options: Any) -> Any:
        """Return the model of a folder, or, over the encoder of a folder, one with a new head."""
        config = config or AutoConfig.from_pretrained(name, trust_remote_code=False)
        options.pop("trust_remote_code", None)
        return self.class_of(config).from_pretrained(name, config=config, **options)


@cache
def _joined(head: type[_Tagger], stock: type[PreTrainedModel]) -> type[PreTrainedModel]:
    name = stock.__name__.replace("ForTokenClassification", head.__name__)
    return type(name, (head, stock), {"__doc__": head.__doc__, "__module__": __name__})
