"""Checkpoints that are complete or not there: weights, optimizer, and everything the loop knows.

A checkpoint is written beside its place and renamed into it, so one that can be seen is whole.
All tensors are safetensors, all else is JSON. A file that went missing later is refused by
name: training on without the optimizer's state would be a different training.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, load_model, save_file, save_model
from torch.optim import Optimizer

from zhbert.errors import ModelError

_PREFIX = "checkpoint-"
_BEST = "best.safetensors"
_FILES = ("model.safetensors", "optimizer.safetensors", "state.json")


def save(
    folder: Path, *, step: int, model: torch.nn.Module, optimizer: Optimizer, state: dict[str, Any]
) -> None:
    """Save the training after `step` steps and remove older checkpoints."""
    place = folder / f"{_PREFIX}{step:09d}"
    staging = place.with_name(place.name + ".tmp")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    save_model(model, str(staging / "model.safetensors"))
    save_file(_flatten(optimizer), staging / "optimizer.safetensors")
    (staging / "state.json").write_text(json.dumps({"step": step, **state}), encoding="utf-8")
    staging.rename(place)
    for old in _complete(folder)[:-1]:
        shutil.rmtree(old)


def latest(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a folder."""
    return next(iter(reversed(_complete(folder))), None)


def load(checkpoint: Path, *, model: torch.nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """Put weights and optimizer back as they were and return the rest of the state."""
    for name in _FILES:
        if not (checkpoint / name).is_file():
            raise ModelError(
                f"the checkpoint lacks {name}", where=checkpoint, remedy="remove the folder to start again"
            )
    load_model(model, str(checkpoint / "model.safetensors"))
    _restore(optimizer, load_file(checkpoint / "optimizer.safetensors"))
    state: dict[str, Any] = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
    return state


def save_best(folder: Path, model: torch.nn.Module) -> None:
    """Save the best weights so far, in place of earlier ones."""
    staging = folder / (_BEST + ".tmp")
    save_model(model, str(staging))
    staging.replace(folder / _BEST)


def load_best(folder: Path, model: torch.nn.Module) -> None:
    """Put the best weights back."""
    load_model(model, str(folder / _BEST))


def clear(folder: Path) -> None:
    """Remove all checkpoints of a folder."""
    (folder / _BEST).unlink(missing_ok=True)
    for path in folder.glob(f"{_PREFIX}*"):
        shutil.rmtree(path)


def _complete(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob(f"{_PREFIX}*") if not p.name.endswith(".tmp"))


def _flatten(optimizer: Optimizer) -> dict[str, torch.Tensor]:
    state = optimizer.state_dict()["state"]
    return {f"{index}.{name}": tensor for index, slots in state.items() for name, tensor in slots.items()}


def _restore(optimizer: Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
