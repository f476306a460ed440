"""The loss of a global pointer against all spans and labels, one by one."""

import numpy as np
import pytest
import torch
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from zhbert.model.pointer import outputs, pointer_loss, span_scores, turned

seeds = st.integers(0, 2**32 - 1)


def drawn(rng: np.random.Generator, spread: float) -> tuple[torch.Tensor, list[list[int]], torch.Tensor]:
    """Return what a head might say of three windows, gold spans, and which tokens are text."""
    labels, sizes = 3, rng.integers(0, 6, 3)
    said = torch.tensor(rng.normal(size=(3, 7, outputs(labels))) * spread)
    mask = torch.zeros(3, 7, dtype=torch.bool)
    gold = set()
    for row, size in enumerate(sizes):
        mask[row, 1 : size + 1] = True
        for _ in range(rng.integers(0, 6) if size else 0):
            first, last = sorted(rng.integers(1, size + 1, 2).tolist())
            gold.add((row, int(rng.integers(labels)), first, last))
    return said, [list(span) for span in sorted(gold)], mask


def slow_loss(said: torch.Tensor, gold: list[list[int]], mask: torch.Tensor) -> float:
    total = 0.0
    for row in range(len(said)):
        scores = span_scores(said[row]).numpy()
        places = np.flatnonzero(mask[row].numpy())
        for label in range(len(scores)):
            wrong, missed = [0.0], [0.0]
            for first in places:
                for last in places[places >= first]:
                    score = scores[label, first, last]
                    (missed if [row, label, first, last] in gold else wrong).append(
                        -score if [row, label, first, last] in gold else score
                    )
            total += sum(np.logaddexp.reduce(values) for values in (wrong, missed))
    return total


@examples(40)
@given(seeds, st.sampled_from([0.1, 1.0, 3.0]))
def test_the_loss_is_that_of_all_spans(seed: int, spread: float) -> None:
    said, gold, mask = drawn(np.random.default_rng(seed), spread)
    table = torch.tensor(gold, dtype=torch.long).reshape(-1, 4)
    assert float(pointer_loss(said, table, mask)) == pytest.approx(slow_loss(said, gold, mask), rel=1e-6)
    narrow = float(pointer_loss(said.float(), table, mask))
    assert narrow == pytest.approx(slow_loss(said, gold, mask), rel=1e-3, abs=1e-2)


def test_gold_that_is_far_above_all_others_leaves_them_their_loss() -> None:
    said = torch.zeros(1, 4, outputs(2))
    said[0, 1, -4], said[0, 2, -2] = 40.0, 40.0  # label 1 begins at 1 and ends at 2
    mask = torch.tensor([[False, True, True, False]])
    gold = torch.tensor([[0, 0, 1, 2]])
    found = float(pointer_loss(said, gold, mask))
    assert found == pytest.approx(slow_loss(said, gold.tolist(), mask), rel=1e-5)


def test_the_gradient_is_right() -> None:
    said, gold, mask = drawn(np.random.default_rng(4), 0.5)
    assert len(gold) > 2
    table = torch.tensor(gold)
    inputs = (said.requires_grad_(),)
    assert torch.autograd.gradcheck(lambda s: pointer_loss(s, table, mask), inputs, fast_mode=True)


def test_padding_and_borders_change_nothing() -> None:
    said, gold, mask = drawn(np.random.default_rng(4), 1.0)
    table = torch.tensor(gold)
    wider = torch.cat([said, torch.full((3, 5, said.shape[-1]), 7.0, dtype=said.dtype)], 1)
    more = torch.cat([mask, torch.zeros(3, 5, dtype=torch.bool)], 1)
    wider[~more] = 9.0
    found = float(pointer_loss(wider, table, more))
    assert found == pytest.approx(float(pointer_loss(said, table, mask)), rel=1e-6)


def test_the_product_of_two_places_knows_only_how_far_apart_they_are() -> None:
    one, other = torch.randn(2, 8, generator=torch.Generator().manual_seed(1)).double()
    firsts, lasts = turned(one.expand(1, 20, 8))[0], turned(other.expand(1, 20, 8))[0]
    products = firsts @ lasts.T
    assert products[2, 5] == pytest.approx(float(products[11, 14]))
    assert products[2, 5] != pytest.approx(float(products[2, 6]))
    assert firsts.norm(dim=1).tolist() == pytest.approx([float(one.norm())] * 20)


def test_no_span_ends_before_it_begins() -> None:
    scores = span_scores(torch.ones(5, outputs(2)))
    assert bool((scores.tril(-1)[..., :] <= 0).all())
    assert bool((scores[:, torch.tril(torch.ones(5, 5), -1) == 0] > 0).all())
