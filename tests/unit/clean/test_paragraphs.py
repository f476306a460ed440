"""Repeated paragraphs."""

from zhbert.clean.exact import first_occurrences
from zhbert.clean.paragraphs import paragraphs, without

NOTICE = "未经许可，不得以任何方式转载本网站的内容。"


def test_repeats_are_found_across_texts_and_in_one_text() -> None:
    texts = [
        f"正文一\n{NOTICE}\n",
        f"{NOTICE}",
        f"正文二\n\n 未经許可，不得以任何方式转载本网站的内容。\n{NOTICE}",
    ]
    found = paragraphs(texts, shortest=20)
    assert found.texts.tolist() == [0, 1, 2, 2]
    assert found.lines.tolist() == [1, 0, 2, 3]
    assert first_occurrences(found.hashes).tolist() == [0, 0, 0, 0]


def test_length_is_counted_in_folded_characters() -> None:
    assert len(paragraphs(["甲 乙 丙 丁 戊"], shortest=6).hashes) == 0
    assert len(paragraphs(["甲 乙 丙 丁 戊"], shortest=5).hashes) == 1


def test_empty_lines_are_never_paragraphs() -> None:
    assert len(paragraphs(["", "\n\n", " \n"], shortest=0).hashes) == 0
    assert len(paragraphs([]).hashes) == 0


def test_only_the_named_lines_go_and_only_line_feeds_make_lines() -> None:
    assert without("甲\u2028乙\n丙\r\n\n丁", {0, 2}) == "丙\r\n丁"
    assert without("甲", {0}) == ""
    assert without("甲\n", ()) == "甲\n"
