"""Which weights learn at what rate, and which stand still, in every family and with every head."""

from collections.abc import Callable

import pytest
from transformers import PreTrainedModel

from zhbert.errors import ConfigError
from zhbert.model.depth import depth_of, embedding_of, freeze, rates

Make = Callable[..., PreTrainedModel]
FAMILIES = ["bert", "ernie", "roberta", "modernbert"]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_learns_slower_than_the_one_above(family: str, make_task: Make) -> None:
    model = make_task(family, ("classify", "one"))
    found = rates(model, layer=0.5, head=3.0, chain=9.0)
    assert found.keys() == dict(model.named_parameters()).keys()
    by_depth = {depth_of(name, model): set[float]() for name in found}
    for name, rate in found.items():
        by_depth[depth_of(name, model)].add(rate)
    assert by_depth == {0: {0.125}, 1: {0.25}, 2: {0.5}, 3: {1.0}, None: {3.0}}
    assert [name for name in found if "classifier" in name and found[name] != 3.0] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_steps_between_tags_have_a_rate_of_their_own(family: str, make_task: Make) -> None:
    found = rates(make_task(family, ("ner", "crf")), layer=1.0, head=3.0, chain=30.0)
    assert {name for name, rate in found.items() if rate == 30.0} == {"transitions.weight"}
    assert {name for name, rate in found.items() if rate == 3.0} >= {"classifier.weight", "classifier.bias"}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layers", [0, 2, 3])
def test_the_lowest_layers_stand_still(layers: int, family: str, make_task: Make) -> None:
    model = make_task(family, ("ner", "softmax"))
    freeze(model, layers)
    still = {depth_of(name, model) for name, weight in model.named_parameters() if not weight.requires_grad}
    learnt = {depth_of(name, model) for name, weight in model.named_parameters() if weight.requires_grad}
    assert still == set(range(layers + 1))
    assert learnt - {None} == set(range(layers + 1, 4))
    assert model.classifier.weight.requires_grad


def test_more_layers_than_there_are_cannot_be_frozen(make_task: Make) -> None:
    with pytest.raises(ConfigError, match="freeze = 4: the encoder has 3 layers"):
        freeze(make_task("bert", ("ner", "softmax")), 4)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_table_of_tokens_is_found(family: str, make_task: Make) -> None:
    model = make_task(family, ("reading", "span"))
    assert model.get_parameter(embedding_of(model)) is model.get_input_embeddings().weight
