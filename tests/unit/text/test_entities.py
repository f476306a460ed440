"""Entities: which of the rules' ranges stay, where a user's words may begin, and only what is asked for."""

import numpy as np
import pytest

from zhbert.text.blob import Blob
from zhbert.text.entities import KINDS, RULES, entities
from zhbert.text.matching import Matcher
from zhbert.text.segment import segmenter


def find(text: str, *words: str, rules: tuple[str, ...] = RULES) -> list[tuple[str, str]]:
    borders = np.zeros(len(text) + 1, dtype=np.bool_)
    borders[[0, *segmenter().ends(text).tolist()]] = True
    ranges, kinds = entities(Blob.of(text), borders, rules=rules, listed=Matcher(words) if words else None)
    assert kinds.dtype == np.uint8
    return [(text[start:end], KINDS[kind]) for (start, end), kind in zip(ranges, kinds, strict=True)]


TEXT = "2020年3月5日8:30，张志强用iPhone 15 Pro读《红楼梦》，花3.5元"


def test_every_kind_is_found_in_order() -> None:
    assert find(TEXT, "红楼") == [
        ("2020年3月5日", "date"),
        ("8:30", "time"),
        ("张志强", "person"),
        ("iPhone 15 Pro", "latin"),
        ("红楼梦", "title"),
        ("3.5元", "number"),
    ]


@pytest.mark.parametrize("kind", RULES)
def test_only_what_is_asked_for(kind: str) -> None:
    assert [found for _, found in find(TEXT, rules=(kind,))] == [kind]


def test_nothing_is_asked_for() -> None:
    assert find(TEXT, rules=()) == []


def test_the_leftmost_and_longest_stays_and_a_person_only_where_nothing_else_is() -> None:
    assert find("读《红楼梦》", "红楼梦") == [("红楼梦", "listed")]
    assert find("住在北京市海淀区", "北京市海淀区", "北京市") == [("北京市海淀区", "listed")]
    assert find("记者张志强报道", "志强报道") == [("志强报道", "listed")]


@pytest.mark.parametrize(
    ("text", "word", "found"),
    [
        ("中国人民站起来了", "国人", False),  # both ends inside words
        ("中国人民站起来了", "中国", True),
        ("中国人民站起来了", "民站", False),  # one end inside a word, and too short for that
        ("中国人民站起来了", "民站起来", True),
        ("研究生命的起源", "生命", True),
        ("南京市长江大桥", "长江大桥", True),
        ("用ALBERT训练", "BERT", False),
        ("用BERT训练", "BERT", True),
        ("用BERT2训练", "BERT", False),
        ("价格15G流量", "5G流量", False),
    ],
)
def test_where_a_listed_word_may_begin_and_end(text: str, word: str, found: bool) -> None:
    assert bool(find(text, word, rules=())) == found


def test_hostile_texts() -> None:
    assert find("") == find("\n") == find("\ud800") == []
    assert find("《\x00\u2028》\n《》") == [("\x00\u2028", "title")]
