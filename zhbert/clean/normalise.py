"""The step `normalise`: invisible characters, widths, spaces, and traditional to simplified.

What is peculiar:

- NFKC is off by default: it turns "，" into "," and a model would then have to be given folded texts for
  ever. `width=half` folds what has no Chinese use, full-width Latin letters and digits, and keeps "，".
- White space is tidied by default: a BERT tokenizer never sees the difference, but line figures, repeated
  lines and paragraphs, and a reader do. Runs of spaces become one, lines lose the spaces around them, and
  at most one blank line separates paragraphs; single spaces of any kind and line breaks stay.
- A clean text costs a few scans in C, 8 ms per MB, most of it the search for runs of spaces.
"""

import re
from typing import Literal

from pydantic import Field

from zhbert.clean.base import Outcome, Step, StepConfig
from zhbert.text.normalize import normal_text

_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ]+")
_HALF = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
_SPACES = re.compile(r"[^\S\n]{2,}")
_GAP = re.compile(r"\n{3,}")


class Normalise(StepConfig):
    """How characters are brought into one form."""

    controls: bool = Field(
        default=True, description="remove invisible characters; every line break becomes one"
    )
    nfkc: bool = Field(
        default=False, description="fold ，Ａ㎏ and the like (NFKC); a model then needs texts folded too"
    )
    width: Literal["keep", "half"] = Field(
        default="keep", description="half: full-width letters and digits become ASCII, punctuation stays"
    )
    simplify: bool = Field(default=False, description="turn traditional characters into simplified ones")
    whitespace: bool = Field(
        default=True, description="one space for many, no spaces around lines, one blank line"
    )

    def make(self) -> Step:
        """Return the function that does the step."""
        return self._apply

    def _apply(self, text: str) -> Outcome:
        text = normal_text(text, nfkc=self.nfkc, controls=self.controls, simplify=self.simplify)
        if self.width == "half" and _WIDE.search(text):
            text = _WIDE.sub(lambda match: match[0].translate(_HALF), text)
        return Outcome(text=tidy(text) if self.whitespace else text)


def tidy(text: str) -> str:
    """Return `text` with one space for a run of spaces, bare line ends and at most one blank line at a time.

    >>> tidy("　　第一段  有空格。 \\n\\n\\n　　第二段。\\n")
    '第一段 有空格。\\n\\n第二段。'
    """
    text = "\n".join(map(str.strip, _SPACES.sub(" ", text).split("\n"))).strip("\n")
    return _GAP.sub("\n\n", text) if "\n\n\n" in text else text
