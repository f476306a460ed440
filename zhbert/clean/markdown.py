"""Markdown to text: headings, lists, quotes, tables, code blocks, links and the dialects in common use.

What is peculiar:

- Lines are read once, from top to bottom; then the text goes through `inline` as a whole.
- A code block that is never closed is text. An indented block, and a fenced one that names no language, is
  code only if it reads like code: less than 30 % of it is Han, or less than 60 % where there is no Chinese
  comma or full stop. So a fence that is closed wrongly turns no page inside out. Within lists indentation
  means nesting, and code is indented by eight.
- Front matter goes, but for a title that is not repeated as a heading. So do link definitions, images with
  their descriptions, footnote marks and formulas on lines of their own ($$). The text of a link stays, and
  so do the numbers of a list.
- Seen in real collections, and understood: ::: containers, !!! and ??? admonitions, {#anchors}, {{ macros }},
  {/* comments */}, $$ formulas, :role:`x`, <ruby> (the reading goes into brackets).
"""

import re
from collections import Counter

from zhbert.clean.inline import Hidden, hide_code, strip_emphasis, strip_html, unescape
from zhbert.clean.layout import cells, indentation, is_rule, reads_like_code
from zhbert.clean.links import strip_links
from zhbert.clean.normalise import tidy

_FRONT = re.compile(
    r"\A\s*---[ \t]*\n(?=[\w-]+[ \t]*:)(?:(?!(?:---|\.\.\.)[ \t]*$).*\n)*+(?:---|\.\.\.)[ \t]*(?:\n|\Z)",
    re.MULTILINE,
)
_TITLE = re.compile(r"^title:[ \t]*(.*\S)", re.MULTILINE)
_FENCE = re.compile(r"(`{3,})[^`]*\Z|(~{3,})|(\$\$)(?!.*\$\$)")
_FORMULA = re.compile(r"\$\$.*\$\$\Z")
_SIGNAL = re.compile(r":[A-Za-z_]+:\Z")
_BULLET = re.compile(r"(?:[-*+•](?:[ \t]+|\Z))+(?:\[[ xX]\][ \t]+)?")
_NUMBER = re.compile(r"[0-9]{1,9}[.)](?:[ \t]|\Z)")
_HEADING = re.compile(r"#{1,6}(?:[ \t]+|\Z)|#{2,6}(?=[^#\s!])")
_HEADING_END = re.compile(r"[ \t]+#+\Z")
_BLOCK = re.compile(
    r"(?::{3,}[ \t]*[A-Za-z-]*[ \t]*|(?:!!!|\?\?\?\+?)[ \t]+[A-Za-z-]+[ \t]*|===[!+]?[ \t]+(?=\"))(.*)\Z"
)
_DEFINITION = re.compile(r"\[([^\[\]]+)\]:[ \t]*([^\s\u3400-\u9fff]\S*|\Z)")
_PLAIN = ("", "text", "txt", "plain", "plaintext")
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]+\]:[ \t]*")
_ALERT = re.compile(r"\A\[![A-Za-z]+\][+-]?[ \t]*")

_BRACES = re.compile(
    r"\{/\*(?:[^*{\n]++|\*(?!/))*+\*/\}|\{%(?:[^%{}\n]++|%(?!\}))*+%\}"
    r"|\{\{[ <%#][^{}\n]*+\}\}|\{[#:.][^{}\n]*+\}(?=[ \t]*$)",
    re.MULTILINE,
)


def strip_markdown(text: str, counts: Counter[str], *, code: bool = False, tables: bool = True) -> str:
    """Return the text in a Markdown document, and count what went.

    >>> strip_markdown("# 安装 #\\n\\n- 见[**手册**](a.md)\\n\\n```sh\\nls\\n```\\n> 完\\n", Counter())
    '安装\\n\\n见手册\\n\\n完'
    """
    hidden = Hidden(text)
    text = _behind_front_matter(text, counts)
    rows = text.split("\n")
    lines = _Lines(counts, hidden if code else None, tables, _last_fences(rows))
    for line in rows:
        lines.read(line)
    return hidden.show(tidy(_inline("\n".join(lines.end()), hidden, lines.labels, counts)))


def _behind_front_matter(text: str, counts: Counter[str]) -> str:
    """Return `text` without its front matter, of which only a title stays that is no heading below."""
    front = _FRONT.match(text)
    if not front:
        return text
    counts["front matter"] += 1
    title, rest = _TITLE.search(front[0]), text[front.end() :]
    words = title[1].strip("\"'") if title else ""
    return f"{words}\n\n{rest}" if words and f"# {words}" not in rest else rest


def _last_fences(rows: list[str]) -> dict[tuple[str, int], int]:
    """Return the number of the last line that closes a block fenced by so many signs of a kind."""
    last = {}
    for number, row in enumerate(rows, 1):
        if "$$" in row:
            last["$", 2] = number
        if "```" in row or "~~~" in row:
            body = row.strip("> \t")
            if not body.strip(body[0]):
                last.update(dict.fromkeys(((body[0], size) for size in range(3, len(body) + 1)), number))
    return last


