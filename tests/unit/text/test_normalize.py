"""Normalising: what goes, what stays, and where every character came from."""

import unicodedata

import pytest

from zhbert.text import normalize as room
from zhbert.text.normalize import count_traditional, normal_text, normalize


def surfaces(text: str, **options: bool) -> list[str]:
    """Return, for every normalised character, the original characters it came from."""
    result = normalize(text, **options)
    return [text[start:end] for start, end in result.origins.tolist()]


@pytest.mark.parametrize(
    ("text", "expected", "origins"),
    [
        ("ＡＢＣ，１２", "ABC,12", list("ＡＢＣ，１２")),
        ("㎏和ﬁ", "kg和fi", ["㎏", "㎏", "和", "ﬁ", "ﬁ"]),
        ("ｶﾞｽ", "ガス", ["ｶﾞ", "ｽ"]),
        ("cafe\u0301店", "café店", ["c", "a", "f", "e\u0301", "店"]),
        ("\u1112\u1161\u11ab국", "한국", ["\u1112\u1161\u11ab", "국"]),
        ("하\u11ab", "한", ["하\u11ab"]),
        ("ㅎㅏㄴ", "하\u1102", ["ㅎㅏ", "ㄴ"]),
        ("e\u200b\u0301", "é", ["e\u200b\u0301"]),
        ("a\u0323\u0302", "ậ", ["a\u0323\u0302"]),
        ("\u0301", "\u0301", ["\u0301"]),
        ("……", "......", ["…"] * 3 + ["…"] * 3),
        ("豈\ufa0a", "豈見", ["豈", "\ufa0a"]),
        ("", "", []),
    ],
)
def test_nfkc_keeps_origins(text: str, expected: str, origins: list[str]) -> None:
    assert normalize(text).text == expected
    assert surfaces(text) == origins


def test_controls_go_and_breaks_tabs_and_private_use_stay() -> None:
    text = "\ufeff甲\x00乙\u200b丙\u200d\x7f\x9f丁\t戊\r\n己\r庚\u2028辛\x85\ue000\ud83d"
    assert normalize(text).text == "甲乙丙丁\t戊\n己\n庚\n辛\n\ue000"


def test_steps_can_be_left_out() -> None:
    text = "Ａ\x00臺"
    assert normalize(text, nfkc=False, controls=False).text == text
    assert normalize(text, nfkc=False).text == "Ａ臺"
    assert normalize(text, controls=False, simplify=True).text == "A\x00台"


@pytest.mark.slow
def test_every_code_point_between_a_letter_and_an_accent() -> None:
    for code in range(0x110000):
        text = f"e{chr(code)}\u0301"
        if not unicodedata.is_normalized("NFKC", text):
            assert normalize(text, controls=False).text == unicodedata.normalize("NFKC", text)


def test_no_character_above_the_first_planes_joins_or_changes() -> None:
    for code in range(room._LAST_PLANES, 0x110000):
        char = chr(code)
        assert not unicodedata.decomposition(char)
        assert not unicodedata.combining(char)


def test_simplified_by_phrase_and_never_in_length() -> None:
    text = "臺灣的乾隆皇帝，頭髮乾了。Ａ"
    result = normalize(text, simplify=True, nfkc=False)
    assert result.text == "台湾的乾隆皇帝，头发干了。Ａ"
    assert result.origins.tolist() == [[i, i + 1] for i in range(len(text))]


def test_a_run_whose_length_would_change_goes_by_character() -> None:
    table = {"電腦程式": "程序", "電": "电", "腦": "脑", "程": "程", "式": "两个"}
    assert room._same_length("電腦程式", table.__getitem__) == "电脑程式"


def test_a_text_alone_keeps_the_length_of_its_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def convert(text: str) -> str:
        return text.replace("電腦程式", "程序").replace("電", "电").replace("腦", "脑").replace("式", "两个")

    monkeypatch.setattr(room, "_opencc", lambda: convert)
    text = "電，電腦程式。電"
    assert normal_text(text, simplify=True) == normalize(text, simplify=True).text == "电,电脑程式。电"


def test_a_clean_text_comes_back_as_it_is() -> None:
    text = "没有什么要改。\n第二行"
    assert normal_text(text, simplify=True) is text


def test_traditional_characters_are_counted() -> None:
    assert count_traditional("臺灣的頭髮，后来居上𠮷\ud800\x00") == 4
    assert count_traditional("") == 0


def test_back_and_forward() -> None:
    result = normalize("\u200b价㎏5")
    assert result.text == "价kg5"
    assert result.back(0, 1) == (1, 2)
    assert result.back(1, 2) == result.back(1, 3) == (2, 3)
    assert result.back(0, 4) == (1, 4)
    assert result.back(2, 2) == (2, 2)
    assert result.back(4, 4) == (4, 4)
    assert result.forward(0, 1) == (0, 0)
    assert result.forward(2, 3) == (1, 3)
    assert normalize("").back(0, 0) == (0, 0)
    with pytest.raises(IndexError, match=r"3\.\.5"):
        result.back(3, 5)
