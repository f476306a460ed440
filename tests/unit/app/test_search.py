"""Several seeds and settings: each training is one of its own, all scores are kept, none is done twice."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from zhbert.app.search import TABLE, SearchConfig, combinations, search
from zhbert.config import parse
from zhbert.errors import ConfigError
from zhbert.files import read_manifest
from zhbert.progress import SILENT, Progress

Settings = Callable[..., dict[str, Any]]


def run(folder: Path, values: dict[str, Any], progress: Progress = SILENT) -> list[dict[str, Any]]:
    plain = {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}
    search(parse(SearchConfig, plain), folder, progress)
    cells: list[dict[str, Any]] = json.loads((folder / TABLE).read_text("utf-8"))["cells"]
    return cells


@pytest.mark.slow
def test_every_seed_is_a_training_of_its_own_and_more_seeds_only_add(
    tmp_path: Path, tiny_finetune: Settings, tiny_models: dict[str, Path]
) -> None:
    folder = tmp_path / "seeds"
    (one,) = run(folder, tiny_finetune("classify"))
    assert one["sd"] is None
    made = (folder / "seed-1/manifest.json").stat().st_mtime_ns
    (cell,) = run(folder, tiny_finetune("classify", seeds=2))
    assert (folder / "seed-1/manifest.json").stat().st_mtime_ns == made
    first, plain = (
        load_file(place / "model.safetensors") for place in (folder / "seed-1", tiny_models["classify"])
    )
    assert all(torch.equal(first[name], plain[name]) for name in plain)
    scores = [
        manifest.counts["dev_score"] for n in (1, 2) if (manifest := read_manifest(folder / f"seed-{n}"))
    ]
    assert list(cell["scores"].values()) == pytest.approx(scores, abs=1e-6)
    assert cell["mean"] == pytest.approx(statistics.mean(scores), abs=1e-4)
    assert cell["sd"] == pytest.approx(statistics.stdev(scores), abs=1e-4)


@pytest.mark.slow
def test_a_killed_grid_goes_on_where_it_was(
    tmp_path: Path, tiny_finetune: Settings, stop_after: Callable[[int], Progress]
) -> None:
    values = tiny_finetune(
        "classify", epochs=1, grid=["lr=1e-3,1e-9", "batch=8 window=48"], save_seconds=1e-9
    )
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "grid", values, stop_after(1))
    cells = run(tmp_path / "grid", values)
    assert [cell["settings"] for cell in cells] == [
        {"lr": lr, "batch": 8, "window": 48} for lr in (1e-3, 1e-9)
    ]
    names = [f"lr-{lr}-batch-8-window-48" for lr in ("1e-3", "1e-9")]
    assert sorted(path.name for path in (tmp_path / "grid").iterdir()) == [*names, TABLE]
    assert [list(cell["scores"]) for cell in cells] == [[f"{name}/seed-1"] for name in names]
    manifest = read_manifest(tmp_path / "grid" / names[1] / "seed-1")
    assert manifest is not None
    assert manifest.counts["lr"] == 1e-9


def test_the_grid_is_every_combination() -> None:
    found = combinations(["lr=1e-4,3e-4,1e-4", "layer-decay=0.9"])
    assert [name for name, _ in found] == ["lr-1e-4-layer_decay-0.9", "lr-3e-4-layer_decay-0.9"]
    assert [values["lr"] for _, values in found] == [1e-4, 3e-4]


MISTAKES = {
    "lrate=1": "grid: no setting lrate .*lr",
    "seed=1,2": "grid: seed must be the same",
    "init=a,b": "grid: init must be the same",
    "lr=": "grid: lr has no values",
    "lr=1 lr=2": "grid: lr is given twice",
    "batch=many": "batch",
    "warmup=2": "warmup",
}


@pytest.mark.parametrize("word", MISTAKES)
def test_a_wrong_grid_is_refused_before_anything_is_trained(
    word: str, tmp_path: Path, tiny_finetune: Settings
) -> None:
    with pytest.raises(ConfigError, match=MISTAKES[word]):
        run(tmp_path / "grid", tiny_finetune("classify", grid=["epochs=1,2", word]))
    assert not (tmp_path / "grid").exists()


def test_the_result_of_a_stage_is_not_written_into(
    tiny_finetune: Settings, tiny_models: dict[str, Path]
) -> None:
    with pytest.raises(ConfigError, match="this is the result of one stage"):
        run(tiny_models["ner"], tiny_finetune("ner"))
