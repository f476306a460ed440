"""Kill text to shards at random moments, go on, and compare every byte with an undisturbed run.

    python benchmarks/resilience.py [SOURCE ...] --kills 20 [--engine ray --nodes 2] [--workers 2]

Without a source: all of the real text (ZHBERT_DATA); a small one needs a small --portion, or there is
nothing to hand out. With `--engine ray` the nodes of a Ray cluster are started on loopback. Three parts:

1. an undisturbed run, always of processes here;
2. a run in which a worker is killed with SIGKILL while documents are cleaned and another one while shards
   are made;
3. rounds of five kills of the main process: twice in the documents, once in the vocabulary, twice in the
   shards. A run goes on where the last one was killed, and begins at once, while orphaned workers may still
   be at it; where the stage to be hit is finished already, its output is deleted. After a round the run
   comes to its end, and everything in its folder is compared.

The last line is one JSON object; `hits` says in which stage the kills fell, "" that all was done by then.
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

from _machine import ROOT, commit, machine
from _text import DATA, need_data

RECIPE = """
title = "Shards"
[stages.documents]
use = "corpus build"
source = {sources}
steps = ["markup", "normalise", "filter preset=light"]
dedup = "near"
paragraphs = 40
rejects = "rejects"
part_characters = {portion}
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
IN_UNITS = ("documents", "shards")  # the stages that go on where they were; the other one begins anew
ROUND = ("documents", "documents", "vocabulary", "shards", "shards")
STAGE = re.compile(r"\[\d/\d\] (\w+):")
WORKER = {"local": "zhbert.engine.worker", "ray": "^ray::_attempt_there"}  # how a worker at work is called
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}


