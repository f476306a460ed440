"""Kill a pretraining at random moments, go on, and compare its weights with an undisturbed run's."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _machine import ROOT, commit, machine

STEPS = 400
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
"""
TRAINING = ["pretrain", "--shards", "run/shards", "--size", "pico", "--lr", "1e-3", "--max-tokens", "64"]
TRAINING += ["--steps", str(STEPS), "--batch-tokens", "1024", "--micro-tokens", "1024"]
TRAINING += ["--save-seconds", "0.3", "-o"]


def write_shards(folder: Path) -> None:
    """Make shards of lines that nobody has to own."""
    rng = random.Random(7)
    names, towns = ["王芳", "李明", "赵强", "周丽"], ["北京", "上海", "杭州", "兰州"]
    lines = [
        f"第{i}天，{rng.choice(names)}去了{rng.choice(towns)}，晚上{rng.choice(names)}才到家。"
        for i in range(2000)
    ]
    (folder / "raw.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "toy.toml").write_text(RECIPE, encoding="utf-8")
    finish(start(folder, ["run", "toy.toml", "-o", "run"], processes=1))


def start(folder: Path, arguments: list[str], *, processes: int) -> "subprocess.Popen[bytes]":
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return subprocess.Popen(
        [sys.executable, *(launch if processes > 1 else []), "-m", "zhbert", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(process: "subprocess.Popen[bytes]") -> None:
    """Wait for the end."""
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()


def wait(process: "subprocess.Popen[bytes]", metrics: Path) -> None:
    """Wait until the training has begun, or gone on: it then writes its record anew."""
    before = metrics.stat().st_mtime_ns if metrics.is_file() else 0
    while process.poll() is None and not (metrics.is_file() and metrics.stat().st_mtime_ns != before):
        time.sleep(0.01)


def kill(process: "subprocess.Popen[bytes]") -> bool:
    """Kill a launcher and all that it launched; return whether it was still at work."""
    found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False)
    alive = process.poll() is None
    for pid in [process.pid, *map(int, found.stdout.split())] if alive else ():
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    return alive


def figures(folder: Path, *, times: bool = False) -> tuple[list[dict[str, float]], list[int]]:
    """Return what was recorded, without times unless they are asked for, and where the run went on."""
    rows = [json.loads(line) for line in (folder / "logs" / "metrics.jsonl").open(encoding="utf-8")]
    passing = () if times else ("tokens_per_second", "seconds")
    lasting = [{k: v for k, v in row.items() if k not in passing} for row in rows]
    restarts = [int(row["restart"]) for row in lasting if "restart" in row]
    return [row for row in lasting if "restart" not in row], restarts


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a result that must be the same."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and p.name != "manifest.json"}


def measure(*, kills: int = 10, processes: int = 1, seed: int = 1) -> dict[str, object]:
    """Return how often a training was killed and which of its files differ from an undisturbed one's."""
    folder, rng = Path(tempfile.mkdtemp()), random.Random(seed)
    try:
        write_shards(folder)
        finish(start(folder, [*TRAINING, "calm"], processes=processes))
        calm, _ = figures(folder / "calm", times=True)
        seconds = max(row.get("seconds", 0.0) for row in calm)
        hits = 0
        for _ in range(kills):
            process = start(folder, [*TRAINING, "killed"], processes=processes)
            wait(process, folder / "killed.partial" / "logs" / "metrics.jsonl")
            time.sleep(rng.uniform(0, 1.6 * seconds / kills))
            hits += kill(process)
        finish(start(folder, [*TRAINING, "killed"], processes=processes))
        one, other = contents(folder / "calm"), contents(folder / "killed")
        (calm, _), (killed, restarts) = figures(folder / "calm"), figures(folder / "killed")
    finally:
        shutil.rmtree(folder)
    return {
        "machine": machine(),
        "commit": commit(),
        "processes": processes,
        "steps": STEPS,
        "training_seconds": seconds,
        "kills": kills,
        "hits": hits,
        "went_on_at": restarts,
        "files": len(one),
        "differing": sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name)),
        "same_losses": calm == killed,
    }
