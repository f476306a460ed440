"""jieba's words at the speed of its Rust twin: rjieba, with all that it cuts otherwise put right.

What is peculiar. rjieba 0.2.2 (jieba-rs 0.11) has jieba's dictionary, sums and ties, but

- it takes more characters for Han: those after U+9FD5, the extensions, the compatibility forms. jieba
  always cuts beside them, as beside a space; so the twin is shown a space in their place;
- it keeps `github.com` and `11-87` whole, where jieba keeps only `3.5` and `3.5%`. A "-", a "_" and a "."
  before a letter never join anything in jieba; so the twin is shown, for each, a rare character that joins
  nothing and is in no word. What is left to be cut again are a few numbers like `1.2.3` and `3.5mm`;
- its model of unknown words has six decimals, and so it cuts 常在朕心 and 赞赞赞赞赞 otherwise than jieba.
  `CLOSE` holds all pairs of characters for which the other decimals matter, `THRICE` the characters that are
  as close to themselves and were seen three times in a row in 280 MB of real text. Where they stand outside
  known words, jieba's own model does the guessing. Of 3.3 million unknown strings in that text no other is as
  close; of 48 million strings of random characters nine are, eight with one character three times.

What is shown stands one for one for what is there, so that places stay the same; user words are shown the
same way. A dictionary of which the twin might make something else is not taken (see `_is_clear`), nor is
an rjieba that cuts `_PROBE` otherwise.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from math import log
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from zhbert.text import lattice
from zhbert.text.lexicon import Lexicon

if TYPE_CHECKING:
    from rjieba import Jieba

Ends = npt.NDArray[np.int64]

_INT64 = np.dtype(np.int64)
CLOSE = (
    "仇苏仇蘇佛执俞堤叠叔吊芍嗣歌嘘禽噓禽夫人婉絹婉绢审怛审榫审溆审玎审畬审肟审鞒審怛審榫審溆審玎審畬審肟審鞒"
    "峒履常在应脊心咸應脊採腮摒彭末置杭汽枇使棉健溯华溯華现嘱现囑現嘱現囑疊叔疫柯知鴨知鸭磁难磁難移懂紕銖紕铢"
    "纰銖纰铢脯土賜鼠赐鼠采腮隔若顏篮顏籃颜篮颜籃鹤榻"
)
THRICE = "亿何假发口周子差当惨抵操水湯火烦爆盧省脏虐行贺赞超"
_PAIRS = list(zip(CLOSE[::2], CLOSE[1::2], strict=True))
_CLOSE = re.compile("|".join([*map("".join, _PAIRS), *(char * 3 for char in THRICE)]))
_RARE = "\u3400-\u4dbf\u9fd6-\u9fff\uf900-\ufaff\ud800-\udfff\U00020000-\U0003ffff"
_FOREIGN = re.compile(f"[{_RARE}]")
_ODD = re.compile(  # _CLOSE or _FOREIGN in one go
    f"[{CLOSE[::2]}{THRICE}{_RARE}](?:(?<=[{_RARE}])|(?<=([{THRICE}]))\\1\\1|(?=[{CLOSE[1::2]}])(?:"
    + "|".join(f"(?<={first}){second}" for first, second in _PAIRS)
    + "))"
)
_DASH, _LINE, _DOT = "\u3400\u3401\u3402"  # foreign to jieba, and therefore in no word
_NOWHERE = "\ue000"  # a word that is never found: with it the frequencies add up to jieba's total
_DOT_BEFORE_LETTER = re.compile(r"\.(?=[a-zA-Z])")
_JOINED = re.compile(r"\.(?<=[a-zA-Z0-9]\.)(?=[a-zA-Z]|[0-9]+(?:[a-zA-Z]|\.[a-zA-Z0-9]))")
_HAN = re.compile("[\u4e00-\u9fd5]+")
_BLOCK = re.compile(f"[{lattice.JOINING}]+")
_BREAK = re.compile(rf"[^{lattice.JOINING}\r]")  # jieba cuts behind it, whatever follows
_PIECE = 4096  # characters; a text of 3 MB in one piece takes half as long again, for its words fit no cache
_PROBE = "小明硕士毕业于a.b-c_1%与3.5mm㐀"  # other versions of rjieba may cut it otherwise
_PROBED = [2, 4, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 19, 21, 22]  # by jieba's model alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """jieba in Rust, its words that have a dot in them, and the words that it must not guess."""

    jieba: "Jieba"
    cut: Callable[[str], list[str]]
    dotted: frozenset[str] = frozenset()
    split: frozenset[str] = frozenset()

    def ends(self, text: str) -> Ends:
        """Return where jieba's words end.

        >>> twin().ends("用torch.nn做3.5mm的A-1").tolist()
        [1, 6, 7, 9, 10, 13, 15, 16, 17, 18, 19]
        """
        if not text:
            return np.zeros(0, _INT64)
        if len(text) > _PIECE and len(pieces := _pieces(text)) > 1:
            return np.concatenate([self.ends(piece) + start for start, piece in pieces])
        odd = not text.isascii() and _ODD.search(text)
        if odd:
            text = _FOREIGN.sub(" ", text)
        shown = text.replace("-", _DASH).replace("_", _LINE)
        dots = "." in shown
        if dots and not self.dotted:
            shown = _DOT_BEFORE_LETTER.sub(_DOT, shown)
        words = self.cut(shown)
        if self.split and not self.split.isdisjoint(words):
            words = [part for word in words for part in (word if word in self.split else (word,))]
        ends = np.add.accumulate(np.fromiter(map(len, words), _INT64, len(words)))
        if odd:
            ends = self._weighed(text, ends)
        return self._apart(shown, ends) if dots and _JOINED.search(shown) else ends

    def _weighed(self, text: str, ends: Ends) -> Ends:
        """Return where the words end once jieba's own model has guessed wherever it might be close."""
        start = stop = 0
        for match in _CLOSE.finditer(text):
            if match.start() >= stop:
                start, stop = _block_at(match.start(), text)
                borders = set(accumulate(map(len, self._route(text[start:stop])), initial=start))
            if borders.issuperset(range(match.start(), match.end() + 1)):  # no word of the dictionary is here
                words = lattice.guess(text[start:stop], self._route, self._knows, self.split)
                first, last = ends.searchsorted([start, stop], "right")
                ends = np.concatenate([ends[:first], lattice.ends(words) + start, ends[last:]])
                borders = set()  # once is enough
        return ends

    def _knows(self, run: str) -> bool:
        known: bool = self.jieba.has_word(_shown(run))
        return known

    def _route(self, block: str) -> Iterator[str]:
        """Yield the words of a block without any guesses; the twin joins letters and digits even then."""
        start = 0
        for length in map(len, self.jieba.cut(_shown(block), False)):
            word, start = block[start : start + length], start + length
            yield from word if word.isascii() and word.isalnum() and not self._knows(word) else (word,)

    def _apart(self, shown: str, ends: Ends) -> Ends:
        """Return where the words end once the joined ones among them are cut as jieba would."""
        joined = {_word_at(match.start(), ends) for match in _JOINED.finditer(shown)}
        more = [
            start + cut
            for start, end in joined
            if (word := shown[start:end]) not in self.dotted
            for cut in list(accumulate(map(len, filter(None, lattice.LATIN.split(word)))))[:-1]
        ]
        return np.sort(np.concatenate([ends, np.array(more, np.int64)]), kind="stable")


