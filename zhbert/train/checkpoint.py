"""Checkpoints that are complete or not there: weights, optimizer, and everything the loop knows.

A checkpoint is written beside its place and renamed into it, and renamed again before it is
removed, so one that can be seen is whole. All tensors are safetensors, all else is JSON. A file
that went missing later is refused by name: training on without the optimizer's state would be a
different training.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, load_model, save_file, save_model
from torch.optim import Optimizer

from zhbert.errors import ModelError

_PREFIX = "checkpoint-"
_BEST = "best.safetensors"
_REMEDY = "remove the folder to start again"
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
        _remove(old)


def latest(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a folder."""
    return next(iter(reversed(_complete(folder))), None)


def load(checkpoint: Path, *, model: torch.nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """Put weights and optimizer back as they were and return the rest of the state."""
    for name in _FILES:
        if not (checkpoint / name).is_file():
            raise ModelError(f"the checkpoint lacks {name}", where=checkpoint, remedy=_REMEDY)
    try:
        load_model(model, str(checkpoint / "model.safetensors"))
        _restore(optimizer, load_file(checkpoint / "optimizer.safetensors"))
        state: dict[str, Any] = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
    except (SafetensorError, ValueError, RuntimeError) as error:
        why = str(error).splitlines()[0]
        raise ModelError(f"the checkpoint is damaged: {why}", where=checkpoint, remedy=_REMEDY) from error
    return state


def save_best(folder: Path, model: torch.nn.Module) -> None:
    """Save the best weights so far, in place of earlier ones."""
    staging = folder / (_BEST + ".tmp")
    save_model(model, str(staging))
    staging.replace(folder / _BEST)


def has_best(folder: Path) -> bool:
    """Return whether best weights were saved."""
    return (folder / _BEST).is_file()


def load_best(folder: Path, model: torch.nn.Module) -> None:
    """Put the best weights back."""
    load_model(model, str(folder / _BEST))


def clear(folder: Path) -> None:
    """Remove all checkpoints of a folder."""
    for path in _complete(folder):
        _remove(path)
    for path in folder.glob(f"{_PREFIX}*.tmp"):
        shutil.rmtree(path)
    for path in folder.glob(f"{_BEST}*"):  # last: a checkpoint without its best weights is of no use
        path.unlink()


def _remove(checkpoint: Path) -> None:
    gone = checkpoint.with_name(checkpoint.name + ".tmp")
    shutil.rmtree(gone, ignore_errors=True)
    checkpoint.rename(gone)
    shutil.rmtree(gone)


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
