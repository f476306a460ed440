"""Operations are those that torch itself counts."""

from collections.abc import Callable

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, ModernBertConfig, PreTrainedModel

from zhbert.model.flops import flops_per_token
from zhbert.model.heads import masked_logits

Make = Callable[..., PreTrainedModel]


def counted(model: PreTrainedModel, lengths: list[int], masked: int) -> int:
    """Count both ways through a model, a sequence at a time, with attention as plain products."""
    model.set_attn_implementation("eager")
    with FlopCounterMode(display=False) as counter:
        for length in lengths:
            hidden = model.base_model(input_ids=torch.full((1, length), 7)).last_hidden_state
            masked_logits(model, hidden, torch.arange(masked)).sum().backward()
    return int(counter.get_total_flops())


@pytest.mark.parametrize("lengths", [[9], [3, 8, 5]])  # within ModernBERT's window of eight
def test_operations_are_those_that_torch_counts(lengths: list[int], make: Make, family: str) -> None:
    model = make(family)
    expected = counted(model, lengths, 2)
    tokens = sum(lengths)
    masked = 2 * len(lengths) / tokens
    found = flops_per_token(model.config, lengths=lengths, masked=masked) * tokens
    assert found == pytest.approx(expected, rel=1e-9)


def test_a_long_text_costs_more_a_token_but_not_within_a_window() -> None:
    bert = BertConfig(vocab_size=21128)
    short, long = (flops_per_token(bert, lengths=[n], masked=0.15) / 1e6 for n in (128, 512))
    assert (round(short), round(long)) == (539, 581)
    wide, narrow = (
        ModernBertConfig(vocab_size=99, layer_types=[kind] * 2, num_hidden_layers=2)
        for kind in ("full_attention", "sliding_attention")
    )
    four, eight = (flops_per_token(narrow, lengths=[n], masked=0) for n in (4096, 8192))
    assert eight == pytest.approx(four, rel=0.01)
    assert flops_per_token(wide, lengths=[8192], masked=0) > 2 * eight
    seen = sum(min(i + 64, 8191) - max(i - 64, 0) + 1 for i in range(8192))
    assert flops_per_token(wide, lengths=[8192], masked=0) - eight == pytest.approx(
        12 * 768 * 2 * (8192**2 - seen) / 8192
    )
