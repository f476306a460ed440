"""reStructuredText to text: sections, directives, literal blocks, tables, roles and references.

What is peculiar:

- A directive of `_DROPPED` goes with all that is indented below it, as do comments and link targets; any
  other keeps what is below it. The words beside the name stay for those of `_TITLED` ("note:: 注意"), not
  for the others ("py:function:: paddle.add_(x)").
- What is indented below "::" is dropped only if it reads like code, as in Markdown.
- Every line comes out without its indentation.
"""

import re
from collections import Counter

from zhbert.clean.inline import Hidden, hide_code, strip_emphasis
from zhbert.clean.layout import cells, is_rule, reads_like_code
from zhbert.clean.normalise import tidy

_CODE = frozenset(["code", "code-block", "sourcecode", "parsed-literal", "math", "raw"])
_DROPPED_NAMES = """
    highlight image figure toctree include literalinclude graphviz autosummary automodule autoclass
    autofunction contents sectnum meta default-role role replace unicode date module currentmodule
"""
_TITLED_NAMES = """
    note warning tip hint important attention caution danger error admonition seealso topic sidebar rubric
    versionadded versionchanged deprecated table list-table csv-table glossary epigraph centered
"""
_DROPPED = _CODE.union(_DROPPED_NAMES.split())
_TITLED = frozenset(_TITLED_NAMES.split())
_DIRECTIVE = re.compile(r"\.\.[ \t]+(?:\|[^|]*\|[ \t]+)?([A-Za-z][0-9A-Za-z:._+-]*?)::(?:[ \t]+(.*))?\Z")
_FOOTNOTE = re.compile(r"\.\.[ \t]+\[[^\[\]]+\][ \t]*")
_FIELD = re.compile(r"\A:[^:`]+:(?:[ \t]+|\Z)")
_ITEM = re.compile(r"\A(?:(?:[-*+•]|#\.)(?:[ \t]+|\Z))+")
_QUOTED = re.compile(r'"\s*,\s*"')  # between the cells of a csv-table
_LINK = re.compile(r"`([^`<\n]*+)(?:<[^`<>\n]*+>)?`_{0,2}")
_MARK = re.compile(r" ?\[[#*0-9A-Za-z_-]+\]_(?![0-9A-Za-z])")
_SUBSTITUTION = re.compile(r"\|([^|\s][^|\n]*+)\|_{0,2}")


def strip_rst(text: str, counts: Counter[str], *, code: bool = False, tables: bool = True) -> str:
    """Return the text in a reStructuredText document, and count what went.

    >>> strip_rst("安装\\n====\\n\\n.. note:: 见 :ref:`手册 <m>`\\n\\n例如::\\n\\n    ls\\n\\n完", Counter())
    '安装\\n\\n见 手册\\n\\n例如:\\n\\n完'
    """
    hidden = Hidden(text)
    lines = _Lines(counts, hidden if code else None, tables)
    for line in text.split("\n"):
        lines.read(line)
    return hidden.show(tidy(_inline("\n".join(lines.end()), hidden)))


class _Lines:
    """The lines of a document, read from top to bottom."""

    def __init__(self, counts: Counter[str], hidden: Hidden | None, tables: bool) -> None:
        self.counts, self.hidden, self.tables = counts, hidden, tables
        self._out: list[str] = []
        self._above = -1  # the indentation of what the lines below belong to; -1: of nothing
        self._below: list[str] | None = None  # those lines, where they may be code; None: they are dropped
        self._options = False

    def read(self, line: str) -> None:
        """Take in the next line."""
        body = line.strip()
        if not body:
            self._options = False
            (self._out if self._below is None else self._below).append("")
            return
        indent = len(line) - len(line.lstrip())
        if indent > self._above >= 0:
            if self._below is not None:
                self._below.append(line)
            return
        self._end_block()
        self._text(body, indent)

    def end(self) -> list[str]:
        """Return what is left of all lines."""
        self._end_block()
        return self._out

    def _end_block(self) -> None:
        block, self._below, self._above = self._below, None, -1
        if block and not reads_like_code(block):
            self._out += block
        elif block and any(block):
            self._code(block)

    def _code(self, block: list[str]) -> None:
        self.counts["code blocks"] += 1
        self._out += ["", self.hidden.hide("\n".join(block).strip("\n")) if self.hidden else "", ""]

    def _text(self, body: str, indent: int) -> None:
        if body[0] == "." and (body == ".." or body.startswith((".. ", "..\t"))):
            self._explicit(body, indent)
        elif self._options and _FIELD.match(body):
            pass
        elif body != "::" and (is_rule(body) or not body.strip("+-=| ")):
            self._options = False
        elif body[0] == "|":
            self.counts["table rows"] += 1
            self._out += [cells(body)] if self.tables else []
        else:
            self._options = False
            if body.endswith("::"):
                self._above, self._below = indent, []
                body = body[:-2].rstrip() + ":" if body != "::" else ""
            if body[:1] == body[-1:] == '"':
                body = _QUOTED.sub(" ", body).strip('"')
            self._out.append(_ITEM.sub("", _FIELD.sub("", body)))

    def _explicit(self, body: str, indent: int) -> None:
        """Read a directive, a comment, a link target or a footnote."""
        directive = _DIRECTIVE.match(body)
        if directive:
            name, words = directive[1], directive[2] or ""
            if name in _DROPPED:
                self.counts["code blocks" if name in _CODE else "directives"] += 1
                self._above = indent
                if self.hidden and name in _CODE:
                    self._below = []
            elif name in _TITLED:
                self._out.append(words)
            self._options = name not in _DROPPED
        elif footnote := _FOOTNOTE.match(body):
            self._out.append(body[footnote.end() :])
        else:
            self.counts["comments"] += 1
            self._above = indent


def _inline(text: str, hidden: Hidden) -> str:
    """Return `text` without what is marked up within lines."""
    text = hide_code(text.replace("\\ ", ""), hidden, single=False)
    if "`" in text:
        text = _LINK.sub(lambda match: match[1].rstrip(), text)
    if "]_" in text:
        text = _MARK.sub("", text)
    return _SUBSTITUTION.sub(r"\1", strip_emphasis(text))