def twin(lexicon: Lexicon | None = None) -> Twin | None:
    """Return jieba's twin with its own dictionary or the given one; None where it might differ from jieba.

    >>> twin(Lexicon({"云": 0, "云计": 0, "云计算": 9}, 9, frozenset())).ends("云计算机").tolist()
    [3, 4]
    """
    from rjieba import Jieba

    jieba = Jieba.empty()  # type: ignore[no-untyped-call]  # its stub says no more
    if Twin(jieba=jieba, cut=jieba.cut).ends(_PROBE).tolist() != _PROBED:
        return None
    if lexicon is None:
        jieba = Jieba()
        return Twin(jieba=jieba, cut=jieba.cut)
    dotted = frozenset(word for word, count in lexicon.frequencies.items() if count and "." in word)
    if not _is_clear(lexicon, dotted):
        return None
    rest = lexicon.total
    for word, count in lexicon.frequencies.items():
        if count and not _FOREIGN.search(word):
            rest -= jieba.add_word(_shown(word), count, None)
    jieba.add_word(_NOWHERE, rest, None)
    guessed = frozenset(filter(_HAN.fullmatch, lexicon.split))
    return Twin(jieba=jieba, cut=jieba.cut, dotted=frozenset(map(_shown, dotted)), split=guessed)


def _pieces(text: str) -> list[tuple[int, str]]:
    """Return a long text in pieces between which jieba always cuts, each with its place."""
    pieces, start = [], 0
    while start < len(text):
        match = _BREAK.search(text, start + _PIECE)
        end = match.end() if match else len(text)
        pieces.append((start, text[start:end]))
        start = end
    return pieces


def _word_at(place: int, ends: Ends) -> tuple[int, int]:
    at = int(ends.searchsorted(place, "right"))
    return int(ends[at - 1]) if at else 0, int(ends[at])


def _block_at(place: int, text: str) -> tuple[int, int]:
    """Return what jieba looks at as a whole: the characters around a place up to where it always cuts."""
    before, behind = (_BLOCK.match(part) for part in (text[place::-1], text[place:]))
    assert before is not None
    assert behind is not None
    return place + 1 - before.end(), place + behind.end()


def _shown(text: str) -> str:
    return text.replace("-", _DASH).replace("_", _LINE)


def _is_clear(lexicon: Lexicon, dotted: frozenset[str]) -> bool:
    """Tell whether a word that the twin gives says by itself whether it is in the dictionary or guessed.

    A dotted word is never put together from single characters as long as it weighs more than they do,
    which holds until single letters and digits are given the frequencies of whole corpora.
    """
    counts, logs = lexicon.frequencies, log(lexicon.total)
    for word in dotted:
        letters = sum(log(counts.get(char) or 1) - logs for char in word)
        if len(word) > 1 and log(counts[word]) - logs < letters + 1e-6:
            return False
    return lexicon.total < 2**53 and not any(counts[word] for word in lexicon.split)
