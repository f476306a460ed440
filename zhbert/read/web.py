"""HTML: the text that a reader of the page sees, a line for each block; title and description go to meta.

- Scripts, navigation, headers, footers, side columns and forms are left out; a page that is nothing but
  one form, as old servers made them, is read with its forms, headers and side columns.
- White space is folded as a browser does; a line break between two Han characters is no space.
- The encoding is what the page says of itself, unless the page is not in it or the user names one.
"""

import codecs
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from zhbert.read.config import AUTO
from zhbert.read.decode import read_whole, shown
from zhbert.read.encodings import UTF8, codec_of
from zhbert.read.packing import BUFFER
from zhbert.read.piece import Fault, Piece
from zhbert.records import Document

_NEVER = frozenset(
    (
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "canvas",
        "iframe",
        "object",
        "select",
        "textarea",
    )
)
_ASIDE = frozenset(("nav", "header", "footer", "aside", "form", "button", "menu", "dialog"))
_BLOCKS = re.compile(
    "address|article|blockquote|body|br|caption|center|dd|details|div|dl|dt|fieldset|figcaption|figure|h[1-6]|hr"
    "|li|main|ol|p|pre|section|summary|table|tbody|tfoot|thead|title|tr|ul"
)
_VOID = re.compile("area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr")
_CELLS = ("td", "th")
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_BREAK = re.compile(f"(?<=[{_WIDE}])[ \t\r\f]*\n[ \t\r\n\f]*(?=[{_WIDE}])")
_SPACES = re.compile("[ \t\r\n\f\xa0]+")
_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_HEAD = 4096  # bytes in which a page must name its encoding


def read_html(piece: Piece) -> Iterator[Document]:
    """Yield the one document of an HTML page."""
    number, page = read_whole(piece, encoding=_declared(piece))
    if isinstance(page, Fault):
        piece.refuse(number, page)
        return
    text, meta = page_text(page)
    if text:
        yield piece.document(1, text, meta=meta)


def page_text(page: str) -> tuple[str, dict[str, str]]:
    """Return what one reads on a page, and its title and description.

    >>> page_text("<title>甲</title><nav>首页</nav><h1>标题</h1><p>第一<b>段</b>&amp;\\n话<p>第二段")
    ('标题\\n第一段& 话\\n第二段', {'title': '甲'})
    """
    skipped = _NEVER | _ASIDE
    while True:
        reader = _PageReader(skipped)
        reader.feed(page)
        reader.close()
        if reader.unclosed and reader.unclosed in skipped:
            skipped -= {reader.unclosed}  # it would swallow the rest of the page
        elif reader.lines or skipped == _NEVER:
            return "\n".join(reader.lines), {key: text for key, text in reader.meta.items() if text}
        else:
            skipped = _NEVER


def _declared(piece: Piece) -> str:
    """Return the encoding that a page names, if the page is in it; "" leaves it to be found."""
    head = piece.stream.peek(BUFFER)
    found = _DECLARED.search(head[:_HEAD])
    if (
        piece.config.encoding != AUTO
        or not found
        or head.startswith((codecs.BOM_UTF8, b"\xff\xfe", b"\xfe\xff"))
    ):
        return ""
    try:
        codec = codec_of(found[1].decode("ascii"))
        codecs.getincrementaldecoder(codec)().decode(head)
    except (LookupError, UnicodeError):
        return ""
    if codec.startswith("utf-16") or b"\0" in head:  # it could not have been read so far
        return ""
    if codec != UTF8:
        piece.ledger.encodings[piece.name] = shown(codec)
    return codec


class _PageReader(HTMLParser):
    """Collects the lines of a page."""

    def __init__(self, skipped: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.meta: dict[str, str] = {}
        self.lines: list[str] = []
        self.unclosed = ""  # the element that is being left out
        self._skipped, self._depth = skipped, 0  # how many of its kind are open
        self._parts: list[str] = []
        self._pre = self._title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, or leave an element out."""
        if self.unclosed:
            self._depth += tag == self.unclosed
        elif tag in self._skipped or ("hidden" in dict(attrs) and not _VOID.fullmatch(tag)):
            self.unclosed, self._depth = tag, 1
        elif tag == "meta":
            self._note({key: value or "" for key, value in attrs})
        else:
            self._turn(tag, begins=True)

    def handle_endtag(self, tag: str) -> None:
        """End a line, or what is left out."""
        if not self.unclosed:
            self._turn(tag, begins=False)
        elif tag == self.unclosed:
            self._depth -= 1
            self.unclosed = tag if self._depth else ""

    def handle_data(self, data: str) -> None:
        """Take text."""
        if not self.unclosed:
            self._parts.append(data)

    def close(self) -> None:
        """End the last line."""
        super().close()
        self._end_line()

    def _note(self, attrs: dict[str, str]) -> None:
        if attrs.get("name", "").lower() == "description":
            self.meta.setdefault("description", _folded(attrs.get("content", "")))

    def _turn(self, tag: str, *, begins: bool) -> None:
        if tag in _CELLS:
            self._parts.append(" ")
        if _BLOCKS.fullmatch(tag):
            self._end_line()
            self._pre = begins if tag == "pre" else self._pre
            self._title = begins and tag == "title"

    def _end_line(self) -> None:
        text = "".join(self._parts)
        self._parts.clear()
        lines = text.strip("\n").split("\n") if self._pre else [_folded(text)]
        if self._title:
            self.meta.setdefault("title", lines[0])
        else:
            self.lines += [line.rstrip() for line in lines if line.strip()]


def _folded(text: str) -> str:
    """Return text as a browser lays it out on one line.

    >>> _folded("  北京\\n 大学 Peking\\n University ")
    '北京大学 Peking University'
    """
    return _SPACES.sub(" ", _BREAK.sub("", text)).strip()
