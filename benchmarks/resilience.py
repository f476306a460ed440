"""Kill text to shards at random moments, go on, and compare every byte with an undisturbed run.

    python benchmarks/resilience.py [SOURCE ...] --kills 20 [--engine ray --nodes 2] [--workers 2]

Without a source: all of the real text (ZHBERT_DATA). With `--engine ray` two nodes of a Ray cluster are
started on loopback, and once one of its workers is killed, too. The last line is one JSON object.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from _machine import ROOT, commit, machine
from _text import DATA, need_data

PORT = 26379
RECIPE = """
title = "Shards"
[stages.documents]
use = "corpus build"
source = {sources}
steps = ["markup", "normalise", "filter preset=light"]
dedup = "near"
paragraphs = 40
rejects = "{rejects}"
{how}
[stages.vocabulary]
use = "vocab"
documents = "@documents"
[stages.shards]
use = "encode"
documents = "@documents"
tokenizer = "@vocabulary"
entities = true
{how}
"""


def write_recipe(folder: Path, sources: list[str], how: dict[str, object]) -> Path:
    """Write the recipe of one run."""
    folder.mkdir()
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in how.items())
    text = RECIPE.format(sources=json.dumps(sources), rejects=folder / "rejects", how=lines)
    (folder / "shards.toml").write_text(text, encoding="utf-8")
    return folder


def start(folder: Path) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"}
    command = [sys.executable, "-m", "zhbert", "run", "shards.toml", "-o", "run"]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def finish(folder: Path) -> float:
    """Run to the end; return the seconds."""
    started = time.monotonic()
    process = start(folder)
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()
    return time.monotonic() - started


def kill_after(folder: Path, seconds: float) -> bool:
    """Return whether the run was still under way."""
    process = start(folder)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def kill_a_worker(folder: Path, seconds: float) -> bool:
    """Let a run go on while one of the cluster's workers is killed; return whether there was one."""
    process = start(folder)
    time.sleep(seconds)
    found = subprocess.run(
        ["pgrep", "-f", "^ray::_attempt_there"], capture_output=True, text=True
    ).stdout.split()
    for pid in found[:1]:
        os.kill(int(pid), signal.SIGKILL)
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()
    return bool(found)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of the results but the manifests, which hold times."""
    files = [path for name in ("run", "rejects") for path in (folder / name).rglob("*") if path.is_file()]
    return {str(p.relative_to(folder)): p.read_bytes() for p in files if p.name != "manifest.json"}


@contextmanager
def cluster(nodes: int):
    """Start a Ray cluster of so many nodes on loopback; yield its address."""
    ray = Path(sys.executable).with_name("ray")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}
    environment["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "1"  # or a second node on this machine is refused
    common = [
        "--node-ip-address=127.0.0.1",
        "--num-cpus=1",
        "--object-store-memory=200000000",
        "--disable-usage-stats",
    ]
    head = [ray, "start", "--head", f"--port={PORT}", "--include-dashboard=false", *common]
    try:
        for node in range(nodes):
            command = head if node == 0 else [ray, "start", f"--address=127.0.0.1:{PORT}", *common]
            subprocess.run(
                command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
        yield f"127.0.0.1:{PORT}"
    finally:
        subprocess.run([ray, "stop", "--force"], env=environment, capture_output=True, check=False)


def measure(sources: list[str], how: dict[str, object], *, kills: int, seed: int, folder: Path) -> dict:
    calm = write_recipe(folder / "calm", sources, {"engine": "local", "workers": 2})
    seconds = finish(calm)
    killed = write_recipe(folder / "killed", sources, how)
    rng = random.Random(seed)
    hits = sum(kill_after(killed, rng.uniform(2, 2 + 1.6 * seconds / kills)) for _ in range(kills))
    worker = kill_a_worker(killed, 10) if how["engine"] == "ray" else None
    finish(killed)
    one, other = contents(calm), contents(killed)
    differing = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return {
        "machine": machine(),
        "commit": commit(),
        "engine": how["engine"],
        "seconds": round(seconds, 1),
        "kills": kills,
        "hits": hits,
        "worker_killed": worker,
        "files": len(one),
        "megabytes": round(sum(map(len, one.values())) / 1e6, 1),
        "differing": differing,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="*")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--engine", choices=["local", "ray"], default="local")
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not given.source:
        need_data()
    sources = given.source or [str(DATA / "text")]
    how: dict[str, object] = {"engine": given.engine, "workers": given.workers}
    folder = Path(tempfile.mkdtemp())
    options = {"kills": given.kills, "seed": given.seed, "folder": folder}
    try:
        if given.engine == "ray":
            with cluster(given.nodes) as address:
                found = measure(sources, how | {"address": address}, **options)
        else:
            found = measure(sources, how, **options)
    finally:
        shutil.rmtree(folder)
    print(json.dumps(found, ensure_ascii=False))
    sys.exit(bool(found["differing"]))


if __name__ == "__main__":
    main()
