"""Cut with jieba's dictionary and hidden Markov model: jieba's words exactly, in linear time.

What is peculiar:

- jieba 0.42.1 copies the whole path at every step of its Viterbi search, so that one run of n characters
  that are in no word costs n² steps: minutes for 300,000. Here the search leaves one byte per step and
  walks back.
- Every sum is taken in jieba's order and every tie is broken jieba's way, so the words are the same ones.
- Only jieba's tables are read. None of its globals is written, and its forced splits, which other code
  in the process may have filled through `jieba.del_word`, are not consulted: they are an argument.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from math import log

import numpy as np
import numpy.typing as npt

Weights = dict[str, float | None]

JOINING = r"\u4E00-\u9FD5a-zA-Z0-9+#&._%\-"  # jieba: re_han_default; it cuts beside all other characters
LATIN = re.compile(r"([a-zA-Z0-9]+(?:\.\d+)?%?)")  # jieba.finalseg: re_skip
_BLOCKS = re.compile(rf"([{JOINING}]+)|\r\n|[\s\S]")
_HAN_OR_NOT = re.compile(r"([\u4E00-\u9FD5]+)|[^\u4E00-\u9FD5]+")  # jieba.finalseg: re_han
_IMPOSSIBLE = -3.14e100  # jieba.finalseg: MIN_FLOAT


def weigh(frequencies: dict[str, int], total: int) -> Weights:
    """Return the log probability of every word, None for what only begins one; "" stands for the unknown.

    >>> weigh({"北": 0, "北京": 9}, 9)
    {'北': None, '北京': 0.0, '': -2.1972245773362196}
    """
    logs = log(total)
    weights: Weights = {word: log(count) - logs if count else None for word, count in frequencies.items()}
    weights[""] = log(1) - logs
    return weights


def ends(words: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return where each of some words ends in the text that they make up.

    >>> ends(["在", "北京", " ", "3.5%"]).tolist()
    [1, 3, 4, 8]
    """
    return np.fromiter(accumulate(map(len, words)), dtype=np.int64)


def cut(text: str, weights: Weights, *, split: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the words of `text`; the model's guesses that are in `split` come character by character.

    >>> list(cut("在北京 3.5%", weigh({"北": 0, "北京": 9}, 9)))
    ['在', '北京', ' ', '3.5%']
    """
    return guess(text, lambda block: _best(block, weights), lambda run: weights.get(run) is not None, split)


def guess(
    text: str,
    route: Callable[[str], Iterable[str]],
    known: Callable[[str], bool],
    split: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """Yield the words of `text`: those of a route through the dictionary, and guesses where it has none.

    >>> list(guess("小明去上海", str, lambda run: False))
    ['小明', '去', '上海']
    """
    for block in _BLOCKS.finditer(text):
        if block[1] is None:
            yield block[0]
        else:
            yield from _guess_block(route(block[1]), known, split)


def _guess_block(words: Iterable[str], known: Callable[[str], bool], split: frozenset[str]) -> Iterator[str]:
    """Yield the words of a route; what it leaves as single characters goes to the model."""
    loose: list[str] = []
    for word in words:
        if len(word) == 1:
            loose.append(word)
            continue
        yield from _guess_run("".join(loose), known, split)
        yield word
        loose = []
    yield from _guess_run("".join(loose), known, split)


def _best(block: str, weights: Weights) -> Iterator[str]:
    ends, start = _route(block, weights), 0
    while start < len(block):
        yield block[start : ends[start]]
        start = ends[start]


def _route(block: str, weights: Weights) -> list[int]:
    """Return, for every place, where the word that begins there ends on the best route to the end."""
    size, unknown = len(block), weights[""]
    assert unknown is not None
    best, ends = [0.0] * (size + 1), [0] * size
    for start in range(size - 1, -1, -1):
        top, top_end = None, start + 1
        end = start + 1
        while end <= size and (piece := block[start:end]) in weights:
            weight = weights[piece]
            if weight is not None and (top is None or weight + best[end] >= top):
                top, top_end = weight + best[end], end
            end += 1
        best[start] = unknown + best[start + 1] if top is None else top
        ends[start] = top_end
    return ends


def _guess_run(run: str, known: Callable[[str], bool], split: frozenset[str]) -> Iterator[str]:
    if len(run) < 2 or known(run):  # a word that the route has chosen not to make
        yield from run
        return
    for part in _HAN_OR_NOT.finditer(run):
        if part[1] is None:
            yield from filter(None, LATIN.split(part[0]))
            continue
        for word in _guess_han(part[1]):
            yield from word if word in split else (word,)


def _guess_han(run: str) -> Iterator[str]:
    """Yield the words that the hidden Markov model makes of a run of Han characters."""
    start = 0
    for place, state in enumerate(_states(run), 1):
        if state in "ES":
            yield run[start:place]
            start = place


def _states(run: str) -> str:
    """Return the best state of every character: Begin, Middle, End or Single.

    >>> _states("小明去上海")
    'BESBE'
    """
    from jieba.finalseg import emit_P, start_P, trans_P

    emit_b, emit_m, emit_e, emit_s = (emit_P[state].get for state in "BMES")
    (be, bm), (me, mm), (eb, es), (sb, ss) = ([trans_P[a][b] for b in to] for a, to in _AFTER.items())
    b, m, e, s = (start_P[state] + emit_P[state].get(run[0], _IMPOSSIBLE) for state in "BMES")
    steps = bytearray()
    for char in run[1:]:
        in_b, in_m = emit_b(char, _IMPOSSIBLE), emit_m(char, _IMPOSSIBLE)
        in_e, in_s = emit_e(char, _IMPOSSIBLE), emit_s(char, _IMPOSSIBLE)
        b_e, b_s, m_b, m_m = e + eb + in_b, s + sb + in_b, b + bm + in_m, m + mm + in_m
        e_b, e_m, s_e, s_s = b + be + in_e, m + me + in_e, e + es + in_s, s + ss + in_s
        steps.append((b_s >= b_e) | (m_m >= m_b) << 1 | (e_m >= e_b) << 2 | (s_s >= s_e) << 3)
        b, m, e, s = max(b_e, b_s), max(m_b, m_m), max(e_b, e_m), max(s_e, s_s)
    return _walk_back("S" if s >= e else "E", steps)


def _walk_back(state: str, steps: bytearray) -> str:
    path = [state]
    for step in reversed(steps):
        bit, before = _BEFORE[state]
        state = before[step >> bit & 1]
        path.append(state)
    return "".join(reversed(path))


_AFTER = {"B": "EM", "M": "EM", "E": "BS", "S": "BS"}
_BEFORE = {"B": (0, "ES"), "M": (1, "BM"), "E": (2, "BM"), "S": (3, "ES")}  # the bit, and what 0 and 1 mean
