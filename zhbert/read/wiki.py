"""MediaWiki XML dumps: the articles, as plain paragraphs.

The XML goes through expat in pieces, so that memory holds one page and every page knows its line. A
dump has no document type; a file with one is refused before any entity of it is read, for that is how
a few bytes become gigabytes. Redirects, pages outside the main namespace and pages without a text are
counted and left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from zhbert.read.packing import BUFFER
from zhbert.read.piece import MB, Broken, Fault, Piece
from zhbert.read.wikitext import plain_text
from zhbert.records import Document

_ARTICLE = "0"
_KEPT = {  # where a page says what, below the root
    "page/title": "title",
    "page/ns": "namespace",
    "page/id": "id",
    "page/revision/text": "text",
}


@dataclass(slots=True)
class _Page:
    line: int
    redirect: bool = False
    parts: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in _KEPT.values()})

    def __getitem__(self, name: str) -> str:
        return "".join(self.parts[name])


class _Dump:
    """What expat calls: collects the pages of a dump."""

    def __init__(self, most: int) -> None:
        self.pages: list[_Page] = []
        self._most, self._size = most, 0
        self._path: list[str] = []
        self._page: _Page | None = None
        self._parts: list[str] | None = None
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _doctype(self, *_: object) -> None:
        raise self._broken("it has a document type, which no dump has", "take the <!DOCTYPE> away")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._path and name != "mediawiki":
            raise self._broken(f"its root is <{name[:40]}>", "other XML is not read")
        self._path.append(name)
        if self._path[1:] == ["page"]:
            self._page, self._size = _Page(self.parser.CurrentLineNumber), 0
        elif self._page and self._path[1:] == ["page", "redirect"]:
            self._page.redirect = True
        kept = _KEPT.get("/".join(self._path[1:])) if self._page else None
        self._parts = None
        if self._page and kept:  # of several revisions, the last
            self._parts = self._page.parts[kept] = []

    def _end(self, name: str) -> None:
        self._path.pop()
        self._parts = None
        if self._page and len(self._path) == 1:
            self.pages.append(self._page)
            self._page = None

    def _text(self, text: str) -> None:
        if self._parts is not None:
            self._parts.append(text)
            self._size += len(text)
            if self._size > self._most:
                raise self._broken("a page is too long", "--max-record-mb")

    def _broken(self, why: str, remedy: str) -> Broken:
        return Broken(Fault("not a MediaWiki dump", f": {why}", remedy), self.parser.CurrentLineNumber)


def read_wiki(piece: Piece) -> Iterator[Document]:
    """Yield the articles of a dump."""
    if not piece.stream.peek(1):
        return
    dump, more = _Dump(piece.config.max_record_mb * MB), True
    while more:
        data = piece.stream.read1(BUFFER)
        more, broken = bool(data), None
        try:
            dump.parser.Parse(data, not more)
        except expat.ExpatError as error:
            broken = Broken(_explain(error), error.lineno)
        except Broken as error:
            broken = error
        for page in dump.pages:
            yield from _document(piece, page)
        dump.pages.clear()
        if broken:
            raise broken


def _explain(error: expat.ExpatError) -> Fault:
    what = expat.ErrorString(error.code)
    if what == "no element found":
        return Fault("the XML is cut off", remedy="get the file again")
    return Fault("not valid XML", f": {what} at column {error.offset + 1}", "get the file again")


def _document(piece: Piece, page: _Page) -> Iterator[Document]:
    """Yield the document of a page, if it is an article with a text."""
    if page["namespace"].strip() not in ("", _ARTICLE):
        piece.leave_out("a page outside the articles")
    elif page.redirect:
        piece.leave_out("a redirect")
    elif text := plain_text(page["text"]):
        yield piece.document(page.line, text, id=page["id"].strip(), meta={"title": page["title"].strip()})
    else:
        piece.leave_out("a page without a text")
