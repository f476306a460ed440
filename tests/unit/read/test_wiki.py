"""MediaWiki dumps: which pages are articles, and what is left of their markup."""

import bz2

import pytest

from zhbert.read.reader import Reader
from zhbert.read.wikitext import plain_text

PAGE = """  <page>
    <title>{title}</title>
    <ns>{ns}</ns>
    <id>{id}</id>{extra}
    <revision>
      <id>9{id}</id>
      <text bytes="3" xml:space="preserve">{text}</text>
    </revision>
  </page>
"""
HEAD = '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="zh">\n'
INFO = "  <siteinfo>\n    <sitename>Wikipedia</sitename>\n  </siteinfo>\n"


def page(text: str, *, title: str = "题", ns: int = 0, id: int = 1, extra: str = "") -> str:
    return PAGE.format(text=text, title=title, ns=ns, id=id, extra=extra)


def dump(*pages: str) -> str:
    return HEAD + INFO + "".join(pages) + "</mediawiki>\n"


def test_articles_come_with_title_id_and_line(read) -> None:
    text = dump(
        page("'''北京'''是&lt;b&gt;首都&lt;/b&gt;。\n\n== 历史 ==\n很久。", title="北京 &amp; 周边", id=7),
        page("#REDIRECT [[北京]]", extra='<redirect title="北京" />'),
        page("讨论", ns=1),
        page("{{模板}}"),
        page("上海", title="上海", id=8),
    )
    documents = read({"zhwiki-latest-pages-articles.xml": text})
    assert [(d.id, d.text, d.meta, d.at.rpartition(":")[2]) for d in documents] == [
        ("7", "北京是首都。\n历史\n很久。", {"title": "北京 & 周边"}, "5"),
        ("8", "上海", {"title": "上海"}, "44"),
    ]
    reader = Reader(["zhwiki-latest-pages-articles.xml"])
    list(reader)
    assert reader.left_out == {
        "a redirect": 1,
        "a page outside the articles": 1,
        "a page without a text": 1,
    }


def test_a_dump_of_nothing_but_redirects_is_no_mistake(read) -> None:
    assert read({"a.xml": dump(page("x", extra="<redirect />"))}) == []


def test_pieces_of_a_big_dump_and_its_streams(read) -> None:
    streams = [HEAD + INFO, page("北京" * 40_000), page("上海"), "</mediawiki>\n"]
    data = b"".join(bz2.compress(part.encode()) for part in streams)
    name = "zhwiki-20240501-pages-articles-multistream1.xml-p1p187712.bz2"
    documents = read({name: data})
    assert [d.text[:2] for d in documents] == ["北京", "上海"]
    assert len(documents[0].text) == 80_000


def test_the_last_revision_counts(read) -> None:
    two = page("旧").replace("</page>", "<revision><id>5</id><text>新</text></revision></page>")
    assert [d.text for d in read({"a.xml": dump(two)})] == ["新"]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("[[File:a.jpg|thumb|说明[[文字]]]]正文", "正文"),
        ("[[文件:a.jpg|缩略图]][[Category:城市]][[分类:甲]][[en:Beijing]]正文", "正文"),
        ("[[:Category:城市]]和[[:en:Beijing|英文]]", "Category:城市和英文"),
        ("[[Re:从零开始]]", "Re:从零开始"),
        ("{| class=wikitable\n|-\n| 格 || 子\n|}\n正文", "正文"),
        ("正文<ref name=a>注{{cite|b}}</ref>完<ref name=a />。", "正文完。"),
        ("一<br />二<hr>三", "一\n二\n三"),
        ("* 甲\n** 乙\n# 丙\n; 丁 : 戊", "甲\n乙\n丙\n丁 戊"),
        ("[http://a.com 链接]和[http://b.com]和http://c.com", "链接和和http://c.com"),
        ("'''粗'''''斜''&nbsp;&amp;&#20013;", "粗斜 &中"),
        ("<nowiki>[[a]]</nowiki><!-- 注 --><math>x^2</math><gallery>\nA.jpg|说\n</gallery>", "[[a]]"),
        ("__TOC____NOTOC__正__无目录__文", "正文"),
        ("北京（{{lang-en|Beijing}}；英語：Peking）（{{拼音}}）", "北京（英語：Peking）"),
        ("== 一 ==\n== 二 ==\n正文\n又\n=== 三 ===\n{{reflist}}", "二\n正文\n又"),
        ("== 一 ==\n=== 二 ===\n=== 三 ===\n正文\n== 四 ==", "一\n三\n正文"),
        ("-{zh-hans:软件;zh-hant:軟體}-，-{zh-cn:内存;zh-tw:記憶體;}-", "软件，内存"),
        ("-{zh-tw:記憶體}-，-{简体}-，-{zh-hans|只有简体}-", "記憶體，简体，只有简体"),
        ("-{T|zh-cn:甲;zh-tw:乙}--{H|zh-cn:丙}--{-|丁}-戊", "戊"),
        ("-{A|zh-cn:菜单; zh-tw:選單}-，-{巨集=>zh-cn:宏;}-", "菜单，宏"),
        ("-{zh-hans:[[计算机]];zh-hant:[[電腦]]}-", "计算机"),
        ("-{zh-cn:a&nbsp;b;zh-tw:c}-", "a b"),
        ("{{没有关上\n正文", "{{没有关上\n正文"),
        ("<blockquote>引文</blockquote>后", "引文\n后"),
        ("", ""),
    ],
)
def test_markup(markup: str, text: str) -> None:
    assert plain_text(markup) == text


def test_deep_and_broken_markup_ends() -> None:
    assert plain_text("{{" * 3000 + "文")
    assert plain_text("[[" * 3000 + "文")
    assert plain_text("<div>" * 300 + "文").endswith("文")
