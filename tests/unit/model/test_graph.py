"""Graphs of every family: the numbers of the model at any length, and the model as it was afterwards."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
    DistilBertConfig,
    PreTrainedModel,
)

from zhbert.encode.tokenizer import Special
from zhbert.errors import ConfigError, ModelError
from zhbert.model.families import FamilyName, config_of
from zhbert.model.graph import write_graph
from zhbert.model.onnx import OnnxModel
from zhbert.model.unpadded import in_half, unpadded
from zhbert.task.base import run_model

LONGEST = 300  # more than ModernBERT's layers with a window see
SPECIAL = Special(pad=0, unk=1, cls=2, sep=3, mask=4)
SIZE = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 48}


def model_of(family: FamilyName, kind: Any = AutoModelForTokenClassification) -> PreTrainedModel:
    config = config_of(
        family, positions=LONGEST, special=SPECIAL, vocab_size=50, initializer_range=0.2, **SIZE
    )
    config.num_labels = 3
    torch.manual_seed(5)
    model: PreTrainedModel = kind.from_config(config).eval()
    return model


def batch(lengths: list[int], *, seed: int) -> dict[str, torch.Tensor]:
    """Return rows of these lengths with two segments each."""
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    ids = torch.randint(5, 50, mask.shape, generator=torch.Generator().manual_seed(seed)) * mask
    segments = (torch.arange(max(lengths)) >= torch.tensor(lengths)[:, None] // 2).long() * mask
    return {"input_ids": ids, "token_type_ids": segments, "attention_mask": mask}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [AutoModelForTokenClassification, AutoModelForSequenceClassification])
@pytest.mark.parametrize("family", ["bert", "ernie", "roberta", "modernbert"])
def test_numbers_are_the_models_at_any_length(family: FamilyName, kind: Any, tmp_path: Path) -> None:
    model = model_of(family, kind)
    write_graph(model, tmp_path / "model.onnx")
    graph = OnnxModel(tmp_path / "model.onnx", model.config)
    assert not model.training
    assert model.config._attn_implementation == "sdpa"
    by_token = kind is AutoModelForTokenClassification
    assert graph.by_token == ({"logits"} if by_token else set())
    rng = torch.Generator().manual_seed(7)
    mixed = [torch.randint(1, LONGEST + 1, (rows,), generator=rng).tolist() for rows in (1, 2, 5, 9)]
    for seed, lengths in enumerate([*mixed, [1], [2], [LONGEST], [1, LONGEST]]):
        given = batch(lengths, seed=seed)
        with torch.inference_mode():
            ours, theirs = run_model(model, given).logits, run_model(graph, given).logits
        seen = given["attention_mask"] > 0 if by_token else slice(None)
        assert torch.allclose(ours[seen], theirs[seen], atol=1e-5), lengths


def test_a_family_that_is_not_known_is_refused(tmp_path: Path) -> None:
    config = DistilBertConfig(vocab_size=50, dim=32, n_layers=1, n_heads=2, hidden_dim=32)
    with pytest.raises(ModelError, match="distilbert is no family that is known as a graph"):
        write_graph(AutoModelForTokenClassification.from_config(config), tmp_path / "model.onnx")


def test_half_is_the_encoders_alone() -> None:
    """bfloat16 on a CPU too: near the model's numbers, not equal to them, and in float32."""
    model, given = model_of("bert"), batch([40, 7], seed=1)
    with torch.inference_mode():
        wide, narrow = run_model(model, given).logits, run_model(model, given, half=True).logits
    seen = given["attention_mask"] > 0
    assert narrow.dtype == torch.float32
    assert not torch.equal(narrow, narrow.bfloat16().float()), "the head computes in bfloat16 too"
    apart = float((wide - narrow)[seen].abs().max() / wide[seen].abs().max())
    assert 1e-4 < apart < 0.1


def test_half_where_it_is_wanted_and_can_be() -> None:
    model = model_of("bert")
    assert [in_half(model, dtype) for dtype in ("float32", "bfloat16")] == [False, True]
    assert not in_half(model, "auto") or model.device.type == "cuda"
    config = DistilBertConfig(vocab_size=50, dim=32, n_layers=1, n_heads=2, hidden_dim=32)
    other = AutoModelForTokenClassification.from_config(config)
    assert not in_half(other, "auto")
    with pytest.raises(ConfigError, match="computes in float32 only"):
        in_half(other, "bfloat16")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_computes_in_half_by_itself() -> None:
    model = AutoModelForTokenClassification.from_config(
        BertConfig(**SIZE, vocab_size=50, num_labels=3)
    ).eval()
    given = batch([100, 7, 64], seed=2)
    seen = given["attention_mask"] > 0
    with torch.inference_mode(), unpadded(model):
        wide = model(**given).logits
    model.cuda()
    assert in_half(model, "auto") == (torch.cuda.get_device_capability() >= (8, 0))
    with torch.inference_mode():
        narrow = run_model(model, {name: rows.cuda() for name, rows in given.items()}, half=True).logits.cpu()
    assert narrow.dtype == torch.float32
    assert torch.allclose(narrow[seen], wide[seen], atol=0.05 * float(wide.abs().max()))
