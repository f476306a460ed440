"""Attention inside packed sequences: no token sees another sequence, no padding is computed.

A batch is one row [1, T] of whole sequences one after the other. transformers hands every
extra keyword argument of `model.base_model(...)` through to the registered function, so the
lengths travel with the call and neither the configuration nor the weights know of it: saved
folders load as plain SDPA with the same outputs.

Restarting `position_ids` alone would NOT keep sequences apart under SDPA.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

PACKED = "zhbert_packed"


def packed_attention(
    module: nn.Module,
    query_1HTD: Tensor,
    key_1HTD: Tensor,
    value_1HTD: Tensor,
    attention_mask: Tensor | None,
    *,
    lengths: list[int],
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attend within each sequence of a flat row; `lengths` are the sequences' tokens."""
    parts = zip(*(torch.split(x, lengths, dim=2) for x in (query_1HTD, key_1HTD, value_1HTD)), strict=True)
    seen = [scaled_dot_product_attention(q, k, v, dropout_p=dropout, scale=scaling) for q, k, v in parts]
    return torch.cat(seen, dim=2).transpose(1, 2), None


AttentionInterface.register(PACKED, packed_attention)


def use_packed(model: PreTrainedModel) -> None:
    """Make a model attend within packed sequences from now on."""
    model.set_attn_implementation(PACKED)


def use_plain(model: PreTrainedModel) -> None:
    """Make a model attend as transformers does."""
    model.set_attn_implementation("sdpa")


def positions(lengths: list[int], *, device: torch.device | str = "cpu") -> Tensor:
    """Return position ids that start again with every sequence, as a row.

    >>> positions([2, 3]).tolist()
    [[0, 1, 0, 1, 2]]
    """
    return torch.cat([torch.arange(n, device=device) for n in lengths])[None]
