"""A step that does not fit into memory is done again in smaller parts, and comes to the same."""

from pathlib import Path
from typing import Any

import pytest
import torch
from curve import ROWS, STEPS, Curve, Net, config, folder, rows, same
from torch import Tensor

from zhbert.errors import TrainingError
from zhbert.progress import Silent
from zhbert.train.job import Micro
from zhbert.train.loop import train


class Small(Curve):
    """A memory for so many rows, from a step on; it runs out after half of the gradient is there."""

    def __init__(self, room: int, since: int = 0, **more: Any) -> None:
        super().__init__(**more)
        self.room, self.since = room, since

    def loss(self, model: Any, micro: Micro) -> Tensor:
        loss = super().loss(model, micro)
        if self.position > self.since and len(micro.tensors["x"]) > self.room:
            loss.backward()
            raise torch.OutOfMemoryError("CUDA out of memory")
        return loss


class Saying(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_the_step_is_repeated_in_halves_and_the_result_is_the_same(tmp_path: Path) -> None:
    one, other, job, said = Net(), Net(), Small(3, since=4), Saying()
    train(one, Curve(), config(), folder=folder(tmp_path, "one"))
    history = train(other, job, config(), folder=folder(tmp_path, "other"), progress=said)
    assert [parts for _, parts in job.asked] == [1] * 5 + [2] + [4] * (STEPS - 4)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    figures = zip(rows(tmp_path / "one"), rows(tmp_path / "other"), strict=True)
    assert all(b == pytest.approx(a, rel=1e-5) for a, b in figures)
    assert said.lines == [f"out of memory: from step 4 on micro-batches of 1/{parts}" for parts in (2, 4)]
    assert (history.parts, history.tokens) == (4, STEPS * ROWS * 10)


def test_what_fits_is_remembered_by_a_run_that_goes_on(tmp_path: Path) -> None:
    whole, model, work = Net(0.2), Net(0.2), folder(tmp_path, "work")
    train(whole, Small(3), config(), folder=folder(tmp_path, "whole"))
    with pytest.raises(KeyboardInterrupt):
        train(Net(0.2), Small(3, stop_at=5), config(save_seconds=1e-9), folder=work)
    job = Small(3)
    train(model, job, config(), folder=work)
    assert {parts for _, parts in job.asked} == {4}
    assert same(model, whole)


def test_one_sample_that_does_not_fit_ends_the_training(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"out of memory with one sample at a time \(take shorter"):
        train(Net(), Small(0), config(), folder=tmp_path)
