"""The step that brings characters into one form."""

import pytest

from zhbert.clean.normalise import Normalise, tidy


@pytest.mark.parametrize(
    ("settings", "text", "expected"),
    [
        (
            {},
            "　　第一段，Ａ１。\r\n\r\n\r\n\r\n第二\x00段  有\t 空格 \n",
            "第一段，Ａ１。\n\n第二段 有 空格",
        ),
        ({}, "7月10日　雪", "7月10日　雪"),
        ({"whitespace": False}, "  一\r\n\n\n\n二  ", "  一\n\n\n\n二  "),
        ({"controls": False}, "一\x00\u200b\r\n二", "一\x00\u200b\n二"),
        ({"width": "half"}, "ＢＥＲＴ２０，～％！　ｋｇ㎏", "BERT20，～％！　kg㎏"),
        ({"nfkc": True}, "ＢＥＲＴ，㎏　雪", "BERT,kg 雪"),
        ({"simplify": True}, "臺灣的頭髮", "台湾的头发"),
        ({}, "臺灣", "臺灣"),
        ({}, "", ""),
        ({}, "\ud800一\udfff", "一"),
    ],
)
def test_what_becomes_of_a_text(settings: dict[str, object], text: str, expected: str) -> None:
    outcome = Normalise.model_validate(settings).make()(text)
    assert (outcome.text, outcome.reason, outcome.changes) == (expected, "", {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("一\n\n二", "一\n\n二"),
        ("一\n \n\u3000\n\n二", "一\n\n二"),
        ("\n\n一\xa0\xa0二\u2003 三\t四\n", "一 二 三\t四"),
        ("\n\n", ""),
    ],
)
def test_tidy(text: str, expected: str) -> None:
    assert tidy(text) == tidy(expected) == expected


def test_a_clean_text_comes_back_as_it_is() -> None:
    text = "第一段，没有什么要改。\n\n第二段也一样。"
    assert Normalise(whitespace=False, width="half").make()(text).text is text
