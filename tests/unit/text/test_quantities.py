"""Dates, times and numbers with units: what each rule finds in a line, and what it leaves alone."""

import time

import numpy as np
import pytest

from zhbert.text.blob import Blob
from zhbert.text.quantities import GRAMMAR, KINDS, quantities
from zhbert.text.segment import segmenter

FOUND = {  # what stands between the bars is found
    "date": """
        |二〇二〇年三月五日|开会，|2020年3月5日|，|1949年10月|，|2020年底|，|3月5日|，|3月份|，|十二月底|，|5日|
        |公元前221年|，|贞观三年正月|，|民国二十六年|，|康熙五十年|，|元年|春，|闰四月初五|，|正月初一|，|前221年|
        |2010-2015年|增长，|1949年至1956年|，|2010—2015年|，|20世纪80年代|，|二十一世纪初|，|八十年代末|
        |2023-10-20| 和 |2020/3/5|，|星期三|和|周五|，每周一次，|星期天|，新华社北京|5月3日|电
    """,
    "time": """
        |9:30| 到 |12:05:30|，|晚上8点|，|下午三点半|，|3点钟|，|早8点|，|上午九点三十分|开会，|２３：５９|
    """,
    "number": """
        |零下5℃|，|38.5℃|，|１２０公里|，|１，０００元|，|3.5%|，|3.5‰|，|2.5倍|，|3个百分点|，|百分之三十|，|三分之二|
        |1,000万元|，|3.5亿美元|，|￥100|，|$3.5亿|，|US$200|，|100元人民币|，|10余万元|，|三十多公里|，|5千克|，|几十万人|
        |第三条||第二款|，|第二十条之一|，|第5届|，|第19次|，|300名|学生，|120个|，|三十名|，|数百人|，|十几年|，|三年|
        |10-20个|，|3至5年|，|3~5天|，|5 GB|内存，|10km|，|50ms|，|16GB|，共|1,234,567户|
    """,
}
LEFT = """
    一个 一些 十分高兴 一度 万岁 万分 三人 统一天下 3年级 一年级 三国 五角大楼 四川 唯一 千克 年 月 日 第
    1.2.3 010-12345678 比分3:2 25:61 12:75 $1 1 m i32px x86s v2.0s 3.5.2版 1. 1,, 123456
    第一百货公司 2020-13 一 百 第（一）项 半年 小时
"""


def find(text: str) -> list[tuple[str, str]]:
    borders = np.zeros(len(text) + 1, dtype=np.bool_)
    borders[[0, *segmenter().ends(text).tolist()]] = True
    ranges, kinds = quantities(Blob.of(text), borders)
    return [(text[start:end], KINDS[kind]) for (start, end), kind in zip(ranges, kinds, strict=True)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_found(kind: str) -> None:
    for line in FOUND[kind].strip().splitlines():
        expected = [(part, kind) for part in line.strip().split("|")[1::2] if part]
        assert find(line.strip().replace("|", "")) == expected


def test_what_is_left_alone() -> None:
    assert [(part, found) for part in LEFT.split() if (found := find(part))] == []


def test_a_date_and_its_time_are_two() -> None:
    assert find("于2020年3月5日上午9点30分起") == [("2020年3月5日", "date"), ("上午9点30分", "time")]


def test_nothing_reaches_over_a_line() -> None:
    assert find("2020\n年3月\n5日") == [("3月", "date"), ("5日", "date")]
    assert find("第\n三条\n第三\n条，负\n3天") == [("3天", "number")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1,",
        "1,000",
        "1.",
        "一",
        "十",
        "1-",
        "2020年",
        "第",
        "第一",
        "$",
        "￥",
        "1:",
        "3月",
        "元年",
        "期天",
        "点三",
        "上午",
    ],
)
def test_long_runs_take_one_pass(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    borders = np.ones(len(text) + 1, dtype=np.bool_)
    started = time.process_time()
    quantities(Blob.of(text), borders)
    assert time.process_time() - started < 5  # quadratic time would be minutes


def test_every_rule_of_the_grammar_is_in_use() -> None:
    used = " ".join(GRAMMAR.values()) + "<date><time><number with unit>"
    assert [name for name in GRAMMAR if f"<{name}>" not in used] == []
