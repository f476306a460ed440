"""Packed attention is attention to each document alone, in outputs and in gradients."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForMaskedLM, BertForMaskedLM

from zhbert.encode.tokenizer import Tokenizer
from zhbert.model import store
from zhbert.model.attention import positions, use_packed, use_plain
from zhbert.model.encoder import first_position, most_tokens, new_config, new_encoder

LENGTHS = [5, 1, 17, 3, 9]


@pytest.fixture
def model(tiny_tokenizer: Tokenizer) -> BertForMaskedLM:
    return new_encoder(new_config("pico", tiny_tokenizer), seed=3).eval()


@pytest.fixture
def ids_1T(tiny_tokenizer: Tokenizer) -> Tensor:
    return torch.randint(
        5, tiny_tokenizer.size, (1, sum(LENGTHS)), generator=torch.Generator().manual_seed(1)
    )


def one_by_one(model: BertForMaskedLM, ids_1T: Tensor) -> Tensor:
    rows = [model.bert(input_ids=part).last_hidden_state for part in torch.split(ids_1T, LENGTHS, dim=1)]
    return torch.cat(rows, dim=1)


def packed(model: BertForMaskedLM, ids_1T: Tensor) -> Tensor:
    places = positions(LENGTHS)
    return model.bert(input_ids=ids_1T, position_ids=places, lengths=LENGTHS).last_hidden_state


def gradients(model: BertForMaskedLM, hidden: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    (hidden * torch.linspace(-1, 1, hidden.numel()).view_as(hidden)).sum().backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def test_packed_equals_one_document_at_a_time(model: BertForMaskedLM, ids_1T: Tensor) -> None:
    alone = one_by_one(model, ids_1T)
    slow = gradients(model, alone)
    use_packed(model)
    together = packed(model, ids_1T)
    fast = gradients(model, together)
    assert torch.allclose(together, alone, atol=1e-5)
    assert slow.keys() == fast.keys()
    for name in slow:
        assert torch.allclose(fast[name], slow[name], atol=1e-5, rtol=1e-4), name


def test_restarting_positions_alone_would_leak(model: BertForMaskedLM, ids_1T: Tensor) -> None:
    alone = one_by_one(model, ids_1T)
    leaking = model.bert(input_ids=ids_1T, position_ids=positions(LENGTHS)).last_hidden_state
    assert not torch.allclose(leaking, alone, atol=1e-2)


def test_another_document_changes_nothing(model: BertForMaskedLM, ids_1T: Tensor) -> None:
    use_packed(model)
    other = ids_1T.clone()
    other[0, : LENGTHS[0]] = 7
    before, after = packed(model, ids_1T), packed(model, other)
    assert torch.equal(before[0, LENGTHS[0] :], after[0, LENGTHS[0] :])
    assert not torch.allclose(before[0, : LENGTHS[0]], after[0, : LENGTHS[0]])


def test_the_saved_folder_is_plain(
    tmp_path: Path, model: BertForMaskedLM, ids_1T: Tensor, tiny_tokenizer: Tokenizer
) -> None:
    use_packed(model)
    expected = packed(model, ids_1T)[0, : LENGTHS[0]]
    store.save(tmp_path, model=model, tokenizer=tiny_tokenizer, facts=store.Facts(task=store.MASKED))
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert "zhbert" not in json.dumps(config)
    assert set(config) <= {*model.config.to_dict(), "architectures", "dtype", "transformers_version"}
    loaded = AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    assert loaded.config._attn_implementation == "sdpa"
    found = loaded.bert(input_ids=ids_1T[:, : LENGTHS[0]]).last_hidden_state[0]
    assert torch.allclose(found, expected, atol=1e-5)


def test_back_to_plain(model: BertForMaskedLM, ids_1T: Tensor) -> None:
    before = model(input_ids=ids_1T).logits
    use_packed(model)
    use_plain(model)
    assert torch.equal(model(input_ids=ids_1T).logits, before)


def test_roberta_counts_positions_after_its_padding(tiny_tokenizer: Tokenizer, ids_1T: Tensor) -> None:
    from transformers import RobertaConfig, RobertaForMaskedLM

    size = RobertaConfig(
        vocab_size=tiny_tokenizer.size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=40,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    model = RobertaForMaskedLM(size).eval()
    assert (first_position(model), most_tokens(model)) == (1, 39)
    rows = [model.roberta(input_ids=part).last_hidden_state for part in torch.split(ids_1T, LENGTHS, dim=1)]
    use_packed(model)
    places = positions(LENGTHS) + first_position(model)
    together = model.roberta(input_ids=ids_1T, position_ids=places, lengths=LENGTHS).last_hidden_state
    assert torch.allclose(together, torch.cat(rows, dim=1), atol=1e-5)
