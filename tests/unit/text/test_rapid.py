"""jieba's Rust twin: where it cuts otherwise it is put right, and what might mislead it is not taken."""

import random
import time
from itertools import product

import jieba
import numpy as np
import pytest
import rjieba
from jieba.finalseg import emit_P, start_P, trans_P

from zhbert.text import lattice
from zhbert.text.lexicon import Lexicon, UserWord, lexicon
from zhbert.text.rapid import CLOSE, THRICE, Twin, twin

ALPHABET = [
    *"ab12.-_%+ 中常在水龘㐀㐁㐂鿿\ue000\n\ud800",
    "3.5",
    "1.2.3",
    "常在中",
    "赞赞赞赞赞",
    "\r\n",
    "T恤",
]


@pytest.fixture(scope="module")
def default() -> Twin:
    made = twin()
    assert made
    return made


def words(text: str, by: Twin) -> list[str]:
    ends = by.ends(text).tolist()
    return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]


@pytest.fixture(scope="module")
def theirs() -> jieba.Tokenizer:
    """Return jieba with its packaged dictionary; it writes no cache."""
    return tokenizer(lexicon())


def tokenizer(known: Lexicon) -> jieba.Tokenizer:
    made = jieba.Tokenizer()
    made.FREQ, made.total, made.initialized = known.frequencies, known.total, True
    return made


@pytest.mark.parametrize(
    "text",
    [
        "github.com 11-87 a_b.c-d.e ...--__ v2.0.1 1.2.3.4.5% .5.6 a.5b.7%c 3.5mm 2.4S店 3%.5 5%%",
        "x-1的y_2和C#.NET、AT&T.5与c++-3，A股-B股 U盘.x",
        "㐀中㐁国㐂 a㐀b 𠀀𠀁鿖鿕鿿豈10㐀.5 \ud800\udfff中\ud800国\U00030000\U0003ffff",
        "\r\n\r\r\n\n\x00\u2028\u200b😀😀\ue000\ufffe\uffff٣²",
        "上常在朕心，常在您，常在我的；经常在的。末置于此 知鸭 颜篮",
        "赞赞赞赞赞，赞赞赞赞赞赞赞。差差差差差差评 哈哈哈哈哈 又要吃土了嘤嘤嘤嘤嘤 龘龘龘龘龘",
        "，".join(char * times for char in THRICE for times in range(3, 10)),
    ],
)
def test_what_the_twin_cuts_otherwise_is_put_right(text: str, default: Twin, theirs: jieba.Tokenizer) -> None:
    for part in [text, *text.split(), text * 3]:
        assert words(part, default) == theirs.lcut(part)


def test_the_twin_by_itself_cuts_otherwise(default: Twin, theirs: jieba.Tokenizer) -> None:
    """None of what is put right is put right for nothing."""
    for text in ["a-1", "a_1", "a.b", "1.2.3", "㐀㐀", "鿿鿿", "常在朕心", "赞赞赞赞赞"]:
        assert default.cut(text) != theirs.lcut(text) == words(text, default)


def test_a_long_text_is_cut_in_pieces(default: Twin, theirs: jieba.Tokenizer) -> None:
    rng = random.Random(3)
    mixed = "".join(rng.choices(ALPHABET, k=12_000))
    for text in (mixed, "，" * 4096 + "\r\n中国", "中" * 5000, "。" + "a" * 9000 + "。" * 5000):
        assert words(text, default) == theirs.lcut(text)


def emissions(*, decimals: int) -> np.ndarray:
    """Return jieba's emission scores of B, M, E, S for all Han characters, rounded."""
    table = np.full((4, 0x9FD6 - 0x4E00), np.nan)
    for row, state in enumerate("BMES"):
        for char, score in emit_P[state].items():
            if "\u4e00" <= char <= "\u9fd5":
                table[row, ord(char) - 0x4E00] = round(score, decimals)
    return table


FROM = {**trans_P, "^": {state: start_P[state] for state in "BS"}}
TO = {state: {**trans_P[state], **({"$": 0.0} if state in "ES" else {})} for state in "BMES"}


