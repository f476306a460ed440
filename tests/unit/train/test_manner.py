"""Rates of their own, averages, disturbed weights, an early end: each does what it says, kills or not."""

from pathlib import Path
from typing import Any

import pytest
import torch
from curve import STEPS, Curve, Net, config, folder, rows, same
from torch import Tensor

from zhbert.train.loop import train
from zhbert.train.manner import Manner, make_optimizer

ALL = Manner(rates={"inner.weight": 0.3}, average=0.8, disturb=0.4, disturbed="inner.weight", wait=7)


class Watched(Curve):
    """Keeps the weights that each look at dev sees."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.seen: list[dict[str, Tensor]] = []

    def evaluate(self, model: Any, step: int, *, last: bool) -> Any:
        self.seen.append({name: weight.detach().clone() for name, weight in model.named_parameters()})
        return super().evaluate(model, step, last=last)


def test_a_weight_learns_at_its_own_rate(tmp_path: Path) -> None:
    model, slow = Net(), Net()
    rates = {"inner.weight": 0.25, "outer.bias": 3.0, "outer.weight": 0.0}
    settings = config(clip=1e9, warmup=0.0, schedule="constant", steps=3)
    train(model, Curve(), settings, folder=tmp_path, manner=Manner(rates=rates))
    optimizers = [
        make_optimizer_of(weight, name, settings, rates.get(name, 1.0))
        for name, weight in slow.named_parameters()
    ]
    curve = Curve()
    for _ in range(3):
        (micro,) = curve.next_step(done=0, parts=1)
        slow.zero_grad()
        (curve.loss(slow, micro) / micro.targets).backward()
        for optimizer in optimizers:
            optimizer.step()
    for a, b in zip(model.parameters(), slow.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    assert torch.equal(model.outer.weight, Net().outer.weight)


def make_optimizer_of(weight: Any, name: str, settings: Any, rate: float) -> torch.optim.AdamW:
    decay = settings.weight_decay if weight.ndim > 1 else 0.0
    return torch.optim.AdamW(
        [weight], lr=settings.lr * rate, betas=settings.betas, eps=1e-6, weight_decay=decay
    )


def test_groups_are_those_of_before_where_all_rates_are_alike() -> None:
    groups = make_optimizer(Net(), config()).param_groups
    assert [len(group["params"]) for group in groups] == [2, 2]


@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_the_average_is_judged_and_kept(keep: float, tmp_path: Path) -> None:
    plain, averaged = Watched(), Watched(scores={4: 0.1, 9: 0.9, 12: 0.2})
    train(Net(), plain, config(), folder=folder(tmp_path, "plain"))
    model = Net()
    train(model, averaged, config(), folder=folder(tmp_path, "averaged"), manner=Manner(average=keep))
    for name, start in Net().named_parameters():
        mean = start.detach().clone()
        for step in range(STEPS):
            mean = keep * mean + (1 - keep) * plain.seen[step][name]
            assert torch.allclose(averaged.seen[step][name], mean, atol=1e-6)
    assert all(torch.equal(weight, averaged.seen[8][name]) for name, weight in model.named_parameters())


def test_without_a_score_the_average_is_what_is_left(tmp_path: Path) -> None:
    job, model = Watched(), Net()
    train(model, job, config(), folder=tmp_path, manner=Manner(average=0.7))
    assert all(torch.equal(weight, job.seen[-1][name]) for name, weight in model.named_parameters())


def test_a_second_look_from_uphill_is_added_to_the_gradient(tmp_path: Path) -> None:
    model, slow = Net(), Net()
    settings = config(steps=1, warmup=0.0, clip=1e9)
    manner = Manner(disturb=0.4, disturbed="inner.weight")
    train(model, Curve((1, 11)), settings, folder=tmp_path, manner=manner)
    curve, weight = Curve(), slow.inner.weight
    (micro,) = curve.next_step(done=0, parts=1)
    (curve.loss(slow, micro) / micro.targets).backward()
    assert weight.grad is not None
    there = weight.detach() + 0.4 * weight.grad / weight.grad.norm()
    before = weight.detach().clone()
    with torch.no_grad():
        weight.copy_(there)
    (curve.loss(slow, micro) / micro.targets).backward()
    with torch.no_grad():
        weight.copy_(before)
    make_optimizer(slow, settings).step()
    for a, b in zip(model.parameters(), slow.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize(("wait", "steps"), [(0, 12), (2, 8), (3, 12), (6, 12)])
def test_the_training_ends_when_judgements_no_longer_improve(wait: int, steps: int, tmp_path: Path) -> None:
    scores = {2: 0.1, 4: 0.2, 6: 0.3, 7: 0.3, 8: 0.1, 9: 0.8, 12: 0.1}
    job = Watched(scores=scores)
    history = train(Net(), job, config(), folder=tmp_path, manner=Manner(wait=wait))
    assert (history.steps, len(job.seen)) == (steps, steps)
    assert history.settled == (wait in (2, 3))


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 5, 10])
def test_a_killed_run_ends_as_if_nothing_had_happened(at: int, tmp_path: Path) -> None:
    scores = {3: 0.5, 6: 0.6, 11: 0.2}
    settings = config(save_seconds=1e-9)
    whole, model = Net(0.2), Net(0.2)
    calm = train(whole, Curve(scores=scores), settings, folder=folder(tmp_path, "calm"), manner=ALL)
    place = folder(tmp_path, "killed")
    with pytest.raises(KeyboardInterrupt):
        train(Net(0.2), Curve(stop_at=at, scores=scores), settings, folder=place, manner=ALL)
    history = train(model, Curve(scores=scores), settings, folder=place, manner=ALL)
    assert same(model, whole)
    assert rows(place) == rows(tmp_path / "calm")
    assert (history.steps, history.best_step) == (calm.steps, calm.best_step) == (12, 6)


def test_accumulation_changes_nothing(tmp_path: Path) -> None:
    whole, parts = Net(), Net()
    train(whole, Curve(), config(), folder=folder(tmp_path, "a"), manner=ALL)
    train(parts, Curve((1, 5, 2, 4)), config(), folder=folder(tmp_path, "b"), manner=ALL)
    for a, b in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
