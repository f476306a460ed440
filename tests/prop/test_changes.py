"""Changed texts: every character knows where it came from, and spans move along."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhbert.text.changes import CHANGES, applied, change, moved

MIXED = st.text("的他在清请千干未末Ａａa1２年。，,! \u3000\n頭發发臺台里裡\U00020000😀", max_size=40)
NAMES = st.sampled_from(sorted(CHANGES))
for _name in CHANGES:  # dictionaries load at the first change, which would cost an example its deadline
    change("发發", _name)


@pytest.mark.slow
@given(MIXED, NAMES, st.integers(0, 5))
def test_a_change_is_drawn_from_text_and_seed_alone(text: str, name: str, seed: int):
    first, second = change(text, name, seed=seed), change(text, name, seed=seed)
    assert first.text == second.text
    assert (first.origins == second.origins).all()


@given(MIXED, NAMES)
def test_every_character_came_from_somewhere_and_in_order(text: str, name: str):
    found = change(text, name)
    assert len(found.origins) == len(found.text)
    assert all(0 <= start <= end <= len(text) for start, end in found.origins.tolist())
    assert found.origins[:, 0].tolist() == sorted(found.origins[:, 0].tolist())


@given(MIXED, NAMES, st.data())
def test_a_span_moves_along_whole_or_not_at_all(text: str, name: str, data: st.DataObject):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    found = change(text, name)
    place = moved(found, start, end) if start < end else None
    if place is None:
        return
    first, last = place
    inside = [i for i, (a, b) in enumerate(found.origins.tolist()) if start <= a and b <= end and a < b]
    assert (min(inside), max(inside) + 1) == (first, last)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("traditional", "他的头发，台湾面条", "他的頭髮，臺灣麪條"),
        ("simplified", "頭髮長了", "头发长了"),
        ("full-width", "用BERT2", "用ＢＥＲＴ２"),
        ("half-width", "用ＢＥＲＴ！", "用BERT!"),
        ("upper-case", "用bert", "用BERT"),
        ("lower-case", "用BERT", "用bert"),
        ("punctuation", "好，真的！", "好,真的!"),
        ("years", "2021年有2021人", "二〇二一年有2021人"),
        ("spaces-between", "北京abc大学", "北 京abc大 学"),
        ("no-spaces", "北 京\u3000好 a", "北京好a"),
    ],
)
def test_what_each_change_does(name: str, text: str, wanted: str):
    assert change(text, name).text == wanted


@pytest.mark.parametrize("name", ["homophones", "lookalikes", "swaps", "broken", "emoji"])
def test_slips_touch_about_a_tenth_but_at_least_one_place(name: str):
    long = "他在那里做作业，已经知道了以后的意义。" * 20
    changed = change(long, name)
    same = sum(
        b - a == 1 and char == long[a]
        for char, (a, b) in zip(changed.text, changed.origins.tolist(), strict=True)
    )
    assert changed.text != long
    assert same > 0.75 * len(long)
    assert change("他没在那里。", name).text != "他没在那里。"


def test_a_span_that_loses_its_border_has_no_place():
    changed = applied("甲乙丙丁", [(1, 3, "戊")])
    assert changed.text == "甲戊丁"
    assert [moved(changed, 0, 1), moved(changed, 0, 2), moved(changed, 1, 3)] == [(0, 1), None, (1, 2)]


def test_what_is_put_at_a_border_belongs_to_neither_side():
    changed = applied("北京大学", [(2, 2, " "), (4, 4, "!")])
    assert changed.text == "北京 大学!"
    assert moved(changed, 0, 2) == (0, 2)
    assert moved(changed, 2, 4) == (3, 5)
    assert moved(changed, 1, 3) == (1, 4)
