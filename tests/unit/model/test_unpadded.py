"""A batch without its padding says what each row says alone, in outputs and gradients, whatever the head."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import DistilBertConfig, DistilBertForTokenClassification, PreTrainedModel

from zhbert.model.heads import chooses
from zhbert.model.unpadded import can_unpad, unpadded, wants_alike

Make = Callable[..., PreTrainedModel]
HEADS = [
    ("classify", "one"),
    ("ner", "softmax"),
    ("ner", "crf"),
    ("ner", "pointer"),
    ("reading", "span"),
    ("choice", "options"),
]
LENGTHS = [5, 1, 40, 17, 9]


def batch(model: PreTrainedModel, lengths: list[int]) -> dict[str, Tensor]:
    ids = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    rows = {"input_ids": ids, "attention_mask": ids.clone(), "token_type_ids": ids.clone()}
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(5, 80, (length,), generator=torch.Generator().manual_seed(row))
        rows["attention_mask"][row, :length] = 1
        rows["token_type_ids"][row, length // 2 : length] = 1
    if getattr(model.config, "type_vocab_size", 0) < 2:
        del rows["token_type_ids"]
    return {name: ids[:, None] for name, ids in rows.items()} if chooses(model) else rows


def said(output: Any, lengths: list[int]) -> Tensor:
    """All numbers that an output has for real tokens, row by row, end to end."""
    names = ("start_logits", "end_logits") if "start_logits" in output else ("logits",)
    rows = [
        (output[name][row] if output[name].shape[1:2] != (max(lengths),) else output[name][row, :length])
        for row, length in enumerate(lengths)
        for name in names
    ]
    return torch.cat([row.flatten() for row in rows])


def gradients(model: PreTrainedModel, numbers: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    (numbers * torch.linspace(-1, 1, numbers.numel())).sum().backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def check(model: PreTrainedModel, lengths: list[int]) -> None:
    padded = batch(model, lengths)
    cut = [
        {name: ids[row : row + 1, ..., :length] for name, ids in padded.items()}
        for row, length in enumerate(lengths)
    ]
    alone = torch.cat([said(model(**one), [length]) for one, length in zip(cut, lengths, strict=True)])
    slow = gradients(model, alone)
    with unpadded(model):
        together = said(model(**padded), lengths)
    fast = gradients(model, together)
    assert (together - alone).abs().max() < 1e-5
    assert slow.keys() == fast.keys()
    norm = torch.stack([g.square().sum() for g in slow.values()]).sum().sqrt()
    for name in slow:
        assert (fast[name] - slow[name]).norm() < 1e-5 * norm, name


@pytest.mark.parametrize("way", HEADS, ids="-".join)
@pytest.mark.parametrize("family", ["bert", "ernie", "roberta", "modernbert"])
def test_a_batch_says_what_each_row_says_alone(make_task: Make, family: str, way: tuple[str, str]) -> None:
    check(make_task(family, way), LENGTHS)


@pytest.mark.slow
@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=6), way=st.sampled_from(HEADS))
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_lengths(make_task: Make, lengths: list[int], way: tuple[str, str]) -> None:
    check(make_task("bert", way), lengths)


def test_a_head_that_reads_the_first_token_gets_no_other(make_task: Make) -> None:
    counted: list[int] = []
    for way in (("classify", "one"), ("ner", "softmax")):
        model = make_task("bert", way)
        *_, last = model.base_model.encoder.layer
        last.intermediate.register_forward_hook(lambda _, inputs, __: counted.append(inputs[0].shape[1]))
        with unpadded(model):
            model(**batch(model, LENGTHS))
    assert counted == [len(LENGTHS), sum(LENGTHS)]


def test_afterwards_the_model_is_as_before(make_task: Make) -> None:
    model = make_task("bert", ("classify", "one"))
    padded = batch(model, LENGTHS)
    before = model(**padded).logits
    with pytest.raises(KeyboardInterrupt), unpadded(model):
        raise KeyboardInterrupt
    assert model.config._attn_implementation == "sdpa"
    assert torch.equal(model(**padded).logits, before)
    assert not [name for name, part in model.named_modules() if "forward" in vars(part)]


def test_attention_dropout_is_drawn_for_every_head(make_task: Make) -> None:
    model = make_task("bert", ("classify", "one")).train()
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    for layer in model.base_model.encoder.layer:
        layer.attention.self.dropout.p = 0.5
    with unpadded(model):
        one, other = (model(**batch(model, LENGTHS)).logits for _ in range(2))
    assert not torch.allclose(one, other)


def test_a_family_that_is_not_ours_keeps_its_padding(make_task: Make) -> None:
    model = DistilBertForTokenClassification(DistilBertConfig(dim=12, n_heads=2, n_layers=1, vocab_size=80))
    padded = {name: ids for name, ids in batch(model, LENGTHS).items() if name != "token_type_ids"}
    assert (can_unpad(model), wants_alike(model)) == (False, True)
    with unpadded(model):
        inside = model.eval()(**padded).logits
    assert torch.equal(inside, model(**padded).logits)
    assert [wants_alike(make_task("bert", way)) for way in HEADS] == [False, False, True, True, False, False]


@pytest.mark.parametrize("family", ["xlm-roberta", "camembert"])
def test_roberta_under_other_names(make_task: Make, family: str) -> None:
    for way in HEADS[:2]:
        check(make_task(family, way), LENGTHS)
