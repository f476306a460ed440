"""A chain of tags against all of its sequences, one by one: sums, paths, probabilities, gradients, masks."""

from itertools import pairwise, product

import numpy as np
import pytest
import torch
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from zhbert.model.crf import FORBIDDEN, chain_loss, log_partition, path_score, steps
from zhbert.records import Span
from zhbert.text.paths import best_path, chances, openers
from zhbert.text.tags import SCHEMES, allowed, check, tag_names, to_spans

seeds = st.integers(0, 2**32 - 1)
lengths = st.lists(st.integers(0, 4), min_size=1, max_size=4)
spreads = st.sampled_from([0.1, 3.0, 30.0])
schemes = st.sampled_from(sorted(SCHEMES))


def slow_score(scores: np.ndarray, between: np.ndarray, path: tuple[int, ...]) -> float:
    own = sum(float(scores[t, tag]) for t, tag in enumerate(path))
    return own + sum(float(between[a, b]) for a, b in pairwise(path))


def logsum(values: list[float]) -> float:
    top = max(values)
    return top + float(np.log(sum(np.exp(value - top) for value in values)))


@examples(60)
@given(seeds, lengths, spreads)
def test_sums_and_scores_are_those_of_all_sequences(seed: int, sizes: list[int], spread: float) -> None:
    rng, tags, longest = np.random.default_rng(seed), 3, max([1, *sizes])
    scores = rng.normal(size=(len(sizes), longest, tags)) * spread
    between = rng.normal(size=(tags, tags)) * spread
    between[rng.random((tags, tags)) < 0.2] = FORBIDDEN
    said = rng.integers(0, tags, (len(sizes), longest))
    mask = torch.arange(longest) < torch.tensor(sizes)[:, None]
    wanted = 0.0
    for row, size in enumerate(sizes):
        ways = [slow_score(scores[row], between, path) for path in product(range(tags), repeat=size)]
        gold = slow_score(scores[row], between, tuple(said[row, :size]))
        wanted += logsum(ways) - gold
        if size:
            args = torch.tensor(scores[row : row + 1]), torch.tensor(between)
            assert float(log_partition(*args, mask[row : row + 1])) == pytest.approx(logsum(ways))
            own = path_score(*args, torch.tensor(said[row : row + 1]), mask[row : row + 1])
            assert float(own) == pytest.approx(gold)
    found = chain_loss(torch.tensor(scores), torch.tensor(between), torch.tensor(said), mask)
    assert float(found) == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    narrow = chain_loss(torch.tensor(scores).float(), torch.tensor(between).float(), torch.tensor(said), mask)
    assert float(narrow) == pytest.approx(wanted, rel=1e-4, abs=1e-3 * spread)


@examples(60)
@given(seeds, schemes, st.integers(1, 4), spreads)
def test_path_and_chances_are_those_of_all_valid_sequences(
    seed: int, scheme: str, size: int, spread: float
) -> None:
    rng, names = np.random.default_rng(seed), tag_names(["甲"], scheme)
    table = allowed(names, scheme=scheme)
    scores = rng.normal(size=(size, len(names))) * spread
    between = rng.normal(size=(len(names),) * 2)
    ways = {
        path: slow_score(scores, between, path)
        for path in product(range(len(names)), repeat=size)
        if table[-1, path[0]] and table[path[-1], -1] and all(table[a, b] for a, b in pairwise(path))
    }
    best = max(ways, key=lambda path: ways[path])
    found = best_path(scores, table, between)
    assert tuple(found) == best
    total = logsum(list(ways.values()))
    spans = to_spans([names[i] for i in found], scheme=scheme)

    def holds(path: tuple[int, ...], span: Span) -> bool:
        return span in to_spans([names[i] for i in path], scheme=scheme)

    slow = [sum(np.exp(w - total) for path, w in ways.items() if holds(path, span)) for span in spans]
    opening = openers(names, scheme=scheme)
    assert chances(spans, found, scores, table, between, openers_K=opening) == pytest.approx(slow, abs=1e-6)


@examples(60)
@given(seeds, schemes, st.integers(1, 30), st.sampled_from([1.0, 1e6, np.inf, np.nan]))
def test_no_path_of_a_chain_is_invalid(seed: int, scheme: str, size: int, worst: float) -> None:
    rng, names = np.random.default_rng(seed), tag_names(["甲", "乙"], scheme)
    table = allowed(names, scheme=scheme)
    scores, between = rng.normal(size=(size, len(names))), rng.normal(size=(len(names),) * 2) * 9
    scores[rng.random(scores.shape) < 0.1] = worst
    path = best_path(scores, table, between)
    check([names[i] for i in path], scheme)
    spans = to_spans([names[i] for i in path], scheme=scheme)
    sure = chances(spans, path, scores, table, between, openers_K=openers(names, scheme=scheme))
    assert all(0 <= one <= 1 for one in sure)


def test_the_gradient_is_right() -> None:
    make = torch.Generator().manual_seed(1)
    scores = torch.randn(3, 4, 3, generator=make, dtype=torch.float64, requires_grad=True)
    learnt = torch.randn(3, 3, generator=make, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]]).bool()
    tags = torch.tensor([[0, 1, 2, 2], [0, 0, -100, -100], [-100] * 4])
    known = torch.tensor([[True, True, False], [True, True, True], [True, True, True]])

    def loss(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return chain_loss(a, torch.where(known, b, FORBIDDEN), tags, mask)

    assert torch.autograd.gradcheck(loss, (scores, learnt))
    loss(scores, learnt).backward()
    assert scores.grad is not None
    assert not scores.grad[~mask].any()
    assert scores.grad[mask].any()


def test_what_is_forbidden_has_no_weight_and_no_gradient() -> None:
    learnt = torch.full((2, 2), 50.0, requires_grad=True)
    known = torch.tensor([[True, False], [True, True]])
    scores, tags = torch.zeros(1, 3, 2), torch.zeros(1, 3, dtype=torch.long)
    chain_loss(scores, steps(learnt, known), tags, tags == 0).backward()
    assert learnt.grad is not None
    assert learnt.grad[0, 1] == 0
    assert learnt.grad[0, 0] < 0


def test_half_precision_is_computed_in_float32() -> None:
    make = torch.Generator().manual_seed(1)
    scores = torch.randn(2, 40, 5, generator=make).bfloat16()
    tags, mask = torch.zeros(2, 40, dtype=torch.long), torch.ones(2, 40, dtype=torch.bool)
    found = chain_loss(scores, torch.zeros(5, 5), tags, mask)
    assert found.dtype == torch.float32
    assert float(found) == float(chain_loss(scores.float(), torch.zeros(5, 5), tags, mask))


def test_no_text_costs_nothing() -> None:
    scores = torch.zeros(2, 1, 3, requires_grad=True)
    none = torch.zeros(2, 1, dtype=torch.long)
    found = chain_loss(scores, torch.zeros(3, 3), none, none == 1)
    found.backward()
    assert float(found.detach()) == 0
