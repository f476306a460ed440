"""Packed attention is attention to each sequence alone, in outputs and in gradients."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.attention import varlen
from transformers import (
    AutoModelForMaskedLM,
    BertConfig,
    DistilBertConfig,
    DistilBertForMaskedLM,
    PreTrainedModel,
)

from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ModelError
from zhbert.model import attention, store
from zhbert.model.attention import Sequences, packed_attention, use_packed, use_plain
from zhbert.model.encoder import first_position, new_config, new_encoder

Make = Callable[..., PreTrainedModel]
LENGTHS = [5, 1, 40, 17, 9, 8, 10, 1]


def draw(lengths: list[int], seed: int = 1) -> Tensor:
    return torch.randint(5, 80, (1, sum(lengths)), generator=torch.Generator().manual_seed(seed))


def one_by_one(model: PreTrainedModel, ids_1T: Tensor, lengths: list[int]) -> Tensor:
    use_plain(model)
    parts = torch.split(ids_1T, lengths, dim=1)
    return torch.cat([model.base_model(input_ids=part).last_hidden_state for part in parts], dim=1)


def packed(model: PreTrainedModel, ids_1T: Tensor, sequences: Sequences) -> Tensor:
    use_packed(model)
    places_1T = sequences.positions_1T + first_position(model)
    output = model.base_model(input_ids=ids_1T, position_ids=places_1T, sequences=sequences)
    return output.last_hidden_state  # type: ignore[no-any-return]


def gradients(model: PreTrainedModel, hidden: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    (hidden * torch.linspace(-1, 1, hidden.numel()).view_as(hidden)).sum().backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def check(model: PreTrainedModel, sequences: Sequences) -> None:
    """Hold packed outputs and gradients against those of each sequence alone."""
    ids_1T = draw(sequences.lengths)
    alone = one_by_one(model, ids_1T, sequences.lengths)
    slow = gradients(model, alone)
    together = packed(model, ids_1T, sequences)
    fast = gradients(model, together)
    assert (together - alone).abs().max() < 1e-5
    assert slow.keys() == fast.keys()
    norm = torch.stack([g.square().sum() for g in slow.values()]).sum().sqrt()
    for name in slow:
        assert (fast[name] - slow[name]).norm() < 1e-5 * norm, name


def of_bounds(
    q: Tensor, k: Tensor, v: Tensor, at: Tensor, _: Tensor, most: int, most_k: int, **more: Any
) -> Tensor:
    """Do what varlen_attn does, slowly: softmax of products over 1 / sqrt(D), in sequences by bounds."""
    assert q.shape[-1] % 8 == 0
    assert at.dtype == torch.int32
    assert most == most_k >= at.diff().max()
    left, right = more.pop("window_size", (-1, -1))
    assert not more
    seen = torch.zeros_like(q)
    for first, last in zip(at.tolist()[:-1], at.tolist()[1:], strict=True):
        places = torch.arange(last - first)
        far = (
            (places[:, None] - places).abs() > left
            if left == right >= 0
            else torch.zeros(1, dtype=torch.bool)
        )
        scores = torch.einsum("qhd,khd->hqk", q[first:last], k[first:last]) / q.shape[-1] ** 0.5
        weights = scores.masked_fill(far, -torch.inf).softmax(-1)
        seen[first:last] = torch.einsum("hqk,khd->qhd", weights, v[first:last])
    return seen


@pytest.fixture
def varlen_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the way of CUDA run on a CPU, in float32 so that it can be exact."""
    monkeypatch.setattr(varlen, "varlen_attn", of_bounds)
    monkeypatch.setattr(attention, "_HALVES", (torch.float32,))


def test_packed_equals_one_sequence_at_a_time(make: Make, family: str) -> None:
    check(make(family), Sequences.of(LENGTHS))


@given(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=8))
@settings(max_examples=15, deadline=None)
def test_whatever_the_lengths(lengths: list[int]) -> None:
    size = BertConfig(
        vocab_size=80, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    check(new_encoder(size, seed=1).eval(), Sequences.of(lengths))


@pytest.mark.slow
@pytest.mark.usefixtures("varlen_here")
def test_the_way_of_cuda_is_the_same(make: Make, family: str) -> None:
    check(make(family), replace(Sequences.of(LENGTHS), at_once=True))
    check(make(family), replace(Sequences.of(LENGTHS, longest=64, slots=20), at_once=True))


@pytest.mark.usefixtures("varlen_here")
def test_dropout_or_a_varlen_without_windows_takes_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "_HAS_WINDOW", False)
    monkeypatch.setattr(varlen, "varlen_attn", lambda *_, **__: pytest.fail("called"))
    one = torch.randn(1, 2, 5, 8)
    row = replace(Sequences.of([3, 2]), at_once=True)
    for more in ({"dropout": 0.5}, {"sliding_window": 2}):
        seen, _ = packed_attention(nn.Identity(), one, one, one, None, sequences=row, **more)  # type: ignore[arg-type]
        assert seen.shape == (1, 5, 2, 8)


