"""Checkpoints that are complete or not there: weights, optimizer, and everything the loop knows.

A checkpoint is written beside its place, on the disk and not only on its way there, and renamed into it;
it is renamed again before it is removed. So one that can be seen is whole, after a kill and after a power
cut. All tensors are safetensors, all else is JSON. A file that went missing later is refused by name:
training on without the optimizer's state would be a different training.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from zhbert.errors import ModelError
from zhbert.files import sync
from zhbert.train.state import Tensors, put_weights

_PREFIX = "checkpoint-"
_BEST = "best.safetensors"
_REMEDY = "remove the folder to start again"
_FILES = ("model.safetensors", "optimizer.safetensors", "state.json")


def save(
    folder: Path, *, step: int, weights: Tensors, moments: Tensors, state: dict[str, Any], keep: int = 1
) -> None:
    """Save the training after `step` steps and remove all but the newest `keep` checkpoints."""
    place = folder / f"{_PREFIX}{step:09d}"
    staging = place.with_name(place.name + ".tmp")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    _write(weights, staging / "model.safetensors")
    _write(moments, staging / "optimizer.safetensors")
    (staging / "state.json").write_text(json.dumps({"step": step, **state}), encoding="utf-8")
    for path in (staging / "state.json", staging):
        sync(path)
    staging.rename(place)
    sync(folder)
    for old in _complete(folder)[:-keep]:
        _remove(old)


def _write(tensors: Tensors, path: Path) -> None:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    sync(path)


def latest(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a folder."""
    return next(iter(reversed(_complete(folder))), None)


def load(checkpoint: Path, *, model: nn.Module) -> tuple[Tensors, dict[str, Any]]:
    """Put the weights back as they were and return the optimizer's state and the rest of it."""
    for name in _FILES:
        if not (checkpoint / name).is_file():
            raise ModelError(f"the checkpoint lacks {name}", where=checkpoint, remedy=_REMEDY)
    try:
        put_weights(model, load_file(checkpoint / "model.safetensors"))
        moments = load_file(checkpoint / "optimizer.safetensors")
        state: dict[str, Any] = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
    except (SafetensorError, ValueError, RuntimeError) as error:
        why = str(error).splitlines()[0]
        raise ModelError(f"the checkpoint is damaged: {why}", where=checkpoint, remedy=_REMEDY) from error
    return moments, state


def save_best(folder: Path, weights: Tensors) -> None:
    """Save the best weights so far, in place of earlier ones."""
    staging = folder / (_BEST + ".tmp")
    _write(weights, staging)
    os.replace(staging, folder / _BEST)
    sync(folder)


def has_best(folder: Path) -> bool:
    """Return whether best weights were saved."""
    return (folder / _BEST).is_file()


def load_best(folder: Path, model: nn.Module) -> None:
    """Put the best weights back."""
    put_weights(model, load_file(folder / _BEST))


def clear(folder: Path) -> None:
    """Remove all checkpoints of a folder, once what was learnt is saved."""
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
