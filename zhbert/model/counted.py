"""A start that is counted instead of learnt, for new encoders that will not see billions of tokens.

What the first hours of pretraining find out by gradients can be put in at once:

- Tokens begin as vectors of the company they keep (`encode.company`), turned at random, so that they fill all
  dimensions evenly; the head begins with their frequencies.
- Heads of the first layer look at the tokens beside: a place to the left is one rotation of sinusoids for all
  positions, so a key turned by it is most like the query of the place after. Tokens leave them the dimensions
  of the fastest sines: a token is most like itself, and heads would look there.
- What the heads of the first layer see, they hand on as it is: the way out is the way in, transposed.

Everything is an ordinary weight that training goes on to change. Without sinusoids, the heads stay random.

Shapes: V tokens, W width, F of it free for tokens, D dimensions of a vector or a head.
"""

import math
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from zhbert.encode.company import Company

BESIDE = (-1, 1, -2, 2)  # where heads look, one after the other
PLACES = 24  # dimensions of fast sines and cosines, by which they tell places apart
FINE = (
    256  # the width up to which these lie side by side; in a wider encoder each second, third … pair is taken
)
SHARP = 10.0  # how clearly
KEPT = 0.5  # of what a head sees, on its way in and out


@torch.no_grad()
def begin_counted(model: PreTrainedModel, company: Company, *, seed: int, neighbours: bool) -> None:
    """Put what was counted into a new encoder; `neighbours` where its positions are sinusoids."""
    chance = torch.Generator().manual_seed(seed)
    heads = int(model.config.num_attention_heads)
    places = _places(int(model.config.hidden_size), heads) if neighbours else []
    _begin_tokens(model, company, chance, places)
    counts_V = torch.from_numpy(company.counts_V).float() + 1
    model.get_output_embeddings().bias.copy_(counts_V.log() - counts_V.log().mean())
    if neighbours:
        first = model.base_model.encoder.layer[0].attention
        _look_beside(first.self, heads, places)
        _hand_on(first, heads, chance)


def _places(width: int, heads: int) -> list[int]:
    """Return the dimensions by which heads tell places apart, sine and cosine by turns.

    >>> _places(128, 2)[:4], _places(768, 12)[:4], len(_places(312, 12)), len(_places(64, 4))
    ([0, 1, 2, 3], [0, 1, 6, 7], 24, 16)
    """
    step = 2 * max(1, width // FINE)
    pairs = min(PLACES, width // heads) // 2
    return [place + i for place in range(0, pairs * step, step) for i in (0, 1)]


def _begin_tokens(
    model: PreTrainedModel, company: Company, chance: torch.Generator, places: list[int]
) -> None:
    """Give tokens their vectors, and leave some dimensions to places."""
    weight_VW = model.get_input_embeddings().weight
    free = [i for i in range(weight_VW.shape[1]) if i not in places]
    vectors_VD = torch.from_numpy(company.vectors_VD[:, : len(free)])
    turn_FF = torch.linalg.qr(torch.randn(len(free), len(free), generator=chance))[0]
    spread = float(model.config.initializer_range) * weight_VW.shape[1] ** 0.5
    weight_VW[:, places] = 0
    known = vectors_VD.any(dim=1).nonzero()
    weight_VW[known, torch.tensor(free)] = spread * vectors_VD[known[:, 0]] @ turn_FF[: vectors_VD.shape[1]]


def _look_beside(attention: Any, heads: int, places: list[int]) -> None:
    """Make one head after the other look at a place beside; what else they have stays as it is."""
    width = attention.query.weight.shape[1]
    for head, distance in zip(range(heads), BESIDE, strict=False):
        rows = slice(head * (width // heads), head * (width // heads) + len(places))
        attention.query.weight[rows] = SHARP**0.5 * turn(places, width, 0)
        attention.key.weight[rows] = SHARP**0.5 * turn(places, width, distance)


def turn(places: list[int], width: int, distance: int) -> Tensor:
    """Return what takes these dimensions of a sinusoid and turns them back to so many places before.

    >>> from zhbert.model.encoder import sinusoids
    >>> table = sinusoids(9, 8)
    >>> torch.allclose(turn([0, 1, 4, 5], 8, -1) @ table[5], table[6, [0, 1, 4, 5]], atol=1e-6)
    True
    """
    turned = torch.zeros(len(places), width)
    for row, place in enumerate(places[::2]):
        angle = distance * math.exp(-place * math.log(1e4) / width)
        cos, sin = math.cos(angle), math.sin(angle)
        turned[2 * row : 2 * row + 2, place : place + 2] = torch.tensor([[cos, -sin], [sin, cos]])
    return turned


def _hand_on(attention: Any, heads: int, chance: torch.Generator) -> None:
    """Make what the heads see go on unchanged: each takes some directions, and gives them back."""
    width = attention.self.value.weight.shape[1]
    size = width // heads
    for head in range(heads):
        rows = slice(head * size, (head + 1) * size)
        some_DW = torch.linalg.qr(torch.randn(width, width, generator=chance))[0][:size]
        attention.self.value.weight[rows] = KEPT**0.5 * some_DW
        attention.output.dense.weight[:, rows] = (KEPT * heads) ** 0.5 * some_DW.T
