"""The quickstart recipe, cut short near the end: what it promises shows, and the Python page runs on it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import zhbert

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
EPOCHS = {"topics": 4, "ner": 4, "reading": 1}
SHORT: dict[str, Any] = {
    "encoder-short.steps": 400,
    "encoder.steps": 2,
    "encoder.lr": 1e-5,
    "report.draws": 1000,
    "questions.sample": 200,
}
SHORT |= {f"{task}-pretrained.epochs": epochs for task, epochs in EPOCHS.items()}
for task in ("topics", "ner"):  # the larger encoder learns from a quarter of the examples, once
    SHORT |= {f"{task}-bundled.epochs": 1, f"{task}-bundled.train": f"mini:{task}/dev"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the recipe has run."""
    place = tmp_path_factory.mktemp("quickstart")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        if "PYTEST_XDIST_WORKER" not in os.environ:  # threads that wait for a core are worse than none
            torch.set_num_threads(os.cpu_count() or 1)
        assert len(zhbert.run("quickstart", **SHORT).fresh) == 28
        again = zhbert.run("quickstart", **SHORT)
        assert again.fresh == []
        torch.set_num_threads(1)  # as all other tests
    return place


@pytest.fixture(scope="module")
def gains(folder: Path) -> dict[tuple[str, str], dict[str, float]]:
    """Return what the pretrained system gains in every headline, by section and by the other system."""
    report = json.loads((folder / "runs/quickstart/report/report.json").read_text("utf-8"))
    return {
        (section["name"], row["second"]): row["difference"]
        for section in report["sections"]
        for row in section["comparisons"]
        if row["metric"] == section["headline"]
    }


@pytest.mark.parametrize("section", ["Topics", "Entities"])
@pytest.mark.parametrize("other", ["random", "keywords"])
def test_pretraining_helps_beyond_chance(
    gains: dict[tuple[str, str], dict[str, float]], section: str, other: str
) -> None:
    difference = gains[section, other]
    assert difference["low"] > 0


def test_every_system_stands_in_every_section(gains: dict[tuple[str, str], dict[str, float]]) -> None:
    others = {"Topics": ["bundled", "random", "keywords"], "Reading": ["random", "keywords"]}
    others["Entities"] = others["Topics"]
    sections = ("Topics", "Entities", "Reading")
    assert list(gains) == [(section, other) for section in sections for other in others[section]]


def test_keywords_stay_well_under_the_models(gains: dict[tuple[str, str], dict[str, float]]) -> None:
    assert gains["Topics", "keywords"]["value"] > 0.05
    assert gains["Entities", "keywords"]["value"] > 0.15


def test_the_python_page_runs_on_it(folder: Path) -> None:
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    lines = "\n".join(re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S))
    short = lines.replace('zhbert.run("quickstart")', f'zhbert.run("quickstart", **{SHORT!r})')
    assert short != lines
    done = subprocess.run(
        [sys.executable, "-c", short],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "report.html" in done.stdout
