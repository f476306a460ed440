"""`apply` that is killed at any moment ends in the same bytes; however much it reads, its memory is the same."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import zhbert
from zhbert.files import read_manifest

ROOT = Path(zhbert.__file__).parents[1]
KILLS = 4
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="kills, and looks into /proc"),
]
MEASURED = """
import sys
from zhbert.app.cli import main
from zhbert.app import machine
try:
    main()
finally:
    print("peak", machine.peak_memory() >> 20, file=sys.stderr)
"""


def start(words: list[str], *, measured: bool = False) -> "subprocess.Popen[str]":
    how = ["-c", MEASURED] if measured else ["-m", "zhbert"]
    return subprocess.Popen(
        [sys.executable, *how, "apply", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(words: list[str], *, measured: bool = False) -> str:
    process = start(words, measured=measured)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    return errors


def killed_at(words: list[str], out: Path, moment: float) -> bool:
    """Kill a run so long after its first portion is there; return whether it was still under way."""
    process = start(words)
    while process.poll() is None and not list(
        out.with_name(out.name + ".partial").glob("portions/*/unit.json")
    ):
        time.sleep(0.01)
    time.sleep(moment)
    process.kill()
    process.communicate()
    return process.returncode != 0


def write_texts(path: Path, megabytes: float) -> Path:
    rng = random.Random(5)
    line = "第{}天，王芳在杭州市图书馆工作，李明去了北京，晚上才回到家里。\n"
    with path.open("w", encoding="utf-8") as handle:
        while handle.tell() < megabytes * 1e6:
            handle.write(line.format(rng.randrange(10**6)) * rng.randint(1, 2))
    return path


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_pass_ends_as_if_nothing_had_happened(
    workers: int, tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    texts = write_texts(tmp_path / "texts.txt", 0.3)
    models = [
        f"--model={name}={tiny_models[task]}" for name, task in (("names", "ner"), ("topics", "classify"))
    ]
    words = [*models, f"--source={texts}", "--portion-characters=2000"]
    calm = tmp_path / "calm"
    started = time.monotonic()
    finish([*words, f"--output={calm}"])
    duration = (time.monotonic() - started) / 2
    out, rng, hits = tmp_path / "out", random.Random(workers), 0
    words += [f"--output={out}", f"--workers={workers}"]
    for _ in range(KILLS):
        hits += killed_at(words, out, rng.uniform(0, duration / KILLS))
    finish(words)
    assert hits >= KILLS - 1
    assert read_manifest(out).content == read_manifest(calm).content
    for name in ("names", "topics"):
        said = (out / name / "predictions.jsonl").read_bytes()
        assert said == (calm / name / "predictions.jsonl").read_bytes()
        assert said.count(b"\n") == texts.read_bytes().count(b"\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["calm", "out", "texts.txt"]


def test_memory_does_not_grow_with_the_input(tiny_models: dict[str, Path], tmp_path: Path) -> None:
    peaks = []
    for megabytes in (0.25, 2.5):
        texts = write_texts(tmp_path / f"{megabytes}.txt", megabytes)
        words = [
            f"--model={tiny_models['classify']}",
            f"--source={texts}",
            f"--output={tmp_path}/{megabytes}",
        ]
        said = finish([*words, "--portion-characters=20000"], measured=True)
        peaks.append(int(said.split("peak ")[1].split()[0]))
    assert peaks[1] < peaks[0] + 25, peaks  # MB; held whole, these examples and their answers take 60
