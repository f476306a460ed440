"""HTML pages as they are read."""

import pytest

from zhbert.read.piece import Reject
from zhbert.read.reader import Reader
from zhbert.read.web import page_text

PAGE = """<!DOCTYPE html><html><head><meta charset="%s"><title> 城市 &amp;
发展 </title><meta name="Description" content="说明">
<style>p{color:red}</style><script>var a = "<p>脚本</p>";</script></head>
<body><header>页眉</header><nav><ul><li>首页</li></ul></nav>
<h1>标题</h1><p>中国的城市在
发展，人们的生活&nbsp;越来越<b>好</b>了。<br>换行<p>第二段 in English
words<table><tr><td>一</td><td>二</td></tr><tr><td>三</td></tr></table>
<pre>  代码
    缩进</pre><aside>旁栏</aside><form>表单<form>内</form></form><div hidden>看不见<div>也是</div></div>
<ul><li>甲<li>乙</ul>结尾<!-- 注释 --><footer>页脚</footer></body></html>"""
TEXT = """标题
中国的城市在发展，人们的生活 越来越好了。
换行
第二段 in English words
一 二
三
  代码
    缩进
甲
乙
结尾"""


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "big5"])
def test_a_page_says_its_encoding_and_shows_its_text(encoding: str, read) -> None:
    page = PAGE % encoding if encoding != "big5" else PAGE.replace("发", "發") % encoding
    page = page if encoding != "big5" else page.encode(encoding, "ignore").decode(encoding)
    (document,) = read({"a.html": page.encode(encoding)})
    if encoding != "big5":
        assert document.text == TEXT
        assert document.meta == {"title": "城市 & 发展", "description": "说明"}
    assert document.at == "a.html:1"
    reader = Reader(["a.html"])
    list(reader)
    assert (
        reader.encodings == {"utf-8": {}, "gbk": {"a.html": "GB18030"}, "big5": {"a.html": "Big5"}}[encoding]
    )


def test_what_a_page_says_of_itself_may_be_wrong(read) -> None:
    wrong = (PAGE % "gb2312").encode("utf-8")
    named = (PAGE % "utf-8").encode("gb18030")
    nonsense = (PAGE % "中文").encode("utf-8")
    assert [d.text for d in read({"a.html": wrong, "b.htm": named, "c.html": nonsense})] == [TEXT] * 3
    assert [d.text for d in read({"d.html": named}, encoding="gbk")] == [TEXT]
    assert [d.text for d in read({"e.html": "\ufeff".encode() + wrong})] == [TEXT]
    assert [d.text for d in read({"f.html": (PAGE % "utf-8").encode("utf-16")})] == [TEXT]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<form><p>整页都在表单里</p><script>x</script></form>", "整页都在表单里"),
        ("<nav>没有关上<p>正文", "没有关上\n正文"),
        ("<p>好</p><svg><text>图</svg>", "好"),
        ("光是字", "光是字"),
        ("&#x4e2d;&#22269;&nbsp;&lt;b&gt;&#xFFFFFF;", "中国 <b>\ufffd"),
        ("一<span>二</span>\n三 <i>four</i>\nfive", "一二三 four five"),
        ("<td>一<th>二", "一 二"),
        ("<p>\u3000\u3000段首空格", "段首空格"),
        ("<p hidden>藏<br>着</p><input hidden>见", "见"),
        ("<br hidden>见", "见"),
        ("<![CDATA[x]]><p>好", "好"),
        ("</p></div>好", "好"),
    ],
)
def test_odd_pages(page: str, text: str) -> None:
    assert page_text(page)[0] == text


def test_a_page_without_text_or_that_cannot_be_read(read) -> None:
    rejects: list[Reject] = []
    files = {"a.html": b"<p> </p>", "b.html": "<p>\n北京大学在北京".encode() + b"\xff", "c.html": b""}
    assert read(files, rejects=rejects) == []
    assert [(r.at, r.what) for r in rejects] == [
        ("a.html", "the file has no text"),
        ("b.html:2", "not UTF-8 at byte 25"),
        ("c.html", "the file has no text"),
    ]


@pytest.mark.slow
def test_deep_and_long_pages_end() -> None:
    assert page_text("<div>" * 50_000 + "深" + "</div>" * 50_000)[0] == "深"
    assert page_text("<p>" + "长" * 500_000)[0] == "长" * 500_000
