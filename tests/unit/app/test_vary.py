"""Values of a recipe: what mentions a list is there once for each item, and nothing is guessed."""

from typing import Any

import pytest

from zhbert.app.recipe import read_recipe
from zhbert.app.vary import expand
from zhbert.errors import ConfigError

RECIPE = """
[values]
text = "raw"
size = [300, 400]
seed = [1, 2]
[stages."documents"]
use = "corpus build"
source = "{text}"
[stages."vocabulary-{size}"]
use = "vocab"
documents = "@documents"
size = "{size}"
[stages."shards-{size}-{seed}"]
use = "encode"
documents = "@documents"
tokenizer = "@vocabulary-{size}"
[stages.probe]
use = "probe"
encoders = ["x-{size}"]
shards = ["@shards-{size}-{seed}"]
"""


def test_stages_keys_and_items_are_repeated() -> None:
    table = {
        "s-{a}": {"use": "u", "n": "{a}", "of": "x{b}"},
        "all": {
            "sections": [{"name": "{b}", "systems": {"by {a}": ["@s-{a}", "@t-{a}-{b}"]}}, {"k": ["{a}"]}]
        },
    }
    found = expand(table, {"a": [1, 2], "b": "only"})
    assert found["s-1"] == {"use": "u", "n": 1, "of": "xonly"}
    assert list(found) == ["s-1", "s-2", "all"]
    systems = {"by 1": ["@s-1", "@t-1-only"], "by 2": ["@s-2", "@t-2-only"]}
    assert found["all"]["sections"] == [{"name": "only", "systems": systems}, {"k": [1, 2]}]


def test_a_table_in_a_list_is_repeated_by_its_own_texts_only() -> None:
    table = {"r": {"sections": [{"name": "{d}", "gold": "@{d}", "systems": {"{s}": ["@{s}-{d}"]}}]}}
    found = expand(table, {"d": ["x", "y"], "s": ["p", "q"]})["r"]["sections"]
    assert [section["name"] for section in found] == ["x", "y"]
    assert found[1]["systems"] == {"p": ["@p-y"], "q": ["@q-y"]}


def test_two_lists_are_crossed_and_the_first_moves_slowest() -> None:
    assert list(expand({"{b}{a}": {}}, {"a": [1, 2], "b": ["x", "y"]})) == ["x1", "x2", "y1", "y2"]


def test_braces_mean_nothing_in_a_recipe_without_values() -> None:
    assert expand({"s": {"source": "raw/{a}.txt"}}, {}) == {"s": {"source": "raw/{a}.txt"}}


def test_a_recipe_with_values(tmp_path: Any) -> None:
    path = tmp_path / "r.toml"
    path.write_text(RECIPE, encoding="utf-8")
    stages = read_recipe(path, {}).stages
    assert list(stages)[:4] == ["documents", "vocabulary-300", "vocabulary-400", "shards-300-1"]
    assert stages["vocabulary-400"]["size"] == 400
    assert stages["probe"]["shards"] == [f"@shards-{size}-{seed}" for size in (300, 400) for seed in (1, 2)]
    fewer = read_recipe(path, {"values.seed": [7], "values.text": "other", "documents.dedup": "near"}).stages
    assert [name for name in fewer if name.startswith("shards")] == ["shards-300-7", "shards-400-7"]
    assert fewer["documents"] == {"use": "corpus build", "source": "other", "dedup": "near"}


@pytest.mark.parametrize(
    ("stages", "values", "said"),
    [
        ({"s": {"n": "{a}"}}, {"a": [1, 2]}, "stages.s.n: {a} is a list, and which of its items is meant"),
        ({"s": {"n": "{seeed}"}}, {"seed": 1}, 'stages.s.n: {seeed} is none of the values.*"seed"'),
        ({"s": {}}, {"a": {"b": 1}}, "values.a: must be a text"),
        ({"s": {}}, {"a": []}, "values.a: must be a text"),
        ({"s-{a}": {}, "s-1": {}}, {"a": [1]}, "stages.s-1: stands there twice"),
    ],
)
def test_what_is_refused(stages: dict[str, Any], values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        expand(stages, values)


def test_a_value_that_is_not_there_cannot_be_changed(tmp_path: Any) -> None:
    path = tmp_path / "r.toml"
    path.write_text(RECIPE, encoding="utf-8")
    with pytest.raises(ConfigError, match=r'values.sed: no such value \(did you mean "seed"'):
        read_recipe(path, {"values.sed": 1})
