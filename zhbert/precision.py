"""In which numbers a model computes: float32, or bfloat16 where the processor multiplies in it.

Weights, their gradients, the optimizer and the losses are float32 either way. What is multiplied in between
has half as many digits then, and takes two thirds of the time on recent CPUs, a fraction of it on a GPU.
"""

from typing import Literal

import torch

Dtype = Literal["auto", "float32", "bfloat16"]
_AMPERE = (8, 0)  # the oldest CUDA devices that multiply in bfloat16


def multiplies_halves(device: torch.device) -> bool:
    """Return whether a device multiplies in bfloat16 by itself, and so gains by it.

    >>> multiplies_halves(torch.device("meta"))
    False
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= _AMPERE
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # not in every torch that zhbert runs with
    return device.type == "cpu" and asked is not None and bool(asked())


def training(dtype: Dtype, device: torch.device) -> torch.autocast:
    """Return what a training's forward pass multiplies in: bfloat16 as wished, or where the device gains."""
    halves = dtype == "bfloat16" or (dtype == "auto" and multiplies_halves(device))
    return torch.autocast(device.type, torch.bfloat16, enabled=halves)
