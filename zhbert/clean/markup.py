"""The step `markup`: Markdown and reStructuredText become the text that a reader would see.

A document is taken for reStructuredText when it has more directives and targets than Markdown headings,
fences and links, or nothing of either but roles; plain text and HTML remnants go the way of Markdown.
Put this step before `normalise`, which takes away indentation, and `boilerplate` after it.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Literal

from pydantic import Field

from zhbert.clean.base import Outcome, Step, StepConfig
from zhbert.clean.markdown import strip_markdown
from zhbert.clean.restructured import strip_rst

_RST = re.compile(r"^[ \t]*+\.\.[ \t]+(?:[A-Za-z](?:[0-9A-Za-z._+-]|:(?!:))*+::|_[^:\n]++:|\|)", re.MULTILINE)
_ROLE = re.compile(r":[a-z]++(?::[a-z]++)?:`")
_MARKDOWN = re.compile(r"^#{1,6} |^[ \t]*+```|\]\(", re.MULTILINE)

DIALECTS: dict[str, Callable[..., str]] = {"markdown": strip_markdown, "rst": strip_rst}


class Markup(StepConfig):
    """How marked-up text becomes plain text."""

    dialect: Literal["auto", "markdown", "rst"] = Field(
        default="auto", description="what documents are written in; auto looks at each"
    )
    code: bool = Field(default=False, description="keep code blocks (inline code always stays)")
    tables: bool = Field(default=True, description="keep the cells of tables, a line for each row")

    def make(self) -> Step:
        """Return the function that does the step."""
        return self._apply

    def _apply(self, text: str) -> Outcome:
        counts: Counter[str] = Counter()
        text = text.replace("\r\n", "\n")
        dialect = detect(text) if self.dialect == "auto" else self.dialect
        text = DIALECTS[dialect](text, counts, code=self.code, tables=self.tables)
        return Outcome(text=text, changes={name: number for name, number in counts.items() if number})


def detect(text: str) -> str:
    """Return what a document seems to be written in.

    >>> detect("标题\\n====\\n\\n.. note:: 注意"), detect("# 标题\\n\\n见[这里](a.md)"), detect("只是文字")
    ('rst', 'markdown', 'markdown')
    """
    markdown = len(_MARKDOWN.findall(text))
    rst = len(_RST.findall(text)) or (not markdown and bool(_ROLE.search(text)))
    return "rst" if rst > markdown else "markdown"
