"""Logits at masked positions only are the logits of the whole head."""

import pytest
import torch
from transformers import BertConfig, BertModel

from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ModelError
from zhbert.model.encoder import new_config, new_encoder
from zhbert.model.heads import TASK_MODELS, masked_logits, vocabulary_head
from zhbert.task.registry import TASKS


def test_masked_only_logits_are_those_of_the_whole_head(tiny_tokenizer: Tokenizer) -> None:
    model = new_encoder(new_config("pico", tiny_tokenizer), seed=1).eval()
    ids = torch.randint(5, tiny_tokenizer.size, (1, 30), generator=torch.Generator().manual_seed(1))
    places = torch.tensor([0, 3, 4, 17, 29])
    full = model(input_ids=ids).logits[0, places]
    some = masked_logits(model, model.bert(input_ids=ids).last_hidden_state, places)
    assert some.shape == (5, tiny_tokenizer.size)
    assert torch.allclose(some, full, atol=1e-6)


def test_no_masked_position_gives_no_logits(tiny_tokenizer: Tokenizer) -> None:
    model = new_encoder(new_config("pico", tiny_tokenizer), seed=1)
    hidden = model.bert(input_ids=torch.tensor([[2, 3]])).last_hidden_state
    none = masked_logits(model, hidden, torch.empty(0, dtype=torch.long))
    assert none.shape == (0, tiny_tokenizer.size)
    none.sum().backward()


def test_a_model_without_a_vocabulary_head_is_refused() -> None:
    size = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    with pytest.raises(ModelError, match="BertModel has no head"):
        vocabulary_head(BertModel(size))


def test_every_task_has_a_head() -> None:
    assert TASK_MODELS.keys() == TASKS.keys()
