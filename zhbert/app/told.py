"""What the files and folders that a report is made of tell: of the models, of what they read, of the data.

A folder of `zhbert apply` tells how its model came about, how much it saw and what that took; a bare file of
predictions tells nothing but its hash. What two hashes prove is said: that the test set is what a model was
chosen by, or that it learnt from something else than the train set that is given.
"""

import json
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import zhbert
from zhbert.app.stages import content
from zhbert.config import HUB
from zhbert.errors import DataError
from zhbert.files import hash_file, read_manifest
from zhbert.plain import from_plain
from zhbert.read.references import find, is_reference
from zhbert.records import Example, characters_of
from zhbert.score.cost import COST, Cost
from zhbert.score.coverage import COVERAGE, Coverage
from zhbert.score.sheet import Note

MODEL = "model.json"  # what `zhbert apply` writes beside predictions; named here, where no torch loads
LEARNT = "learnt_from"  # in it: the hashes of train, dev and the encoder
_LINES, _TABLE = "predictions.jsonl", "predictions.parquet"
_DIGITS = 16  # of a hash that are shown
_WITH = ("zhbert", "torch", "transformers", "tokenizers", "numpy")
IS_TRAIN = "learnt from the very examples that are the test set"
IS_DEV = "the test set is its dev set, by which its best epoch and its thresholds were chosen"
OTHER_TRAIN = "learnt from other examples than the train set that is given"


def predictions_file(path: Path) -> Path:
    """Return the file of predictions: the path itself, or the one that `zhbert apply` left in it."""
    file = path / _LINES if path.is_dir() else path
    if file.is_file():
        return file
    if (path / _TABLE).is_file():
        raise DataError(
            "predictions as a table are not scored", where=path, remedy="zhbert apply --format jsonl"
        )
    inside = sorted(file for name in (_LINES, _TABLE) for file in path.glob(f"*/{name}"))
    if inside:
        raise DataError(
            "a folder of several models", where=path, remedy=f"name one, such as {inside[0].parent}"
        )
    raise DataError(
        "no such file", where=file, remedy="give predictions.jsonl, or the folder that zhbert apply wrote"
    )


def _told(path: Path, name: str) -> Any:
    """Return what a file of ours in a folder of predictions says; None if it is not there, or not ours."""
    file = path / name
    if not file.is_file() or read_manifest(path) is None:
        return None
    return json.loads(file.read_text(encoding="utf-8"))


def facts_of(path: Path) -> dict[str, Any]:
    """Return what the model behind a folder of predictions says of how it came about."""
    facts = _told(path, MODEL)
    if facts is None:
        return {}
    learnt = {name: hash_[:_DIGITS] for name, hash_ in facts.get(LEARNT, {}).items()}
    return {"window": facts["window"], **facts["provenance"]} | ({"hash": learnt} if learnt else {})


def coverage_of(path: Path) -> Coverage | None:
    """Return how much of the texts a model saw, where that was counted."""
    told = _told(path, COVERAGE)
    return None if told is None else from_plain(Coverage, told)


def cost_of(path: Path) -> Cost | None:
    """Return what predicting took, where that was measured."""
    told = _told(path, COST)
    return None if told is None else from_plain(Cost, told)


def notes_on(system: str, path: Path, *, gold: Path, train: Path | None) -> Iterator[Note]:
    """Yield what a reader must know of what a system learnt from, as far as hashes prove it."""
    learnt = (_told(path, MODEL) or {}).get(LEARNT, {})
    if not learnt:
        return
    if learnt.get("train") == content(gold):
        yield Note(system=system, what=IS_TRAIN)
    if learnt.get("dev") == content(gold):
        yield Note(system=system, what=IS_DEV)
    if train and learnt.get("train") != content(train):
        yield Note(system=system, what=OTHER_TRAIN)


def known_as(path: Path, examples: Sequence[Example]) -> str:
    """Return the name of a file, or its reference, its checksum and how much is in it."""
    name = path.as_posix() if is_reference(path) else path.name
    sum_ = "" if f"@{HUB}" in name else f" sha256 {hash_file(find(path))[:_DIGITS]}"
    return f"{name}{sum_}, {len(examples):,} examples, {sum(map(characters_of, examples)):,} characters"


def made_with(path: Path) -> dict[str, str]:
    """Return what is behind a system's predictions: their hash, and of our own the plan and versions."""
    file = predictions_file(path)
    found = {"predictions": f"{file.name} sha256 {hash_file(file)[:_DIGITS]}"}
    manifest = read_manifest(path) if path.is_dir() else None
    if manifest:
        inputs = (f"{name} {hash_[:_DIGITS]}" for name, hash_ in manifest.inputs.items())
        found["plan"] = ", ".join([manifest.plan[:_DIGITS], *inputs])
        known = ((name, manifest.versions[name]) for name in _WITH if name in manifest.versions)
        found["versions"] = ", ".join(f"{name} {version}" for name, version in known)
    return found


def here() -> dict[str, str]:
    """Return with what a report is made."""
    return {
        "zhbert": zhbert.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
    }
