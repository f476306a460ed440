"""What is recorded: rows that a kill cannot spoil, restarts, and TensorBoard's files where there is one."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from curve import Curve, Net, config, folder

from zhbert.progress import Silent
from zhbert.train.loop import train

FIGURES = {"step", "loss", "norm", "lr", "batch_tokens", "tokens_per_second", "skipped", "seconds"}


class Saying(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "logs" / "metrics.jsonl").open(encoding="utf-8")]


def test_a_row_has_all_figures(tmp_path: Path) -> None:
    train(Net(), Curve(scores={5: 0.5}), config(), folder=tmp_path)
    assert [set(row) for row in lines(tmp_path)] == [{"step", "score"}, FIGURES, FIGURES]
    assert [row["step"] for row in lines(tmp_path)] == [5, 10, 12]
    last = lines(tmp_path)[-1]
    assert (last["batch_tokens"], last["skipped"]) == (120, 0)
    assert last["tokens_per_second"] > 0


def test_a_restart_is_marked_and_what_it_does_again_is_taken_back(tmp_path: Path) -> None:
    scores = dict.fromkeys(range(1, 13), 0.5)
    with pytest.raises(KeyboardInterrupt):
        train(Net(), Curve(stop_at=6, scores=scores), config(save_seconds=1e-9), folder=tmp_path)
    with (tmp_path / "logs" / "metrics.jsonl").open("a") as handle:
        handle.write('{"step": 7, "score": 9}\n{"step": 8, "sco')
    train(Net(), Curve(scores=scores), config(), folder=tmp_path)
    found = lines(tmp_path)
    assert [row.get("step", row.get("restart")) for row in found] == [
        *range(1, 7),
        6,
        *range(7, 11),
        10,
        11,
        12,
        12,
    ]
    assert found[6] == {"restart": 6}
    assert {row.get("score") for row in found} == {0.5, None}


def test_a_restart_without_a_checkpoint_begins_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Net(), Curve(stop_at=6, scores={3: 0.5}), config(), folder=tmp_path)
    train(Net(), Curve(), config(), folder=tmp_path)
    assert [row.get("step", row.get("restart")) for row in lines(tmp_path)] == [0, 10, 12]


class Writer:
    made: ClassVar[list["Writer"]] = []

    def __init__(self, folder: str, *, purge_step: int) -> None:
        self.folder, self.purge_step, self.scalars, self.closed = Path(folder), purge_step, [], False
        self.made.append(self)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars.append((name, value, step))

    def close(self) -> None:
        self.closed = True


def test_tensorboard_gets_the_same_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    monkeypatch.setattr(Writer, "made", [])
    train(Net(), Curve(scores={5: 0.5}), config(tensorboard=True), folder=tmp_path)
    (writer,) = Writer.made
    assert (writer.folder, writer.purge_step) == (tmp_path / "logs" / "tensorboard", 0)
    assert writer.scalars == [
        (name, row[name], row["step"]) for row in lines(tmp_path) for name in row if name != "step"
    ]
    assert writer.closed


def test_a_missing_tensorboard_is_said_and_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    for wanted, words in ((True, ["tensorboard is not installed"]), (False, [])):
        said = Saying()
        train(Net(), Curve(), config(tensorboard=wanted), folder=folder(tmp_path, str(wanted)), progress=said)
        assert [line.partition(" (")[0] for line in said.lines] == words
