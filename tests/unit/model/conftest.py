"""A tiny random encoder of every family, no weight of which is zero."""

from collections.abc import Callable

import pytest
import torch
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel

from zhbert.encode.tokenizer import Special
from zhbert.model.encoder import new_encoder
from zhbert.model.families import FAMILIES, config_of
from zhbert.model.heads import TASK_MODELS

VOCABULARY = 80
OF_ROBERTA = ("xlm-roberta", "camembert")
Make = Callable[..., PreTrainedModel]


def tiny_config(family: str, *, positions: int = 128, vocabulary: int = VOCABULARY) -> PreTrainedConfig:
    config = config_of(
        "roberta" if family in OF_ROBERTA else family,  # type: ignore[arg-type]
        positions=positions,
        special=Special(pad=0, unk=1, cls=2, sep=3, mask=4),
        vocab_size=vocabulary,
        hidden_size=36,
        num_hidden_layers=3,
        num_attention_heads=3,
        intermediate_size=48,
        initializer_range=0.1,
    )
    if family in OF_ROBERTA:
        named = {k: v for k, v in config.to_dict().items() if k != "model_type"}
        return AutoConfig.for_model(family, **named)
    if family == "modernbert":
        config.local_attention = 16  # eight tokens to either side
    return config


@pytest.fixture
def make() -> Make:
    """Return what makes an encoder of a family."""

    def made(family: str, *, seed: int = 3, **sizes: int) -> PreTrainedModel:
        model = new_encoder(tiny_config(family, **sizes), seed=seed).eval()
        with torch.no_grad():
            for weight in model.parameters():
                weight += 0.03 * torch.randn(weight.shape)
        return model

    return made


@pytest.fixture
def make_task() -> Make:
    """Return what makes a task model of a family, with a head."""

    def made(family: str, way: tuple[str, str]) -> PreTrainedModel:
        torch.manual_seed(3)
        config = tiny_config(family)
        config.num_labels = 2 if way[0] == "reading" else 3
        model: PreTrainedModel = TASK_MODELS[way].from_config(config, dtype=torch.float32).eval()
        with torch.no_grad():
            for weight in model.parameters():
                weight += 0.03 * torch.randn(weight.shape)
        return model

    return made


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)
