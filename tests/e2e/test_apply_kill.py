"""`apply` that is killed at any moment ends in the same bytes, with several models and workers."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from forked import forked

from zhbert.files import read_manifest

KILLS = 2
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="kills, and looks into /proc"),
]


def start(words: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*forked(), "apply", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(words: list[str]) -> None:
    process = start(words)
    _, errors = process.communicate()
    assert process.returncode == 0, errors


def killed_at(words: list[str], out: Path, portions: int) -> bool:
    """Kill a run when so many portions are there; return whether it was still under way."""
    process, partial = start(words), out.with_name(out.name + ".partial")
    while process.poll() is None and len(list(partial.glob("portions/*/unit.json"))) < portions:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    return process.returncode != 0


def write_texts(path: Path, size: int) -> Path:
    rng = random.Random(5)
    line = "第{}天，王芳在杭州市图书馆工作，李明去了北京，晚上才回到家里。\n"
    with path.open("w", encoding="utf-8") as handle:
        while handle.tell() < size:
            handle.write(line.format(rng.randrange(10**6)) * rng.randint(1, 2))
    return path


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_pass_ends_as_if_nothing_had_happened(
    workers: int, tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    texts = write_texts(tmp_path / "texts.txt", 100_000)
    models = [
        f"--model={name}={tiny_models[task]}" for name, task in (("names", "ner"), ("topics", "classify"))
    ]
    words = [*models, f"--source={texts}", "--portion-characters=2000"]
    calm = tmp_path / "calm"
    finish([*words, f"--output={calm}"])
    out, moments = tmp_path / "out", sorted(random.Random(workers).sample(range(1, 12), KILLS))
    words += [f"--output={out}", f"--workers={workers}"]
    assert all(killed_at(words, out, portions) for portions in moments)
    finish(words)
    assert read_manifest(out).content == read_manifest(calm).content
    for name in ("names", "topics"):
        said = (out / name / "predictions.jsonl").read_bytes()
        assert said == (calm / name / "predictions.jsonl").read_bytes()
        assert said.count(b"\n") == texts.read_bytes().count(b"\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["calm", "out", "texts.txt"]
