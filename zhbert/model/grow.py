"""Rows for the tokens that a vocabulary was extended by.

A new row of the embedding, and of the head's bias, starts as the mean of the old rows that `extension.json`
names. Old rows stay as they are, so a text without new tokens gets the logits it had; those of new tokens
come after them, or in the place of an [unusedN].

Weights that are tied are one object in many places. So what was grown is put wherever the old one stood,
whatever the family calls the place.

Shapes: V rows (the vocabulary), H width, N new tokens.
"""

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from zhbert.encode.extension import Extension
from zhbert.errors import ModelError


def grow(model: PreTrainedModel, extension: Extension) -> None:
    """Give a model with a vocabulary head a row for each token of an extension."""
    embedding, decoder = model.get_input_embeddings(), model.get_output_embeddings()
    old_rows = int(model.config.vocab_size)
    if old_rows < extension.base_size:
        raise ModelError(f"the embedding has {old_rows} rows, but the vocabulary had {extension.base_size}")
    rows = max(old_rows, extension.size)  # some embeddings have had more rows than tokens all along
    grown = {
        id(old): nn.Parameter(_grown(old.detach(), rows, extension.starts()), requires_grad=old.requires_grad)
        for old in (embedding.weight, decoder.weight, decoder.bias)
        if old is not None
    }
    for module in model.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            if id(weight) in grown:
                setattr(module, name, grown[id(weight)])
    embedding.num_embeddings = decoder.out_features = model.config.vocab_size = rows


def _grown(old: Tensor, rows: int, starts: dict[int, tuple[int, ...]]) -> Tensor:
    """Return a matrix (V, H) or a bias (V) with so many rows, the new ones begun as means of old ones."""
    new = torch.zeros(rows, *old.shape[1:], dtype=old.dtype, device=old.device)
    new[: len(old)] = old
    means: dict[tuple[int, ...], Tensor] = {}  # of a group, which many share, once
    for token, places in starts.items():
        if places not in means:
            means[places] = old[list(places)].mean(0)
        new[token] = means[places]
    return new
