"""Units of a configuration: phrases of whole words, entities, lists read once, and how units travel."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from zhbert.config import parse
from zhbert.errors import ConfigError, DataError
from zhbert.text.entities import KINDS, RULES
from zhbert.text.segment import segmenter
from zhbert.text.units import UnitsConfig, make_units

TEXT = "县级以上人民政府应当于2020年3月制定。\n他一心一意用GPT-4，人民政府。"


@pytest.fixture
def lists(tmp_path: Path) -> dict[str, Path]:
    """Return a list of phrases, one of idioms and a gazetteer."""
    made = {
        "phrases": "# zhbert phrases\n县级以上人民政府\t2811\t0.684\t3.5\t3.9\n以上人民\t3\t0.1\t1\t1\n级以",
        "idioms": "一心一意\t20\n",
        "gazetteers": "人民政府 3 nt\n",
    }
    for name, content in made.items():
        (tmp_path / f"{name}.txt").write_text(content, "utf-8")
    return {name: tmp_path / f"{name}.txt" for name in made}


def units_of(text: str, **values: object) -> tuple[list[str], list[tuple[str, str]]]:
    units = make_units(parse(UnitsConfig, values))
    phrases, entities, kinds = units.ranges(text, segmenter().ends(text))
    assert phrases.dtype == entities.dtype == np.int64
    assert (phrases[1:, 0] >= phrases[:-1, 1]).all()
    found = zip(entities, kinds, strict=True)
    return [text[a:b] for a, b in phrases], [(text[a:b], KINDS[kind]) for (a, b), kind in found]


def test_all_units(lists: dict[str, Path]) -> None:
    phrases, entities = units_of(
        TEXT,
        phrases=lists["phrases"],
        idioms=[lists["idioms"]],
        gazetteers=[lists["gazetteers"]],
    )
    assert phrases == ["县级以上人民政府", "一心一意"]
    assert entities == [
        ("人民政府", "listed"),
        ("2020年3月", "date"),
        ("GPT-4", "latin"),
        ("人民政府", "listed"),
    ]


def test_only_what_is_asked_for(lists: dict[str, Path]) -> None:
    assert units_of(TEXT, entities=False) == ([], [])
    assert units_of(TEXT, entity_rules=["latin"]) == ([], [("GPT-4", "latin")])
    only_listed = units_of(TEXT, entities=False, gazetteers=[lists["gazetteers"]])
    assert only_listed == ([], [("人民政府", "listed")] * 2)


def test_all_rules_unless_told_otherwise() -> None:
    assert make_units(UnitsConfig()).rules == RULES
    with pytest.raises(ConfigError, match="entity_rules"):
        parse(UnitsConfig, {"entity_rules": ["dates"]})


def test_a_list_is_read_once_and_again_when_it_has_changed(lists: dict[str, Path]) -> None:
    config = UnitsConfig(phrases=lists["phrases"])
    first = make_units(config).phrases
    assert make_units(config).phrases is first
    lists["phrases"].write_text("人民\n", "utf-8")
    import os

    os.utime(lists["phrases"], ns=(1, 1))
    again = make_units(config).phrases
    assert again is not None
    assert again.size == 1
    with pytest.raises(DataError, match="cannot be read"):
        make_units(UnitsConfig(idioms=[Path("none.txt")]))


def test_units_travel(lists: dict[str, Path]) -> None:
    units = make_units(UnitsConfig(phrases=lists["phrases"], gazetteers=[lists["gazetteers"]]))
    ends = segmenter().ends(TEXT)
    for one, other in zip(
        pickle.loads(pickle.dumps(units)).ranges(TEXT, ends), units.ranges(TEXT, ends), strict=True
    ):
        assert one.tolist() == other.tolist()


def test_nothing_of_nothing() -> None:
    for text in ("", "\n", "\n\n"):
        phrases, entities, kinds = make_units(UnitsConfig()).ranges(text, segmenter().ends(text))
        assert phrases.tolist() == entities.tolist() == kinds.tolist() == []
