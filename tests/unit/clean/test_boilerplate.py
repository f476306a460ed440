"""Lines of the page: what goes, and what only looks like it."""

import pytest

from zhbert.clean.boilerplate import Boilerplate, kind_of


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("via: https://example.com/a-b", "credits"),
        ("  译者：小王 校对：小李", "credits"),
        ("author: Li, Wang", "credits"),
        ("来源：新华网", "credits"),
        ("本文由 LCTT 原创编译，Linux中国 荣誉推出", "credits"),
        ("（本文转载自某某网，由小王整理）", "credits"),
        ("版权所有 © 2020 某某网", "copyright"),
        ("Copyright (C) 2003 Li", "copyright"),
        ("转载请注明出处：某某网。", "copyright"),
        ("未经本网书面授权，请勿转载", "copyright"),
        ("京ICP备00000000号", "copyright"),
        ("上一篇：昨天的事", "pointers"),
        ("推荐阅读:", "pointers"),
        ("https://example.com/", "pointers"),
        ("首页 | 新闻 | 体育 | 某地", "menu"),
        ("首页 > 新闻 > 国内", "menu"),
        ("分享到：微信 微博 QQ空间", "menu"),
        ("【打印】【关闭】", "menu"),
    ],
)
def test_what_goes(line: str, kind: str) -> None:
    assert kind_of(line) == kind
    outcome = Boilerplate().make()(f"第一句话。\n{line}\n第二句话。")
    assert (outcome.text, outcome.changes) == ("第一句话。\n第二句话。", {kind: 1})


@pytest.mark.parametrize(
    "line",
    [
        "",
        "新闻",
        "作者在文中说，他反对转载。",
        "来源：新华网。记者昨天到了那里。",
        "未经许可经营旅行社业务的，由旅游主管部门责令改正。",
        "未经著作权人许可，复制、发行其作品的，应当承担责任。",
        "本条例由市人民政府发布。",
        "见 https://example.com/ 的说明",
        "|V|=|E|，|a|=|b|",
        "大 中 小城市",
        "北京 | 上海 | 广州",
        "上一篇文章说到，天下大势分久必合。",
        "译者：" + "很长的一行，" * 20,
    ],
)
def test_what_stays(line: str) -> None:
    assert kind_of(line) == "" or len(line) > 100
    text = f"第一句话。\n{line}\n第二句话。"
    outcome = Boilerplate().make()(text)
    assert outcome.text is text
    assert outcome.changes == {}
