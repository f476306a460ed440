"""What holds for units of every text: where they may be, texts that do not touch each other, slow twins."""

import re

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from zhbert.text import quantities as rules
from zhbert.text.blob import Blob, Bools
from zhbert.text.entities import KINDS, RULES, entities
from zhbert.text.matching import Matcher
from zhbert.text.names import latin_names
from zhbert.text.segment import segmenter
from zhbert.text.units import Units

NUMBERS = (
    "0123456789１２，,.．:-~至到 第百千万亿一二三四五六七八九十几数余多点分之零下负"
    "初廿闰元正腊期拜周日天年月时刻半两"
)
UNITS = "公里个名条款度℃%元$￥上午晚早贞观前期号世纪代季K mMGBs"
LATIN = "ABab1 -_.'&+/"
OTHERS = "《》·阿尔张志强的，。！\n\x00\u2028\ud800😀𠀀e\u0301"
ENTRIES = ["第三条", "人民", "AB", "a-b", "一二", "阿尔", "\ud800", "😀𠀀"]

PIECES = [
    *NUMBERS,
    *UNITS,
    "2020",
    "一九四九",
    "1,000",
    "3.5",
    "二十",
    "三百零五",
    "上午",
    "贞观",
    "公里",
    "星期",
]
quantity_texts = st.one_of(
    st.text(st.sampled_from(NUMBERS + UNITS + "人A\n"), max_size=25),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
)
latin_texts = st.text(st.sampled_from(LATIN + "的\n"), max_size=40)
texts = st.one_of(
    quantity_texts,
    latin_texts,
    st.text(st.sampled_from(NUMBERS + LATIN + OTHERS), max_size=40),
    st.text(max_size=20),
)


def borders_of(text: str) -> Bools:
    borders = np.zeros(len(text) + 1, dtype=np.bool_)
    borders[[0, *segmenter().ends(text).tolist()]] = True
    return borders


@pytest.mark.slow
@examples(300)
@given(texts)
def test_entities_are_in_order_apart_and_within_a_line(text: str) -> None:
    ranges, kinds = entities(Blob.of(text), borders_of(text), listed=Matcher(ENTRIES))
    assert len(ranges) == len(kinds)
    done = 0
    for (start, end), kind in zip(ranges.tolist(), kinds.tolist(), strict=True):
        assert done <= start < end <= len(text)
        assert "\n" not in text[start:end]
        assert kind < len(KINDS)
        done = end


@pytest.mark.slow
@examples(200)
@given(st.lists(texts.map(lambda text: text.replace("\n", "")), max_size=5))
def test_texts_do_not_touch_each_other(parts: list[str]) -> None:
    units = Units(Matcher([*ENTRIES, "的的"]), Matcher(ENTRIES), RULES)
    blob = "\n".join(parts)
    places = [segmenter().ends(part) for part in parts]
    begins = np.cumsum([0, *(len(part) + 1 for part in parts)]).tolist()
    ends = [found + begin for found, begin in zip(places, begins, strict=False)]
    ends += [np.array(begins[1:-1], dtype=np.int64)] if parts else []
    together = units.ranges(blob, np.sort(np.concatenate([np.zeros(0, np.int64), *ends])))
    alone = [units.ranges(part, found) for part, found in zip(parts, places, strict=True)]
    for i in range(2):
        expected = [(found[i] + begin).tolist() for found, begin in zip(alone, begins, strict=False)]
        assert together[i].tolist() == [row for rows in expected for row in rows]
    assert together[2].tolist() == [kind for found in alone for kind in found[2].tolist()]


def slow_quantities(text: str, borders: Bools) -> list[tuple[int, int]]:
    """Try the grammar wherever a number begins, whatever stands beside it."""
    number = "[" + rules.GRAMMAR["n"][1:-1] + rules.GRAMMAR["d"][1:-1] + "]"
    starts = {match.start() for match in re.finditer(f"(?<!{number}){number}", text)}
    starts |= {match.start() for match in re.finditer("元年|[正冬腊元]月|(?=[期拜][日天])|周日", text)}
    found, done = [], 0
    for place in sorted(starts):
        digit = text[place] in "0123456789０１２３４５６７８９"
        if place < done or (digit and place and re.match("[A-Za-z_.．]", text[place - 1])):
            continue
        start = rules._start(text, place, done, borders)
        if start == place and not digit and not borders[place]:
            continue
        match = rules._pattern().match(text, start)
        if match and (match.lastgroup != "number" or borders[match.end()]):
            found.append(match.span())
            done = match.end()
    return found


@pytest.mark.slow
@examples(1000)
@given(quantity_texts)
def test_numbers_are_those_of_the_grammar_tried_everywhere(text: str) -> None:
    borders = borders_of(text)
    assert rules.quantities(Blob.of(text), borders)[0] == slow_quantities(text, borders)


@examples(500)
@given(latin_texts)
def test_latin_names_are_in_runs_of_latin_words(text: str) -> None:
    runs = {match.span() for match in re.finditer(r"[A-Za-z0-9]+(?:[ \-_.'&+/][A-Za-z0-9]+)*", text)}
    for start, end in latin_names(Blob.of(text)):
        assert any(first <= start and end <= last for first, last in runs)
        assert re.search("[A-Za-z]", text[start:end])
        assert not text[start:end].isalnum()
        assert text[start:end].count(" ") <= 14
