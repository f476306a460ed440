"""Global pointer: every span of a window has a score for every label, so spans may lie in each other.

- A token says how a span may begin with it and how one may end (WIDTH numbers each, turned by the token's
  position, so that their product knows how far apart they are), and for every label how well it begins and
  ends a span of it. A span's score is the product of its ends, which all labels share, plus both of the
  label's own: `efficient` global pointer. What scores above 0 is an entity.
- The loss wants all gold spans above 0 and all others below, however many there are of each:
  log(1 + sum of exp(score) over the others) + log(1 + sum of exp(-score) over gold), for every label.
- No array of all labels by all spans is made for it. Summed over ends, the shared part times the labels' own
  is a product of matrices; only spans that are gold for some label are looked at one by one.

Shapes: B windows, T tokens, K labels, F what the head says of a token (2 * WIDTH + 2 * K), G gold spans.
A gold span is (row, label, first token, last token).
"""

import torch
from torch import Tensor

WIDTH = 64
START = -2.0  # where the labels' own parts begin: hardly any span is an entity
_NEVER = -1e9
_FAR = -1e4


def outputs(labels: int) -> int:
    """Return how many numbers the head says of a token."""
    return 2 * WIDTH + 2 * labels


def parts(said_BTF: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the shared scores of spans (B, T, T), and those of the labels for both ends (B, T, K)."""
    said_BTF = said_BTF.to(torch.promote_types(said_BTF.dtype, torch.float32))
    ends, labels = said_BTF[..., : 2 * WIDTH], said_BTF[..., 2 * WIDTH :]
    (firsts_BTD, lasts_BTD), (begin_BTK, end_BTK) = ends.chunk(2, -1), labels.chunk(2, -1)
    shared_BTT = turned(firsts_BTD) @ turned(lasts_BTD).transpose(1, 2) / WIDTH**0.5
    return shared_BTT, begin_BTK, end_BTK


def turned(values_BTD: Tensor) -> Tensor:
    """Return values turned by their position: the product of two then depends on how far apart they stand."""
    size = values_BTD.shape[-1]
    rates = 1e4 ** -(torch.arange(0, size, 2, device=values_BTD.device) / size)
    angles_TD = torch.arange(values_BTD.shape[1], device=values_BTD.device)[:, None] * rates
    cos, sin = angles_TD.cos(), angles_TD.sin()
    even, odd = values_BTD[..., 0::2], values_BTD[..., 1::2]
    return torch.cat([even * cos - odd * sin, odd * cos + even * sin], dim=-1)


def span_scores(said_TF: Tensor) -> Tensor:
    """Return the scores (K, T, T) of all spans of one window; those that end before they begin have none."""
    shared, begin, end = parts(said_TF[None])
    scores_KTT = shared + begin[0].T[:, :, None] + end[0].T[:, None, :]
    return scores_KTT.masked_fill(_backwards(said_TF[:, 0]), _NEVER)


def pointer_loss(said_BTF: Tensor, gold_G4: Tensor, mask_BT: Tensor) -> Tensor:
    """Return the loss, summed over windows and labels; the mask tells which tokens are text."""
    shared_BTT, begin_BTK, end_BTK = parts(said_BTF)
    batch, _, count = begin_BTK.shape
    rows_G, labels_G = gold_G4[:, 0], gold_G4[:, 1]
    cells_C3, cell_G = torch.unique(gold_G4[:, [0, 2, 3]], dim=0, return_inverse=True)
    rows_C, firsts_C, lasts_C = cells_C3.unbind(1)
    scores_CK = shared_BTT[rows_C, firsts_C, lasts_C][:, None] + (
        begin_BTK[rows_C, firsts_C] + end_BTK[rows_C, lasts_C]
    )
    gold_CK = torch.zeros_like(scores_CK, dtype=torch.bool)
    gold_CK[cell_G, labels_G] = True

    free_BTT = mask_BT[:, :, None] & mask_BT[:, None, :] & ~_backwards(mask_BT)
    free_BTT[rows_C, firsts_C, lasts_C] = False
    rest_BK = _rest(shared_BTT, begin_BTK, end_BTK, free_BTT)
    every = torch.arange(batch * count, device=mask_BT.device).view(batch, count)
    others = _grouped(
        torch.cat([rest_BK, scores_CK.masked_fill(gold_CK, _NEVER)]),
        torch.cat([every, every[rows_C]]),
        every.numel(),
    )
    missed = _grouped(-scores_CK[cell_G, labels_G], every[rows_G, labels_G], every.numel())
    return others.sum() + missed.sum()


def _rest(shared_BTT: Tensor, begin_BTK: Tensor, end_BTK: Tensor, free_BTT: Tensor) -> Tensor:
    """Return the logsumexp (B, K) over the scores of the spans that are free."""
    shared_BTT = shared_BTT.masked_fill(~free_BTT, _NEVER)
    begin_BTK = begin_BTK.masked_fill(~free_BTT.any(2)[..., None], _NEVER)
    end_BTK = end_BTK.masked_fill(~free_BTT.any(1)[..., None], _NEVER)
    tops = [shared_BTT.amax((1, 2))[:, None, None], begin_BTK.amax(1, True), end_BTK.amax(1, True)]
    shared, begin, end = (t.detach().clamp_min(_FAR) for t in tops)  # none is free: as good as nothing
    sums_BTK = (shared_BTT - shared).exp() @ (end_BTK - end).exp()
    sum_BK = (sums_BTK * (begin_BTK - begin).exp()).sum(1)
    return (shared + begin + end)[:, 0] + sum_BK.clamp_min(torch.finfo(sum_BK.dtype).tiny).log()


def _grouped(values: Tensor, groups: Tensor, count: int) -> Tensor:
    """Return log(1 + sum of exp) of the values of each group.

    >>> _grouped(torch.tensor([0.0, 0.0]), torch.tensor([1, 1]), 2).exp().tolist()
    [1.0, 3.0]
    """
    values, groups = values.flatten(), groups.flatten()
    top = values.new_zeros(count).scatter_reduce(0, groups, values.detach(), "amax")
    sums = (-top).exp().index_add(0, groups, (values - top[groups]).exp())
    return top + sums.log()


def _backwards(like_T: Tensor) -> Tensor:
    """Return which (first, last) have the last before the first."""
    size = like_T.shape[-1]
    return torch.ones(size, size, dtype=torch.bool, device=like_T.device).tril(-1)