class _Lines:
    """The lines of a document, read from top to bottom."""

    def __init__(
        self,
        counts: Counter[str],
        hidden: Hidden | None,
        tables: bool,
        last_fences: dict[tuple[str, int], int],
    ) -> None:
        self.counts, self.hidden, self.tables = counts, hidden, tables
        self.labels: set[str] = set()
        self._last_fences, self._number, self._fences = last_fences, 0, True
        self._out: list[str] = []
        self._fence = ""  # what closes the code block that is open
        self._block: list[str] = []  # its lines, or those of an indented block
        self._after_blank, self._in_list, self._in_table = True, False, False

    def read(self, line: str) -> None:
        """Take in the next line."""
        self._number += 1
        body = line.strip()
        if self._fence:
            self._block.append(line)
            if self._closes(body):
                self._end_fence()
        elif not body:
            (self._block if self._block else self._out).append("")
            self._after_blank, self._in_table = True, False
        elif (self._block or self._after_blank) and self._is_deep(line, body):
            self._block.append(line)
        else:
            self._end_block()
            self._text(line, body)
            self._after_blank = False

    def end(self) -> list[str]:
        """Return what is left of all lines."""
        self._end_block()
        return self._out

    def _is_deep(self, line: str, body: str) -> bool:
        """Return whether a line is indented like code."""
        if not self._in_list:
            return indentation(line) >= 4
        nested = _BULLET.match(body) or _NUMBER.match(body) or body.startswith(("```", "~~~", "$$", "|"))
        return indentation(line) >= 8 and not (nested and not self._block)

    def _closes(self, body: str) -> bool:
        body = body.lstrip("> \t")
        if self._fence == "$$":
            return "$$" in body
        return len(body) >= len(self._fence) and not body.strip(self._fence[0])

    def _end_fence(self) -> None:
        opener, *block, _ = self._block
        self._fence, self._block = "", []
        if opener.strip("`~ \t").lower() not in _PLAIN or reads_like_code(block):
            self._code(block)
            return
        self._fences, number = False, self._number  # so that a line is read twice at most
        for line in block:
            self.read(line)
        self._end_block()
        self._fences, self._number = True, number

    def _code(self, lines: list[str]) -> None:
        self.counts["code blocks"] += 1
        if self.hidden:
            self._out.append(self.hidden.hide("\n".join(lines).strip("\n")))
        self._out.append("")

    def _end_block(self) -> None:
        """Decide whether the indented block that ends here was code."""
        if not self._block:
            return
        block, self._block = self._block, []
        if reads_like_code(block):
            self._code(block)
        else:
            self._out += block

    def _text(self, line: str, body: str) -> None:
        """Read a line that is not in a code block."""
        if body[0] == ">":
            body = _ALERT.sub("", body.lstrip("> \t"))
        item = _BULLET.match(body)
        if item and not is_rule(body):
            body = body[item.end() :]
        if item or _NUMBER.match(body):
            self._in_list = True
        elif self._after_blank and not line[0].isspace():
            self._in_list = False
        handle = self._HANDLERS.get(body[:1])
        if handle:
            handle(self, body)
        elif self._in_table and "|" in body:
            self._row(body)
        elif body:
            self._out.append(body)

    def _heading(self, body: str) -> None:
        match = _HEADING.match(body)
        self._in_list = self._in_list and not match
        self._out.append(_HEADING_END.sub("", body[match.end() :]) if match else body)

    def _mark(self, body: str) -> None:
        """Read a line that begins like a fence, a rule, a container or a table without edges."""
        fence = _FENCE.match(body)
        sign = fence[1] or fence[2] or fence[3] if fence else ""
        if sign and self._fences and (sign := self._closed_later(sign)):
            self._fence, self._block = sign, [body]
        elif _FORMULA.match(body):
            self.counts["code blocks"] += 1
        elif _SIGNAL.match(body):
            self.counts["roles"] += 1
        elif is_rule(body):
            pass
        elif block := _BLOCK.match(body):
            self._in_list = True  # its lines are indented by four and no code
            self._out.append(block[1].strip('"'))
        elif not body.strip("-:|+= \t") and ("|" in body or body[0] == "+"):
            self._delimiter()
        else:
            self._out.append(body)

    def _closed_later(self, sign: str) -> str:
        """Return what will close a fence: as many signs, or else three; nothing where nothing does."""
        for closer in (sign, sign[:3]):
            if self._last_fences.get((closer[0], len(closer)), 0) > self._number:
                return closer
        return ""

    def _delimiter(self) -> None:
        """Read the line below the head of a table; the head becomes a row."""
        self._in_table = True
        if self._out and "|" in self._out[-1]:
            self._row(self._out.pop())

    def _row(self, body: str) -> None:
        self._in_table = True
        if not body.strip("-:| \t"):
            return
        self.counts["table rows"] += 1
        if self.tables:
            self._out.append(cells(body))

    def _bracket(self, body: str) -> None:
        """Read a line that begins like a definition of a link or a footnote."""
        definition = _DEFINITION.match(body)
        if footnote := _FOOTNOTE.match(body):
            self._out.append(body[footnote.end() :])
        elif definition or body.startswith("[#]:"):
            self.labels.add(definition[1].lower() if definition else "#")
            self.counts["link definitions"] += 1
        else:
            self._out.append(body)

    _HANDLERS = dict.fromkeys("`~$:!?=-*_+", _mark) | {"#": _heading, "|": _row, "[": _bracket}


def _inline(text: str, hidden: Hidden, labels: set[str], counts: Counter[str]) -> str:
    """Return `text` without what is marked up within lines."""
    text = hide_code(text, hidden)
    if "<" in text:
        text = strip_html(text, counts)
    if "{" in text:
        text = _BRACES.sub("", text)
    if "[" in text:
        text = strip_links(text, labels, counts)
    return unescape(strip_emphasis(text))
