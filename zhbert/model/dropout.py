"""Dropout whose chances are cheap to draw on a CPU.

torch draws one number after the other there, 6 ns each; four at once, 16 bits of each random word, take a
tenth of that (one core of a Zen 3; forward and backward of a dropout: 16 and 2 ns a value). What is dropped
depends on torch's seed alone, as before, so a training that goes on is the same bit for bit. Elsewhere than
on a CPU torch's own dropout is used.
"""

import numpy as np
import torch
from torch import Tensor, nn

_LANES, _STEPS = 4, 1 << 16


class QuickDropout(nn.Dropout):
    """Dropout with chances in steps of 1/65536."""

    def forward(self, values: Tensor) -> Tensor:
        """Drop values, each with its own chance, and scale up those that stay."""
        if not self.training or not 0 < self.p < 1 or values.device.type != "cpu":
            return super().forward(values)
        return values * stay(values.shape, self.p).to(values.dtype)


def stay(shape: torch.Size, chance: float) -> Tensor:
    """Return 0 for what is dropped, and for what stays the factor that keeps the mean as it was.

    >>> torch.manual_seed(1) and stay(torch.Size([6]), 0.5).tolist()
    [2.0, 0.0, 0.0, 2.0, 0.0, 0.0]
    """
    dropped = min(round(chance * _STEPS), _STEPS - 1)
    seed = int(torch.randint(2**62, ()))
    words = np.random.Generator(np.random.SFC64(seed)).integers(
        0, 2**64 - 1, -(-shape.numel() // _LANES), dtype=np.uint64, endpoint=True
    )
    drawn = torch.from_numpy(words.view(np.int16))[: shape.numel()].view(shape)
    return (drawn >= dropped - _STEPS // 2) * (_STEPS / (_STEPS - dropped))


def use_quick_dropout(model: nn.Module) -> None:
    """Give every dropout of a model cheap chances from now on."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, QuickDropout(child.p).train(child.training))
