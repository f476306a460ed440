"""Sentences: where they end, what stays with them, and what only looks like an end."""

import time

import pytest

from zhbert.text.sentences import sentences

CASES = [
    "他来了。|我走了！|你呢？|好；|再见",
    "什么？！|真的……|嗯…算了",
    "“走吧。”|他说：「好！」|（完了。）|《真的吗？》|没有",
    '他说"走吧。"|然后说"好的。"|"行吗？"|他问。',
    "首行没有句号\n|次行\n\n  |末行",
    "第一句。  \n|第二句。\u3000|第三句",
    "圆周率是3.14。|版本1.2.3发布了",
    "见 www.x.com 和 readme.md 两处。|完",
    "It works. |Really? |Yes! |Done.",
    "He said \"go.\" |Then (left.) |'Why?' |End",
    "Dr. Li met J. Smith, e.g. here. |Then left.",
    "1. 首先\n|2. 其次\n|共25. |再说",
    "太好了!|下次再来?|当然",
    "用API!|太好了;|走",
    "等等......|好",
    "wait... |what",
    "面积３．１４平方米．|完了",
    "好!？|真的?!|行",
    "价格是5元;|数量3个",
    "?a=1&b=2 没事",
    "。。。|好",
    "！",
    "   ",
    "\n\n|甲",
]


@pytest.mark.parametrize("case", CASES)
def test_sentences(case: str) -> None:
    text = case.replace("|", "")
    assert "|".join(text[start:end] for start, end in sentences(text)) == case


def test_no_text_has_no_sentence() -> None:
    assert sentences("") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", [".", "…", "。", "!", ")", "a.", "A. ", '."', "!)", " ", "\n", "'", "好!", "x"]
)
def test_time_grows_with_the_length_alone(unit: str) -> None:
    text = unit * (300_000 // len(unit)) + "x"
    before = time.perf_counter()
    sentences(text)
    assert time.perf_counter() - before < 20  # quadratic time would be minutes
