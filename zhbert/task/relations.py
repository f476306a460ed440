"""What the layers of two models say of the same tokens, compared though their widths differ.

Of every layer there is one table a text: how alike each two of its tokens are (cosine). Such tables have the
same shape whatever the width, so nothing has to be learnt only to compare them. The n-th of N layers of the
pupil is compared with the layer of the teacher that lies as high; where it is the deeper one, several of its
layers with the same.

Shapes: B rows, L longest row, T tokens of all rows, H hidden.
"""

import re
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn.functional import normalize
from torch.utils.hooks import RemovableHandle
from transformers import PreTrainedModel

_LAYER = re.compile(r"\blayers?\.\d+$")


class Listener:
    """While it lasts, it keeps what the layers of a model's encoder say; unless `wanted`, nothing."""

    def __init__(self, model: PreTrainedModel, *, wanted: bool = True) -> None:
        named = model.base_model.named_modules() if wanted else ()
        self.model_layers = [module for name, module in named if _LAYER.search(name)]
        self.layers: list[Tensor] = []
        self._hooks: list[RemovableHandle] = []

    def __enter__(self) -> Self:
        self.layers = []
        self._hooks = [layer.register_forward_hook(self._keep) for layer in self.model_layers]
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for hook in self._hooks:
            hook.remove()

    def __bool__(self) -> bool:
        return bool(self.model_layers)

    def _keep(self, _: Any, __: Any, said: Any) -> None:
        self.layers.append(said if isinstance(said, Tensor) else said[0])


def apart(teacher: Sequence[Tensor], pupil: Sequence[Tensor], mask_BL: Tensor) -> Tensor:
    """Return how far the tables of likeness are apart: mean squares, summed over rows, the mean of layers.

    >>> one, other = torch.eye(3)[None], torch.ones(1, 3, 5)
    >>> apart([one], [one], torch.ones(1, 3)), apart([one], [other], torch.ones(1, 3))
    (tensor(0.), tensor(0.6667))
    """
    found = [torch.zeros((), device=mask_BL.device)]
    for place, own in enumerate(pupil, start=1):
        other = teacher[_as_high(place, len(pupil), len(teacher)) - 1]
        tables = [_likeness(layer, mask_BL) for layer in (other, own)]
        if tables[0] is not None and tables[1] is not None:
            found.append((((tables[0] - tables[1]) ** 2).sum((1, 2)) / mask_BL.sum(1) ** 2).sum())
    return torch.stack(found).sum() / max(1, len(found) - 1)


def _as_high(place: int, pupil: int, teacher: int) -> int:
    """Return which layer of the teacher, from 1, lies as high as a layer of the pupil.

    >>> [_as_high(place, 2, 12) for place in (1, 2)], [_as_high(place, 4, 2) for place in (1, 2, 3, 4)]
    ([6, 12], [1, 1, 2, 2])
    """
    return max(1, round(place * teacher / pupil))


def _likeness(hidden: Tensor, mask_BL: Tensor) -> Tensor | None:
    """Return how alike the tokens of each row are; None of a layer that says only the first of each."""
    if hidden.shape[:2] != mask_BL.shape:
        if hidden.shape[1] != int(mask_BL.sum()):
            return None
        rows = hidden.new_zeros(mask_BL.numel(), hidden.shape[-1])
        hidden = rows.index_copy(0, mask_BL.flatten().nonzero()[:, 0], hidden[0]).view(*mask_BL.shape, -1)
    even = normalize(hidden.float(), dim=-1) * mask_BL[..., None]
    return even @ even.transpose(1, 2)
