"""Filling a batch up to one shape changes neither its loss nor its gradients, and is compiled for once."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch._dynamo.testing import CompileCounter
from torch.nn.attention import varlen
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from zhbert.model import attention
from zhbert.model.attention import Sequences, use_packed
from zhbert.model.encoder import first_position
from zhbert.model.heads import masked_logits
from zhbert.model.shape import IGNORED, Filled, Shape, fill

Make = Callable[..., PreTrainedModel]
SHAPE = Shape(tokens=64, masked=8, longest=20, slots=24)


def batch(lengths: list[int], masked: int, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Return ids, masked positions and targets of a batch."""
    rng = torch.Generator().manual_seed(seed)
    ids_T = torch.randint(5, 80, (sum(lengths),), generator=rng)
    positions_M = torch.randperm(sum(lengths), generator=rng)[:masked].sort().values
    return ids_T, positions_M, ids_T[positions_M]


def loss(
    model: PreTrainedModel, ids_T: Tensor, positions_M: Tensor, targets_M: Tensor, row: Sequences
) -> Tensor:
    places_1T = row.positions_1T + first_position(model)
    output = model.base_model(input_ids=ids_T[None], position_ids=places_1T, sequences=row)
    logits = masked_logits(model, output.last_hidden_state, positions_M)
    return cross_entropy(logits, targets_M, reduction="sum", ignore_index=IGNORED)


def loss_of(model: PreTrainedModel, filled: Filled) -> Tensor:
    return loss(model, filled.ids_T, filled.positions_M, filled.targets_M, SHAPE.sequences(filled.lengths))


def gradients(model: PreTrainedModel, value: Tensor) -> Tensor:
    model.zero_grad()
    value.backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def test_loss_and_gradients_are_those_of_the_batch(make: Make, family: str) -> None:
    model, lengths = make(family), [20, 3, 11]
    use_packed(model)
    parts = batch(lengths, 5)
    bare = loss(model, *parts, Sequences.of(lengths))
    filled = fill(*parts, lengths=lengths, shape=SHAPE, padding=0)
    same = loss_of(model, filled)
    assert same.item() == pytest.approx(bare.item(), rel=1e-5)
    expected, found = gradients(model, bare), gradients(model, same)
    assert (found - expected).norm() < 1e-5 * expected.norm()


@given(lengths=st.lists(st.integers(3, 20), max_size=12), masked=st.integers(0, 20))
def test_every_batch_keeps_to_the_shape_or_a_multiple(lengths: list[int], masked: int) -> None:
    ids_T, positions_M, targets_M = batch(lengths, masked)
    filled = fill(ids_T, positions_M, targets_M, lengths=lengths, shape=SHAPE, padding=0)
    row, tokens = SHAPE.sequences(filled.lengths), len(filled.ids_T)
    times = max(1, -(-sum(lengths) // 64))
    assert tokens == 64 * times
    assert len(filled.positions_M) == len(filled.targets_M) == 8 * max(1, -(-len(positions_M) // 8))
    assert filled.ids_T[: len(ids_T)].tolist() == ids_T.tolist()
    assert not filled.ids_T[len(ids_T) :].any()
    assert filled.targets_M[: len(targets_M)].tolist() == targets_M.tolist()
    assert set(filled.targets_M[len(targets_M) :].tolist()) <= {IGNORED}
    assert row.lengths[: len(lengths)] == lengths
    assert sum(row.lengths) == tokens
    assert max(row.lengths) <= row.longest == 20
    assert row.bounds_S1.shape == (-(-len(row.lengths) // 24) * 24 + 1,)
    assert row.bounds_S1.diff().tolist()[: len(row.lengths)] == row.lengths
    assert row.bounds_S1[len(row.lengths) :].unique().tolist() == [tokens]


def test_there_is_room_for_what_is_masked() -> None:
    """A word of four masked or not at rate 0.3: eight standard deviations of one token are four of it."""
    shape = Shape.of(tokens=8192, rate=0.3, longest=128, mean=60)
    assert shape.masked % 64 == 0
    assert 8192 * 0.3 + 4 * (8192 * 0.3 * 0.7 * 4) ** 0.5 < shape.masked < 8192 * 0.36
    assert 8192 / 60 * 1.25 < shape.slots < 8192 / 60 * 2.5


@pytest.fixture
def varlen_op(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put an operator that the compiler cannot look into in the place of varlen_attn, as it is one."""

    @torch.library.custom_op("zhbert_test::varlen", mutates_args=())
    def operator(q: Tensor, k: Tensor, v: Tensor, bounds: Tensor, longest: int) -> Tensor:
        return q * (k * v).sum() * bounds.sum() * longest

    operator.register_fake(lambda q, k, v, bounds, longest: torch.empty_like(q))
    monkeypatch.setattr(
        varlen, "varlen_attn", lambda q, k, v, at, _, most, __, **___: operator(q, k, v, at, most)
    )
    monkeypatch.setattr(attention, "_HALVES", (torch.float32,))
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.usefixtures("varlen_op")
@pytest.mark.slow
def test_batches_of_one_shape_are_compiled_for_once(make: Make, family: str) -> None:
    model, counter = make(family), CompileCounter()
    use_packed(model)
    encoder = torch.compile(model.base_model, backend=counter, dynamic=False, fullgraph=True)
    for lengths in ([20, 3, 11], [9] * 7, [20, 20, 20, 4], [4]):
        filled = fill(*batch(lengths, 3), lengths=lengths, shape=SHAPE, padding=0)
        row = replace(SHAPE.sequences(filled.lengths), at_once=True)
        places_1T = row.positions_1T + first_position(model)
        encoder(input_ids=filled.ids_T[None], position_ids=places_1T, sequences=row)
    assert counter.frame_count == 1
