"""Engines that are killed at any moment end in the same bytes as one that is left alone.

The main process is killed with SIGKILL at random moments, and the next run begins at once, while
workers of the last one may still be at it. Whenever a run comes through, its folder is compared and
a new one is begun.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import zhbert
from zhbert.files import hash_file, list_files, read_manifest

ROOT = Path(zhbert.__file__).parents[1]
UNITS = 24
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
NODE = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="kills, and looks into /proc"),
]

SCRIPT = f"""
import json, sys
from pathlib import Path
import toys
from zhbert.engine.run import Parallel, run_units
from zhbert.files import Plan, building

folder, notes, settings = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
with building(folder, Plan(stage="toy", settings={{}}, inputs={{}}, version="1")) as work:
    print("open", flush=True)
    results = run_units(
        toys.Slow(notes),
        toys.units({UNITS}),
        folder=work.folder / "units",
        config=Parallel(**settings),
        finished=lambda result: print("unit", flush=True),
    )
    (work.folder / "results.json").write_text(json.dumps(results))
"""


@dataclass
class Bakery:
    """A place to run the script in, with one engine."""

    place: Path
    settings: str
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, name: str) -> "subprocess.Popen[str]":
        """Start a run and wait until it holds its folder."""
        self.notes.mkdir(exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, name, "notes", self.settings],
            cwd=self.place,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests/unit/engine'}", **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n", process.communicate()
        return process

    @property
    def notes(self) -> Path:
        return self.place / "notes"

    def finish(self, name: str) -> float:
        """Run to the end; return how long it took."""
        process, started = self.start(name), time.monotonic()
        _, errors = process.communicate()
        assert process.returncode == 0, errors
        return time.monotonic() - started

    def killed(self, name: str, seconds: float) -> bool:
        """Return whether the kill came before the end."""
        process = self.start(name)
        time.sleep(seconds)
        process.kill()
        process.communicate()
        return process.returncode != 0

    def content(self, name: str) -> dict[str, str]:
        """The hash of every file; nothing else may lie about."""
        folder = self.place / name
        assert read_manifest(folder) is not None
        assert sorted(path.name for path in self.place.glob(f"{name}*")) == [name]
        units = [f"{number:05d}" for number in range(UNITS)]
        assert sorted(path.name for path in (folder / "units").iterdir()) == units
        return {n: hash_file(folder / n) for n in list_files(folder) if n != "manifest.json"}

    def survive(self, kills: int, calm: dict[str, str], rng: random.Random) -> None:
        """Kill runs as often, and hold every folder that is finished against one that nobody disturbed."""
        duration, round_ = self.finish("warm"), 0
        assert self.content("warm") == calm
        hits = 0
        while hits < kills:
            if self.killed(f"out{round_}", rng.uniform(0, duration)):
                hits += 1
            else:
                assert self.content(f"out{round_}") == calm
                round_ += 1
        self.finish(f"out{round_}")
        assert self.content(f"out{round_}") == calm


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one worker makes that nobody disturbs."""
    bakery = Bakery(tmp_path_factory.mktemp("calm"), '{"workers": 1}')
    bakery.finish("calm")
    return bakery.content("calm")


@pytest.mark.parametrize(("workers", "kills"), [(1, 4), (2, 12)])
def test_local_runs_that_are_killed(tmp_path: Path, calm: dict[str, str], workers: int, kills: int) -> None:
    Bakery(tmp_path, f'{{"workers": {workers}}}').survive(kills, calm, random.Random(workers))


def test_a_second_run_is_refused(tmp_path: Path, calm: dict[str, str]) -> None:
    bakery = Bakery(tmp_path, '{"workers": 2}')
    first = bakery.start("out")
    second = subprocess.run(
        [sys.executable, "-c", SCRIPT, "out", "notes", bakery.settings],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests/unit/engine'}"},
        capture_output=True,
        text=True,
    )
    assert "BusyError: out: another run is writing here" in second.stderr
    assert second.stdout == ""
    assert first.wait() == 0
    assert bakery.content("out") == calm


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two Ray nodes on loopback; whatever happens, nothing of them stays."""
    pytest.importorskip("ray", reason="needs zhbert[ray]")
    folder = Path(tempfile.mkdtemp(prefix="zr"))  # the path of a socket must be short
    (folder / "ray").mkdir()  # where Ray notes the cluster's address, and does not make the folder
    with pytest.MonkeyPatch.context() as patch:
        for key, value in (LOOPBACK | {"RAY_TMPDIR": str(folder)}).items():
            patch.setenv(key, value)
        from ray.cluster_utils import Cluster

        cluster = Cluster(True, head_node_args={**NODE, "include_dashboard": False})
        try:
            cluster.second = cluster.add_node(**NODE)
            yield cluster
        finally:
            cluster.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


def on_cluster(place: Path, cluster: Any) -> Bakery:
    return Bakery(place, f'{{"engine": "ray", "address": "{cluster.address}"}}', LOOPBACK)


@pytest.mark.parametrize("seed", [1])
def test_runs_on_two_ray_nodes_that_are_killed(
    tmp_path: Path, calm: dict[str, str], cluster: Any, seed: int
) -> None:
    on_cluster(tmp_path, cluster).survive(7, calm, random.Random(seed))


def test_a_worker_and_a_node_that_die(tmp_path: Path, calm: dict[str, str], cluster: Any) -> None:
    bakery = on_cluster(tmp_path, cluster)

    def kill_worker() -> None:
        pid = max(bakery.notes.iterdir(), key=lambda path: path.stat().st_mtime_ns).name
        os.kill(int(pid), signal.SIGKILL)

    def kill_node() -> None:
        cluster.remove_node(cluster.second, allow_graceful=False)

    for name, kill in (("worker", kill_worker), ("node", kill_node)):
        process = bakery.start(name)
        assert process.stdout is not None
        assert process.stdout.readline() == "unit\n"
        kill()
        _, errors = process.communicate()
        assert process.returncode == 0, errors
        assert bakery.content(name) == calm
    cluster.second = cluster.add_node(**NODE)


def processes_that_name(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path.parent.name] if text.encode() in path.read_bytes() else []
        except OSError:  # it has just ended
            continue
    return found


def test_a_ray_of_its_own_ends_with_the_run_however_that_ends(tmp_path: Path, calm: dict[str, str]) -> None:
    pytest.importorskip("ray", reason="needs zhbert[ray]")
    folder = tempfile.mkdtemp(prefix="zr")
    bakery = Bakery(tmp_path, '{"engine": "ray", "workers": 2}', {"RAY_TMPDIR": folder})
    process = bakery.start("out")
    assert process.stdout is not None
    assert process.stdout.readline() == "unit\n"
    assert processes_that_name(folder)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while processes_that_name(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_that_name(folder) == []
    bakery.finish("out")
    assert processes_that_name(folder) == []
    assert bakery.content("out") == calm
    shutil.rmtree(folder, ignore_errors=True)
