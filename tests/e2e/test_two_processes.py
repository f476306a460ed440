"""`torchrun -m zhbert`: two processes learn what one learns, also after a kill, and for whole recipes.

What is equal: the loss of every step to six digits and the weights to 1e-6, because sums are added up in
another order. Two processes that were killed and went on end bit for bit as two that were not.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from forked import forked
from safetensors.torch import load_file

import zhbert
from zhbert.files import read_manifest

ROOT = Path(zhbert.__file__).parents[1]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--no-python"]
LAUNCH = [*TORCHRUN, "--nproc-per-node", "2"]
EVERY_STEP = "import zhbert.train.loop as loop; loop.EVERY = 1; from zhbert.app.cli import main; main()"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform == "win32", reason="torchrun has no gloo store on Windows"),
]


def options(values: dict[str, Any]) -> list[str]:
    """Return settings as a command line has them."""
    found = []
    for key, value in values.items():
        name = "--" + key.replace("_", "-")
        items = value if isinstance(value, list) else [value]
        found += [name] if value is True else [word for item in items for word in (name, str(item))]
    return found


def start(place: Path, launch: list[str], *arguments: str) -> "subprocess.Popen[str]":
    script = place / "every_step.py"
    script.write_text(EVERY_STEP, encoding="utf-8")
    return subprocess.Popen(
        [*launch, *forked(script), *arguments],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(place: Path, launch: list[str], *arguments: str) -> str:
    process = start(place, launch, *arguments)
    said, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return said


def rows(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "logs" / "metrics.jsonl").open(encoding="utf-8")]
    times = ("tokens_per_second", "seconds")
    return [{k: v for k, v in row.items() if k not in times} for row in lines if "restart" not in row]


def assert_close(one: Path, other: Path) -> None:
    pairs = list(zip(rows(one), rows(other), strict=True))
    assert len(pairs) >= 6
    for a, b in pairs:
        assert b == pytest.approx(a, rel=1e-5)
    first, second = (load_file(folder / "model.safetensors") for folder in (one, other))
    assert first.keys() == second.keys()
    for name in first:
        assert torch.allclose(first[name], second[name], atol=2e-6), name
    assert (one / "config.json").read_bytes() == (other / "config.json").read_bytes()


@pytest.fixture(scope="module")
def values(tiny_pretrain: dict[str, Any]) -> dict[str, Any]:
    # From random weights: heads that look beside are sharp, and with them rounding shows in the sixth digit.
    more = {"steps": 12, "batch_tokens": 700, "micro_tokens": 200, "judge_every": 3, "begin": "random"}
    return tiny_pretrain | more


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]) -> Path:
    """One pretraining by one process, by two, and by two that share the weights out."""
    place = tmp_path_factory.mktemp("pretrained")
    given = ["pretrain", *options(values)]
    finish(place, [], *given, "-o", "one")
    finish(place, LAUNCH, *given, "-o", "two")
    finish(place, LAUNCH, *given, "--shard", "-o", "shared")
    return place


@pytest.mark.parametrize("name", ["two", "shared"])
def test_a_pretraining_is_the_same_step_for_step(name: str, pretrained: Path) -> None:
    assert_close(pretrained / "one", pretrained / name)
    one, other = read_manifest(pretrained / "one"), read_manifest(pretrained / name)
    assert one is not None
    assert other is not None
    assert other.plan == one.plan
    assert other.counts["held_out"]["loss"] == pytest.approx(one.counts["held_out"]["loss"], abs=2e-4)
    left = {path.name for path in pretrained.iterdir()}
    assert left == {"one", "two", "shared", "every_step.py"}


def test_a_finetuning_is_the_same_step_for_step(
    tmp_path: Path, tiny_finetune: Callable[..., dict[str, Any]]
) -> None:
    given = ["finetune", *options(tiny_finetune("ner", dropout=0.0, batch=7, dtype="float32"))]
    finish(tmp_path, [], *given, "-o", "one")
    finish(tmp_path, LAUNCH, *given, "-o", "two")
    assert_close(tmp_path / "one", tmp_path / "two")
    one, two = read_manifest(tmp_path / "one"), read_manifest(tmp_path / "two")
    assert one is not None
    assert two is not None
    assert two.counts == one.counts


@pytest.mark.parametrize("name", ["two", "shared"])
def test_killed_processes_go_on_bit_for_bit(
    name: str, tmp_path: Path, pretrained: Path, values: dict[str, Any]
) -> None:
    more = ["--shard"] if name == "shared" else []
    given = ["pretrain", *options(values | {"save_seconds": 1e-9}), *more, "-o", "out"]
    process = start(tmp_path, LAUNCH, *given)
    while not list(tmp_path.glob("out.partial/checkpoint-*3")) and process.poll() is None:
        time.sleep(0.02)
    for pid in [process.pid, *children(process.pid)]:
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    assert list(tmp_path.glob("out.partial/checkpoint-*"))
    finish(tmp_path, LAUNCH, *given)
    expected = load_file(pretrained / name / "model.safetensors")
    found = load_file(tmp_path / "out" / "model.safetensors")
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    assert rows(tmp_path / "out") == rows(pretrained / name)


def children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


RECIPE = """
title = "Two"
[stages.documents]
use = "corpus build"
source = "raw.txt"
form = "lines"
[stages.vocabulary]
use = "vocab"
documents = "@documents"
size = 300
[stages.shards]
use = "encode"
documents = "@documents"
tokenizer = "@vocabulary"
segmenter = "character"
[stages.encoder]
use = "pretrain"
shards = "@shards"
size = "pico"
steps = 3
lr = 1e-3
"""


def test_a_whole_recipe_runs_in_two_processes_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    lines = [f"第{i}天，王芳去了北京的图书馆，晚上才回到家里。" for i in range(60)]
    (tmp_path / "raw.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "two.toml").write_text(RECIPE, encoding="utf-8")
    finish(tmp_path, LAUNCH, "run", "two.toml", "-o", "run")
    names = ["documents", "encoder", "shards", "vocabulary"]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == names
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    said = finish(tmp_path, LAUNCH, "run", "two.toml", "-o", "run")
    assert "Nothing to do" in said
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == before


def test_a_mistake_ends_all_processes(tmp_path: Path, values: dict[str, Any]) -> None:
    given = ["pretrain", *options(values | {"max_tokens": 600}), "-o", "out"]
    process = start(tmp_path, LAUNCH, *given)
    _, errors = process.communicate(timeout=200)
    assert process.returncode != 0
    assert "max_tokens = 600: the encoder has 512 positions" in errors
    assert not (tmp_path / "out").exists()
