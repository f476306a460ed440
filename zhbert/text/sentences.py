"""Cut a text into sentences, as ranges that cover it without a gap.

What is peculiar:

- White space belongs to the sentence before it, so ranges can be joined again without loss.
- Closing quotes and brackets stay with the sentence that they close. A straight double quote closes when
  it is the second, fourth, ... on its line.
- A sentence ends after 。！？； and a whole ellipsis (…… or six dots; one … is a pause), at a line break,
  and after . ! ? before white space; ! ? ; also end one beside a Chinese character ("太好了!下次再来").
- 3.14, readme.md and www.x.com have no white space after the dot; "Dr. Li", "J. Smith", "e.g. this" and
  the number of a list item ("1. 首先") are held together by `_GOES_ON`.
- Every pattern is possessive: a run of 300,000 dots costs one pass.
- `_END` is the rule. Of the runs of characters that it can touch nearly all have one of a few plain shapes
  ("。", "）。\\n", the dot of 3.14); these are known in arrays, and `_END` is tried in the others only.

Shapes: N characters, I those of them that are in runs, R runs; `_R2` is a start and an end.
"""

import re
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from zhbert.text.blob import Blob, Bools, Places, Ranges

_WIDE_FROM = 0x2E80  # from the Chinese radicals up: Han, full-width forms, emoji
_WIDE = r"⺀-\U0010ffff"
_CLOSERS = "”’」』）】》〉〕］｝﹂﹄»＂＇)]}"
_CLOSER = f"[{re.escape(_CLOSERS)}]"
_SURES = "。！？；｡"
_MAY_END = ".!?;…⋯．\n\r\v\f\x85\u2028\u2029" + _SURES
_END = re.compile(
    rf"""(?: (?<![.!?…⋯]) [.!?…⋯]*+ [{_SURES}] [{_SURES}.!?…⋯]*+
           | (?: …{{2}} | ⋯{{2}} | \.{{6}} ) [.!?…⋯]*+
           | (?<=[{_WIDE}”’…]) (?: [!?;]++ | ．(?!\d) )
           | (?<![!?]) [!?]++ (?=[{_WIDE}])
           | (?<![.!?]) [.!?]++ (?={_CLOSER}*+ '?+ (?:\s|\Z))
         ) (?: {_CLOSER} | '(?=\s|\Z) )*+ \s*+
       | [\n\r\v\f\x85\u2028\u2029] \s*+""",
    re.VERBOSE,
)
_GOES_ON = re.compile(
    r"(?:^\d{1,3}|(?:^|(?<=[\s(（]))(?:[A-Z]|Mrs?|Ms|Dr|Prof|St|No|Fig|vs|e\.g|i\.e))\.[^\S\n]+\Z"
)
_MAY_BEGIN = re.compile(f"[{re.escape(_MAY_END)}]")
_LONGEST = 8  # characters before the dot: more than any word of `_GOES_ON`

