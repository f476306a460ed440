"""CLUE's ways: CLUENER's entities, classification, pairs."""

from collections.abc import Callable
from typing import Any

import pytest

from zhbert.errors import DataError
from zhbert.records import EntityExample, LabelExample, PairExample

CLUE = {
    "text": "温格的球队2比1战胜曼联",
    "label": {"name": {"温格": [[0, 1]]}, "organization": {"曼联": [[10, 11]]}},
}
NEWS = {"label": 115, "label_desc": "news_agriculture", "sentence": "农村兵越来越少？", "id": 98}
NLI = {"sentence1": "今天下雨", "sentence2": "今天晴", "label": "contradiction", "id": 3}
CSL = {"id": 1, "abst": "本文研究分词。", "keyword": ["分词", "语料"], "label": "1"}


def test_ends_of_cluener_are_inclusive(read: Callable[..., Any]) -> None:
    (example,), _ = read("cluener", [CLUE])
    assert [(s.start, s.end, s.label, s.surface) for s in example.entities] == [
        (0, 2, "name", "温格"),
        (10, 12, "organization", "曼联"),
    ]


def test_half_open_ends_are_told_from_inclusive_ones(read: Callable[..., Any]) -> None:
    half_open = {"text": "温格的球队", "label": {"name": {"温格": [[0, 2]]}}}
    with pytest.raises(DataError, match="fit with --offsets characters"):
        read("cluener", [half_open])
    (example,), _ = read("cluener", [half_open], offsets="characters")
    assert example.entities[0].surface == "温格"


def test_a_test_file_has_no_labels(read: Callable[..., Any]) -> None:
    (example,), _ = read("cluener", [{"id": 7, "text": "他在北京"}])
    assert example == EntityExample(id="7", text="他在北京")


def test_the_name_of_a_label_is_taken_not_its_number(read: Callable[..., Any]) -> None:
    (example,), _ = read("clue", [NEWS])
    assert example == LabelExample(id="98", text="农村兵越来越少？", labels=("news_agriculture",))
    renamed = {"label_des" if key == "label_desc" else key: value for key, value in NEWS.items()}
    assert read("clue", [renamed])[0] == [example]


def test_a_number_is_a_label_where_there_is_no_name(read: Callable[..., Any]) -> None:
    (example,), _ = read("clue", [{"sentence": "主队赢了", "label": 3}])
    assert example == LabelExample(id="1", text="主队赢了", labels=("3",))


def test_pairs_without_agreement_are_left_out_and_counted(read: Callable[..., Any]) -> None:
    examples, how = read("clue", [NLI, NLI | {"label": "-"}, {k: v for k, v in NLI.items() if k != "label"}])
    assert examples == [
        PairExample(id="3", first="今天下雨", second="今天晴", label="contradiction"),
        PairExample(id="3", first="今天下雨", second="今天晴"),
    ]
    assert how.counts == {'left out: label "-"': 1}


def test_csl_is_a_pair_or_one_text(read: Callable[..., Any]) -> None:
    assert read("clue", [CSL])[0] == [
        PairExample(id="1", first="分词、语料", second="本文研究分词。", label="1")
    ]
    assert read("clue", [CSL], task="classify")[0] == [
        LabelExample(id="1", text="分词、语料。本文研究分词。", labels=("1",))
    ]


@pytest.mark.parametrize(
    ("form", "content", "said"),
    [
        ("cluener", [CLUE | {"label": {"name": {"温格": [[0]]}}}], r"data.txt:1.*\[first, last\]"),
        ("cluener", [CLUE | {"label": {"name": {"温格": [[True, 1]]}}}], r"\[first, last\]"),
        ("cluener", [CLUE | {"label": {"name": ["温格"]}}], "label.name: must be dict, not list"),
        ("cluener", [{"label": {}}], "text: this key is needed"),
        ("cluener", [CLUE, 5], "data.txt:2: must be an object, not int"),
        (
            "clue",
            [NEWS, NEWS | {"label_desc": ["a"]}],
            "data.txt:2: label_desc: must be str or int, not list",
        ),
        ("clue", [{"txt": "好"}], "sentence: this key is needed .the record has txt"),
        ("clue", [{"sentence1": "好"}], "sentence2: this key is needed"),
        ("clue", [CSL | {"keyword": "分词"}], "keyword: must be list, not str"),
        ("clue", "{", "data.txt:1: not valid JSON"),
    ],
)
def test_what_is_refused(form: str, content: Any, said: str, read: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match=said):
        read(form, content)


def test_a_pair_is_no_text(read: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match="not one of classify"):
        read("clue", [NLI], task="classify")
