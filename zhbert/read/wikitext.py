"""Wiki markup as plain paragraphs: what one would read, without boxes, tables, notes and pictures.

- mwparserfromhell finds templates, links, tags and tables inside each other. What it does not know is the
  `-{zh-hans:软件; zh-hant:軟體}-` by which Chinese wikis write both scripts; the mainland's form is taken.
- A heading under which nothing is left is left out too.
"""

import re
from collections.abc import Iterator
from typing import Any

_BLOCKS = re.compile("br|hr|p|div|li|ul|ol|dl|dd|dt|blockquote|center|poem|table|tr")
_NO_TEXT = re.compile(
    "ref|references|gallery|table|math|chem|score|timeline|imagemap|graph|hiero|mapframe|maplink|style|source"
    "|templatestyles|syntaxhighlight|includeonly|noinclude|inputbox|categorytree"
)
_NO_ARTICLE = re.compile(
    r"\s*((?i:file|image|media|category)|文件|檔案|档案|图像|圖像|图片|圖片|媒体|媒體|分类|分類|[a-z]{2,3}(-[a-z]+)?)\s*:"
)
_SWITCH = re.compile("__[A-Z\u4e00-\u9fff]{3,}__")
_EMPTY = re.compile("[(（][\\s;；,，、:：]*[)）]")  # what templates leave behind
_FRAYED = re.compile("(?<=[(（])[\\s;；,，、:：]+")
_SPACES = re.compile("[ \t\xa0]+")
_CONVERSION = re.compile(r"-\{([^{}]*)\}-")
_FLAGS = re.compile(r"([A-Za-z;\s-]*)\|")
_HIDDEN = {"H", "T", "-"}
_RULE = re.compile(r";(?=[^;:]*?zh(?:-[a-z]+)*\s*:)")
_VARIANT = re.compile(r"(?:.*=>)?\s*(zh(?:-[a-z]+)*)\s*:(.*)", re.DOTALL)
_PREFERRED = ("zh-cn", "zh-hans", "zh", "zh-sg", "zh-my", "zh-hant", "zh-tw", "zh-hk", "zh-mo")
_HEADING = "\x02"


def plain_text(markup: str) -> str:
    """Return what wiki markup says.

    >>> plain_text("{{城市}}'''北京'''（{{lang|en}}）是[[中国]]的[[首都|京城]]<ref>注</ref>。\\n== 注 ==")
    '北京是中国的京城。'
    """
    from mwparserfromhell import parse

    text = "".join(_nodes(parse(markup.replace(_HEADING, ""))))
    text = _SWITCH.sub("", _FRAYED.sub("", _EMPTY.sub("", settle_scripts(text))))
    return "\n".join(_without_bare_headings(text))


def settle_scripts(text: str) -> str:
    """Return a text in which every choice between scripts is settled.

    >>> settle_scripts("-{zh-hant:軟體;zh-hans:软件}-和-{硬件}--{H|zh-cn:甲;zh-tw:乙}-")
    '软件和硬件'
    """
    return _CONVERSION.sub(lambda match: _settled(match[1]), text) if "-{" in text else text


def _settled(inside: str) -> str:
    flags = _FLAGS.match(inside)
    if flags:
        if not _HIDDEN.isdisjoint(flag.strip() for flag in flags[1].split(";")):
            return ""
        inside = inside[flags.end() :]
    rules = [found for part in _RULE.split(inside) if (found := _VARIANT.match(part))]
    texts = {found[1]: found[2].strip().removesuffix(";") for found in rules}
    return next((texts[variant] for variant in _PREFERRED if variant in texts), inside)


def _nodes(code: Any) -> Iterator[str]:
    for node in code.nodes:
        yield from _NODES.get(type(node).__name__, _nothing)(node)


def _nothing(node: Any) -> Iterator[str]:
    """Templates, arguments and comments."""
    yield from ()


def _link(node: Any) -> Iterator[str]:
    if _NO_ARTICLE.match(str(node.title)):
        return
    if node.text is None:
        yield str(node.title).strip().removeprefix(":")
    else:
        yield from _nodes(node.text)


def _outward(node: Any) -> Iterator[str]:
    if node.title is not None:
        yield from _nodes(node.title)
    elif not node.brackets:
        yield str(node.url)


def _tag(node: Any) -> Iterator[str]:
    name = str(node.tag).strip().lower()
    if _NO_TEXT.fullmatch(name):
        return
    edge = "\n" if _BLOCKS.fullmatch(name) and not node.wiki_markup else ""
    yield edge
    if node.contents is not None:
        yield from _nodes(node.contents)
    yield edge


def _heading(node: Any) -> Iterator[str]:
    yield "\n" + _HEADING * node.level + "".join(_nodes(node.title)).strip() + "\n"


_NODES = {
    "Text": lambda node: iter((str(node.value),)),
    "HTMLEntity": lambda node: iter((node.normalize(),)),
    "Wikilink": _link,
    "ExternalLink": _outward,
    "Tag": _tag,
    "Heading": _heading,
}


def _without_bare_headings(text: str) -> Iterator[str]:
    headings: dict[int, str] = {}  # those above the next line, by their level
    for line in text.split("\n"):
        line = _SPACES.sub(" ", line).strip()
        level = len(line) - len(line.lstrip(_HEADING))
        if level:
            headings = {above: text for above, text in headings.items() if above < level}
            headings[level] = line[level:].strip()
        elif line:
            yield from filter(None, headings.values())
            yield line
            headings.clear()
