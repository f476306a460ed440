"""Two processes come to what one comes to, whatever happens to one of them."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import ranked
import torch
from curve import rows
from forked import forked
from safetensors.torch import load_file
from torch import nn

from zhbert.train import ranks as module
from zhbert.train.ranks import Ranks

slow = pytest.mark.slow


def test_a_process_alone_sends_nothing() -> None:
    alone = Ranks(0, 1, torch.device("cpu"))
    assert alone.main
    assert alone.total(1, 2.5) == [1, 2.5]
    assert (alone.most(3), alone.said("甲")) == (3, "甲")
    weight = nn.Parameter(torch.ones(2))
    alone.add_gradients([weight])
    assert weight.grad is None


def test_gradients_travel_in_buckets_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUCKET", 10)
    gradients = [torch.zeros(n) for n in (3, 4, 2, 25, 1, 9, 9)]
    buckets = module._buckets(gradients)
    assert [tensor.numel() for bucket in buckets for tensor in bucket] == [3, 4, 2, 25, 1, 9, 9]
    assert len(buckets) > 2
    assert all(sum(t.numel() for t in bucket[1:]) <= 10 for bucket in buckets)


def start(folder: Path, how: str, processes: int) -> "subprocess.CompletedProcess[str]":
    folder.mkdir(exist_ok=True)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--no-python"]
    return subprocess.run(
        [*torchrun, "--nproc-per-node", str(processes), *forked(ranked.__file__), str(folder), how],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def run(folder: Path, how: str, processes: int) -> dict[str, Any]:
    done = start(folder, how, processes)
    assert done.returncode == 0, done.stderr
    histories = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("history-*"))]
    ends = [load_file(path) for path in sorted(folder.glob("end-*"))]
    assert len(ends) == processes
    assert all(history == histories[0] for history in histories)
    assert all(torch.equal(end[name], ends[0][name]) for end in ends for name in end)
    return {"history": histories[0], "weights": ends[0], "rows": rows(folder)}


def close(one: dict[str, Any], other: dict[str, Any]) -> bool:
    def near(a: Any, b: Any) -> bool:
        return a == b if isinstance(a, str) else a == pytest.approx(b, rel=1e-5, nan_ok=True)

    pairs = list(zip(one["rows"], other["rows"], strict=True))
    assert all(a.keys() == b.keys() and all(near(a[k], b[k]) for k in a) for a, b in pairs), pairs
    return all(torch.allclose(one["weights"][k], other["weights"][k], atol=1e-6) for k in one["weights"])


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(torch.equal(one["weights"][k], other["weights"][k]) for k in one["weights"])


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run(tmp_path_factory.mktemp("calm"), "calm", 2)


@slow
def test_two_careful_processes_are_one(tmp_path: Path) -> None:
    one, two = (run(tmp_path / str(processes), "careful", processes) for processes in (1, 2))
    assert close(one, two)


@slow
def test_two_processes_are_one(tmp_path: Path, calm: dict[str, Any]) -> None:
    one = run(tmp_path / "one", "calm", 1)
    assert len(one["rows"]) == 12 + 3
    assert close(one, calm)
    assert one["history"]["tokens"] == calm["history"]["tokens"] == 12 * 12 * 10


@slow
def test_what_happens_to_one_process_happens_to_all(tmp_path: Path) -> None:
    one, two = (run(tmp_path / str(processes), "trouble", processes) for processes in (1, 2))
    assert close(one, two)
    assert [row.get("fault") for row in two["rows"] if row["step"] == 4] == ["the loss is nan", None, None]
    assert two["history"]["guard"]["skipped"] == 1
    assert (one["history"]["parts"], two["history"]["parts"]) == (
        8,
        4,
    )  # of 12 rows and of 6: until 2 are left
    assert two["history"]["tokens"] == 12 * 12 * 10


@slow
def test_a_signal_to_one_stops_all_after_a_checkpoint_and_the_run_goes_on(
    tmp_path: Path, calm: dict[str, Any]
) -> None:
    stopped = start(tmp_path / "work", "stop", 2)
    assert stopped.returncode != 0
    assert sorted(p.name for p in (tmp_path / "work").glob("checkpoint-*")) == ["checkpoint-000000006"]
    assert f"exitcode  : {-signal.SIGTERM}" in stopped.stderr
    again = run(tmp_path / "work", "calm", 2)
    assert same(again, calm)
    assert again["rows"] == calm["rows"]


@slow
def test_a_process_that_dies_ends_all_and_the_run_goes_on(tmp_path: Path, calm: dict[str, Any]) -> None:
    assert start(tmp_path / "work", "die", 2).returncode != 0
    assert [p.name for p in (tmp_path / "work").glob("checkpoint-*")] == ["checkpoint-000000005"]
    assert same(run(tmp_path / "work", "calm", 2), calm)
