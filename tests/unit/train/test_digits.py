"""In which numbers a training multiplies: as wished, or as the processor gains; its weights are float32."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from curve import Curve, Net, config, rows, same
from safetensors.torch import load_file
from torch import Tensor

from zhbert import precision
from zhbert.train.job import Micro
from zhbert.train.loop import train


class Watching(Curve):
    """Notes in which numbers its losses are computed."""

    def loss(self, model: Any, micro: Micro) -> Tensor:
        self.numbers = model.inner(micro.tensors["x"]).dtype
        return super().loss(model, micro).float()


def learnt(place: Path, dtype: str) -> tuple[Net, torch.dtype]:
    place.mkdir()
    model, job = Net(), Watching()
    train(model, job, config(dtype=dtype), folder=place)
    return model, job.numbers


@pytest.mark.parametrize(
    ("dtype", "gains", "numbers"),
    [
        ("float32", True, torch.float32),
        ("bfloat16", False, torch.bfloat16),
        ("auto", True, torch.bfloat16),
        ("auto", False, torch.float32),
    ],
)
def test_numbers_are_as_wished_or_as_the_processor_gains(
    dtype: str, gains: bool, numbers: torch.dtype, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "multiplies_halves", lambda device: gains)
    model, found = learnt(tmp_path / "once", dtype)
    assert found == numbers
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert same(model, learnt(tmp_path / "again", dtype)[0])


def test_a_torch_that_cannot_tell_stays_with_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    assert not precision.multiplies_halves(torch.device("cpu"))


def test_halves_learn_the_same_but_for_a_few_digits(tmp_path: Path) -> None:
    whole, _ = learnt(tmp_path / "whole", "float32")
    half, _ = learnt(tmp_path / "half", "bfloat16")
    assert not same(whole, half)
    for a, b in zip(rows(tmp_path / "whole"), rows(tmp_path / "half"), strict=True):
        assert b["loss"] == pytest.approx(a["loss"], rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pretrain", "classify", "reading"])
def test_an_encoder_learns_in_halves(
    kind: str,
    stage: Callable[..., Path],
    tiny_pretrain: dict[str, Any],
    tiny_finetune: Callable[..., dict[str, Any]],
    tmp_path: Path,
) -> None:
    name = kind if kind == "pretrain" else "finetune"
    values = tiny_pretrain if kind == "pretrain" else tiny_finetune(kind, dropout=0.0)
    losses = []
    for dtype in ("float32", "bfloat16"):
        folder = stage(name, tmp_path / dtype, **values | {"dtype": dtype})
        assert {weight.dtype for weight in load_file(folder / "model.safetensors").values()} == {
            torch.float32
        }
        losses.append(
            [row["loss"] for row in map(json.loads, (folder / "logs/metrics.jsonl").open()) if "loss" in row]
        )
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
