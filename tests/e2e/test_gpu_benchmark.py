"""The benchmark of a CUDA device: rehearsed where there is none, with no package but those it may need."""

import importlib
import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from zhbert.encode.tokenizer import Tokenizer

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "gpu.py"
NEEDED = ("torch", "transformers", "accelerate", "numpy")
NOT_OURS = {  # what others may depend on, but these rooms of zhbert do not
    *("pydantic", "rich", "typer", "jieba", "rjieba", "pyarrow", "datasets", "matplotlib", "opencc"),
    *("seqeval", "scipy", "jinja2", "zstandard", "mwparserfromhell", "pandas", "sklearn", "ray"),
}
PARTS = ("check", "base128", "base512", "micro", "baseline", "compile")

# Hides every package but those named, as if it were not installed, and then runs a script. jinja2, rich and
# the like stay to be found by those that depend on them; for zhbert and the benchmarks they are not there.
HIDING = """
import json, runpy, sys
from importlib.machinery import PathFinder
there, not_ours, script, *rest = json.loads(sys.argv[1]), json.loads(sys.argv[2]), *sys.argv[3:]
ours = ("zhbert", "_gpu", "_machine", "__main__")

class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        top, frame = name.partition(".")[0], sys._getframe(1)
        while frame.f_globals.get("__name__", "").startswith("importlib"):
            frame = frame.f_back
        asks = frame.f_globals.get("__name__", "")
        hides = top not in there and not top.startswith("_sysconfigdata")  # of the standard library
        if hides or top in not_ours and asks.startswith(ours):
            return None
        return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
sys.path.insert(0, script.rpartition("/")[0])
sys.argv = [script, *rest]
runpy.run_path(script, run_name="__main__")
"""


def needed() -> list[str]:
    """Return what may be imported: the packages needed, all that they depend on, Python's own, and ours."""
    modules = importlib.metadata.packages_distributions()
    wanted, seen = list(NEEDED), set()
    while wanted:
        name = re.sub(r"[-_.]+", "-", wanted.pop()).lower()
        if name not in seen:
            seen.add(name)
            try:
                lines = importlib.metadata.requires(name) or []
            except importlib.metadata.PackageNotFoundError:
                continue
            wanted += [re.split(r"[^\w.-]", line)[0] for line in lines if "extra ==" not in line]
    found = {
        module
        for module, names in modules.items()
        if any(re.sub(r"[-_.]+", "-", name).lower() in seen for name in names)
    }
    rooms = {"zhbert", *(path.stem for path in SCRIPT.parent.glob("_*.py"))}
    return sorted(found | rooms | sys.stdlib_module_names)


def hidden(script: Path, *options: object) -> subprocess.CompletedProcess[str]:
    lists = (json.dumps(needed()), json.dumps(sorted(NOT_OURS)))
    command = [sys.executable, "-c", HIDING, *lists, str(script), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def room() -> Iterator[Callable[[str], ModuleType]]:
    """Return what imports a module of the benchmarks, which are no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))
        yield importlib.import_module


@pytest.mark.parametrize(
    ("device", "peak"),
    [
        ("NVIDIA H200", 989e12),
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA H20", 148e12),
        ("NVIDIA L40S", 362e12),
        ("NVIDIA L4", 121e12),
        ("NVIDIA GeForce RTX 4090", 165e12),
        ("cpu", None),
    ],
)
def test_the_peak_of_a_device(room: Callable[[str], ModuleType], device: str, peak: float | None) -> None:
    assert room("gpu").peak_of(device) == peak


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_it_is_passed_over() -> None:
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (77, "")
    assert done.stderr == "no CUDA device (--device cpu rehearses)\n"


@pytest.mark.slow
def test_without_shards_it_says_how_to_make_some(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--device", "cpu", "--shards", "none"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "no shards (make some: zhbert corpus build" in done.stderr


@pytest.mark.slow
def test_every_part_runs_with_nothing_but_torch_and_transformers(tiny_shards: Path) -> None:
    done = hidden(SCRIPT, "--device", "cpu", "--shards", tiny_shards, "--seconds", 0.05, "--peak", 1e12)
    assert done.returncode == 0, done.stderr
    *lines, last = done.stdout.splitlines()
    figures = json.loads(last)
    assert (figures["rehearsal"], figures["device"]) == (True, "cpu")
    assert [row for row in figures["rows"] if "error" in row] == []
    assert {row["part"] for row in figures["rows"]} == set(PARTS)
    assert len(lines) == len(figures["rows"]) + 1
    checks = [row for row in figures["rows"] if "right" in row]
    assert len(checks) == 8
    assert all(row["right"] for row in checks)
    speeds = [row for row in figures["rows"] if "tokens_per_second" in row]
    assert len(speeds) == 3 * 3 + 1 + 3
    assert all(row["tokens_per_second"] > 0 and row["mfu"] > 0 and 0 <= row["waiting"] < 1 for row in speeds)
    assert all(row["ratio_loop"] > 0 for row in figures["rows"] if row["part"] == "baseline")


@pytest.mark.slow
def test_both_ways_and_filled_batches_learn_the_same(
    room: Callable[[str], ModuleType], tiny_shards: Path
) -> None:
    """Fed by the loop, by a thread, and filled up to one shape: the same losses, step for step."""
    steps = room("_gpu_steps")
    tokenizer = Tokenizer.load(tiny_shards / "tokenizer")
    cpu = torch.device("cpu")
    job = steps.Job(steps.Settings(shards=tiny_shards, max_tokens=48), tokenizer, cpu)

    def losses(*, ahead: bool, compiled: bool) -> list[float]:
        training = steps.Training("pico", job, tokenizer, cpu)
        job.begin(micro_tokens=256, parts=2, ready=ahead)
        job.shape = job._shape(1) if compiled else None
        source = steps.Ahead(job) if ahead else None
        found = [training._step(training._next(source), once=ahead) for _ in range(4)]
        if source:
            source.close()
        return found

    truth = losses(ahead=False, compiled=False)
    assert len(set(truth)) == 4
    assert losses(ahead=True, compiled=False) == truth
    for ahead in (True, False):
        assert losses(ahead=ahead, compiled=True) == pytest.approx(truth, rel=1e-5)


@pytest.mark.slow
def test_what_it_hides_is_not_there(tmp_path: Path) -> None:
    script = tmp_path / "asks.py"
    script.write_text("import zhbert.config\n", "utf-8")
    done = hidden(script)
    assert "No module named 'pydantic'" in done.stderr
    script.write_text("import hypothesis\n", "utf-8")
    assert "No module named 'hypothesis'" in hidden(script).stderr
