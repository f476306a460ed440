"""The unit of a model that answers with a number, put into the weights of its head.

Numbers are learnt on a scale on which they are about as large as 1. What is saved answers in the unit of
the data, so that whoever loads it needs to know nothing of that scale.
"""

import torch
from torch import nn
from transformers import PreTrainedModel


@torch.no_grad()
def rescale(model: PreTrainedModel, *, mean: float, scale: float) -> None:
    """Make the only output of a model `scale` times as large and then `mean` more."""
    body = f"{model.base_model_prefix}."
    linear = [
        m for name, m in model.named_modules() if isinstance(m, nn.Linear) and not name.startswith(body)
    ]
    last = linear[-1]
    assert last.out_features == 1, "a head for one number"
    last.weight.mul_(scale)
    last.bias.mul_(scale).add_(mean)


def unscale(model: PreTrainedModel, *, mean: float, scale: float) -> None:
    """Take back what `rescale` did, so that a model can go on learning."""
    rescale(model, mean=-mean / scale, scale=1 / scale)
