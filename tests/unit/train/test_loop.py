"""The loop: accumulation changes nothing, a kill changes nothing, and what is wrong stops it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from curve import ROWS, STEPS, Curve, Net, config, folder, rows, same
from torch import Tensor

from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ModelError
from zhbert.model.encoder import new_config, new_encoder
from zhbert.progress import SILENT, Progress
from zhbert.records import to_plain
from zhbert.train import checkpoint
from zhbert.train.history import History, step_seed
from zhbert.train.job import Micro
from zhbert.train.loop import train
from zhbert.train.manner import make_optimizer


def timeless(history: History) -> dict[str, Any]:
    return to_plain(history) | {"seconds": 0}


@pytest.mark.parametrize("cuts", [(1, 5, 2, 4), (3, 3, 3, 3), (11, 1)])
def test_accumulation_changes_nothing(cuts: tuple[int, ...], tmp_path: Path) -> None:
    whole, parts = Net(), Net()
    first = train(whole, Curve(), config(), folder=folder(tmp_path, "a"))
    second = train(parts, Curve(cuts), config(), folder=folder(tmp_path, "b"))
    for a, b in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    last, other = rows(tmp_path / "a")[-1], rows(tmp_path / "b")[-1]
    assert other["loss"] == pytest.approx(last["loss"], rel=1e-5)
    assert first.tokens == second.tokens == STEPS * ROWS * 10


def test_the_update_is_that_of_the_mean_over_all_targets(tmp_path: Path) -> None:
    model, slow = Net(), Net()
    settings = config(steps=1, warmup=0.0, clip=1e9)
    train(model, Curve((1, 11)), settings, folder=tmp_path)
    micro, optimizer = Curve().next_step(done=0, parts=1)[0], make_optimizer(slow, settings)
    (slow(micro.tensors["x"]) - micro.tensors["y"]).square().mean().backward()
    optimizer.step()
    for a, b in zip(model.parameters(), slow.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("saving", [1e-9, 1e9])
@pytest.mark.parametrize("place", ["job", "bar"])
def test_a_killed_run_ends_as_if_nothing_had_happened(
    place: str, saving: float, tmp_path: Path, stop_after: Callable[[int], Progress]
) -> None:
    scores = {4: 0.3, 8: 0.5, 12: 0.4}
    settings = config(save_seconds=saving)
    whole = Net(0.2)
    history = train(whole, Curve(scores=scores), settings, folder=folder(tmp_path, "whole"))
    for at in range(1, STEPS):
        work = folder(tmp_path, f"{at}")
        job = Curve(stop_at=at if place == "job" else -1, scores=scores)
        bar = stop_after(at) if place == "bar" else SILENT
        with pytest.raises(KeyboardInterrupt):
            train(Net(0.2), job, settings, folder=work, progress=bar)
        model = Net(0.2)
        resumed = train(model, Curve(scores=scores), settings, folder=work)
        assert same(model, whole), at
        assert timeless(resumed) == timeless(history), at
        assert rows(work) == rows(tmp_path / "whole")
        checkpoint.clear(work)
        assert sorted(path.name for path in work.iterdir()) == ["logs"]


def test_a_run_that_is_killed_again_and_again_ends_too(tmp_path: Path) -> None:
    whole, settings = Net(0.2), config(save_seconds=1e-9)
    train(whole, Curve(), settings, folder=folder(tmp_path, "whole"))
    work = folder(tmp_path, "work")
    for at in range(STEPS):
        with pytest.raises(KeyboardInterrupt):
            train(Net(0.2), Curve(stop_at=at), settings, folder=work)
    model = Net(0.2)
    train(model, Curve(), settings, folder=work)
    assert same(model, whole)


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("how", ["missing", "cut off"])
def test_a_damaged_checkpoint_is_refused_by_name(how: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Net(), Curve(stop_at=3), config(save_seconds=1e-9), folder=tmp_path)
    found = checkpoint.latest(tmp_path)
    assert found is not None
    if how == "missing":
        (found / name).unlink()
    else:
        (found / name).write_bytes((found / name).read_bytes()[:7])
    with pytest.raises(ModelError, match=f"lacks {name}" if how == "missing" else "is damaged") as caught:
        train(Net(), Curve(), config(), folder=tmp_path)
    assert str(found) in str(caught.value)


def test_lost_best_weights_are_missed_at_once_not_at_the_end(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Net(), Curve(stop_at=3, scores={1: 0.5}), config(save_seconds=1e-9), folder=tmp_path)
    (tmp_path / "best.safetensors").unlink()
    with pytest.raises(ModelError, match="best weights so far are gone"):
        train(Net(), Curve(), config(), folder=tmp_path)


def test_the_best_weights_are_kept(tmp_path: Path) -> None:
    model, best = Net(), Net()
    history = train(
        model, Curve(scores={2: 0.1, 5: 0.9, 8: 0.9, 12: 0.2}), config(), folder=folder(tmp_path, "a")
    )
    assert (history.best, history.best_step) == (0.9, 5)
    with pytest.raises(KeyboardInterrupt):
        train(best, Curve(stop_at=5), config(), folder=folder(tmp_path, "b"))
    assert same(model, best)


def test_without_a_score_the_last_weights_are_kept(tmp_path: Path) -> None:
    model, judged = Net(), Net()
    history = train(model, Curve(), config(), folder=folder(tmp_path, "a"))
    train(judged, Curve(scores={STEPS: 1.0}), config(), folder=folder(tmp_path, "b"))
    assert history.best is None
    assert same(model, judged)


def test_a_step_without_targets_moves_nothing(tmp_path: Path) -> None:
    class Empty(Curve):
        def next_step(self, *, done: float, parts: int) -> list[Micro]:
            return [Micro({"x": torch.zeros(0, 4), "y": torch.zeros(0, 1)}, 0, 5)]

    model = Net()
    train(model, Empty(), config(), folder=tmp_path)
    assert same(model, Net())


def test_dropout_is_on_while_training_also_after_a_judgement(tmp_path: Path) -> None:
    modes = []

    class Watching(Curve):
        def loss(self, model: Any, micro: Micro) -> Tensor:
            modes.append(model.training)
            return super().loss(model, micro)

    model = Net(0.5)
    model.eval()
    train(model, Watching(scores=dict.fromkeys(range(STEPS), 0.0)), config(), folder=tmp_path)
    assert modes == [True] * STEPS


def test_weights_are_decayed_norms_and_biases_are_not(tiny_tokenizer: Tokenizer) -> None:
    model = new_encoder(new_config("pico", tiny_tokenizer), seed=1)
    decayed, free = make_optimizer(model, config(weight_decay=0.02)).param_groups
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.02, 0.0)
    names = {id(p): name for name, p in model.named_parameters()}
    assert len(decayed["params"]) + len(free["params"]) == len(names)
    assert all("LayerNorm" in names[id(p)] or names[id(p)].endswith("bias") for p in free["params"])
    assert not any("LayerNorm" in names[id(p)] or names[id(p)].endswith("bias") for p in decayed["params"])


def test_frozen_weights_stay_as_they_are(tmp_path: Path) -> None:
    model, before = Net(), Net()
    model.inner.requires_grad_(False)
    train(model, Curve(), config(), folder=tmp_path)
    assert same(model.inner, before.inner)
    assert not same(model.outer, before.outer)


def test_steps_have_seeds_of_their_own() -> None:
    assert len({step_seed(seed, step) for seed in range(5) for step in range(1000)}) == 5000
    assert len({step_seed(1, step, rank) for rank in range(8) for step in range(1000)}) == 8000
    assert 0 <= step_seed(2**60, 5) < 2**63
