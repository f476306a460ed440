"""Trainings by steps and by time, what is no part of a plan, and what is done at the end."""

from pathlib import Path
from typing import Any

import pytest
import torch
from curve import STEPS, Curve, Net, config, folder, rows, same

from zhbert.config import parse
from zhbert.errors import ConfigError
from zhbert.train import loop
from zhbert.train.config import LoopConfig, Upkeep
from zhbert.train.job import Micro
from zhbert.train.loop import train


class Clock:
    """A clock that a job sets forward."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Slow(Curve):
    """Every step takes six seconds, every look at dev one."""

    def __init__(self, clock: Clock, **more: Any) -> None:
        super().__init__(**more)
        self.clock = clock

    def next_step(self, *, done: float, parts: int) -> list[Micro]:
        self.clock.now += 6
        return super().next_step(done=done, parts=parts)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(loop, "time", found)
    monkeypatch.setattr(loop, "EVERY", 1)
    return found


def test_a_training_by_time_ends_in_time_with_its_decay_done(tmp_path: Path, clock: Clock) -> None:
    job = Slow(clock)
    history = train(Net(), job, config(minutes=2, warmup=0.1), folder=tmp_path)
    assert (history.steps, history.seconds) == (20, 120)
    assert [done for done, _ in job.asked] == pytest.approx([step / 20 for step in range(20)])
    assert job.lasts == [False] * 19 + [True]
    rates = [row["lr"] / 0.05 for row in rows(tmp_path)]
    assert rates[:4] == pytest.approx([0.01, 0.5, 1, 0.85 / 0.9])
    assert rates[-1] == pytest.approx(0.05 / 0.9)


def test_time_that_was_spent_before_a_restart_counts(tmp_path: Path, clock: Clock) -> None:
    settings = config(minutes=2, save_seconds=1)
    with pytest.raises(KeyboardInterrupt):
        train(Net(), Slow(clock, stop_at=5), settings, folder=tmp_path)
    clock.now = 10_000  # the pause does not count
    job = Slow(clock)
    history = train(Net(), job, settings, folder=tmp_path)
    assert (history.steps, history.seconds) == (20, 120)
    assert job.asked[0][0] == pytest.approx(0.25)
    assert len(job.asked) == 15


def test_every_job_hears_of_its_last_step(tmp_path: Path) -> None:
    job = Curve()
    train(Net(), job, config(), folder=tmp_path)
    assert job.lasts == [False] * (STEPS - 1) + [True]
    assert [done for done, _ in job.asked] == [step / STEPS for step in range(STEPS)]


@pytest.mark.parametrize("length", [{}, {"steps": 5, "minutes": 1.0}, {"steps": 0, "minutes": 0.0}])
def test_a_training_has_one_length(length: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"x\.toml: minutes = .*: give steps or minutes, one of the two"):
        parse(LoopConfig, {"lr": 0.1} | length, where="x.toml")


def test_how_the_work_is_done_is_no_part_of_the_plan(tmp_path: Path) -> None:
    other = {"save_seconds": 5.0, "keep": 3, "shard": True, "compile": True, "tensorboard": True}
    assert set(other) == set(Upkeep.model_fields)
    assert config(**other).settings() == config().settings()
    assert config(seed=9).settings() != config().settings()
    one, two = Net(), Net()
    train(one, Curve(), config(), folder=folder(tmp_path, "a"))
    train(two, Curve(), config(**other), folder=folder(tmp_path, "b"))
    assert same(one, two)


@pytest.mark.parametrize("wanted", [True, False])
def test_compilation_is_left_to_the_job_and_to_cuda(wanted: bool, tmp_path: Path) -> None:
    job = Curve()
    train(Net(), job, config(compile=wanted), folder=tmp_path)
    assert job.compilations == (wanted and torch.cuda.is_available())


def test_so_many_checkpoints_are_kept_until_the_caller_is_done(tmp_path: Path) -> None:
    settings = config(save_seconds=1e-9, keep=3)
    train(Net(), Curve(), settings, folder=tmp_path)
    names = [path.name for path in tmp_path.glob("checkpoint-*")]
    assert sorted(names) == [f"checkpoint-{step:09d}" for step in (10, 11, 12)]


def test_a_run_that_was_killed_after_its_last_step_only_ends(tmp_path: Path) -> None:
    whole, again = Net(), Net()
    scores = {4: 0.5, 8: 0.1}
    train(whole, Curve(scores=scores), config(save_seconds=1e-9), folder=tmp_path)
    job = Curve(scores=scores)
    history = train(again, job, config(), folder=tmp_path)
    assert job.asked == []
    assert (history.best, history.best_step, history.steps) == (0.5, 4, STEPS)
    assert same(again, whole)
