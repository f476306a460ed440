"""Attention inside packed sequences: no token sees another sequence, no padding is computed.

A batch is one row [1, T] of whole sequences one after the other. transformers hands every
extra keyword argument of `model.base_model(...)` through to the registered function, so the
sequences travel with the call and neither the configuration nor the weights know of it: saved
folders load as plain SDPA with the same outputs.

- On CUDA in half precision: one call of torch's `varlen_attn` for all sequences. It wants heads of 8, 16, …
  dimensions, so others are filled up with zeros. Only its seven positional arguments (and the window) are
  the same in every torch, so the scale goes into the queries.
- Everywhere else: one SDPA call a sequence. On a CPU nothing was faster (12 heads of 26, 8192 tokens, without
  the rest of the model): all of one length in a call 0.97 to 1.03 times as fast, and they must lie side by
  side for it; rows padded to multiples of 8 0.7 to 0.8 times; a block mask 0.02 times.
- ModernBERT's layers with a window are handled by both.

Restarting `position_ids` alone would NOT keep sequences apart under SDPA.

Shapes: T tokens, S sequences, S1 = S + 1 bounds, H heads, D dimensions of a head, L tokens of a sequence.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import varlen
from torch.nn.functional import pad, scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

from zhbert.model.families import family_of

PACKED = "zhbert_packed"
_HALVES = (torch.bfloat16, torch.float16)
_AMPERE = (8, 0)  # the oldest CUDA device that varlen_attn runs on
_HAS_WINDOW = "window_size" in inspect.signature(varlen.varlen_attn).parameters  # not in torch 2.10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sequences:
    """Where the sequences of a flat row lie: made once a batch, used by every layer.

    >>> row = Sequences.of([2, 3])
    >>> row.bounds_S1.tolist(), row.positions_1T.tolist(), row.longest
    ([0, 2, 5], [[0, 1, 0, 1, 2]], 3)
    """

    lengths: list[int]
    bounds_S1: Tensor
    positions_1T: Tensor
    longest: int
    at_once: bool = False  # whether the device can take all in one call
    bands: dict[tuple[int, int], Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, lengths: Sequence[int], *, longest: int = 0, slots: int = 0) -> "Sequences":
        """Return sequences of these lengths.

        For one shape always, `longest` may be more than the longest, and `slots` more than there are:
        what follows is empty sequences.
        """
        lengths_S = torch.tensor(lengths, dtype=torch.long)
        bounds_S1 = pad(lengths_S.cumsum(0), (1, 0))
        begins_T = bounds_S1[:-1].repeat_interleave(lengths_S)
        return cls(
            lengths=list(lengths),
            bounds_S1=pad(bounds_S1, (0, max(0, slots - len(lengths))), value=len(begins_T)).int(),
            positions_1T=(torch.arange(len(begins_T)) - begins_T)[None],
            longest=longest or max(lengths, default=0),
        )

    def to(self, device: torch.device | str) -> "Sequences":
        """Return the same on a device."""
        device = torch.device(device)
        return replace(
            self,
            bounds_S1=self.bounds_S1.to(device, non_blocking=True),
            positions_1T=self.positions_1T.to(device, non_blocking=True),
            at_once=device.type == "cuda" and torch.cuda.get_device_capability(device) >= _AMPERE,
            bands={},
        )

    def band(self, length: int, window: int | None) -> Tensor | None:
        """Return which tokens of a sequence see which, where a window keeps them from seeing all."""
        if window is None or length <= window:
            return None
        if (length, window) not in self.bands:
            at_L = torch.arange(length, device=self.bounds_S1.device)
            self.bands[length, window] = (at_L[:, None] - at_L).abs() < window
        return self.bands[length, window]


def packed_attention(
    module: nn.Module,
    query_1HTD: Tensor,
    key_1HTD: Tensor,
    value_1HTD: Tensor,
    attention_mask: Tensor | None,
    *,
    sequences: Sequences,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attend within each sequence of a flat row, and there within `sliding_window` where one is given."""
    scale = query_1HTD.shape[-1] ** -0.5 if scaling is None else scaling
    three = (query_1HTD, key_1HTD, value_1HTD)
    halves = query_1HTD.dtype in _HALVES
    if sequences.at_once and halves and not dropout and (_HAS_WINDOW or not sliding_window):
        return _all_at_once(three, sequences, scale, dropout, sliding_window), None
    if halves and query_1HTD.device.type == "cpu":  # where short rows of halves take several times as long
        with torch.autocast("cpu", enabled=False):
            floats = tuple(x.float() for x in three)
            return _one_by_one(floats, sequences, scale, dropout, sliding_window), None
    return _one_by_one(three, sequences, scale, dropout, sliding_window), None


def _one_by_one(
    three: tuple[Tensor, ...], sequences: Sequences, scale: float, dropout: float, window: int | None
) -> Tensor:
    parts = zip(sequences.lengths, *(torch.split(x, sequences.lengths, dim=2) for x in three), strict=True)
    seen = [
        scaled_dot_product_attention(
            q, k, v, attn_mask=sequences.band(length, window), dropout_p=dropout, scale=scale
        ).transpose(1, 2)
        for length, q, k, v in parts
    ]
    return torch.cat(seen, dim=1)


def _all_at_once(
    three: tuple[Tensor, ...], sequences: Sequences, scale: float, _: float, window: int | None
) -> Tensor:
    size = three[0].shape[-1]
    room = -size % 8
    three_THD = (x[0].transpose(0, 1) for x in three)
    query, key, value = (pad(x_THD, (0, room)) if room else x_THD for x_THD in three_THD)
    factor = scale * (size + room) ** 0.5  # beside 1 / sqrt(D), which varlen_attn takes by itself
    query = query if abs(factor - 1) < 1e-6 else query * factor
    bounds, longest = sequences.bounds_S1, sequences.longest
    near: dict[str, Any] = {"window_size": (window - 1, window - 1)} if window else {}
    seen: Any = varlen.varlen_attn(query, key, value, bounds, bounds, longest, longest, **near)
    return seen[None, ..., :size]  # type: ignore[no-any-return]


AttentionInterface.register(PACKED, packed_attention)


def use_packed(model: PreTrainedModel) -> None:
    """Make a model attend within packed sequences from now on."""
    family_of(model.config)
    model.set_attn_implementation(PACKED)


def use_plain(model: PreTrainedModel) -> None:
    """Make a model attend as transformers does."""
    model.set_attn_implementation("sdpa")
