"""Checkpoints are whole or not there, whenever the kill comes."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from zhbert.train import checkpoint
from zhbert.train.state import moments_of, put_moments, weights_of


class Kill(BaseException):
    """The process is gone."""


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5))


@pytest.fixture
def optimizer(model: nn.Module) -> torch.optim.Optimizer:
    found = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    step(model, found)
    return found


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    model(torch.tensor([0, 1, 2, 3, 4])).square().sum().backward()
    optimizer.step()


def save(folder: Path, number: int, model: nn.Module, optimizer: Any, keep: int = 1) -> None:
    checkpoint.save(
        folder,
        step=number,
        weights=weights_of(model),
        moments=moments_of(optimizer),
        state={"job": {"position": number}},
        keep=keep,
    )


def load(found: Path, model: nn.Module, optimizer: Any) -> dict[str, Any]:
    moments, state = checkpoint.load(found, model=model)
    put_moments(optimizer, moments)
    return state


def kill_at(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Make the process die at the n-th change of the file system."""
    left = iter(range(call))

    def mortal(change: Any) -> Any:
        def done(*args: Any, **options: Any) -> Any:
            if next(left, None) is None:
                raise Kill
            return change(*args, **options)

        return done

    for name in ("rename", "replace", "mkdir", "unlink", "rmdir"):
        monkeypatch.setattr(os, name, mortal(getattr(os, name)))
    for name in ("save_file", "sync"):
        monkeypatch.setattr(checkpoint, name, mortal(getattr(checkpoint, name)))


def test_training_goes_on_bit_for_bit(tmp_path: Path, model: nn.Module, optimizer: Any) -> None:
    save(tmp_path, 1, model, optimizer)
    step(model, optimizer)
    expected = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    other = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5))
    again = torch.optim.AdamW(other.parameters(), lr=0.1, fused=True)
    found = checkpoint.latest(tmp_path)
    assert found is not None
    assert load(found, other, again) == {"step": 1, "job": {"position": 1}}
    step(other, again)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in other.state_dict().items())


@pytest.mark.parametrize("keep", [1, 2, 9])
def test_only_the_newest_are_kept(keep: int, tmp_path: Path, model: nn.Module, optimizer: Any) -> None:
    numbers = (9, 10, 100, 1_000_000)
    for number in numbers:
        save(tmp_path, number, model, optimizer, keep)
    names = [f"checkpoint-{number:09d}" for number in numbers]
    assert sorted(path.name for path in tmp_path.iterdir()) == names[-keep:]


def test_a_kill_while_saving_leaves_the_old_one_or_the_new_one(
    tmp_path: Path, model: nn.Module, optimizer: Any
) -> None:
    seen = set()
    for call in range(30):
        folder = tmp_path / str(call)
        save(folder, 1, model, optimizer)
        with pytest.MonkeyPatch.context() as patch:
            kill_at(patch, call)
            with suppress(Kill):
                save(folder, 2, model, optimizer)
        found = checkpoint.latest(folder)
        assert found is not None
        seen.add(load(found, model, optimizer)["step"])
        save(folder, 3, model, optimizer)
        names = {path.name for path in folder.iterdir()}
        assert "checkpoint-000000003" in names
        assert all(name.endswith((".tmp", "3")) for name in names)
    assert seen == {1, 2}


def test_a_kill_while_clearing_leaves_a_whole_checkpoint_or_none(
    tmp_path: Path, model: nn.Module, optimizer: Any
) -> None:
    left = set()
    for call in range(30):
        folder = tmp_path / str(call)
        save(folder, 1, model, optimizer)
        checkpoint.save_best(folder, weights_of(model))
        shutil.copytree(folder / "checkpoint-000000001", folder / "checkpoint-000000002.tmp")
        (folder / "best.safetensors.tmp").touch()
        with pytest.MonkeyPatch.context() as patch:
            kill_at(patch, call)
            with suppress(Kill):
                checkpoint.clear(folder)
        found = checkpoint.latest(folder)
        left.add(found is not None)
        if found:
            load(found, model, optimizer)
            assert checkpoint.has_best(folder)
        checkpoint.clear(folder)
        assert list(folder.iterdir()) == []
    assert left == {True, False}


def test_the_best_weights_come_back(tmp_path: Path, model: nn.Module, optimizer: Any) -> None:
    checkpoint.save_best(tmp_path, weights_of(model))
    expected = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    step(model, optimizer)
    checkpoint.load_best(tmp_path, model)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in model.state_dict().items())


def test_nothing_there(tmp_path: Path) -> None:
    assert checkpoint.latest(tmp_path) is None
    (tmp_path / "checkpoint-000000007.tmp").mkdir()
    assert checkpoint.latest(tmp_path) is None


def test_files_are_on_the_disk_before_the_checkpoint_can_be_seen(
    tmp_path: Path, model: nn.Module, optimizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(checkpoint, "sync", lambda path: done.append(f"sync {path.name}"))
    rename = Path.rename
    monkeypatch.setattr(Path, "rename", lambda old, new: done.append("rename") or rename(old, new))
    save(tmp_path, 7, model, optimizer)
    files = ("model.safetensors", "optimizer.safetensors", "state.json", "checkpoint-000000007.tmp")
    assert done == [*(f"sync {name}" for name in files), "rename", f"sync {tmp_path.name}"]


def test_tied_weights_are_saved_once_and_come_back_tied(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.out = nn.Embedding(5, 4), nn.Linear(4, 5)
            self.out.weight = self.table.weight

    one, other = Tied(), Tied()
    checkpoint.save_best(tmp_path, weights_of(one))
    checkpoint.load_best(tmp_path, other)
    assert sorted(weights_of(one)) == ["out.bias", "table.weight"]
    assert torch.equal(other.out.weight, one.table.weight)
    assert other.out.weight is other.table.weight


def test_weights_of_another_model_are_refused_by_name(tmp_path: Path, model: nn.Module) -> None:
    checkpoint.save_best(tmp_path, weights_of(model))
    with pytest.raises(ValueError, match=r"1\.bias is in the file only"):
        checkpoint.load_best(tmp_path, nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5, bias=False)))
