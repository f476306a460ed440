"""New encoders: their size, their seed, their dropout."""

import pytest
import torch

from zhbert.encode.tokenizer import Tokenizer
from zhbert.model.encoder import (
    PRESETS,
    count_parameters,
    describe,
    first_position,
    most_tokens,
    new_config,
    new_encoder,
    set_dropout,
)
from zhbert.task.pretrain import PretrainConfig


def test_weights_depend_on_the_seed_alone(tiny_tokenizer: Tokenizer) -> None:
    size = new_config("pico", tiny_tokenizer)
    torch.manual_seed(99)
    first, second, other = (new_encoder(size, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(
        first["bert.embeddings.word_embeddings.weight"], other["bert.embeddings.word_embeddings.weight"]
    )


def test_the_config_fits_the_tokenizer(tiny_tokenizer: Tokenizer) -> None:
    size = new_config("nano", tiny_tokenizer, positions=64)
    model = new_encoder(size, seed=1)
    assert model.get_input_embeddings().weight.shape == (tiny_tokenizer.size, 256)
    assert size.pad_token_id == tiny_tokenizer.special.pad
    assert (first_position(model), most_tokens(model), describe(size)) == (0, 64, "4 x 256")
    assert not any(m.p for m in model.modules() if isinstance(m, torch.nn.Dropout))


def test_weights_start_wider_the_narrower_the_encoder(tiny_tokenizer: Tokenizer) -> None:
    spread = {name: new_config(name, tiny_tokenizer).initializer_range for name in ("pico", "base")}
    assert spread == {"pico": 0.049, "base": 0.02}
    layer = new_encoder(new_config("pico", tiny_tokenizer), seed=1).bert.encoder.layer[0]
    assert float(layer.output.dense.weight.detach().std()) == pytest.approx(0.049, rel=0.03)


def test_positions_start_as_sinusoids_so_that_a_distance_is_one_rotation(tiny_tokenizer: Tokenizer) -> None:
    size = new_config("pico", tiny_tokenizer)
    table = new_encoder(size, seed=1).bert.embeddings.position_embeddings.weight.detach()
    products = table @ table.T  # depends on the distance alone
    assert torch.allclose(products.diagonal(3), products[0, 3].expand(509), atol=1e-4)
    assert float(table.square().mean().sqrt()) == pytest.approx(size.initializer_range, rel=1e-3)
    assert len(table.unique(dim=0)) == 512


def test_tied_weights_count_once(tiny_tokenizer: Tokenizer) -> None:
    model = new_encoder(new_config("pico", tiny_tokenizer), seed=1)
    by_storage = {t.data_ptr(): t.numel() for t in model.state_dict().values()}
    assert count_parameters(model) == sum(by_storage.values())


@pytest.mark.parametrize("name", PRESETS)
def test_presets_can_be_asked_for_and_their_heads_divide_the_width(name: str) -> None:
    assert PRESETS[name].width % PRESETS[name].heads == 0
    PretrainConfig.model_validate_json(f'{{"shards": "x", "size": "{name}", "steps": 1, "lr": 1e-3}}')


def test_set_dropout_sets_both(tiny_tokenizer: Tokenizer) -> None:
    size = set_dropout(new_config("pico", tiny_tokenizer), 0.3)
    assert (size.hidden_dropout_prob, size.attention_probs_dropout_prob) == (0.3, 0.3)
