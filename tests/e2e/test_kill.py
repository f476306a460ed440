"""A run that is killed again and again ends in the very same result, and nothing is left lying about.

A toy recipe goes from text to report once undisturbed. Then it is killed with SIGKILL at random
moments, each time further on, and finally run to its end.
"""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from forked import forked

from zhbert.files import read_manifest
from zhbert.records import EntityExample, LabelExample, Span, to_json

KILLS = 4  # in each of two folders
LEAVINGS = ("*.partial", "*.lock", "*.tmp", ".plan", "checkpoint-*", "best.safetensors")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows"),
]

NAMES, TOWNS, THINGS = (
    ["王芳", "李明", "赵强", "周丽"],
    ["北京", "上海", "杭州", "兰州"],
    ["图书馆", "足球场", "医院", "银行"],
)
FRAMES = {
    "去处": "{name}昨天下午去了{town}的{thing}，晚上才回到家里。",
    "工作": "{town}的{thing}正在招人，{name}已经报了名，下周一上班。",
    "天气": "{town}今天有雨，{name}没有带伞，只好在{thing}里等着。",
}

RECIPE = """
title = "Toy"
[stages.documents]
use = "corpus build"
source = "raw.txt"
form = "lines"
[stages.vocabulary]
use = "vocab"
documents = "@documents"
size = 400
[stages.shards]
use = "encode"
documents = "@documents"
tokenizer = "@vocabulary"
segmenter = "character"
[stages.encoder]
use = "pretrain"
shards = "@shards"
size = "pico"
steps = 60
lr = 1e-3
max_tokens = 64
batch_tokens = 1024
micro_tokens = 1024
save_seconds = 0.3
[stages.report]
use = "score"
draws = 200
"""
TASK = """
[stages.{task}]
use = "finetune"
task = "{task}"
init = "@encoder"
train = "{task}-train.jsonl"
dev = "{task}-dev.jsonl"
epochs = 4
batch = 8
lr = 1e-3
window = 64
overlap = 16
save_seconds = 0.3
[stages.{task}-said]
use = "apply"
model = "@{task}"
source = "{task}-dev.jsonl"
[[stages.report.sections]]
name = "{task}"
task = "{task}"
gold = "{task}-dev.jsonl"
train = "{task}-train.jsonl"
systems = {{ one = "@{task}-said" }}
"""


def sentence(rng: random.Random) -> tuple[str, str, dict[str, str]]:
    """A label, a text that fits it, and what stands in the text."""
    label = rng.choice(list(FRAMES))
    words = {"name": rng.choice(NAMES), "town": rng.choice(TOWNS), "thing": rng.choice(THINGS)}
    return label, FRAMES[label].format(**words), words


def write_toy(folder: Path) -> None:
    folder.mkdir()
    rng = random.Random(7)
    lines = [f"第{i}天，{sentence(rng)[1]}{sentence(rng)[1]}" for i in range(300)]
    (folder / "raw.txt").write_text("\n".join(lines), encoding="utf-8")
    for split, count in (("train", 80), ("dev", 30)):
        topics, entities = [], []
        for number in range(count):
            label, text, words = sentence(rng)
            spans = [
                Span.of(text, (at := text.index(words[key])), at + len(words[key]), key)
                for key in ("name", "town")
            ]
            topics.append(LabelExample(id=f"{number}", text=text, labels=(label,)))
            entities.append(EntityExample(id=f"{number}", text=text, entities=tuple(sorted(spans))))
        for task, examples in (("classify", topics), ("ner", entities)):
            (folder / f"{task}-{split}.jsonl").write_text("\n".join(map(to_json, examples)), encoding="utf-8")
    recipe = RECIPE + "".join(TASK.format(task=task) for task in ("classify", "ner"))
    (folder / "toy.toml").write_text(recipe, encoding="utf-8")


def start(folder: Path) -> "subprocess.Popen[str]":
    """Start the run and wait until its first stage speaks."""
    process = subprocess.Popen(
        [*forked(), "run", "toy.toml", "-o", "run"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("[1/")
    return process


def finish(folder: Path) -> float:
    """Run to the end and return the seconds after the first stage spoke."""
    process = start(folder)
    started = time.monotonic()
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    return time.monotonic() - started


def kill_after(folder: Path, seconds: float) -> bool:
    """Return whether the kill hit a run that was under way; one that was already over does not count."""
    process = start(folder)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def results(folder: Path) -> dict[str, str]:
    """The hash of what every stage left behind, logs apart."""
    manifests = {p.name: read_manifest(p) for p in (folder / "run").iterdir()}
    return {name: manifest.content if manifest else "no manifest" for name, manifest in manifests.items()}


def test_a_killed_run_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    calm = tmp_path / "calm"
    write_toy(calm)
    duration = finish(calm)
    rng = random.Random(20)
    for name in ("first", "second"):
        folder = tmp_path / name
        write_toy(folder)
        hits = 0
        for _ in range(KILLS):
            hits += kill_after(folder, duration / (KILLS + 1) * rng.uniform(0.4, 1.4))
        finish(folder)
        assert hits >= KILLS - 1  # on a noisy machine the last one may come too late
        assert [p for sign in LEAVINGS for p in folder.rglob(sign)] == []
        report = "run/report/report.json"
        assert (folder / report).read_bytes() == (calm / report).read_bytes()
        assert results(folder) == results(calm)
        assert json.loads((folder / report).read_text(encoding="utf-8"))["title"]
