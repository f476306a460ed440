"""Paragraphs that stand in more than one place: a paragraph is a line of so many folded characters.

Two paragraphs are the same as two texts are (see `exact`); shorter lines are never touched. Of equal ones
the first stays, wherever the others stand: in other documents or further down in the same one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from zhbert.clean.exact import Hashes, hashes
from zhbert.clean.fold import fold
from zhbert.clean.runs import Numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paragraphs:
    """The hashes of the paragraphs of some texts; `texts` and `lines` say where each one stands."""

    hashes: Hashes
    texts: Numbers
    lines: Numbers


def paragraphs(texts: Sequence[str], *, shortest: int = 20) -> Paragraphs:
    """Return the paragraphs of texts, in order.

    >>> found = paragraphs(["版权所有，不得转载。\\n短", "正文\\n版权所有， 不得转载。"], shortest=10)
    >>> found.texts.tolist(), found.lines.tolist(), len(set(found.hashes.tolist()))
    ([0, 1], [0, 1], 1)
    """
    lines = [text.split("\n") for text in texts]
    counts = np.fromiter(map(len, lines), np.int64, len(texts))
    folded = fold([line for of_text in lines for line in of_text])
    long = np.flatnonzero(folded.lengths >= max(shortest, 1))
    text_of_line = np.repeat(np.arange(len(texts)), counts)[long]
    first_line = np.cumsum(counts) - counts
    return Paragraphs(
        hashes=hashes(folded.only(long)), texts=text_of_line, lines=long - first_line[text_of_line]
    )


def without(text: str, lines: Collection[int]) -> str:
    """Return a text without the lines of these numbers.

    >>> without("第一行\\n第二行\\n第三行", {1})
    '第一行\\n第三行'
    """
    return "\n".join(line for number, line in enumerate(text.split("\n")) if number not in lines)
