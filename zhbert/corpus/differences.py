"""Two texts that are nearly the same, cut into what they share and what only one of them has."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from zhbert.score.marks import Piece

_ALIKE = 0.5  # below this a text full of marks says less than the text alone
_WHOLE = 300  # as many characters as the build keeps of a text: one of this length goes on


def differences(kept: str, dropped: str) -> list[Piece]:
    """Return the dropped text in pieces: plain where both agree, "less" and "more" where they do not.

    >>> [(piece.text, piece.classes) for piece in differences("北京市二〇一八年条例", "北京市二〇二〇年条例")]
    [('北京市二〇', ''), ('一八', 'less'), ('二〇', 'more'), ('年条例', '')]
    """
    matcher = SequenceMatcher(None, kept, dropped, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return [Piece(dropped)]
    return list(_pieces(matcher, kept, dropped))


def _pieces(matcher: "SequenceMatcher[str]", kept: str, dropped: str) -> Iterator[Piece]:
    cut = max(len(kept), len(dropped)) >= _WHOLE
    for what, a, b, c, d in matcher.get_opcodes():
        at_end = cut and b == len(kept) and d == len(dropped)  # behind a cut they may well agree
        marked = what != "equal" and not at_end
        parts = [(kept[a:b], "less")] if marked else []
        parts.append((dropped[c:d], "more" if marked else ""))
        yield from (Piece(text, name) for text, name in parts if text)