class Run:
    """A run of the recipe in a folder, under way."""

    def __init__(self, folder: Path) -> None:
        self._errors = folder.with_suffix(".errors")
        self.begun: dict[str, float] = {}
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "zhbert", "run", "shards.toml", "-o", "run"],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def until(self, stage: str = "") -> None:
        """Listen until a stage begins, or to the end."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := STAGE.match(line):
                self.begun[found[1]] = time.monotonic()
                if found[1] == stage:
                    return

    def end(self) -> int:
        """Listen to the end; a run that fails by itself is the end of everything."""
        self.until()
        code = self.process.wait()
        if code not in (0, -signal.SIGKILL):
            raise SystemExit(f"a run ended with {code}:\n{self._errors.read_text(errors='replace')}")
        return code

    def finish(self) -> dict[str, float]:
        """Let it come to its end; return the seconds of each stage."""
        assert self.end() == 0
        moments = pairwise([*self.begun.values(), time.monotonic()])
        return {name: after - before for name, (before, after) in zip(self.begun, moments, strict=True)}

    def kill(self, stage: str, seconds: float) -> str:
        """Kill it so long after a stage began; return the stage in which that fell, "" after the last."""
        self.until(stage)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.process.kill()
        return list(self.begun)[-1] if self.end() else ""

    def kill_worker(self, stage: str, parents: list[int], name: str, rng: random.Random) -> bool:
        """Kill a worker while a stage is under way; return whether there was one at work."""
        self.until(stage)
        moment = 0.0
        while self.process.poll() is None:
            if found := children(parents or [self.process.pid], name):
                moment = moment or time.monotonic() + rng.uniform(0.2, 1)
                if time.monotonic() > moment:
                    os.kill(rng.choice(found), signal.SIGKILL)
                    return True
            time.sleep(0.02)
        return False


def children(parents: list[int], name: str) -> list[int]:
    command = ["pgrep", "-P", ",".join(map(str, parents)), "-f", name]
    return list(map(int, subprocess.run(command, capture_output=True, text=True).stdout.split()))


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of every file but the recipe; of a manifest without the times that it holds."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".toml"):
        content = path.read_bytes()
        if path.name == "manifest.json":
            facts = json.loads(content)
            content = json.dumps({k: v for k, v in facts.items() if k not in ("started", "seconds")}).encode()
        found[str(path.relative_to(folder))] = hashlib.sha256(content).hexdigest()
    return found


@contextmanager
def cluster(nodes: int) -> Iterator[tuple[str, list[int]]]:
    """Start a Ray cluster on loopback; yield its address and the processes whose children its workers are."""
    folder = Path(tempfile.mkdtemp(prefix="zr"))  # the path of a socket must be short
    (folder / "ray").mkdir()  # where Ray notes the cluster's address, and does not make the folder
    os.environ.update(LOOPBACK | {"RAY_TMPDIR": str(folder)})
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 200_000_000}
    made = Cluster(True, head_node_args={**node, "include_dashboard": False})
    try:
        for _ in range(1, nodes):
            made.add_node(**node)
        made.wait_for_nodes()
        raylets = [one.process.pid for each in made.list_all_nodes() for one in each.all_processes["raylet"]]
        yield made.address, raylets
    finally:
        made.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


class Bench:
    """The folders of the runs, and what has been found out so far."""

    def __init__(self, place: Path, sources: list[str], portion: int, seed: int) -> None:
        self._place, self._sources, self._portion = place, sources, portion
        self._rng = random.Random(seed)
        self._expected: dict[str, str] = {}
        self._started = time.monotonic()
        self.differing: set[str] = set()
        self.hits: Counter[str] = Counter()
        self.compared = 0

    def _tell(self, line: str) -> None:
        print(f"{time.monotonic() - self._started:7.1f} s  {line}", file=sys.stderr, flush=True)

    def _folder(self, name: str, how: dict[str, object]) -> Path:
        folder = self._place / name
        folder.mkdir()
        lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in how.items())
        text = RECIPE.format(sources=json.dumps(self._sources), portion=self._portion, how=lines)
        (folder / "shards.toml").write_text(text, encoding="utf-8")
        return folder

    def calm(self) -> dict[str, object]:
        """Run undisturbed; return what there was to do."""
        folder = self._folder("calm", {"engine": "local", "workers": 2})
        seconds = Run(folder).finish()
        self._tell(f"undisturbed: {shown(seconds)}")
        self._expected = contents(folder)
        sizes = [(folder / name).stat().st_size for name in self._expected]
        return {
            "seconds": round(sum(seconds.values()), 1),
            "parts": len(list((folder / "run" / "documents").glob("*.parquet"))),
            "files": len(sizes),
            "megabytes": round(sum(sizes) / 1e6, 1),
        }

    def _compare(self, folder: Path) -> None:
        """Hold what a run has left behind against the undisturbed one, and take it away."""
        found, expected = contents(folder), self._expected
        self.differing |= {n for n in found.keys() | expected.keys() if found.get(n) != expected.get(n)}
        self.compared += 1
        self._tell(f"compared: {len(found)} files, {len(self.differing)} ever differed")
        for name in ("run", "rejects"):
            shutil.rmtree(folder / name)

    def kill_workers(self, how: dict[str, object], parents: list[int]) -> tuple[int, dict[str, float]]:
        """Run while workers are killed; return how many, and the seconds of each stage."""
        folder = self._folder("workers", how)
        run = Run(folder)
        name = WORKER[str(how["engine"])]
        killed = sum(run.kill_worker(stage, parents, name, self._rng) for stage in IN_UNITS)
        seconds = run.finish()
        self._tell(f"{killed} workers killed: {shown(seconds)}")
        self._compare(folder)
        return killed, seconds

    def kill_runs(self, how: dict[str, object], kills: int, seconds: dict[str, float]) -> None:
        """Kill the main process again and again, in rounds."""
        folder = self._folder("killed", how)
        while kills > 0:
            self._round(folder, ROUND[:kills], seconds)
            kills -= len(ROUND)

    def _round(self, folder: Path, stages: tuple[str, ...], seconds: dict[str, float]) -> None:
        left = dict(seconds)
        for stage in stages:
            moment = self._rng.uniform(0, left[stage])
            if stage in IN_UNITS:
                left[stage] -= moment
            shutil.rmtree(folder / "run" / stage, ignore_errors=True)
            where = Run(folder).kill(stage, moment)
            self.hits[where] += 1
            done = len(list(folder.glob("run/*.partial/*/*/unit.json")))
            self._tell(f"killed {moment:.1f} s into {stage}: in {where or 'nothing'}, {done} units done")
        Run(folder).finish()
        self._compare(folder)


def shown(seconds: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())


def measure(given: argparse.Namespace, how: dict[str, object], parents: list[int]) -> dict[str, object]:
    sources = [str(Path(source).absolute()) for source in given.source] or [str(DATA / "text")]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(Path(place), sources, given.portion, given.seed)
        facts = bench.calm()
        workers, seconds = bench.kill_workers(how, parents)
        bench.kill_runs(how, given.kills, seconds)
    head = {"machine": machine(), "commit": commit(), "engine": given.engine}
    return {
        **head,
        **facts,
        "workers_killed": workers,
        "kills": given.kills,
        "hits": dict(bench.hits),
        "compared": bench.compared,
        "differing": sorted(bench.differing),
        "total_seconds": round(time.monotonic() - started),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="*")
    parser.add_argument("--kills", type=int, default=20, help="of the main process [20]")
    parser.add_argument("--engine", choices=["local", "ray"], default="local")
    parser.add_argument("--nodes", type=int, default=2, help="of the Ray cluster, a CPU each [2]")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--portion", type=int, default=1_000_000, help="characters of a unit [1000000]")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not given.source:
        need_data()
    how: dict[str, object] = {"engine": given.engine, "workers": given.workers}
    if given.engine == "ray":
        with cluster(given.nodes) as (address, parents):
            found = measure(given, how | {"address": address}, parents)
    else:
        found = measure(given, how, [])
    print(json.dumps(found, ensure_ascii=False))
    sys.exit(bool(found["differing"]))


if __name__ == "__main__":
    main()
