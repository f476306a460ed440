"""A tiny random encoder of a family, with a tokenizer of some characters and words."""

from collections.abc import Callable

import pytest
import torch
from transformers import AutoModel, DistilBertConfig

from zhbert.encode.bert import NAMES
from zhbert.encode.tokenizer import Tokenizer
from zhbert.model.families import config_of
from zhbert.model.store import Facts, Stored

CHARACTERS = "我爱北京大学图书馆的王芳在杭州工作，。：！？长城人民"
Make = Callable[..., Stored]


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_vocab([*NAMES.values(), *CHARACTERS, "bert", "##s", "is", "great", "3", "##."])


@pytest.fixture(scope="session")
def make(tokenizer: Tokenizer) -> Make:
    def made(family: str = "bert", *, window: int = 24, positions: int = 64) -> Stored:
        size = {"vocab_size": tokenizer.size, "hidden_size": 24, "num_hidden_layers": 5}
        size |= {"num_attention_heads": 3, "intermediate_size": 32, "initializer_range": 0.3}
        if family == "distilbert":
            config = DistilBertConfig(
                vocab_size=tokenizer.size, dim=24, n_layers=5, n_heads=3, hidden_dim=32, initializer_range=0.3
            )
        else:
            config = config_of(family, positions=positions, special=tokenizer.special, **size)  # type: ignore[arg-type]
        torch.manual_seed(4)
        model = AutoModel.from_config(config, dtype=torch.float32).eval()
        return Stored(model=model, tokenizer=tokenizer, facts=Facts(task="", window=window))

    return made
