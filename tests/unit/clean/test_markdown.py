"""Markdown: what a reader would see stays, everything else goes and is counted."""

from collections import Counter

import pytest

from zhbert.clean.layout import is_rule
from zhbert.clean.markdown import strip_markdown

CASES = {
    "headings": ("# 一 #\n\n二\n==\n\n三\n---\n####四\n#标签 不是标题", "一\n\n二\n\n三\n四\n#标签 不是标题"),
    "a script is no heading": ("##!/bin/sh", "##!/bin/sh"),
    "lists keep their numbers": ("- 甲\n* 乙\n+ [x] 丙\n1. 丁\n\n    - 戊", "甲\n乙\n丙\n1. 丁\n\n戊"),
    "quotes": ("> 一\n>> 二\n> - 三\n> [!NOTE]\n> 四", "一\n二\n三\n四"),
    "rules": ("一\n\n* * *\n\n二\n\n---\n三", "一\n\n二\n\n三"),
    "fences": ("一\n``` py {.x}\n码\n```\n~~~\n# 码\n```\n~~~\n二", "一\n\n二"),
    "a fence is closed by one as long": ("````\n```\n码\n````\n二", "二"),
    "a fence in a list in a quote": ("> - 一\n>   ```\n>   码\n>   ```\n> 二", "一\n\n二"),
    "a fence that stays open is text": ("一\n```\n## 二\n~~~\nls -l\n~~~\n三", "一\n二\n\n三"),
    "a fence closed too short": ("````\nls\n```\n二\n```\npwd\n```", "二"),
    "a fence around prose": (
        "```\n# 一，二。\n- 三四五六\n```\n```text\n这里是文字。\n```",
        "一，二。\n三四五六\n这里是文字。",
    ),
    "fences within prose within fences": (
        "```\n这里是文字，很多。\n~~~\nls\n~~~\n```",
        "这里是文字，很多。\nls",
    ),
    "a page turned inside out": (
        "ls\n```\n# 一，二三四。\n\n五\n```\npwd\n```",
        "ls\n一，二三四。\n\n五\npwd",
    ),
    "deep lists are no code": (
        "- a b\n\n    - c d\n\n        - e f\n\n        ```\n        ls\n        ```\n\n            pwd",
        "a b\n\nc d\n\ne f",
    ),
    "formulas": ("一\n$$\nx\n$$\n二 $a_i$ 三\n$$y$$\n四", "一\n\n二 $a_i$ 三\n四"),
    "formulas keep their signs": ("$\\{a_1\\}, b*c*d$ 和 $5、$6，`x`", "$\\{a_1\\}, b*c*d$ 和 $5、$6，x"),
    "a formula and its mark": ("$$\nx\n$$ :eqlabel:`a`\n一", "一"),
    "indented code": ("一：\n\n    $ ls -l\n\n    $ pwd\n\n二", "一：\n\n二"),
    "an indented paragraph": (
        "一：\n\n    这里只是缩进了，没有代码。\n\n二",
        "一：\n\n这里只是缩进了，没有代码。\n\n二",
    ),
    "indented by tabs": ("一\n\n\tsudo apt\n二", "一\n\n二"),
    "indented in a list": ("- 一\n\n    二 two words\n\n        code here\n\n三", "一\n\n二 two words\n\n三"),
    "indented Chinese spaces are none": ("一\n\n　　　　abc def\n二", "一\n\nabc def\n二"),
    "tables": (
        "| 名 | 值 |\n|:--|--:|\n| 甲 | 1 |\n\n名 | 值\n--- | ---\n乙 | 2",
        "名 值\n甲 1\n\n名 值\n乙 2",
    ),
    "table borders": ("+---+---+\n| 甲 | 1 |\n+---+---+", "甲 1"),
    "links": (
        '[甲](a.md "题")、[乙](<b c>)、[丙](d_(e))、[[丁]](f)、![图](g.png)[![徽](h)](i)',
        "甲、乙、丙、[丁]、",
    ),
    "references": (
        "[甲][1]、[乙] [b]、[丙][]、[丁]、[1][1]、a[x][y]、[己 庚][9]、[][8]\n"
        "\n[1]: http://a\n[b]: b.md '题'\n[丁]: c",
        "甲、乙、丙、丁、[1][1]、a[x][y]、己 庚、",
    ),
    "notes are no definitions": (
        "[注]: 这是说明\n[#]: subject: (题)\n[^1]: 脚注\n一[^1]二",
        "[注]: 这是说明\n脚注\n一二",
    ),
    "a remark in brackets": ("[注](这里，说明)、[图](图 1.png)", "[注](这里，说明)、图"),
    "emphasis": (
        "**一**二*三*___四___~~五~~，***六***、**七*八*九**、** 十 **",
        "一二三四五，六、七八九、 十",
    ),
    "no emphasis": (
        "2*3*4、a * b * c、2 ** 3 ** 4、`**x**`、snake_case_name、__init__、\\*星\\*",
        "2*3*4、a * b * c、2 ** 3 ** 4、**x**、snake_case_name、__init__、*星*",
    ),
    "inline code": ("用 `a_b_c` 和 ``x`y`` 与 ` `，`<b>`、`&amp;`", "用 a_b_c 和 x`y 与 ，<b>、&amp;"),
    "tags": ("<p align=x>一</p>二<br/>三<X y=1>四</X><你>List<String>", "一\n二\n三四<你>List<String>"),
    "ruby": ("<ruby>设置<rt>Settings</rt></ruby>", "设置（Settings）"),
    "comments and scripts": ("一<!-- # 二\n三 -->四<script>\nx\n</script>五<!-- 六", "一四五<!-- 六"),
    "autolinks": ("<https://a.b/c>，<a@b>", "https://a.b/c，<a@b>"),
    "entities": ("A&amp;B&nbsp;&lt;b&gt;&#x4e2d;&nope;&copy", "A&B\xa0<b>中&nope;&copy"),
    "front matter": ("---\ntitle: '题目'\ntag: x\n---\n\n一", "题目\n\n一"),
    "a title that is there already": ("---\ntitle: 题目\n---\n# 题目\n一", "题目\n一"),
    "a rule is no front matter": ("---\n一\n---\n二", "一\n二"),
    "containers": (
        ':::info 注意\n一\n:::\n!!! note "题"\n    二：用 x\n??? tip\n    三，三',
        "注意\n一\n题\n二：用 x\n\n三，三",
    ),
    "exclamations": ("!!! 太好了\n???\n:) 笑", "!!! 太好了\n???\n:) 笑"),
    "anchors and macros": ("# 一 {#one}\n{{ macro }}二{% x %}{/* 注 */}三{四}{{五}}", "一\n二三{四}{{五}}"),
    "roles": ("见 :ref:`安装 <i>`，:cite:`A.2016`，:math:`x_1`\n:end_tab:", "见 安装，，x_1"),
    "line ends": ("# 一\r\n\r\n- 二\r\n", "一\n\n二"),
    "nothing": ("", ""),
    "plain text": ("一。\n\n\n　　二，三。 ", "一。\n\n二，三。"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of(name: str) -> None:
    text, expected = CASES[name]
    assert strip_markdown(text.replace("\r\n", "\n"), Counter()) == expected


def test_what_goes_is_counted() -> None:
    text = "---\na: b\n---\n![](x)[一](y)\n```\nx\n```\n| a |\n[1]: z\n<b>二</b><!-- -->"
    counts: Counter[str] = Counter()
    strip_markdown(text, counts)
    assert +counts == Counter(
        {
            "front matter": 1,
            "images": 1,
            "links": 1,
            "code blocks": 1,
            "table rows": 1,
            "link definitions": 1,
            "tags": 2,
            "comments": 1,
        }
    )


def test_code_can_stay_as_it_is_and_tables_can_go() -> None:
    text = "一\n\n```c\n  *a = `b` &amp; <c>;\n```\n\n    x_1  = _y_\n\n| 甲 |"
    assert strip_markdown(text, Counter(), code=True) == "一\n\n  *a = `b` &amp; <c>;\n\n    x_1  = _y_\n\n甲"
    assert strip_markdown(text, Counter(), tables=False) == "一"


@pytest.mark.parametrize("line", ["==", "---", "* * *", "~~~~", "#####", "- - -"])
def test_rules(line: str) -> None:
    assert is_rule(line)


@pytest.mark.parametrize("line", ["-", "……", "。。。", "--a", "- 一", "...", "="])
def test_no_rules(line: str) -> None:
    assert not is_rule(line)
