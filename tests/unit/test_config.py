"""Configuration: every mistake has its key, inputs count by content, and hashes stay."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from zhbert.app.stages import STAGES
from zhbert.config import Config, Input, ModelInput, fingerprint, load_toml, override, parse, parse_value
from zhbert.errors import ConfigError


class Layer(Config):
    name: str = Field(description="what it is called")
    filling: Input | None = Field(default=None, description="a file")
    jars: dict[str, Input] = Field(default={}, description="more files")


class Cake(Config):
    flour: Input = Field(description="a folder")
    layers: list[Layer] = Field(default=[], description="from below")
    spare: list[Input] = Field(default=[], description="files")
    base: ModelInput | None = Field(default=None, description="a folder or a name")
    heat: float = Field(default=0.5, gt=0, le=1, description="share")
    minutes: int = Field(default=3, ge=1, description="how long")
    vegan: bool = Field(default=False, description="no eggs")
    pair: tuple[float, float] = Field(default=(0.1, 0.2), description="two")


FULL: dict[str, Any] = {
    "flour": "a/flour",
    "layers": [{"name": "甲", "filling": "b", "jars": {"红.1": "c"}}, {"name": "乙"}],
    "spare": ["d", "e"],
    "base": "hfl/rbt3",
}


def test_inputs_are_found_wherever_they_stand() -> None:
    assert {key: str(value) for key, value in parse(Cake, FULL).inputs().items()} == {
        "flour": "a/flour",
        "layers.0.filling": "b",
        "layers.0.jars.红.1": "c",
        "spare.0": "d",
        "spare.1": "e",
        "base": "hfl/rbt3",
    }


def test_settings_do_not_say_where_inputs_lie() -> None:
    one = parse(Cake, FULL)
    moved = FULL | {"flour": "/elsewhere", "spare": ["x", "y"], "base": "z"}
    assert one.settings() == parse(Cake, moved).settings()
    assert one.settings() != parse(Cake, FULL | {"heat": 0.6}).settings()
    assert one.settings() != parse(Cake, {k: v for k, v in FULL.items() if k != "base"}).settings()
    assert one.settings()["layers"][0] == {"name": "甲", "filling": "<input>", "jars": {"红.1": "<input>"}}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, r"cake\.toml: flour: this key is needed \(a folder\)"),
    ({"flour": "a", "heet": 1}, r'cake\.toml: heet: unknown key \(did you mean "heat"\?\)'),
    ({"flour": "a", "heat": 0}, "heat = 0: input should be greater than 0"),
    ({"flour": "a", "heat": float("nan")}, "heat"),
    ({"flour": "a", "heat": "0.5"}, 'heat = "0.5": input should be a valid number'),
    ({"flour": "a", "minutes": 1.5}, "minutes = 1.5"),
    ({"flour": "a", "minutes": True}, "minutes = true"),
    ({"flour": "a", "vegan": 1}, "vegan = 1"),
    ({"flour": 5}, "flour = 5"),
    ({"flour": "a", "pair": [1.0]}, r"pair\.1"),
    ({"flour": "a", "layers": [{"name": "甲", "nom": 1}]}, r"layers\.0\.nom: unknown key"),
    ({"flour": "a", "layers": [{}]}, r"layers\.0\.name: this key is needed"),
]


@pytest.mark.parametrize(("values", "words"), WRONG)
def test_mistakes_are_said_in_one_line_with_their_key(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        parse(Cake, values, where="cake.toml")
    assert "\n" not in str(caught.value)


def test_lists_of_toml_are_tuples_and_whole_numbers_are_shares() -> None:
    cake = parse(Cake, {"flour": "a", "pair": [1, 2], "heat": 1})
    assert (cake.pair, cake.heat, cake.flour) == ((1.0, 2.0), 1.0, Path("a"))


@pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)
def test_every_field_of_every_stage_says_what_it_is(stage: Any) -> None:
    for name, field in stage.config_type().model_fields.items():
        assert field.description, name
        assert not field.description.endswith("."), name


def test_toml_files(tmp_path: Path) -> None:
    path = tmp_path / "cake.toml"
    path.write_bytes('\ufeffflour = "面"\r\nheat = 1'.encode())
    assert load_toml(path) == {"flour": "面", "heat": 1}
    path.write_bytes("a = 1\nb = 面\n".encode())
    with pytest.raises(ConfigError, match=r"cake\.toml:2: not valid TOML"):
        load_toml(path)
    path.write_bytes('a = "面"'.encode("gbk"))
    with pytest.raises(ConfigError, match="not UTF-8 at byte 5"):
        load_toml(path)
    with pytest.raises(ConfigError, match="no such file"):
        load_toml(tmp_path / "none.toml")


def test_override_leaves_the_original_as_it_is() -> None:
    tables = {"a": {"b": 1, "c": 2}, "d": 3}
    assert override(tables, "a.b", 9) == {"a": {"b": 9, "c": 2}, "d": 3}
    assert override(tables, "e.f.g", 1)["e"] == {"f": {"g": 1}}
    assert tables == {"a": {"b": 1, "c": 2}, "d": 3}
    with pytest.raises(ConfigError, match='"d" is a value, not a table'):
        override(tables, "d.e", 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("0.5", 0.5), ("[1, 2]", [1, 2]), ('"5"', "5"), ("人名", "人名"), ("a b", "a b"), ("", "")],
)
def test_values_of_the_command_line(text: str, value: Any) -> None:
    assert parse_value(text) == value


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@given(st.dictionaries(st.text(), plain, min_size=2, max_size=4))
def test_fingerprints_do_not_depend_on_the_order_of_keys(value: dict[str, Any]) -> None:
    assert fingerprint(value) == fingerprint(dict(reversed(value.items())))
    assert len(fingerprint(value)) == 16


def test_fingerprints_stay_from_version_to_version() -> None:
    assert fingerprint({"b": [1, "面"], "a": None}) == "d187f528c67af92a"
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"}) != fingerprint({"a": 1.5})
    assert fingerprint("\ud83d")
