"""A task model written as an ONNX graph, and once more with weights of eight bits.

- torch's tracing exporter writes it: a trace is the whole model, because nothing in these classes depends on
  the values that go in. It took 2 s for four layers where the exporter by `torch.export` took 28 s, for a
  graph with the same operators and the same speed, and needs no other package.
- Attention is computed as `eager` spells it out. SDPA's form asks of every row whether it sees any key at
  all, which with eight bits costs a quarter on long texts.
- Where a head reads [CLS] only, so does the last layer, as without graphs (`unpadded`).
- A chain's steps between tags are an output too: the graph gives what `task/tagged.py` finds the path with.
- Eight bits: the matrices of the encoder, with a scale for every column; embeddings, pooler and head, where
  there is no time to gain, stay as they are. What the matrices are multiplied with is rounded as it comes.

Shapes: B rows, T tokens, H hidden, A heads, D dimensions of a head.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from zhbert.errors import ModelError
from zhbert.model.encoder import first_position
from zhbert.model.families import FAMILIES
from zhbert.model.heads import chooses
from zhbert.model.onnx import needed
from zhbert.model.unpadded import instead, reads_first

OPSET = 20  # the first in which Gelu is an operator
ROWS, TOKENS = "rows", "tokens"  # the axes that can have any length
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_TRACED = (3, 8)  # the shape of the batch that is traced
_MATRICES = ["MatMul"]


class _Traced(nn.Module):
    """A model with inputs by place, positions that restart in every row, and outputs by name."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model, self.first, self.chooses = model, first_position(model), chooses(model)
        self.inputs = _INPUTS if getattr(model.config, "type_vocab_size", 0) > 1 else _INPUTS[:2]

    def forward(self, *given_BT: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs in their order."""
        return tuple(self.said(*given_BT).values())

    def said(self, *given_BT: Tensor) -> dict[str, Tensor]:
        """Return the outputs by their names."""
        inputs = dict(zip(self.inputs, given_BT, strict=True))
        inputs["position_ids"] = torch.arange(given_BT[0].shape[1])[None] + self.first
        if self.chooses:  # every row is one option of a question of its own
            inputs = {name: rows[:, None] for name, rows in inputs.items()}
        return dict(self.model(**inputs))


def write_graph(model: PreTrainedModel, path: Path) -> None:
    """Write a task model, which must be on the CPU, as a graph; the model is left as it was."""
    needed("onnx")
    if model.config.model_type not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise ModelError(f"{model.config.model_type} is no family that is known as a graph: {known}")
    traced = _Traced(model).eval()  # the exporter leaves it, and the model in it, as it finds it
    with _as_spelt_out(model), _first_only(model), torch.no_grad(), _silent():
        given = _batch(*_TRACED, len(traced.inputs))
        said = traced.said(*given)
        longer = traced.said(*_batch(_TRACED[0], _TRACED[1] + 1, len(traced.inputs)))
        axes = {name: {0: ROWS, 1: TOKENS} for name in traced.inputs}
        axes |= {name: _axes(value, longer[name]) for name, value in said.items()}
        torch.onnx.export(
            traced,
            given,
            path,
            dynamo=False,
            input_names=list(traced.inputs),
            output_names=list(said),
            dynamic_axes={name: known for name, known in axes.items() if known},
            opset_version=OPSET,
        )


def _batch(rows: int, tokens: int, inputs: int) -> tuple[Tensor, ...]:
    """Return inputs of which some are padding."""
    ids_BT = torch.arange(rows * tokens).view(rows, tokens) % 7
    seen_BT = torch.ones(rows, tokens, dtype=torch.long)
    seen_BT[-1, tokens // 2 :] = 0
    return (ids_BT, seen_BT, torch.zeros_like(ids_BT))[:inputs]


def _axes(value: Tensor, longer: Tensor) -> dict[int, str]:
    """Return the names of the axes of an output, by what longer rows make of it."""
    tokens = {axis: TOKENS for axis in range(value.dim()) if value.shape[axis] != longer.shape[axis]}
    return {} if value.shape[0] != _TRACED[0] else {0: ROWS} | tokens


@contextmanager
def _as_spelt_out(model: PreTrainedModel) -> Iterator[None]:
    """Have a model compute its attention in plain operators for a while."""
    before = model.config._attn_implementation
    model.config._attn_implementation = "eager"
    try:
        yield
    finally:
        model.config._attn_implementation = before


@contextmanager
def _first_only(model: PreTrainedModel) -> Iterator[None]:
    """Have the last layer compute nothing but the first token, where a head reads nothing else."""
    if not reads_first(model):
        yield
        return
    layer = model.base_model.encoder.layer[-1]
    with instead(layer, partial(_first_of_each, layer)):
        yield


def _first_of_each(layer: Any, hidden_BTH: Tensor, unseen: Tensor, *_: Any, **__: Any) -> Tensor:
    """Return what a layer of BERT's kind makes of the first token of every row; the mask is added."""
    own, first_B1H = layer.attention.self, hidden_BTH[:, :1]
    query_BA1D, key_BATD, value_BATD = (
        made(given).unflatten(-1, (-1, own.attention_head_size)).transpose(1, 2)
        for made, given in ((own.query, first_B1H), (own.key, hidden_BTH), (own.value, hidden_BTH))
    )
    scores_BA1T = query_BA1D @ key_BATD.transpose(2, 3) * own.scaling + unseen[:, :, :1]
    seen_B1H = (scores_BA1T.softmax(-1) @ value_BATD).transpose(1, 2).flatten(2)
    attended_B1H = layer.attention.output(seen_B1H, first_B1H)
    out: Tensor = layer.output(layer.intermediate(attended_B1H), attended_B1H)
    return out


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the exporter from saying that it is old, and ONNX Runtime from giving advice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def write_int8(graph: Path, path: Path, *, encoder: str) -> None:
    """Write a graph once more with the matrices of its `encoder` (`base_model_prefix`) in eight bits."""
    onnx, quantization = needed("onnx"), needed("onnxruntime.quantization")
    nodes = onnx.load(graph, load_external_data=False).graph.node
    others = [n.name for n in nodes if n.op_type in _MATRICES and f"/{encoder}/" not in n.name]
    with _silent():
        quantization.quantize_dynamic(
            graph,
            path,
            op_types_to_quantize=_MATRICES,
            nodes_to_exclude=others,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            extra_options={"MatMulConstBOnly": True},
        )
