"""Logits at masked positions only are the logits of the whole head."""

from collections.abc import Callable

import torch
from transformers import PreTrainedModel

from zhbert.model.heads import TASK_MODELS, masked_logits, model_class
from zhbert.task.registry import TASKS

Make = Callable[..., PreTrainedModel]


def test_masked_only_logits_are_those_of_the_whole_head(make: Make, family: str) -> None:
    model = make(family)
    ids = torch.randint(5, 80, (1, 30), generator=torch.Generator().manual_seed(1))
    places = torch.tensor([0, 3, 4, 17, 29])
    full = model(input_ids=ids).logits[0, places]
    some = masked_logits(model, model.base_model(input_ids=ids).last_hidden_state, places)
    assert some.shape == (5, 80)
    assert torch.allclose(some, full, atol=1e-5)


def test_no_masked_position_gives_no_logits(make: Make, family: str) -> None:
    model = make(family)
    hidden = model.base_model(input_ids=torch.tensor([[2, 3]])).last_hidden_state
    none = masked_logits(model, hidden, torch.empty(0, dtype=torch.long))
    assert none.shape == (0, 80)
    none.sum().backward()


def test_every_task_has_a_head() -> None:
    assert TASK_MODELS.keys() == {(name, head) for name, task in TASKS.items() for head in task.heads}
    assert all(model_class(name) is model_class(name, task.heads[0]) for name, task in TASKS.items())