def steps(before: str, pair: str, behind: str) -> float:
    """Return the score of the steps through two states; a KeyError where one of them is not possible."""
    return FROM[before][pair[0]] + trans_P[pair[0]][pair[1]] + TO[pair[1]][behind]


def test_all_close_pairs_are_listed() -> None:
    """Two readings of a pair of characters between the same neighbours: where do six decimals decide?"""
    exact, rounded = emissions(decimals=30), emissions(decimals=6)
    found = set()
    for one, other in (("BE", "SS"), ("BM", "SB"), ("ES", "ME"), ("EB", "MM")):
        a, b, c, d = ("BMES".index(state) for state in one + other)
        for before, behind in product("^BMES", "BMES$"):
            try:
                ahead = steps(before, one, behind) - steps(before, other, behind)
            except KeyError:
                continue
            firsts, seconds = exact[a] - exact[c] + ahead, exact[b] - exact[d]
            order = np.argsort(seconds)
            low, high = (np.searchsorted(seconds[order], -firsts + by) for by in (-3e-6, 3e-6))
            for x in np.flatnonzero(high > low):
                for y in order[low[x] : high[x]]:
                    less = rounded[a, x] - rounded[c, x] + ahead + rounded[b, y] - rounded[d, y]
                    if (firsts[x] + seconds[y] > 0) != (less > 0):
                        found.add(chr(0x4E00 + x) + chr(0x4E00 + y))
    assert found == {CLOSE[at : at + 2] for at in range(0, len(CLOSE), 2)}


@pytest.mark.slow
def test_small_dictionaries_of_all_kinds() -> None:
    """Heavy single characters, words with dots and dashes, words to come apart: exact, or not taken."""
    rng = random.Random(5)
    taken = 0
    for _ in range(300):
        alphabet = rng.choice([ALPHABET, [*"1.2a中-"]])
        counts = {
            "".join(rng.choices(alphabet, k=rng.choice([1, 1, 2, 3, 4]))): rng.choice([0, 1, 1, 2, 50, 10**5])
            for _ in range(rng.randint(1, 12))
        }
        split = frozenset(word for word, count in counts.items() if not count)
        total = sum(counts.values()) + rng.choice([1, 3, 10**5])
        for word in list(counts):
            counts.update({word[:end]: counts.get(word[:end], 0) for end in range(1, len(word))})
        made = twin(Lexicon(counts, total, split))
        weights = lattice.weigh(counts, total)
        taken += made is not None
        for text in ("".join(rng.choices(alphabet, k=12)) for _ in range(20)):
            assert made is None or words(text, made) == list(lattice.cut(text, weights, split=split))
    assert 250 < taken < 300


@pytest.mark.parametrize(
    "user_words",
    [
        [UserWord("3.5", 1), *(UserWord(char, 10**9) for char in "3.5")],  # "3.5" might be three words
        [UserWord("云计算", 0), UserWord("云计算", 5)],  # a word, and never to be guessed
        [UserWord("云计算", 2**53)],  # more than is counted exactly
    ],
)
def test_a_dictionary_that_is_not_clear_is_not_taken(user_words: list[UserWord]) -> None:
    assert twin(lexicon(tuple(user_words))) is None


def test_another_rjieba_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        empty = staticmethod(lambda: Other())
        cut = staticmethod(str.split)
        has_word = staticmethod(lambda word: False)

    monkeypatch.setattr(rjieba, "Jieba", Other)
    assert twin() is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        *["的", "哈", "中国", "a", "1.", "a.b", "-", " ", "。"],
        *(pytest.param(unit, marks=pytest.mark.slow) for unit in ["赞", "常在", "赞赞赞，"]),
    ],
)
def test_a_long_run_takes_bounded_time(unit: str, default: Twin) -> None:
    text = unit * (300_000 // len(unit))
    before = time.process_time()
    ends = default.ends(text)
    assert time.process_time() - before < 20  # quadratic time would be minutes
    assert ends[-1] == len(text)