def test_the_block_mask_of_stock_transformers_is_the_same(make: Make, family: str) -> None:
    model, ids_1T, row = make(family), draw(LENGTHS), Sequences.of(LENGTHS)
    owner_T = torch.arange(len(LENGTHS)).repeat_interleave(torch.tensor(LENGTHS))
    block = (owner_T[:, None] == owner_T)[None, None]
    places_T = row.positions_1T[0]
    near = (places_T[:, None] - places_T).abs() <= 8
    kinds = {"full_attention": block, "sliding_attention": block & near}
    use_plain(model)
    stock = model.base_model(
        input_ids=ids_1T,
        position_ids=row.positions_1T + first_position(model),
        attention_mask=kinds if family == "modernbert" else block,
    ).last_hidden_state
    assert (packed(model, ids_1T, row) - stock).abs().max() < 1e-5


def test_a_window_hides_what_is_farther(make: Make) -> None:
    model, row = make("modernbert"), Sequences.of([40])
    assert row.band(9, 9) is None
    assert row.band(4, 2).int().tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]  # type: ignore[union-attr]
    kinds = {layer.attn.sliding_window for layer in model.base_model.layers}
    assert kinds == {None, 9}
    assert set(row.bands) == {(4, 2)}
    packed(model, draw([40]), row)
    assert set(row.bands) == {(4, 2), (40, 9)}  # made once for all layers


def test_restarting_positions_alone_would_leak(make: Make) -> None:
    model, ids_1T, row = make("bert"), draw(LENGTHS), Sequences.of(LENGTHS)
    alone = one_by_one(model, ids_1T, LENGTHS)
    leaking = model.base_model(input_ids=ids_1T, position_ids=row.positions_1T).last_hidden_state
    assert not torch.allclose(leaking, alone, atol=1e-2)


def test_another_sequence_changes_nothing(make: Make, family: str) -> None:
    model, ids_1T, row = make(family), draw(LENGTHS), Sequences.of(LENGTHS)
    other = ids_1T.clone()
    other[0, : LENGTHS[0]] = 7
    before, after = packed(model, ids_1T, row), packed(model, other, row)
    assert torch.equal(before[0, LENGTHS[0] :], after[0, LENGTHS[0] :])
    assert not torch.allclose(before[0, : LENGTHS[0]], after[0, : LENGTHS[0]])


def test_the_saved_folder_is_plain(tmp_path: Path, tiny_tokenizer: Tokenizer) -> None:
    model = new_encoder(new_config("pico", tiny_tokenizer), seed=3).eval()
    ids_1T, row = draw(LENGTHS), Sequences.of(LENGTHS)
    expected = packed(model, ids_1T, row)[0, : LENGTHS[0]]
    store.save(tmp_path, model=model, tokenizer=tiny_tokenizer, facts=store.Facts(task=store.MASKED))
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert "zhbert" not in json.dumps(config)
    assert set(config) <= {*model.config.to_dict(), "architectures", "dtype", "transformers_version"}
    loaded = AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    assert loaded.config._attn_implementation == "sdpa"
    found = loaded.base_model(input_ids=ids_1T[:, : LENGTHS[0]]).last_hidden_state[0]
    assert torch.allclose(found, expected, atol=1e-5)


def test_back_to_plain(make: Make, family: str) -> None:
    model, ids_1T = make(family), draw([30])
    before = model(input_ids=ids_1T).logits
    use_packed(model)
    use_plain(model)
    assert torch.equal(model(input_ids=ids_1T).logits, before)


def test_a_family_that_would_mix_the_texts_is_refused() -> None:
    size = DistilBertConfig(vocab_size=9, dim=8, n_layers=1, n_heads=1, hidden_dim=8)
    with pytest.raises(ModelError, match="its family is distilbert"):
        use_packed(DistilBertForMaskedLM(size))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_cuda_half_precision_is_near_and_float32_exact(make: Make, family: str) -> None:
    model, ids_1T = make(family), draw(LENGTHS)
    alone = one_by_one(model, ids_1T, LENGTHS)
    model.cuda()
    row = Sequences.of(LENGTHS).to("cuda")
    exact = packed(model, ids_1T.cuda(), row).cpu()
    with torch.autocast("cuda", torch.bfloat16):
        near = packed(model, ids_1T.cuda(), row).float().cpu()
    assert row.at_once == (torch.cuda.get_device_capability() >= (8, 0))
    assert (exact - alone).abs().max() < 1e-4
    assert (near - alone).norm() < 0.02 * alone.norm()
