"""The filter: every bound objects with its reason, presets are what was published."""

import re
from typing import get_args

import pytest

from zhbert.clean.figures import FIGURES
from zhbert.clean.filters import REASONS, Filter
from zhbert.clean.presets import LANGUAGES, PRESETS, STOP_WORDS
from zhbert.errors import ConfigError
from zhbert.text.segment import segmenter

GOOD = "今天北京下雨，大家都带了伞。\n明天可能会晴，我们去公园里散步。\n后天也是晴天，他在家看书。\n"

OBJECTIONS = {
    "min_characters": (100, "今天下雨。"),
    "max_characters": (10, GOOD),
    "min_han": (0.5, "only English 一个汉字"),
    "language": ("zh", "これは日本語の文章です。今日は雨が降ります。"),
    "max_latin": (0.3, "only English 一个汉字"),
    "max_symbols": (0.1, "{a} = <b> | #c □ 汉字"),
    "min_line_length": (10, "一\n二\n三\n四"),
    "min_line_ends": (0.5, "一二三\n四五六\n七八九。"),
    "max_ellipsis_lines": (0.3, "今天有人说……\n明天……\n好。"),
    "max_bullet_lines": (0.9, "- 一\n• 二\n  - 三"),
    "max_repeated_lines": (0.3, "今天\n明天\n今天\n今天"),
    "max_repeated_line_characters": (0.2, "今天今天今天\n一\n二\n今天今天今天"),
    "max_repeated_passages": (0.5, "一二三四五六七八九十甲乙丙丁戊己" * 4),
    "min_words": (50, GOOD),
    "max_words": (3, GOOD),
    "min_word_length": (3, GOOD),
    "max_word_length": (1, GOOD),
    "min_letter_words": (0.9, "一，二，三，四，五！"),
    "min_stop_words": (2, "甲乙丙丁"),
    "max_breaks_per_word": (0.2, "甲\n乙\n丙\n丁"),
    "max_hashes_per_word": (0.1, "#甲 #乙"),
    "max_ellipses_per_word": (0.1, "甲…乙…"),
    "max_top_2_words": (0.3, "我们 去 公园 我们 去 公园 我们 去 公园"),
    "max_top_3_words": (0.3, "我们 去 公园 我们 去 公园 我们 去 公园"),
    "max_top_4_words": (0.3, "我们 去 公园 我们 去 公园 我们 去 公园"),
    **{f"max_repeated_{n}_words": (0.1, "我们今天下午去公园里面玩了很久很久。" * 4) for n in range(5, 11)},
}


@pytest.mark.parametrize("field", REASONS)
def test_every_bound_objects(field: str) -> None:
    bound, text = OBJECTIONS[field]
    assert Filter.model_validate({field: bound}).make()(text).reason == REASONS[field]


def test_tables_name_the_same_things() -> None:
    fields = Filter.model_fields
    assert set(REASONS) == set(fields) - {"preset"} == set(OBJECTIONS)
    assert set(get_args(fields["preset"].annotation)) == {"", *PRESETS}
    assert set(get_args(fields["language"].annotation)) == {"", *LANGUAGES}
    for bounds in [*PRESETS.values(), *LANGUAGES.values()]:
        for name in bounds:
            assert name == "language" or re.sub("^(min|max)_", "", name) in FIGURES


def test_fineweb2_has_the_published_figures() -> None:
    """Against configs/cmn_Hani.yml of huggingface/fineweb-2, and what its pipeline and datatrove add."""
    top, again = (0.256, 0.201, 0.171), (0.198, 0.182, 0.167, 0.154, 0.14, 0.127)
    config = {"max_repeated_lines": 0.287, "min_line_ends": 0.106, "max_breaks_per_word": 0.178}
    config |= {"min_word_length": 1, "max_word_length": 5, "min_letter_words": 0.735}
    config |= {f"max_top_{n}_words": limit for n, limit in enumerate(top, 2)}
    config |= {f"max_repeated_{n}_words": limit for n, limit in enumerate(again, 5)}
    pipeline = {"max_repeated_line_characters": 0.1, "min_stop_words": 2}
    datatrove = {
        "min_words": 50,
        "max_words": 100_000,
        "max_hashes_per_word": 0.1,
        "max_ellipses_per_word": 0.1,
    }
    datatrove |= {"max_bullet_lines": 0.9, "max_ellipsis_lines": 0.3}
    assert PRESETS["fineweb2-zh"] == config | pipeline | datatrove | {"language": "zh"}
    assert len(STOP_WORDS) == 22


def test_the_bound_itself_passes() -> None:
    assert Filter(min_characters=5, max_characters=5, min_han=0.8).make()("今天下雨。").reason == ""
    assert Filter(min_characters=6).make()("今天下雨。").reason == "too short"
    assert Filter(max_characters=4).make()("今天下雨。").reason == "too long"


def test_what_is_written_out_goes_before_the_preset() -> None:
    assert Filter(preset="light").bounds() == {"min_characters": 20, "min_han": 0.3}
    assert Filter(preset="light", min_characters=0).bounds() == {"min_characters": 0, "min_han": 0.3}
    assert Filter(preset="web", language="").bounds() == {
        name: PRESETS["web"][name] for name in REASONS if name in PRESETS["web"] and name != "language"
    }
    assert Filter().bounds() == {}


def test_light_needs_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str = "jieba") -> None:
        raise AssertionError("a segmenter was made")

    monkeypatch.setattr("zhbert.clean.figures._segmenter", refuse)
    for preset in ("light", "web"):
        Filter(preset=preset, min_characters=0).make()(GOOD)
    with pytest.raises(AssertionError, match="a segmenter was made"):
        Filter(min_words=1).make()(GOOD)
    assert segmenter().name == "jieba"


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("今天北京下雨，大家都带了伞。", {"zh", "zh-hans"}),
        ("今天臺灣下雨，大家都帶了雨傘。", {"zh", "zh-hant"}),
        ("他姓範，讀過很多書，寫了一些文章，也懂日本語の歌。", {"zh", "zh-hant"}),
        ("用 BERT 做 NLP 任务很方便。", {"zh", "zh-hans"}),
        ("これは日本語の文章です。東京都の天気は晴れ。", set()),
        ("오늘은 날씨가 좋습니다. 漢字", set()),
        ("This is an English text with 汉字.", set()),
        ("12345，。", set()),
    ],
)
def test_languages(text: str, languages: set[str]) -> None:
    passed = {name for name in LANGUAGES if not Filter.model_validate({"language": name}).make()(text).reason}
    assert passed == languages


def test_out_of_range() -> None:
    from zhbert.clean.steps import read_step

    for line in ("filter min_han=-0.1", "filter max_repeated_5_words=1.1", "filter min_characters=-1"):
        with pytest.raises(ConfigError, match=r"should be (greater|less) than or equal to"):
            read_step(line)
