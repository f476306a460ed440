"""What Markdown and reStructuredText share within a line: code, tags, emphasis, entities.

What is peculiar:

- Inline code, formulas and escaped signs are hidden first, each under a number between two noncharacters,
  and shown again last: nothing in between can take `*args` for emphasis or `<div>` for a tag.
- Only tags that HTML knows, that carry attributes, or that are closed somewhere in the text are tags;
  "输入 <文件名>" and "List<String>" stay.
- No pattern runs over what another start of it may run over again: what is within marks excludes the mark.
  So 300,000 "[", "*" or "<" cost one pass.
"""

import html
import re
from collections import Counter

_SIGNS = [*map(chr, range(0xFDD0, 0xFDF0)), "\ufffe", "\uffff"]  # noncharacters: no text has all of them

_ROLE = re.compile(r":([A-Za-z][0-9A-Za-z_.+-]*)(?::[A-Za-z][0-9A-Za-z_.+-]*)?:`([^`\n]*)`")
_REFERRING = frozenset(["bibliography", "cite", "citet", "eqlabel", "eqref", "label", "numref", "width"])
_REFERRING |= {"begin_tab", "end_tab"}
_TARGET = re.compile(r"(?<=\S)\s*<[^<>]*>\Z")
_DOUBLED = r"`(?<!``)`(?!`)(?P<doubled>(?:[^`\n]++|`(?!`))++)``(?!`)"
_ESCAPED = r"\\(?P<escaped>[!-/:-@\[-`{-~])"
_FORMULA = r"(?P<formula>\$(?=\S)[^$\n]++(?<=\S)\$(?![0-9]))"
_DOUBLE = re.compile(f"{_DOUBLED}|{_ESCAPED}")
_CODE = re.compile(rf"{_DOUBLED}|`(?<!``)(?P<single>[^`\n]++)`(?!`)|{_ESCAPED}|{_FORMULA}")

_BREAK_NAMES = "br hr p div li ul ol tr table blockquote section details summary h1 h2 h3 h4 h5 h6"
_OTHER_NAMES = """
    a abbr article aside audio b big body button canvas caption center cite code col colgroup dd del dfn dl
    dt em embed figcaption figure font footer form head header html i iframe img input ins kbd label main
    mark meta nav object option picture pre q rp rt ruby s samp select small source span strike strong sub
    sup svg tbody td textarea tfoot th thead time title tt u var video
"""
_BREAKING = frozenset(_BREAK_NAMES.split())
_KNOWN = _BREAKING.union(_OTHER_NAMES.split())
_TAG = re.compile(r"<(/?)([A-Za-z][0-9A-Za-z.:_-]*+)((?:[\s/][^<>]*+)?)>")
_CLOSED = re.compile(r"</([A-Za-z][0-9A-Za-z.:_-]*+)\s*>|<([A-Z][0-9A-Za-z.:_-]*+)[^<>]*/>")
_AUTOLINK = re.compile(r"<((?:https?|ftp|mailto):[^<>\s]*+)>")
_SILENT = re.compile(r"<(script|style|svg|head)\b", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][0-9A-Za-z]{1,31});")

_EMPHASIS = [
    re.compile(pattern)
    for pattern in (
        r"\*\*\*(?![\s*])([^*\n]++)\*\*\*",
        r"\*(?<![0-9A-Za-z*]\*)(?![\s*])([^*\n]++)(?<!\s)\*(?!\*)",
        r"\*\*(?!\s[^*\n㐀-鿿]*\*\*)([^*\n]++)\*\*",
        r"___(?<![0-9A-Za-z_]___)(?![\s_])([^_\n]++)(?<!\s)___(?![0-9A-Za-z_])",
        r"_(?<![0-9A-Za-z_]_)(?![\s_])([^_\n]++)(?<!\s)_(?![0-9A-Za-z_])",
        r"__(?<![0-9A-Za-z_]__)(?![\s_]|[0-9A-Za-z]++__)([^_\n]++)(?<!\s)__(?![0-9A-Za-z_])",
        r"~~(?!\s)([^~\n]++)~~",
    )
]


