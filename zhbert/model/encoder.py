"""Encoders: presets from nano to large, and any masked-language model in a folder or on the hub.

Every preset is a stock transformers BERT. Its start is made for short trainings of narrow models:

- Weights start wider the narrower the encoder is (BERT's 0.02 at 768), or attention begins as next to
  nothing beside the residual stream.
- Positions start as sinusoids and are learnt from there: "the token before" is then one and the same
  rotation at every position, and need not be found 128 times.

Dropout is off while pretraining (attention dropout must be 0 on packed text, and a corpus seen a few
times does not need the rest), and on again while fine-tuning.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from transformers import BertConfig, BertForMaskedLM, PreTrainedConfig, PreTrainedModel

from zhbert.encode.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Preset:
    """The size of an encoder."""

    layers: int
    width: int
    heads: int
    inner: int


DROPOUT = 0.1  # BERT's, for fine-tuning
PRESETS = {
    "pico": Preset(2, 128, 2, 512),
    "nano": Preset(4, 256, 4, 1024),
    "micro": Preset(4, 312, 12, 1200),
    "mini": Preset(6, 384, 12, 1536),
    "small": Preset(12, 256, 4, 1024),
    "small-wide": Preset(8, 512, 8, 2048),
    "medium": Preset(6, 768, 12, 3072),
    "base": Preset(12, 768, 12, 3072),
    "large": Preset(24, 1024, 16, 4096),
}


def new_config(preset: str, tokenizer: Tokenizer, *, positions: int = 512) -> BertConfig:
    """Return the transformers configuration of a preset for a tokenizer."""
    size = PRESETS[preset]
    return BertConfig(
        vocab_size=tokenizer.size,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=size.inner,
        max_position_embeddings=positions,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=round(0.02 * (768 / size.width) ** 0.5, 4),
        pad_token_id=tokenizer.special.pad,
    )


def new_encoder(config: PreTrainedConfig, *, seed: int) -> BertForMaskedLM:
    """Return an untrained encoder whose weights depend on the seed alone."""
    torch.manual_seed(seed)
    model = BertForMaskedLM(config)
    table = model.bert.embeddings.position_embeddings.weight
    with torch.no_grad():
        table.copy_(sinusoids(*table.shape) * config.initializer_range * 2**0.5)
    return model


def sinusoids(positions: int, width: int) -> torch.Tensor:
    """Return sines and cosines of every position at falling frequencies, (positions, width).

    >>> sinusoids(2, 4)[0].tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    angles = torch.arange(positions)[:, None] * torch.exp(
        torch.arange(0, width, 2) * (-math.log(1e4) / width)
    )
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width]


def set_dropout(config: PreTrainedConfig, rate: float) -> PreTrainedConfig:
    """Set every dropout of a configuration and return it."""
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        setattr(config, name, rate)
    return config


def first_position(model: PreTrainedModel) -> int:
    """Return the position id of the first token: 0, but RoBERTa starts after its padding id."""
    padding = getattr(model.base_model.embeddings, "padding_idx", None)
    return 0 if padding is None else int(padding) + 1


def most_tokens(model: PreTrainedModel) -> int:
    """Return how many tokens the model can take at once."""
    return int(model.config.max_position_embeddings) - first_position(model)


def count_parameters(model: PreTrainedModel) -> int:
    """Return the number of weights, shared ones counted once."""
    return sum(p.numel() for p in model.parameters())


def describe(config: Any) -> str:
    """Return the size of an encoder in words, such as `4 x 256`."""
    return f"{config.num_hidden_layers} x {config.hidden_size}"
