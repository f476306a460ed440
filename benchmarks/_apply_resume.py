"""`zhbert apply` over much text: kills, memory, and two models in one pass beside two passes.

    apply_resume(models, source, kills=10)

- `killed`: so many SIGKILLs at random moments after the first portion; then the run goes to its end.
- `same_bytes`: whether its predictions are those of an undisturbed run, with one worker and with two.
- `peak_mb`: the most memory of the process over the whole text, and over its first tenth.
- `one_pass`, `two_passes`: seconds for both models, each run a process of its own.
"""

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from _machine import ROOT

Figures = dict[str, object]


class Pass:
    """One call of `zhbert apply`, under way; `model` is one folder, or several by name."""

    def __init__(self, model: Mapping[str, Path] | Path, source: Path, out: Path, *more: str) -> None:
        named = {"": model} if isinstance(model, Path) else model
        models = [f"--model={name}={path}" if name else f"--model={path}" for name, path in named.items()]
        command = [
            sys.executable,
            "-m",
            "zhbert",
            "apply",
            *models,
            f"--source={source}",
            f"--output={out}",
            *more,
        ]
        self._partial = out.with_name(out.name + ".partial")
        self._begun_with = self._portions()
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
        )

    def finish(self) -> tuple[float, float]:
        """Let it come to its end; return its seconds and the most memory that it held, in MB."""
        _, status, used = os.wait4(self._process.pid, 0)
        assert status == 0, f"zhbert apply ended with {status}"
        self._process.returncode = 0
        return time.monotonic() - self._started, used.ru_maxrss / 1024

    def kill_after(self, seconds: float) -> bool:
        """Kill it so long after the first portion of its own; return whether it was still at it."""
        while self._process.poll() is None and self._portions() == self._begun_with:
            time.sleep(0.01)
        time.sleep(seconds)
        self._process.kill()
        return self._process.wait() != 0

    def _portions(self) -> int:
        return len(list(self._partial.glob("portions/*/unit.json")))


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of every file of predictions below a folder."""
    found = sorted(folder.rglob("predictions.jsonl"))
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def first_tenth(source: Path, target: Path) -> Path:
    """Write the first tenth of the lines of a file."""
    lines = source.read_bytes().splitlines(keepends=True)
    target.write_bytes(b"".join(lines[: max(1, len(lines) // 10)]))
    return target


def apply_resume(models: Mapping[str, Path], source: Path, *, kills: int = 10, seed: int = 1) -> Figures:
    """Measure everything on a .txt file with two models."""
    rng = random.Random(seed)
    os.environ["OMP_NUM_THREADS"] = "1"  # as many for a worker of two as for one alone
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        single = {name: Pass(path, source, place / name).finish() for name, path in models.items()}
        seconds, peak = Pass(models, source, place / "both").finish()
        calm = contents(place / "both")
        alone = {f"{name}/{file}": hash_ for name in models for file, hash_ in contents(place / name).items()}
        _, small = Pass(models, first_tenth(source, place / "tenth.txt"), place / "tenth").finish()
        same, hits = {"two passes": alone == calm}, 0
        for workers in (1, 2):
            out, more = place / f"killed-{workers}", f"--workers={workers}"
            for _ in range(kills // 2):
                hits += Pass(models, source, out, more).kill_after(rng.uniform(0, 2 * seconds / kills))
            Pass(models, source, out, more).finish()
            same[f"{workers} workers, killed"] = contents(out) == calm
    return {
        "characters": len(source.read_text(encoding="utf-8")),
        "killed": hits,
        "same_bytes": same,
        "peak_mb": {"all": round(peak), "a tenth": round(small)},
        "one_pass": round(seconds, 1),
        "two_passes": round(sum(took for took, _ in single.values()), 1),
    }
