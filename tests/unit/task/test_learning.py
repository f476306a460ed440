"""How weights learn: what is usual, what cannot go together, and kills that change nothing."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import kl_div

from zhbert.config import parse
from zhbert.errors import ConfigError
from zhbert.files import Work
from zhbert.progress import SILENT, Progress
from zhbert.task.base import IGNORED
from zhbert.task.doubt import disagreement
from zhbert.task.finetune import FinetuneConfig, finetune

Settings = Callable[..., dict[str, Any]]
ALL = {
    "layer_decay": 0.8,
    "head_lr": 3.0,
    "freeze": -1,
    "rdrop": 0.5,
    "fgm": 0.3,
    "ema": 0.7,
    "judge_every": 0.4,
    "patience_epochs": 5.0,
    "save_seconds": 1e-9,
}


def config_of(values: dict[str, Any]) -> FinetuneConfig:
    return parse(FinetuneConfig, {k: str(v) if isinstance(v, Path) else v for k, v in values.items()})


def run(folder: Path, values: dict[str, Any], progress: Progress = SILENT) -> Work:
    folder.mkdir(exist_ok=True)
    work = Work(folder)
    finetune(config_of(values), work, progress)
    return work


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_weights(
    tmp_path: Path, tiny_finetune: Settings, stop_after: Callable[[int], Progress]
) -> None:
    values = tiny_finetune("classify", **ALL)
    run(tmp_path / "calm", values)
    for at in (2, 4):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "killed", values, stop_after(at))
    run(tmp_path / "killed", values)
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("calm", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    log = (tmp_path / "calm/logs/metrics.jsonl").read_text("utf-8")
    assert log.count('"score"') > 2, "a look at dev more often than once in each of two epochs"


def test_frozen_layers_stay_as_they_are(tmp_path: Path, tiny_finetune: Settings, tiny_encoder: Path) -> None:
    run(tmp_path / "ner", tiny_finetune("ner", epochs=1, freeze=1))
    before, after = (load_file(place / "model.safetensors") for place in (tiny_encoder, tmp_path / "ner"))
    still = {name for name in after if name in before and torch.equal(before[name], after[name])}
    assert {name for name in after if "embeddings" in name or ".layer.0." in name} <= still
    assert not {name for name in still if ".layer.1." in name and name.endswith("dense.weight")}


class Heard:
    """A progress that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.bar = SILENT.bar

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_what_is_usual_is_said_and_written_down(tmp_path: Path, tiny_finetune: Settings) -> None:
    heard = Heard()
    values = {k: v for k, v in tiny_finetune("classify").items() if k != "epochs"}
    work = run(tmp_path / "usual", values | {"patience_epochs": 1.0, "lr": 1e-9}, heard)
    assert heard.lines == ["epochs = 10: what is usual for a 2 x 128 encoder"]  # the rate was given
    assert (work.counts["epochs"], work.counts["lr"], work.counts["best_epoch"]) == (10, 1e-9, 1)
    log = (tmp_path / "usual/logs/metrics.jsonl").read_text("utf-8")
    assert log.count('"score"') == 2, (
        "with hardly any rate nothing gets better, so the second epoch is the last"
    )


MISTAKES: dict[str, tuple[str, dict[str, Any], str]] = {
    "no shares": ("ner", {"head": "crf", "rdrop": 1.0}, 'rdrop: has no meaning for the task "ner"'),
    "no dropout": ("ner", {"dropout": 0.0, "rdrop": 1.0}, "rdrop: without dropout"),
    "frozen": ("ner", {"freeze": 0, "fgm": 1.0}, "fgm: the embeddings that it disturbs are frozen"),
    "shared out": ("ner", {"shard": True, "ema": 0.9}, "ema: needs whole weights in every process"),
    "too deep": ("ner", {"freeze": 3}, "freeze = 3: the encoder has 2 layers"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_cannot_be_is_said_in_one_line(name: str, tmp_path: Path, tiny_finetune: Settings) -> None:
    task, values, words = MISTAKES[name]
    with pytest.raises(ConfigError, match=words) as caught:
        run(tmp_path / "out", tiny_finetune(task, **values))
    assert "\n" not in str(caught.value)


def test_two_answers_disagree_by_their_divergence() -> None:
    torch.manual_seed(5)
    one, other = torch.randn(2, 4, 3, 5)
    labels = torch.tensor([[1, 2, IGNORED], [0, IGNORED, IGNORED], [3, 3, 3], [IGNORED] * 3])
    outputs = [{"logits": one}, {"logits": other}]
    p, q = (logits[labels != IGNORED].log_softmax(-1) for logits in (one, other))
    slow = (
        kl_div(p, q, reduction="sum", log_target=True) + kl_div(q, p, reduction="sum", log_target=True)
    ) / 2
    found = disagreement(*map(Output, outputs), {"labels": labels})
    assert float(found) == pytest.approx(float(slow), rel=1e-5)
    assert float(disagreement(Output(outputs[0]), Output(outputs[0]), {"labels": labels})) == 0


def test_where_nothing_can_be_answered_nobody_disagrees() -> None:
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    starts, ends = torch.randn(2, 2, 3)
    other = starts + torch.tensor([[0.0, 0.0, 9.0], [0.0, 0.0, 0.0]])
    one, two = (Output({"start_logits": x, "end_logits": ends}) for x in (starts, other))
    assert float(disagreement(one, two, {"attention_mask": mask})) == pytest.approx(0, abs=1e-6)


class Output(SimpleNamespace):
    """What a model says, asked for by name or by attribute."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(**values)

    def __contains__(self, name: str) -> bool:
        return hasattr(self, name)