Kinds = npt.NDArray[np.uint16]
_SURE, _SHUT, _SPACE, _LINE, _DOT, _MARK, _OTHER, _QUOTE = (np.uint16(1 << bit) for bit in range(8))
_AGAIN, _SHUT_LATE, _SURE_LATE = (np.uint16(1 << bit) for bit in range(8, 11))  # because of what is before it
_BLANK = _SPACE | _LINE
_LATE = _SHUT_LATE | _SURE_LATE


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the half-open ranges of the sentences of `text`, which cover it without a gap.

    >>> text = "他说：“走吧！”于是花了3.14元……完了？\\n没有。"
    >>> [text[start:end] for start, end in sentences(text)]
    ['他说：“走吧！”', '于是花了3.14元……', '完了？\\n', '没有。']
    """
    return list(pairwise([0, *sentence_ends(Blob.of(text)).tolist()]))


def sentence_ends(blob: Blob) -> Places:
    """Return where the sentences of a text end, the last one with the text.

    >>> sentence_ends(Blob.of("走吧！于是花了3.14元……完")).tolist()
    [3, 14, 15]
    """
    runs_R2, kinds_R = _runs(blob)
    single_R = (kinds_R == _DOT) | (kinds_R == _MARK)
    single_R &= runs_R2[:, 1] - runs_R2[:, 0] == 1
    plain_R = _is_plain(kinds_R)
    plain_R[single_R] = _beside_wide(blob, runs_R2[single_R, 0])
    plain = runs_R2[plain_R, 1]
    others = _tried(blob, runs_R2[~plain_R & ~single_R], plain)
    ends = np.sort(np.concatenate([plain, np.array(others, dtype=np.int64), [len(blob)]]), kind="stable")
    return ends[np.diff(ends, prepend=0) > 0]


def _runs(blob: Blob) -> tuple[Ranges, Kinds]:
    """Return the runs of characters in which a sentence may end, and what there is in each."""
    marks_N = _marks().take(blob.codes, mode="clip")
    places_I = np.flatnonzero(marks_N)
    marks_I, follows_I = marks_N[places_I], np.diff(places_I, prepend=-2) == 1
    before, after = np.where(follows_I[1:], marks_I[:-1], 0), marks_I[1:]
    after |= ((before & _BLANK > 0) & (after & _BLANK == 0)) * _AGAIN
    after |= ((before & _DOT > 0) & (after & _DOT > 0)) * _AGAIN
    after |= ((before & _SURE > 0) & (after & _SHUT > 0)) * _SHUT_LATE
    after |= ((before & _SHUT > 0) & (after & _SURE > 0)) * _SURE_LATE
    firsts_R = np.flatnonzero(~follows_I)
    kinds_R = np.bitwise_or.reduceat(marks_I, firsts_R) if len(firsts_R) else marks_I
    lasts_R = np.append(firsts_R[1:], len(places_I))[: len(firsts_R)] - 1
    runs_R2 = np.stack([places_I[firsts_R], places_I[lasts_R] + 1], axis=1)
    may_R = kinds_R & (_SURE | _LINE | _DOT | _MARK | _OTHER) > 0
    return runs_R2[may_R], kinds_R[may_R]


def _is_plain(kinds_R: Kinds) -> Bools:
    """Tell which runs end one sentence, where they end: "）。\\n", "\\n", ".\\n" and their like."""
    sure_R = (kinds_R & ~(_SURE | _SHUT | _BLANK | _LATE) == 0) & (kinds_R & _LATE != _LATE)
    dot_R = (kinds_R & ~(_DOT | _BLANK) == 0) & (kinds_R & _LINE > 0)
    plain_R: Bools = sure_R | dot_R
    return plain_R


def _beside_wide(blob: Blob, places: Places) -> Bools:
    """Tell which single . ! ? ; end a sentence: ! ? ; behind a wide character, ! ? before one."""
    codes, after = blob.codes[places], blob.codes[np.minimum(places + 1, len(blob) - 1)]
    wide_before = (blob.codes[places - 1] >= _WIDE_FROM) & (places > 0)
    wide_after = (after >= _WIDE_FROM) & (codes != ord(";"))
    ends: Bools = (wide_before | wide_after) & (codes != ord("."))
    return ends


def _tried(blob: Blob, runs_R2: Ranges, plain: Places) -> list[int]:
    """Return where `_END` finds that sentences end in some runs; `plain` are the ends that are known."""
    found: list[int] = []
    if not len(runs_R2):
        return found
    text, curled, start = blob.text, _with_curly_quotes(blob), 0
    known_R = np.append(0, plain)[np.searchsorted(plain, runs_R2[:, 0], side="right")]
    for (first, stop), known in zip(runs_R2.tolist(), known_R.tolist(), strict=True):
        start = done = max(start, known)
        for place in _MAY_BEGIN.finditer(curled, first, stop):
            match = _END.match(curled, place.start()) if place.start() >= done else None
            if not match:
                continue
            begin, done = match.span()
            if "." not in match[0] or not _GOES_ON.search(text[max(start, begin - _LONGEST) : done]):
                found.append(done)
                start = done
    return found


def _with_curly_quotes(blob: Blob) -> str:
    """Return a text with the straight double quotes of each line opened and closed in turn.

    >>> _with_curly_quotes(Blob.of('他说"好。"又说"行。"'))
    '他说“好。”又说“行。”'
    """
    quotes = np.flatnonzero(blob.codes == ord('"'))
    if not len(quotes):
        return blob.text
    lines = np.searchsorted(np.flatnonzero(blob.codes == ord("\n")), quotes)
    nth = np.arange(len(quotes)) - np.searchsorted(lines, lines)
    codes = blob.codes.copy()
    codes[quotes] = np.where(nth % 2, ord("”"), ord("“"))
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


@cache
def _marks() -> Kinds:
    """Return what a character may be at the end of a sentence, for those of the first plane."""
    marks = np.zeros(1 << 16, dtype=np.uint16)
    for characters, mark in (
        (re.findall(r"\s", "".join(map(chr, range(1 << 16)))), _SPACE),
        (_MAY_END, _OTHER),
        (_SURES, _SURE),
        (_CLOSERS, _SHUT),
        ("\"'", _QUOTE),
        ("\n", _LINE),
        (".", _DOT),
        ("!?;", _MARK),
    ):
        marks[list(map(ord, characters))] = mark
    return marks
