"""Which steps are skipped, and when that is enough."""

import math
from typing import Any

import pytest
import torch
from curve import STEPS, Curve, Net, config, folder, rows, same
from torch import Tensor

from zhbert.errors import TrainingError
from zhbert.train.guard import ENOUGH, WINDOW, Guard
from zhbert.train.job import Micro
from zhbert.train.loop import train


class Spoiled(Curve):
    """Some steps' losses are multiplied."""

    def __init__(self, factors: dict[int, float]) -> None:
        super().__init__()
        self.factors = factors

    def loss(self, model: Any, micro: Micro) -> Tensor:
        return super().loss(model, micro) * self.factors.get(self.position, 1.0)


class Passing(Curve):
    """Some batches are passed over, as if they had never been."""

    def __init__(self, without: set[int]) -> None:
        super().__init__()
        self.without = without

    def next_step(self, *, done: float, parts: int) -> list[Micro]:
        micros = super().next_step(done=done, parts=parts)
        return [micro.idle() for micro in micros] if self.position in self.without else micros


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_step_whose_loss_is_no_number_changes_nothing(bad: float, tmp_path: Any) -> None:
    model, expected = Net(), Net()
    history = train(model, Spoiled({5: bad}), config(), folder=folder(tmp_path, "bad"))
    train(expected, Passing({5}), config(), folder=folder(tmp_path, "expected"))
    assert same(model, expected)
    assert history.guard.skipped == 1
    fault = next(row for row in rows(tmp_path / "bad") if "fault" in row)
    assert fault == {"step": 5, "fault": f"the loss is {bad}", "where": "row 4"}
    assert rows(tmp_path / "bad")[-1]["skipped"] == 1


def test_a_gradient_that_is_no_number_changes_nothing(tmp_path: Any) -> None:
    class Cliff(Curve):
        def loss(self, model: Any, micro: Micro) -> Tensor:
            cliff = (model.outer.weight * 0).sqrt().sum() if self.position == STEPS else 0.0
            return super().loss(model, micro) + cliff

    model, expected = Net(), Net()
    train(model, Cliff(), config(), folder=folder(tmp_path, "bad"))
    train(expected, Passing({STEPS}), config(), folder=folder(tmp_path, "expected"))
    assert same(model, expected)
    assert {row.get("fault") for row in rows(tmp_path / "bad")} == {None, "the gradient is nan"}


@pytest.mark.parametrize(("factor", "skipped"), [(20.0, 1), (0.0, 0), (1e9, 0)])
def test_a_spike_is_skipped_where_that_is_wanted(factor: float, skipped: int, tmp_path: Any) -> None:
    settings = config(steps=40, spike=factor, lr=1e-4)
    history = train(Net(), Spoiled({ENOUGH - 5: 1000.0, ENOUGH + 5: 1000.0}), settings, folder=tmp_path)
    assert history.guard.skipped == skipped
    found = [row["step"] for row in rows(tmp_path) if "fault" in row]
    assert found == [ENOUGH + 5] * skipped


def test_losses_are_compared_with_the_median_of_those_that_counted() -> None:
    guard = Guard()
    for loss in [*[9.0] * 30, *[1.0] * WINDOW]:
        guard.passed(loss)
    assert guard.recent == [1.0] * WINDOW
    assert guard.fault(2.01, factor=2.0)
    assert not guard.fault(1.99, factor=2.0)
    assert not Guard(recent=[1.0] * (ENOUGH - 1)).fault(99.0, factor=2.0)


@pytest.mark.parametrize("bad", [range(4, 99), range(1, 99, 2)], ids=["in a row", "in all"])
def test_too_many_skipped_steps_end_the_training_and_say_where(bad: range, tmp_path: Any) -> None:
    job = Spoiled(dict.fromkeys(bad, math.nan))
    settings = config(steps=99, patience=3, spike=0.0)
    in_row = bad.step == 1
    words = r"3 steps in a row were skipped; at step 6 the loss is nan" if in_row else "30 were skipped; at"
    with pytest.raises(TrainingError, match=rf"row {5 if in_row else 58}: {words}.*lower learning rate"):
        train(Net(), job, settings, folder=tmp_path)


def test_what_was_skipped_is_remembered_by_a_run_that_goes_on(tmp_path: Any) -> None:
    class Stopped(Spoiled):
        def next_step(self, *, done: float, parts: int) -> list[Micro]:
            if self.position == 3:
                raise KeyboardInterrupt
            return super().next_step(done=done, parts=parts)

    bad = dict.fromkeys(range(2, 99), math.nan)
    with pytest.raises(KeyboardInterrupt):
        train(Net(), Stopped(bad), config(save_seconds=1e-9), folder=tmp_path)
    with pytest.raises(TrainingError, match="5 steps in a row were skipped; at step 6"):
        train(Net(), Spoiled(bad), config(patience=5), folder=tmp_path)


def test_the_weights_are_those_before_the_bad_steps(tmp_path: Any) -> None:
    model, before = Net(), Net()
    with pytest.raises(TrainingError):
        train(model, Spoiled(dict.fromkeys(range(5, 99), math.nan)), config(patience=4), folder=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train(before, Curve(stop_at=4), config(), folder=tmp_path)
    assert same(model, before)
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
