"""Encoders: presets from nano to large, of four families, all stock transformers classes.

The start of an encoder is made for short trainings of narrow models:

- Weights start wider the narrower the encoder is (BERT's 0.02 at 768), or attention begins as next to
  nothing beside the residual stream.
- Positions start as sinusoids and are learnt from there: "the token before" is then one and the same
  rotation at every position, and need not be found 128 times. They can also stay sinusoids (`fixed`: not
  trained, and every length has its rows), or start at random as BERT's do. Either way they are ordinary
  weights of the table that transformers loads. ModernBERT has no table: it rotates.

A table that is all sinusoids is known again in a loaded model, so what was fixed stays fixed.

Dropout is off while pretraining (attention dropout must be 0 on packed text, and a corpus seen a few
times does not need the rest), and on again while fine-tuning.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    PreTrainedConfig,
    PreTrainedModel,
)

from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError
from zhbert.model.families import FamilyName, config_of, family_of

PositionStart = Literal["sinusoids", "fixed", "random"]


@dataclass(frozen=True, slots=True)
class Preset:
    """The size of an encoder."""

    layers: int
    width: int
    heads: int
    inner: int


DROPOUT = 0.1  # BERT's, for fine-tuning
_DROPOUTS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "attention_dropout",
    "embedding_dropout",
    "mlp_dropout",
)
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


def new_config(
    preset: str, tokenizer: Tokenizer, *, family: FamilyName = "bert", positions: int = 512
) -> PreTrainedConfig:
    """Return the transformers configuration of a preset for a tokenizer."""
    size = PRESETS[preset]
    return config_of(
        family,
        positions=positions,
        special=tokenizer.special,
        vocab_size=tokenizer.size,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=size.inner,
        initializer_range=round(0.02 * (768 / size.width) ** 0.5, 4),
    )


def new_encoder(
    config: PreTrainedConfig, *, seed: int, positions: PositionStart = "sinusoids", pairs: bool = False
) -> PreTrainedModel:
    """Return an untrained encoder whose weights depend on the seed alone, with a head for pairs if wanted."""
    if positions != "sinusoids" and not family_of(config).table:
        raise ConfigError(f'positions = "{positions}": {config.model_type} rotates and has no table of them')
    torch.manual_seed(seed)
    model: PreTrainedModel = class_of(config, pairs=pairs).from_config(config, dtype=torch.float32)
    rows = _position_rows(model)
    if rows is not None and positions != "random":
        with torch.no_grad():
            rows.copy_(_first_rows(rows, config))
    if positions == "fixed":
        freeze_fixed_positions(model)
    return model


def class_of(config: PreTrainedConfig, *, pairs: bool, where: object = "") -> Any:
    """Return the transformers class of a masked-language model, or of one that also judges pairs."""
    if not pairs:
        return AutoModelForMaskedLM
    if not family_of(config, where=where).pairs:
        raise ConfigError(f"{config.model_type} has no head for pairs", where=where, remedy='pairs = "none"')
    return AutoModelForPreTraining


def freeze_fixed_positions(model: PreTrainedModel) -> bool:
    """Keep positions that are sinusoids, as no trained ones are, from being trained; tell whether they were.

    >>> from transformers import BertConfig
    >>> tiny = BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    >>> freeze_fixed_positions(new_encoder(tiny, seed=1, positions="random"))
    False
    """
    rows = _position_rows(model)
    fixed = rows is not None and torch.allclose(rows, _first_rows(rows, model.config), rtol=0, atol=1e-6)
    if fixed:
        model.base_model.embeddings.position_embeddings.weight.requires_grad_(False)
    return fixed


def _position_rows(model: PreTrainedModel) -> Tensor | None:
    """Return the rows of the table of positions that tokens can have, where there is a table."""
    table: Any = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    if table is None:
        return None
    weight: Tensor = table.weight
    return weight.detach()[first_position(model) :]


def _first_rows(rows: Tensor, config: PreTrainedConfig) -> Tensor:
    """Return sinusoids of the spread that weights start with."""
    spread = float(config.initializer_range) * 2**0.5
    return (sinusoids(*rows.shape) * spread).to(rows.device)


def sinusoids(positions: int, width: int) -> torch.Tensor:
    """Return sines and cosines of every position at falling frequencies, (positions, width).

    >>> sinusoids(2, 4)[0].tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    angles = torch.arange(positions)[:, None] * torch.exp(
        torch.arange(0, width, 2) * (-math.log(1e4) / width)
    )
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width]


def set_dropout(config: PreTrainedConfig, rate: float, *, attention: float | None = None) -> PreTrainedConfig:
    """Set every dropout that a configuration has, that of attention apart where it is given; return it."""
    for name in _DROPOUTS:
        if hasattr(config, name):
            apart = attention is not None and name.startswith("attention_")
            setattr(config, name, attention if apart else rate)
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
