"""Which script the characters of a text belong to, counted over many texts at once."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

SCRIPTS = ("other", "Han", "Latin", "digits", "punctuation", "kana", "hangul", "space")
_RANGES = {
    "Han": "㐀-䶿 一-鿿 豈-﫿 𠀀-𯿿 𰀀-𲎯 〇-〇",
    "Latin": "A-Z a-z À-Ö Ø-ö ø-ɏ Ａ-Ｚ ａ-ｚ",
    "digits": "0-9 ０-９ ①-⒛ Ⅰ-ⅿ",
    "punctuation": "!-/ :-@ [-` {-~ ¡-¿ ‐-‧ ‰-⁞ 、-〃 〈-】 〔-〟 ！-／ ：-＠ ［-｀ ｛-･ ︐-﹫",
    "kana": "ぁ-ゟ ゠-ヿ ㇰ-ㇿ ｦ-ﾟ",
    "hangul": "ᄀ-ᇿ ㄱ-ㆎ 가-힣",
    "space": "\t-\r  -  \x85-\x85 \xa0-\xa0 \u2000-\u200a \u2028-\u2029 \u202f-\u202f \u3000-\u3000",
}


def count_scripts(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return how many characters of each script every text has, in the order of SCRIPTS.

    >>> dict(zip(SCRIPTS, count_scripts(["我爱 NLP，真的！"])[0].tolist(), strict=True))
    {'other': 0, 'Han': 4, 'Latin': 3, 'digits': 0, 'punctuation': 2, 'kana': 0, 'hangul': 0, 'space': 1}
    """
    codes_C = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    text_C = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    both_C = text_C * len(SCRIPTS) + _table()[codes_C]
    return np.bincount(both_C, minlength=len(texts) * len(SCRIPTS)).reshape(len(texts), len(SCRIPTS))


def han_shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of Han among the characters of each text that are not space."""
    visible = counts.sum(axis=1) - counts[:, SCRIPTS.index("space")]
    shares: NDArray[np.float64] = counts[:, SCRIPTS.index("Han")] / np.maximum(visible, 1)
    return shares


@cache
def _table() -> NDArray[np.uint8]:
    table = np.zeros(0x110000, dtype=np.uint8)
    for name, ranges in _RANGES.items():
        for first, last in ((part[0], part[-1]) for part in _split(ranges)):
            table[ord(first) : ord(last) + 1] = SCRIPTS.index(name)
    return table


def _split(ranges: str) -> list[str]:
    """Return the ranges, each "a-z": three characters, a space between two of them."""
    return [ranges[i : i + 3] for i in range(0, len(ranges), 4)]
