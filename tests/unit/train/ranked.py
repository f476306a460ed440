"""Train the toy job in one of several processes: `torchrun ranked.py FOLDER HOW`.

How: `calm`; `trouble` (process 1 has no number at step 4, no memory at step 6, and no rows at step 8);
`careful` (averages, disturbed weights, rates of their own); `stop` (process 1 is told to end at step 5);
`die` (process 1 dies at step 5). Process n writes what it ends with into `end-n.safetensors`.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from curve import Curve, Net, config
from safetensors.torch import save_file
from torch import Tensor

from zhbert.records import to_plain
from zhbert.train import loop
from zhbert.train.job import Micro
from zhbert.train.manner import Manner
from zhbert.train.ranks import Ranks, join

CAREFUL = Manner(rates={"outer.weight": 0.5}, average=0.8, disturb=0.4, disturbed="inner.weight")


class Shared(Curve):
    """Every process takes its part of the rows."""

    def __init__(self, ranks: Ranks, how: str) -> None:
        super().__init__(scores={4: 0.1, 8: 0.3, 12: 0.2})
        self.ranks, self.how = ranks, how
        self.second = ranks.rank == 1 or ranks.world == 1

    def next_step(self, *, done: float, parts: int) -> list[Micro]:
        if self.second and self.position == 5:
            if self.how == "stop":
                os.kill(os.getpid(), signal.SIGTERM)
            if self.how == "die":
                os.kill(os.getpid(), signal.SIGKILL)
        (micro,) = super().next_step(done=done, parts=1)
        rank, world = self.ranks.rank, self.ranks.world
        if self.how == "trouble" and self.position == 8:
            rank, world = (0, 1) if not rank else (1, 2)
            if rank:
                return [micro.idle()]
        x, y = (micro.tensors[name][rank::world] for name in "xy")
        pairs = zip(x.split(max(1, len(x) // parts)), y.split(max(1, len(y) // parts)), strict=True)
        return [Micro({"x": a, "y": b}, len(a), 10 * len(a)) for a, b in pairs]

    def loss(self, model: Any, micro: Micro) -> Tensor:
        if self.how == "trouble" and self.second:
            if self.position == 6 and len(micro.tensors["x"]) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            if self.position == 4:
                return super().loss(model, micro) * float("nan")
        return super().loss(model, micro)


def main(folder: Path, how: str) -> None:
    loop.EVERY = 1
    ranks, model = join(), Net()
    job = Shared(ranks, how)
    manner = CAREFUL if how == "careful" else loop.PLAIN
    history = loop.train(model, job, config(save_seconds=1e-9), folder=folder, manner=manner)
    save_file(model.state_dict(), folder / f"end-{ranks.rank}.safetensors")
    plain = to_plain(history) | {"seconds": 0}
    (folder / f"history-{ranks.rank}.json").write_text(json.dumps(plain), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
