"""Any task model without its padding: only real tokens go through the encoder, whatever the head is.

While `unpadded` lasts, the encoder of a model takes a padded batch, lays its rows end to end (see
`attention`), and puts the last hidden states back where the head looks for them. The head is the model's
own, and so are all weights. Places of padding hold zeros.

A head that reads nothing but the first token of a row (`_READ_FIRST`) gets nothing else: in the last layer
keys and values are computed of all tokens, everything else of the first. Of four layers that is a fifth of
the work.

For predictions the encoder can compute in bfloat16. The head stays with float32: a value of 1234.5 or a
threshold has more digits than bfloat16.

Families that are not ours compute their attention themselves, and keep their padding, as graphs do (`onnx`).

Shapes: B rows, L longest row, T tokens, H hidden, A heads, D dimensions of a head.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import PreTrainedModel

from zhbert.errors import ConfigError
from zhbert.model.attention import PACKED, Sequences
from zhbert.model.encoder import first_position
from zhbert.model.families import FAMILIES
from zhbert.model.tagger import Crf, Pointer
from zhbert.precision import Dtype, multiplies_halves

_READ_FIRST = ("ForSequenceClassification", "ForMultipleChoice")


def can_unpad(model: PreTrainedModel) -> bool:
    """Return whether the padding of a model's batches can be left out."""
    return isinstance(model, PreTrainedModel) and model.config.model_type in FAMILIES


def wants_alike(model: PreTrainedModel) -> bool:
    """Return whether rows of like length save work: the encoder takes padding, or a head of our own does."""
    return not can_unpad(model) or isinstance(model, Crf | Pointer)


def in_half(model: PreTrainedModel, dtype: Dtype) -> bool:
    """Return whether a model's encoder is to predict in bfloat16; its head never does.

    By itself it does so where a GPU computes in it.
    """
    if dtype == "bfloat16" and not can_unpad(model):
        raise ConfigError('dtype = "bfloat16": this model computes in float32 only', remedy='dtype = "auto"')
    gains = model.device.type == "cuda" and multiplies_halves(model.device)
    return dtype == "bfloat16" or (dtype == "auto" and gains and can_unpad(model))


@contextmanager
def unpadded(model: PreTrainedModel, *, half: bool = False) -> Iterator[None]:
    """Have the encoder of a model leave padding out for a while, and compute in bfloat16 if so wanted."""
    if not can_unpad(model):
        yield
        return
    encoder, config = model.base_model, model.config
    before = config._attn_implementation
    config._attn_implementation = PACKED
    first_only = reads_first(model)
    with instead(encoder, partial(_encode, encoder, half, first_only, first_position(model))):
        try:
            yield
        finally:
            config._attn_implementation = before


def reads_first(model: PreTrainedModel) -> bool:
    """Return whether the head of a model reads nothing but the first token, and its last layer is known."""
    return type(model).__name__.endswith(_READ_FIRST) and FAMILIES[model.config.model_type].table


@contextmanager
def instead(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Have a module do something else for a while; whatever wraps its calls stays."""
    module.forward = forward
    try:
        yield
    finally:
        del module.forward


def _encode(
    encoder: Any,
    half: bool,
    first_only: bool,
    first_place: int,
    input_ids: Tensor,
    attention_mask: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    **more: Any,
) -> Any:
    """Return what the encoder returns for a batch that is padded on the right."""
    mask_BL = torch.ones_like(input_ids) if attention_mask is None else attention_mask
    row = Sequences.of(mask_BL.sum(1).tolist()).to(input_ids.device)
    places_T = mask_BL.flatten().nonzero()[:, 0]
    inputs = {"input_ids": input_ids, "token_type_ids": token_type_ids}
    flat = {name: ids.flatten()[places_T][None] for name, ids in inputs.items() if ids is not None}
    flat["position_ids"] = row.positions_1T + first_place
    forward = partial(type(encoder).forward, encoder, **flat, sequences=row, **_known(more))
    whole = _in_half(forward, input_ids.device.type) if half else forward
    if first_only:
        layer = encoder.encoder.layer[-1]
        with instead(layer, partial(_first_of_each, layer, row, places_T, mask_BL.bool())):
            output = whole()
        hidden_BLH = output.last_hidden_state[0][:, None]
    else:
        output = whole()
        hidden_BLH = _spread(output.last_hidden_state[0], places_T, mask_BL)
    output.last_hidden_state = hidden_BLH
    if getattr(encoder, "pooler", None) is not None:
        output.pooler_output = encoder.pooler(hidden_BLH)
    return output


def _in_half(whole: Callable[[], Any], device: str) -> Callable[[], Any]:
    """Return what computes in bfloat16; its last step, a LayerNorm, autocast leaves in float32."""

    def halved() -> Any:
        with torch.autocast(device, torch.bfloat16):
            return whole()

    return halved


def _known(more: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in more.items() if value is not None}


def _spread(values_TX: Tensor, places_T: Tensor, mask_BL: Tensor) -> Tensor:
    """Return tokens back in their rows, zeros where there is padding."""
    empty = values_TX.new_zeros(mask_BL.numel(), *values_TX.shape[1:])
    return empty.index_copy(0, places_T, values_TX).view(*mask_BL.shape, *values_TX.shape[1:])


def _first_of_each(
    layer: Any, row: Sequences, places_T: Tensor, mask_BL: Tensor, hidden_1TH: Tensor, *_: Any, **__: Any
) -> Tensor:
    """Return what a layer of BERT's kind makes of the first token of every row."""
    own = layer.attention.self
    firsts_1BH = hidden_1TH[:, row.bounds_S1[:-1].long()]
    size = own.attention_head_size
    query_BA1D = own.query(firsts_1BH[0]).view(len(mask_BL), -1, 1, size)
    key_BALD, value_BALD = (
        _spread(made(hidden_1TH[0]), places_T, mask_BL).view(*mask_BL.shape, -1, size).transpose(1, 2)
        for made in (own.key, own.value)
    )
    seen_BA1D = scaled_dot_product_attention(
        query_BA1D,
        key_BALD,
        value_BALD,
        attn_mask=mask_BL[:, None, None],
        dropout_p=own.dropout.p if own.training else 0.0,
        scale=own.scaling,
    )
    attended_1BH = layer.attention.output(seen_BA1D.flatten(1)[None], firsts_1BH)
    out: Tensor = layer.output(layer.intermediate(attended_1BH), attended_1BH)
    return out
