"""reStructuredText: directives, literal blocks, tables, roles; and which documents are taken for it."""

from collections import Counter

import pytest

from zhbert.clean.markup import Markup, detect
from zhbert.clean.restructured import strip_rst

CASES = {
    "sections": ("====\n一\n====\n\n二\n''''\n\n三\n::::\n四", "一\n\n二\n\n三\n四"),
    "admonitions": (".. note:: 注意\n   一，二。\n\n   三\n\n四", "注意\n一，二。\n\n三\n\n四"),
    "signatures go, descriptions stay": (".. py:function:: f(x)\n\n   说明\n", "说明"),
    "options go": (".. list-table:: 题\n   :header-rows: 1\n\n   * - 甲\n     - 乙\n", "题\n\n甲\n乙"),
    "dropped with all below": (".. code-block:: py\n   :linenos:\n\n   x = 1\n\n   y\n一", "一"),
    "images": (".. image:: a.png\n   :alt: 图\n\n一", "一"),
    "comments and targets": ("..\n   注\n.. 注释\n   还是\n.. _a: http://b\n.. |x| replace:: y\n一", "一"),
    "footnotes": (".. [1] 脚注\n一 [1]_，二 [#a]_", "脚注\n一，二"),
    "literal blocks": ("例如::\n\n    x = 1\n\n    y = 2\n\n一\n\n::\n\n    z\n二", "例如:\n\n一\n\n二"),
    "indented prose after two colons": (
        "参数::\n\n    这里是说明，不是代码。\n一",
        "参数:\n\n这里是说明，不是代码。\n一",
    ),
    "roles": (":ref:`安装 <i>`、:class:`~a.B`、:py:func:`f`、`c <d>`_、`e`_、`f`", "安装、a.B、f、c、e、f"),
    "inline": ("``*a_b*``、**二**、*三*、|四|、add\\_、一\\ 二", "*a_b*、二、三、四、add_、一二"),
    "emphasis at the line's end": ("**返回**\n\n无", "返回\n\n无"),
    "fields and lists": (":param x: 说明\n:orphan:\n\n- 一 - 二\n* 三\n#. 四", "说明\n\n一 - 二\n三\n四"),
    "tables": ("+--+--+\n| 甲 | 乙 |\n+==+==+\n\n==  ==\n丙   丁\n==  ==", "甲 乙\n\n丙 丁"),
    "tables of quoted cells": (
        '.. csv-table::\n   :header: "名", "说明"\n\n   "甲", "是，一"\n',
        "甲 是，一",
    ),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of(name: str) -> None:
    text, expected = CASES[name]
    assert strip_rst(text, Counter()) == expected


def test_code_can_stay_and_tables_can_go() -> None:
    text = "一\n\n.. code-block:: c\n\n   *a = `b`_;\n\n二::\n\n   |x|\n\n| 甲 |"
    assert strip_rst(text, Counter(), code=True) == "一\n\n   *a = `b`_;\n\n二:\n\n   |x|\n\n甲"
    assert strip_rst(text, Counter(), tables=False) == "一\n\n二:"


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        (".. note:: 注意", "rst"),
        (".. _a:\n\n# 标题", "markdown"),
        (".. _a:\n\n.. b::\n\n# 标题", "rst"),
        ("见 :ref:`x` 和 :py:class:`y`", "rst"),
        ("见 :numref:`x`，[链接](y)\n```\n```", "markdown"),
        ("普通文字", "markdown"),
        ("", "markdown"),
    ],
)
def test_detection(text: str, dialect: str) -> None:
    assert detect(text) == dialect


def test_the_step_takes_a_dialect_and_counts() -> None:
    text = "一\n\n.. note:: 二\r\n\n```\nx\n```"
    assert Markup(dialect="rst").make()(text).text == "一\n\n二\n\nx"
    outcome = Markup(dialect="markdown").make()(text)
    assert (outcome.text, outcome.changes) == ("一\n\n.. note:: 二", {"code blocks": 1})
    assert Markup().make()(text).text == outcome.text
    assert Markup().make()("普通文字。").changes == {}
