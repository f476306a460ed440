"""Weights and the optimizer's moments as whole tensors, wherever their parts lie, and back again.

With FSDP2 every process holds a part of each tensor. A checkpoint holds whole tensors all the same, so
that it does not depend on how many processes there are, or whether they share the weights out.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from zhbert.train.ranks import Ranks

Tensors = dict[str, Tensor]


def weights_of(model: nn.Module) -> Tensors:
    """Return all weights and saved buffers, those that are shared under one name only."""
    return {name: _whole(tensor) for name, tensor in _saved(model)}


def put_weights(model: nn.Module, weights: Tensors) -> None:
    """Give a whole model the weights that were saved; a ValueError names what does not fit."""
    places = dict(_saved(model))
    if odd := sorted(places.keys() ^ weights.keys()):
        raise ValueError(f"{odd[0]} is in {'the model' if odd[0] in places else 'the file'} only")
    with torch.no_grad():
        for name, tensor in places.items():
            tensor.copy_(weights[name])


def _saved(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield parameters and persistent buffers, tied ones once."""
    names = model.state_dict(keep_vars=True).keys()
    yield from model.named_parameters()
    yield from ((name, buffer) for name, buffer in model.named_buffers() if name in names)


def moments_of(optimizer: Optimizer) -> Tensors:
    """Return the optimizer's state, named by the number of the weight."""
    state = optimizer.state_dict()["state"]
    return {f"{at}.{name}": _whole(value) for at, slots in state.items() for name, value in slots.items()}


def put_moments(optimizer: Optimizer, moments: Tensors) -> None:
    """Give an optimizer the state that was saved."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    state: dict[int, Tensors] = {}
    for key, value in moments.items():
        at, _, name = key.partition(".")
        state.setdefault(int(at), {})[name] = _parted(value, weights[int(at)])
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _whole(tensor: Any) -> Tensor:
    found: Tensor = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
    return found.detach()


def _parted(value: Tensor, weight: Tensor) -> Tensor:
    """Return a whole tensor in parts as those of a weight; single figures stay as they are."""
    if not isinstance(weight, DTensor) or not value.ndim:
        return value
    found: Tensor = distribute_tensor(value.to(weight.device), weight.device_mesh, weight.placements)
    return found


def share_out(root: nn.Module, ranks: Ranks) -> None:
    """Spread the weights of a model over all processes: layer by layer, the rest with the root (FSDP2)."""
    mesh = init_device_mesh(ranks.device.type, (ranks.world,))
    for module in list(root.modules()):
        if isinstance(module, nn.ModuleList):
            for layer in module:
                fully_shard(layer, mesh=mesh)
    fully_shard(root, mesh=mesh)


@contextmanager
def gathered(root: nn.Module) -> Iterator[None]:
    """Have the weights that lie with the root whole, so that parts of the model can be called alone."""
    if isinstance(root, FSDPModule):
        root.unshard()
        yield
        root.reshard()
    else:
        yield


def clip(weights: Iterable[nn.Parameter], limit: float) -> float:
    """Shorten the gradient to a norm and return what its norm was."""
    return float(_whole(nn.utils.clip_grad_norm_(weights, limit)))
