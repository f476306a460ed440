"""A grown vocabulary: new rows are means of old ones, and what was known is known as before."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, PreTrainedModel

from zhbert.encode.extension import Extension, NewToken
from zhbert.errors import ModelError
from zhbert.model.encoder import count_parameters
from zhbert.model.grow import grow

Make = Callable[..., PreTrainedModel]
IDS = torch.randint(10, 80, (1, 30), generator=torch.Generator().manual_seed(1))


def extension(*places: int, base_size: int = 80) -> Extension:
    """Return an extension by a token that begins as two old rows, and others of a group, at these ids."""
    first, *rest = places
    return Extension(
        base="a",
        tokenizer="b",
        base_size=base_size,
        size=max(base_size, *(place + 1 for place in places)),
        groups={"Han": (20, 21, 33, 40)},
        tokens=(
            NewToken(token="ct", id=first, count=9, init=(11, 12)),
            *(NewToken(token=str(place), id=place, count=5, group="Han") for place in rest),
        ),
    )


def head_bias(model: PreTrainedModel) -> torch.Tensor:
    return model.get_output_embeddings().bias.detach()  # type: ignore[no-any-return]


def test_old_logits_stay_and_new_rows_are_means(make: Make, family: str) -> None:
    model = make(family)
    rows, bias = model.get_input_embeddings().weight.detach().clone(), head_bias(model).clone()
    before = model(input_ids=IDS).logits
    grow(model, extension(80, 81, 82))
    after = model(input_ids=IDS).logits
    assert after.shape[-1] == model.config.vocab_size == 83
    assert torch.equal(after[..., :80], before) or torch.allclose(after[..., :80], before, atol=1e-6)
    grown = model.get_input_embeddings().weight.detach()
    assert torch.equal(grown[:80], rows)
    assert torch.allclose(grown[80], (rows[11] + rows[12]) / 2)
    assert torch.allclose(grown[81], rows[[20, 21, 33, 40]].mean(0))
    assert torch.equal(grown[81], grown[82])
    assert torch.equal(head_bias(model)[:80], bias)
    assert head_bias(model)[80] == pytest.approx(float(bias[[11, 12]].mean()), abs=1e-6)
    assert torch.allclose(after[..., 80], before[..., [11, 12]].mean(-1), atol=1e-5)


def test_reserved_rows_are_begun_anew_in_their_place(make: Make, family: str) -> None:
    model = make(family)
    rows = model.get_input_embeddings().weight.detach().clone()
    before = model(input_ids=IDS).logits
    grow(model, extension(5, 6, 80))
    after, grown = model(input_ids=IDS).logits, model.get_input_embeddings().weight.detach()
    kept = [i for i in range(80) if i not in (5, 6)]
    assert torch.allclose(after[..., kept], before[..., kept], atol=1e-6)
    assert torch.allclose(grown[5], (rows[11] + rows[12]) / 2)
    assert torch.allclose(grown[6], rows[[20, 21, 33, 40]].mean(0))
    assert torch.equal(grown[6], grown[80])


def test_rows_that_were_to_spare_are_used(make: Make) -> None:
    model, ids = make("bert"), IDS.clamp(max=69)
    before = model(input_ids=ids).logits
    grow(model, extension(70, 71, base_size=70))
    after = model(input_ids=ids).logits
    assert after.shape[-1] == model.config.vocab_size == 80
    assert torch.allclose(after[..., :70], before[..., :70], atol=1e-6)
    assert torch.allclose(after[..., 70], before[..., [11, 12]].mean(-1), atol=1e-5)


def test_what_was_one_stays_one_and_is_trained(make: Make, family: str) -> None:
    model = make(family)
    many = count_parameters(model)
    grow(model, extension(80))
    assert count_parameters(model) == many + 36 + 1  # a row, and the head's bias
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    model(input_ids=torch.tensor([[2, 80, 3]])).logits.sum().backward()
    assert model.get_input_embeddings().weight.grad[80].any()  # type: ignore[union-attr]


def test_weights_that_are_not_tied_grow_too(make: Make) -> None:
    model = make("bert")
    decoder = model.get_output_embeddings()
    decoder.weight = torch.nn.Parameter(torch.randn(80, 36))
    before = model(input_ids=IDS).logits
    grow(model, extension(80))
    assert torch.allclose(model(input_ids=IDS).logits[..., :80], before, atol=1e-6)
    assert decoder.weight is not model.get_input_embeddings().weight


def test_a_grown_folder_loads_as_it_was(tmp_path: Path, make: Make, family: str) -> None:
    model = make(family)
    grow(model, extension(80, 81))
    model.save_pretrained(tmp_path)
    loaded, report = AutoModelForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values())
    ids = torch.cat([IDS, torch.tensor([[80, 81]])], dim=1)
    assert torch.allclose(loaded.eval()(input_ids=ids).logits, model(input_ids=ids).logits, atol=1e-5)


def test_an_extension_of_a_larger_vocabulary_is_refused(make: Make) -> None:
    with pytest.raises(ModelError, match="the embedding has 80 rows, but the vocabulary had 81"):
        grow(make("bert"), extension(81, base_size=81))
