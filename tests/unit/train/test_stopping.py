"""A signal ends a training after its step, with a checkpoint, and then does what it always does."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from curve import Curve, Net, config, folder, same
from forked import forked

from zhbert.progress import Silent
from zhbert.train.job import Judged, Micro
from zhbert.train.loop import train
from zhbert.train.stopping import Stopping

BOTH = [signal.SIGTERM, signal.SIGINT]


class Struck(BaseException):
    """What the handler that was there before makes of a signal."""


class Signalled(Curve):
    """A signal comes while a step is prepared, or while the model is judged."""

    def __init__(self, number: int, step: int, *, judging: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.number, self.step, self.judging = number, step, judging

    def next_step(self, *, done: float, parts: int) -> list[Micro]:
        if self.position + 1 == self.step and not self.judging:
            os.kill(os.getpid(), self.number)
        return super().next_step(done=done, parts=parts)

    def evaluate(self, model: Any, step: int, *, last: bool) -> Judged | None:
        if step == self.step and self.judging:
            os.kill(os.getpid(), self.number)
        return super().evaluate(model, step, last=last)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Have both signals raise here, and see that the handlers are back at the end."""

    def strike(number: int, frame: Any) -> None:
        raise Struck(number)

    before = {number: signal.signal(number, strike) for number in BOTH}
    yield
    assert {number: signal.signal(number, handler) for number, handler in before.items()} == dict.fromkeys(
        BOTH, strike
    )


@pytest.mark.parametrize("number", BOTH)
@pytest.mark.parametrize(("step", "judging", "after"), [(5, False, 5), (5, True, 6), (12, True, 12)])
def test_the_step_is_finished_and_saved(
    step: int, judging: bool, after: int, number: int, tmp_path: Path
) -> None:
    scores = {4: 0.2, 12: 0.4}
    work, whole, model = folder(tmp_path, "work"), Net(0.2), Net(0.2)
    train(whole, Curve(scores=scores), config(), folder=folder(tmp_path, "whole"))
    with pytest.raises(Struck, match=str(int(number))):
        train(Net(0.2), Signalled(number, step, judging=judging, scores=scores), config(), folder=work)
    assert [path.name for path in work.glob("checkpoint-*")] == [f"checkpoint-{after:09d}"]
    train(model, Curve(scores=scores), config(), folder=work)
    assert same(model, whole)


def test_the_user_is_told_that_nothing_is_lost(tmp_path: Path) -> None:
    said: list[str] = []
    progress = Silent()
    progress.say = said.append  # type: ignore[method-assign]
    with pytest.raises(Struck):
        train(Net(), Signalled(signal.SIGTERM, 3), config(), folder=tmp_path, progress=progress)
    assert said == ["stopped after step 3: the same command goes on there"]


def test_a_signal_that_nobody_minds_does_not_pass_for_the_end(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with pytest.raises(KeyboardInterrupt):
        train(Net(), Signalled(signal.SIGTERM, 3), config(), folder=tmp_path)
    signal.signal(signal.SIGTERM, before)


def test_a_second_ctrl_c_does_not_wait_but_a_second_sigterm_does() -> None:
    with Stopping() as stopping:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stopping.asked == signal.SIGTERM
        with pytest.raises(Struck):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_training_in_a_thread_leaves_signals_alone(tmp_path: Path) -> None:
    worker = threading.Thread(target=train, args=(Net(), Curve(), config()), kwargs={"folder": tmp_path})
    worker.start()
    worker.join()
    assert (tmp_path / "logs" / "metrics.jsonl").is_file()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals on Windows")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_the_command_ends_as_the_signal_says(
    number: int, code: int, tmp_path: Path, tiny_shards: Path
) -> None:
    command = [*forked(), "pretrain", "--shards", str(tiny_shards), "--size", "pico"]
    command += ["--steps", "100000", "--lr", "1e-3", "--max-tokens", "48", "--batch-tokens", "256"]
    process = subprocess.Popen(
        [*command, "-o", str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    metrics = tmp_path / "out.partial" / "logs" / "metrics.jsonl"
    while not (metrics.is_file() and metrics.stat().st_size) and process.poll() is None:
        threading.Event().wait(0.1)
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == code
    assert "the same command goes on there" in said
    assert len(list((tmp_path / "out.partial").glob("checkpoint-*"))) == 1