class Hidden:
    """Pieces of a text that nothing may change any more, each standing under a sign in the text."""

    def __init__(self, text: str) -> None:
        self._sign = next((sign for sign in _SIGNS if sign not in text), "")
        self._pieces: list[str] = []

    def hide(self, piece: str) -> str:
        """Return what stands for a piece until `show`; the piece itself where every sign is taken.

        >>> hidden = Hidden("用`*args`")
        >>> hidden.show("用" + hidden.hide("*args"))
        '用*args'
        """
        if not self._sign:
            return piece
        self._pieces.append(piece)
        return f"{self._sign}{len(self._pieces) - 1}{self._sign}"

    def show(self, text: str) -> str:
        """Return `text` with all pieces in their places."""
        if not self._pieces:
            return text
        return re.sub(f"{self._sign}([0-9]+){self._sign}", lambda match: self._pieces[int(match[1])], text)


def hide_code(text: str, hidden: Hidden, *, single: bool = True) -> str:
    """Return `text` with roles resolved, and with inline code, formulas and escaped signs hidden.

    In reStructuredText single backquotes mean a link, or nothing in particular.

    >>> hidden = Hidden(text := "见 :ref:`安装 <install>` 和 `a_b_c`")
    >>> hidden.show(hide_code(text, hidden))
    '见 安装 和 a_b_c'
    """
    if ":`" in text:
        text = _ROLE.sub(
            lambda m: "" if m[1] in _REFERRING else hidden.hide(_TARGET.sub("", m[2]).lstrip("~!")), text
        )
    if any(sign in text for sign in "`\\$"):
        pattern = _CODE if single else _DOUBLE
        text = pattern.sub(lambda m: hidden.hide(m[m.lastgroup or 0].strip()), text)
    return text


def strip_emphasis(text: str) -> str:
    """Return `text` without the marks of emphasis.

    >>> strip_emphasis("**注意**：*2 * 3* 不是 2*3*4，__init__ 也不是 _强调_")
    '注意：*2 * 3* 不是 2*3*4，__init__ 也不是 强调'
    """
    for pattern in _EMPHASIS:
        text = pattern.sub(r"\1", text)
    return text


def strip_html(text: str, counts: Counter[str]) -> str:
    """Return `text` without comments, scripts and tags; what stood between two tags stays.

    >>> strip_html("<p>第一段</p><!-- 注 -->第<b>二</b>段，List<String>", Counter())
    '\\n第一段\\n第二段，List<String>'
    """
    text = _AUTOLINK.sub(r"\1", _cut_silent(_cut_comments(text, counts), counts))
    closed = {name for pair in _CLOSED.findall(text) for name in pair}

    def replace(match: re.Match[str]) -> str:
        end, name, rest = match[1], match[2], match[3]
        if not (name.lower() in _KNOWN or name in closed or "=" in rest):
            return match[0]
        counts["tags"] += 1
        if name.lower() == "rt":
            return "）" if end else "（"
        return "\n" if name.lower() in _BREAKING else " " if name.lower() in ("td", "th") else ""

    return _TAG.sub(replace, text)


def _cut_comments(text: str, counts: Counter[str]) -> str:
    """Return `text` without HTML comments; one that is never closed is none."""
    kept, start = [], 0
    while (opened := text.find("<!--", start)) >= 0 and (closed := text.find("-->", opened + 4)) >= 0:
        kept.append(text[start:opened])
        start = closed + 3
        counts["comments"] += 1
    return "".join([*kept, text[start:]])


def _cut_silent(text: str, counts: Counter[str]) -> str:
    """Return `text` without the elements whose content is not text."""
    kept, start, open_ended = [], 0, set()
    for match in _SILENT.finditer(text):
        name = match[1].lower()
        if match.start() < start or name in open_ended:
            continue
        closer = re.compile(f"</{name}\\s*>", re.IGNORECASE).search(text, match.end())
        if not closer:
            open_ended.add(name)
            continue
        kept.append(text[start : match.start()])
        start = closer.end()
        counts["scripts"] += 1
    return "".join([*kept, text[start:]])


def unescape(text: str) -> str:
    """Return `text` with named and numbered characters in place; only what ends in ";" is one.

    >>> unescape("A&amp;B &lt;b&gt; &#x4e2d; a?x=1&copy=2")
    'A&B <b> 中 a?x=1&copy=2'
    """
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text
