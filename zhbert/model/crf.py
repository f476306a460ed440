"""A linear chain over tags: how likely a whole sequence is, for texts of different lengths at once.

- A sequence scores the sum of its tags' scores and of the steps between them. Which steps a scheme forbids is
  no weight that is learnt: they get `FORBIDDEN`, and no gradient.
- A window is a chain of its own. What came before its first token is not known, so any tag may be there;
  what may begin and end a text is the business of whoever decodes all windows of it together.
- Everything is computed in the log semiring and in float32, whatever the encoder computes in: one step takes
  the logsumexp over the tags before it, for all texts of the batch together.

Shapes: B texts, T tokens, K tags; of steps `_KK` the first axis is the tag before.
"""

import torch
from torch import Tensor

FORBIDDEN = -1e4


def steps(transitions_KK: Tensor, allowed_KK: Tensor) -> Tensor:
    """Return learnt transitions with those that are not allowed put out of reach.

    >>> steps(torch.zeros(2, 2), torch.tensor([[True, False], [True, True]])).tolist()
    [[0.0, -10000.0], [0.0, 0.0]]
    """
    return transitions_KK.float().masked_fill(~allowed_KK, FORBIDDEN)


def chain_loss(scores_BTK: Tensor, steps_KK: Tensor, tags_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """Return the summed negative log-likelihood of the tags; the mask says which tokens are text, in front.

    >>> tags, mask = torch.zeros(1, 3).long(), torch.ones(1, 3) > 0
    >>> even = chain_loss(torch.zeros(1, 3, 2), torch.zeros(2, 2), tags, mask)
    >>> round(float(even), 4)  # one of eight sequences
    2.0794
    """
    scores_BTK = scores_BTK.to(torch.promote_types(scores_BTK.dtype, torch.float32))
    tags_BT = tags_BT.masked_fill(~mask_BT, 0)
    apart_B = log_partition(scores_BTK, steps_KK, mask_BT) - path_score(
        scores_BTK, steps_KK, tags_BT, mask_BT
    )
    return apart_B[mask_BT[:, 0]].sum()


def log_partition(scores_BTK: Tensor, steps_KK: Tensor, mask_BT: Tensor) -> Tensor:
    """Return the logarithm of the summed weight of all sequences, of each text."""
    before_KK = steps_KK.T.contiguous()  # the tag before last, where sums are fast
    total_BK, *later = scores_BTK.unbind(1)
    for t, scores_BK in enumerate(later, 1):
        further_BK = (total_BK[:, None, :] + before_KK).logsumexp(-1) + scores_BK
        total_BK = torch.where(mask_BT[:, t, None], further_BK, total_BK)
    return total_BK.logsumexp(-1)


def path_score(scores_BTK: Tensor, steps_KK: Tensor, tags_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """Return what each text's sequence of tags scores."""
    own_BT = scores_BTK.gather(2, tags_BT[..., None])[..., 0]
    taken_BT = steps_KK[tags_BT[:, :-1], tags_BT[:, 1:]]
    return (own_BT * mask_BT).sum(1) + (taken_BT * mask_BT[:, 1:]).sum(1)
