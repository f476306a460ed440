"""New encoders: their family, their size, their seed, their positions, their dropout."""

from pathlib import Path
from typing import get_args

import pytest
import torch
from transformers import AutoModelForMaskedLM, DistilBertConfig, PreTrainedModel

from zhbert.encode.bert import NAMES
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError, ModelError
from zhbert.model import store
from zhbert.model.encoder import (
    PRESETS,
    count_parameters,
    describe,
    first_position,
    freeze_fixed_positions,
    most_tokens,
    new_config,
    new_encoder,
    set_dropout,
    sinusoids,
)
from zhbert.model.families import FAMILIES, FamilyName, family_of
from zhbert.task.pretrain import PretrainConfig

NEW: tuple[FamilyName, ...] = get_args(FamilyName)
WITH_TABLE = tuple(name for name in NEW if FAMILIES[name].table)
PUBLISHED = 30522  # rows of the vocabulary that published parameter counts are for


@pytest.fixture(scope="module")
def published() -> Tokenizer:
    return Tokenizer.from_vocab([*NAMES.values(), *(f"w{i}" for i in range(PUBLISHED - len(NAMES)))])


def table_of(model: PreTrainedModel) -> torch.nn.Parameter:
    return model.base_model.embeddings.position_embeddings.weight  # type: ignore[no-any-return]


