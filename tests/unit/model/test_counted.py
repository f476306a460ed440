"""The counted start: tokens, neighbours and frequencies are where they should be, in ordinary weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM

from zhbert.encode.company import Company
from zhbert.encode.tokenizer import Tokenizer
from zhbert.model import store
from zhbert.model.counted import BESIDE, begin_counted
from zhbert.model.encoder import new_config, new_encoder
from zhbert.model.families import FamilyName

FAMILIES: list[FamilyName] = ["bert", "ernie", "roberta", "modernbert"]


@pytest.fixture
def known(tiny_tokenizer: Tokenizer) -> Company:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(tiny_tokenizer.size, 40)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[:7] = 0
    return Company(rng.integers(0, 1000, tiny_tokenizer.size), rows)


def begun(family: FamilyName, tokenizer: Tokenizer, known: Company, size: str = "nano") -> Any:
    config = new_config(size, tokenizer, family=family)
    model = new_encoder(config, seed=1)
    begin_counted(model, known, seed=1, neighbours=family != "modernbert")
    return model.eval()


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_are_as_near_as_they_were_counted(
    family: FamilyName, tiny_tokenizer: Tokenizer, known: Company
) -> None:
    model = begun(family, tiny_tokenizer, known)
    before = new_encoder(model.config, seed=1).get_input_embeddings().weight
    rows = model.get_input_embeddings().weight.detach()
    free = rows[7:].any(dim=0)
    assert int((~free).sum()) == (0 if family == "modernbert" else 24), "what places are told by"
    assert torch.equal(rows[:7, free], before[:7, free])
    assert not rows[:, ~free].any()
    unit = torch.nn.functional.normalize(rows[7:])
    wanted = torch.from_numpy(known.vectors_VD[7:])
    assert torch.allclose(unit @ unit.T, wanted @ wanted.T, atol=1e-4)
    spread = float(rows[7:].square().mean().sqrt())
    assert spread == pytest.approx(model.config.initializer_range, rel=0.01)
    per_dimension = rows[7:, free].square().mean(0)
    assert float(per_dimension.max() / per_dimension.min()) < 8, "no dimension is left empty"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_head_begins_with_frequencies(
    family: FamilyName, tiny_tokenizer: Tokenizer, known: Company
) -> None:
    bias = begun(family, tiny_tokenizer, known).get_output_embeddings().bias.detach()
    assert torch.allclose(
        bias.softmax(0),
        torch.from_numpy((known.counts_V + 1) / (known.counts_V + 1).sum()).float(),
        atol=1e-6,
    )


@pytest.mark.slow
@pytest.mark.parametrize("size", ["pico", "nano", "micro"])
@pytest.mark.parametrize("family", FAMILIES[:3])
def test_heads_of_the_first_layer_look_at_the_tokens_beside(
    family: FamilyName, size: str, tiny_tokenizer: Tokenizer, known: Company
) -> None:
    model = begun(family, tiny_tokenizer, known, size)
    model.set_attn_implementation("eager")
    ids = torch.randint(7, tiny_tokenizer.size, (4, 40), generator=torch.Generator().manual_seed(2))
    seen = model.base_model(input_ids=ids, output_attentions=True).attentions[0].detach()
    places = torch.arange(5, 35)
    for head, distance in zip(range(seen.shape[1]), BESIDE, strict=False):
        where = seen[:, head].argmax(-1)[:, places]
        right = (where == places + distance).float().mean()
        assert float(right) > 0.6, (head, distance)
        near = sum(seen[:, head, places, places + distance + d].mean() for d in (-1, 0, 1))
        assert float(near) > 0.6, "most of what it sees is there or right beside"


@pytest.mark.parametrize("family", FAMILIES)
def test_plain_transformers_loads_the_same_model(
    family: FamilyName, tiny_tokenizer: Tokenizer, known: Company, tmp_path: Path
) -> None:
    model = begun(family, tiny_tokenizer, known, "pico")
    store.save(tmp_path, model=model, tokenizer=tiny_tokenizer, facts=store.Facts(task=store.MASKED))
    ids = torch.arange(5, 60)[None]
    other = AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    assert torch.allclose(other(input_ids=ids).logits, model(input_ids=ids).logits, atol=1e-5)


def test_it_depends_on_the_seed_alone(tiny_tokenizer: Tokenizer, known: Company) -> None:
    states = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed * 17)
        model = new_encoder(new_config("pico", tiny_tokenizer), seed=1)
        begin_counted(model, known, seed=seed, neighbours=True)
        states.append(model.get_input_embeddings().weight.detach().clone())
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])
