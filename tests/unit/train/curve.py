"""A toy job: a regression on ROWS random rows a step, cut into micro-batches of the given sizes."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zhbert.progress import SILENT
from zhbert.train.config import LoopConfig
from zhbert.train.job import Judged, Micro
from zhbert.train.ranks import Ranks
from zhbert.train.record import Record

STEPS = 12
ROWS = 12
ALONE = Ranks(0, 1, torch.device("cpu"))


class Net(nn.Module):
    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.outer = nn.Linear(4, 8), nn.Linear(8, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.outer(self.dropout(torch.tanh(self.inner(x))))


class Curve:
    def __init__(
        self, cuts: tuple[int, ...] = (ROWS,), stop_at: int = -1, scores: dict[int, float] | None = None
    ):
        self.cuts, self.stop_at, self.scores, self.position = cuts, stop_at, scores or {}, 0
        self.asked: list[tuple[float, int]] = []
        self.lasts: list[bool] = []
        self.compilations = 0

    def next_step(self, *, done: float, parts: int) -> list[Micro]:
        if self.position == self.stop_at:
            raise KeyboardInterrupt
        self.asked.append((done, parts))
        rng = torch.Generator().manual_seed(self.position)
        x, y = torch.randn(ROWS, 4, generator=rng), torch.randn(ROWS, 1, generator=rng)
        self.position += 1
        cuts = self.cuts if parts == 1 else max(1, ROWS // parts)
        return [
            Micro({"x": a, "y": b}, len(a), 10 * len(a))
            for a, b in zip(x.split(cuts), y.split(cuts), strict=True)
        ]

    def loss(self, model: Any, micro: Micro) -> Tensor:
        return (model(micro.tensors["x"]) - micro.tensors["y"]).square().sum()

    def evaluate(self, model: Any, step: int, *, last: bool) -> Judged | None:
        model.eval()
        self.lasts.append(last)
        return Judged(score=self.scores[step]) if step in self.scores else None

    def compiled(self, model: Any) -> None:
        self.compilations += 1

    def where(self) -> str:
        return f"row {self.position - 1}"

    def state(self) -> dict[str, Any]:
        return {"position": self.position}

    def resume(self, state: dict[str, Any]) -> None:
        self.position = state["position"]


def config(**more: Any) -> LoopConfig:
    length = {} if "minutes" in more else {"steps": STEPS}
    return LoopConfig(**({"lr": 0.05, "seed": 3, "dtype": "float32"} | length | more))


def rows(folder: Path) -> list[dict[str, Any]]:
    """What was recorded, but for times and restarts."""
    found = Record(folder, SILENT, writes=True, tensorboard=False)._rows()
    return [
        {key: value for key, value in row.items() if key not in ("tokens_per_second", "seconds")}
        for row in found
        if "restart" not in row
    ]


def same(one: nn.Module, other: nn.Module) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return all(torch.equal(a[name], b[name]) for name in a)


def folder(path: Path, name: str) -> Path:
    (path / name).mkdir()
    return path / name