@pytest.mark.parametrize("family", NEW)
def test_weights_depend_on_the_seed_alone(family: FamilyName, tiny_tokenizer: Tokenizer) -> None:
    size = new_config("pico", tiny_tokenizer, family=family)
    torch.manual_seed(99)
    first, second, other = (new_encoder(size, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    (rows,) = {name for name in first if name.endswith(("word_embeddings.weight", "tok_embeddings.weight"))}
    assert not torch.equal(first[rows], other[rows])


@pytest.mark.parametrize("family", NEW)
def test_the_config_fits_the_tokenizer(family: FamilyName, tiny_tokenizer: Tokenizer) -> None:
    size = new_config("nano", tiny_tokenizer, family=family, positions=64)
    model = new_encoder(size, seed=1)
    assert model.config.model_type == family
    assert model.get_input_embeddings().weight.shape == (tiny_tokenizer.size, 256)
    assert size.pad_token_id == tiny_tokenizer.special.pad
    assert (first_position(model), most_tokens(model)) == (int(family == "roberta"), 64)
    assert describe(size) == "4 x 256"
    assert not any(m.p for m in model.modules() if isinstance(m, torch.nn.Dropout))
    longest = torch.full((1, 64), tiny_tokenizer.special.unk)
    assert model(input_ids=longest).logits.shape == (1, 64, tiny_tokenizer.size)


@pytest.mark.parametrize("family", NEW)
@pytest.mark.parametrize(("preset", "millions"), [("base", 110), ("large", 336)])
def test_sizes_are_the_published_ones(
    family: FamilyName, preset: str, millions: int, published: Tokenizer
) -> None:
    """BERT's paper: 110 M and 340 M (its files: 109.5 M with a pooler, 335.1 M)."""
    with torch.device("meta"):
        model = AutoModelForMaskedLM.from_config(new_config(preset, published, family=family))
    assert count_parameters(model) / 1e6 == pytest.approx(millions, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_the_size_it_says(name: str, published: Tokenizer) -> None:
    preset = PRESETS[name]
    with torch.device("meta"):
        model = AutoModelForMaskedLM.from_config(new_config(name, published))
    width, inner = preset.width, preset.inner
    layer = 4 * (width**2 + width) + 2 * width * inner + inner + width + 4 * width
    rest = (PUBLISHED + 512 + 2 + 2) * width + (width**2 + width + 2 * width) + PUBLISHED
    assert count_parameters(model) == preset.layers * layer + rest
    assert width % preset.heads == 0
    PretrainConfig.model_validate_json(f'{{"shards": "x", "size": "{name}", "steps": 1, "lr": 1e-3}}')


def test_weights_start_wider_the_narrower_the_encoder(tiny_tokenizer: Tokenizer) -> None:
    spread = {name: new_config(name, tiny_tokenizer).initializer_range for name in ("pico", "base")}
    assert spread == {"pico": 0.049, "base": 0.02}
    layer = new_encoder(new_config("pico", tiny_tokenizer), seed=1).base_model.encoder.layer[0]
    assert float(layer.output.dense.weight.detach().std()) == pytest.approx(0.049, rel=0.03)


@pytest.mark.parametrize("family", WITH_TABLE)
def test_positions_start_as_sinusoids_so_that_a_distance_is_one_rotation(
    family: FamilyName, tiny_tokenizer: Tokenizer
) -> None:
    size = new_config("pico", tiny_tokenizer, family=family)
    model = new_encoder(size, seed=1)
    table = table_of(model).detach()[first_position(model) :]
    assert table_of(model).requires_grad
    products = table @ table.T  # depends on the distance alone
    assert torch.allclose(products.diagonal(3), products[0, 3].expand(509), atol=1e-4)
    assert float(table.square().mean().sqrt()) == pytest.approx(size.initializer_range, rel=1e-3)
    assert torch.allclose(table, sinusoids(512, 128) * size.initializer_range * 2**0.5, atol=1e-6)


def test_sinusoids_are_those_of_the_first_transformer() -> None:
    table = sinusoids(50, 6)
    angles = torch.arange(50.0)[:, None] / 10000 ** (torch.tensor([0.0, 2.0, 4.0]) / 6)
    assert torch.allclose(table[:, 0::2], angles.sin(), atol=1e-5)
    assert torch.allclose(table[:, 1::2], angles.cos(), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("family", WITH_TABLE)
def test_fixed_positions_are_sinusoids_that_no_training_moves(
    family: FamilyName, tiny_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    size = new_config("pico", tiny_tokenizer, family=family, positions=1024)
    model = new_encoder(size, seed=1, positions="fixed")
    assert torch.equal(table_of(model), table_of(new_encoder(size, seed=1)))
    assert [name for name, p in model.named_parameters() if not p.requires_grad] == [
        f"{model.base_model_prefix}.embeddings.position_embeddings.weight"
    ]
    store.save(tmp_path, model=model, tokenizer=tiny_tokenizer, facts=store.Facts(task=store.MASKED))
    found = store.load_masked(str(tmp_path), dropout=0.0).model
    assert not table_of(found).requires_grad
    ids = torch.arange(900)[None] % tiny_tokenizer.size
    plain = AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    assert torch.allclose(plain(input_ids=ids).logits, model.eval()(input_ids=ids).logits, atol=1e-5)


@pytest.mark.parametrize("family", WITH_TABLE)
def test_positions_can_start_at_random_as_stock_ones_do(
    family: FamilyName, tiny_tokenizer: Tokenizer
) -> None:
    size = new_config("pico", tiny_tokenizer, family=family)
    torch.manual_seed(1)
    stock = AutoModelForMaskedLM.from_config(size).state_dict()
    ours = new_encoder(size, seed=1, positions="random")
    assert all(torch.equal(weight, stock[name]) for name, weight in ours.state_dict().items())
    assert all(p.requires_grad for p in ours.parameters())


def test_a_table_that_was_trained_is_not_taken_for_a_fixed_one(tiny_tokenizer: Tokenizer) -> None:
    model = new_encoder(new_config("pico", tiny_tokenizer), seed=1)
    with torch.no_grad():
        table_of(model)[3] += 1e-4
    assert not freeze_fixed_positions(model)
    assert table_of(model).requires_grad


@pytest.mark.parametrize("positions", ["fixed", "random"])
def test_rotations_have_no_table_to_start(positions: str, tiny_tokenizer: Tokenizer) -> None:
    size = new_config("pico", tiny_tokenizer, family="modernbert")
    with pytest.raises(ConfigError, match="modernbert rotates and has no table"):
        new_encoder(size, seed=1, positions=positions)  # type: ignore[arg-type]


def test_a_family_that_is_not_ours_is_refused_with_those_that_are() -> None:
    with pytest.raises(ModelError, match=r"here: its family is distilbert.*bert, ernie, roberta") as caught:
        family_of(DistilBertConfig(), where="here")
    assert "\n" not in str(caught.value)


def test_tied_weights_count_once(tiny_tokenizer: Tokenizer) -> None:
    model = new_encoder(new_config("pico", tiny_tokenizer), seed=1)
    by_storage = {t.data_ptr(): t.numel() for t in model.state_dict().values()}
    assert count_parameters(model) == sum(by_storage.values())


@pytest.mark.parametrize("family", NEW)
def test_set_dropout_sets_all_there_are_and_no_others(family: FamilyName, tiny_tokenizer: Tokenizer) -> None:
    size = new_config("pico", tiny_tokenizer, family=family)
    names = set(size.to_dict())
    rates = {
        m.p for m in new_encoder(set_dropout(size, 0.3), seed=1).modules() if isinstance(m, torch.nn.Dropout)
    }
    assert rates == {0.3}
    assert set(size.to_dict()) == names
