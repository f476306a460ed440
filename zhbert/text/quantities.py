"""Numbers with their units, dates and times of day: a small grammar and its tables.

What is peculiar:

- The grammar is tried only where a number begins that something of the tables follows or precedes, and all
  its repetitions are bounded or possessive: 300,000 digits cost one pass.
- What does not begin with a digit begins where a word begins, and a number with a unit ends where a word
  ends: no "一天" in "统一天下", no "3年" in "3年级". A single numeral needs a unit that says what is meant:
  "三公里", never "一个", "十分" or "一度".
- A date and the time of day after it are two ranges: "2020年3月5日" and "上午9点30分".
- Digits, commas and points may be full-width. A number without a unit is no entity.
"""

import re
from functools import cache

import numpy as np
import numpy.typing as npt

from zhbert.text import measures
from zhbert.text.blob import Blob, Bools, Places

GRAMMAR = {
    "d": "[0-9０-９]",
    "n": "[〇零○一二三四五六七八九十百千万亿兆两廿卅壹贰叁肆伍陆柒捌玖拾佰仟萬億兩]",
    "i": "[一二三四五六七八九]",
    "thousands": "(?:,[0-9]{3}(?!<d>)|，[０-９]{3}(?!<d>))",
    "arabic": "<d>++<thousands>{0,6}(?:[.．]<d>{1,12}(?!<d>))?(?:[余多几]?[十百千万亿兆萬億]{1,3})?",
    "fraction": "(?:点[〇零一二三四五六七八九]{1,8}+)?",
    "number": "(?:<arabic>|<n>{1,24}+<fraction>)",
    "many": "(?:<arabic>|<n>{2,24}+<fraction>|(?<=[数几])<n>|<n>(?=[余多几来]))",
    "few": "(?:<d>{1,2}|<n>{1,3})",
    "to": "(?:-|~|～|—{1,2}|–|－|至|到|或)",
    "era year": "(?:<era>(?:元|<n>{1,3}|<d>{1,3})|元)年",
    "four": "[〇零○一二三四五六七八九]{4}",
    "year": "(?:<d>{4}(?:年?<to><d>{4})?年|<four>年|公元前?<number>年|前<d>{3}年|<era year>)",
    "month": "(?:<d>{1,2}|闰?(?:十[一二]?|[正冬腊元]|<i>))月(?:份|底|末|[上中下]旬|初(?!<i>|十))?",
    "day": "(?:(?:<d>{1,2}|[二三廿]?十?<i>|[二三]?十|初十)[日号]|初(?:<i>|十)|廿<i>?)",
    "ages": "<number>(?:世纪(?:<number>年代)?|年代)[初末]?",
    "weekday": "(?:(?:星期|礼拜)[一二三四五六日天]|周[一二三四五六日](?![次个轮场期名例]))",
    "iso": "<d>{4}(?P<sep>[-/.])<d>{1,2}(?P=sep)<d>{1,2}(?!<d>)",
    "full": "(?:<year>|<few>年(?=<month>))[度初底末]?(?:<month><day>?)?",
    "date": "<full>|<month><day>?|<iso>|<ages>|<d>{1,2}日|<weekday>",
    "clock": "(?<!<d>[:：])(?:[01０１]?<d>|[2２][0-4０-４])[:：]<sixty>(?:[:：]<sixty>)?(?!<d>|[:：])",
    "sixty": "[0-5０-５]<d>",
    "past": "(?:整|半|许|钟|[一三]刻|<few>分(?:<few>秒)?)",
    "of day": "<part of day>(?:<clock>|<few>[点时]<past>?)|[早晚]<d>{1,2}[点时]<past>?",
    "time": "(?:<of day>|<clock>|<few>[点时]<past>)",
    "ordinal": "第<number><ordered>(?:之<n>{1,3})?",
    "dollars": "(?:US|HK)?[$＄](?=<d>(?:<d>|[.．,，]<d>|[十百千万亿]))",
    "money": "(?:<currency>|<dollars>) ?<number>(?:<to><number>)?[余多]?<unit>?",
    "share": "<n>{1,6}分之<number>|零下<number>(?:度|℃|摄氏度)",
    "single": "(?!万岁|千克|万元户)<n><fraction>(?:<to><n>)?<unit>",
    "foreign": "(?: (?=[A-Za-zμ][A-Za-z]))?<latin>(?![A-Za-z0-9])",
    "counted": "[负数几]?<many>(?:<to><number>)?[余多来几]?(?:<unit>|<classifier>|<foreign>)",
    "number with unit": "<ordinal>|<money>|<share>|<counted>|<single>",
}
WORDS = {
    "unit": " ".join(measures.UNITS.values()),
    "classifier": measures.CLASSIFIERS,
    "latin": measures.LATIN,
    "ordered": measures.ORDERED,
    "part of day": measures.PARTS_OF_DAY,
    "currency": measures.CURRENCIES,
    "era": measures.ERAS,
}
KINDS = ("date", "time", "number")

_BEFORE = frozenset(
    "第 负 数 几 闰 初 公元 公元前 前 星 礼 星期 礼拜 周 早 晚 $ ＄ US$ HK$ "
    f"{measures.CURRENCIES} {measures.PARTS_OF_DAY} {measures.ERAS}".split()
)
_OPENINGS = (
    "元年",
    "正月",
    "冬月",
    "腊月",
    "元月",
    "期日",
    "期天",
    "拜日",
    "拜天",
    "周日",
)  # no numeral, yet a date
_GOES_ON = ",，.．:：/-~～—–－至到或余多来几分之下点时世廿初年月日号 "
_GLUE = "_.．abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"  # digits behind it are no number
_DIGIT, _NUMERAL, _BEHIND, _SURE, _AHEAD, _OPEN, _SHUT, _GLUED = (np.uint8(1 << bit) for bit in range(8))


def quantities(blob: Blob, borders_N1: Bools) -> tuple[list[tuple[int, int]], list[int]]:
    """Return the ranges of dates, times and numbers with units, in order, and of each its place in KINDS.

    >>> text = "2020年3月5日上午9点30分，气温零下5℃，第三条，售出1,000万元，涨3.5%，一个，上周三"
    >>> ranges, kinds = quantities(Blob.of(text), np.ones(len(text) + 1, dtype=np.bool_))
    >>> [text[start:end] for start, end in ranges]
    ['2020年3月5日', '上午9点30分', '零下5℃', '第三条', '1,000万元', '3.5%', '周三']
    >>> " ".join(KINDS[kind] for kind in kinds)
    'date time number number number number date'
    """
    text, pattern, done = blob.text, _pattern(), 0
    ranges: list[tuple[int, int]] = []
    kinds: list[int] = []
    at, digit, ahead = _places(blob, borders_N1)
    for place, is_digit, has_ahead in zip(at.tolist(), digit.tolist(), ahead.tolist(), strict=True):
        if place < done:
            continue
        start = _start(text, place, done, borders_N1) if has_ahead else place
        if start == place and not (is_digit or borders_N1[place]):
            continue
        match = pattern.match(text, start)
        if match and match.lastgroup:
            kind = KINDS.index(match.lastgroup)
            if kind < 2 or borders_N1[match.end()]:
                done = match.end()
                ranges.append((start, done))
                kinds.append(kind)
    return ranges, kinds


def _start(text: str, place: int, done: int, borders_N1: Bools) -> int:
    """Return where what belongs before a number begins: the longest of the tables, if a word begins there."""
    for size in (4, 3, 2, 1):
        start = place - size
        if start >= done and text[start:place] in _BEFORE and borders_N1[start]:
            return start
    return place


def _places(blob: Blob, borders_N1: Bools) -> tuple[Places, Bools, Bools]:
    """Return where numbers may begin, which ones begin with a digit, which may have a word before them."""
    marks_N2 = np.zeros(len(blob) + 2, dtype=np.uint8)  # one more on either side
    marks_N2[1:-1] = _marks().take(blob.codes, mode="clip")
    is_number_N2 = (marks_N2 & (_DIGIT | _NUMERAL)).astype(np.bool_)
    edges = np.flatnonzero(is_number_N2[1:] != is_number_N2[:-1])
    starts, ends = edges[::2], edges[1::2]
    first, behind, ahead = marks_N2[starts + 1], marks_N2[ends + 1], marks_N2[starts] & _AHEAD > 0
    alone = (first & _NUMERAL > 0) & (ends - starts == 1)
    worth = (first & _DIGIT == 0) | (marks_N2[starts] & _GLUED == 0)
    worth &= ahead | (behind & np.where(alone, _SURE, _BEHIND) > 0)
    opens = np.flatnonzero((marks_N2[1:-2] & _OPEN > 0) & (marks_N2[2:-1] & _SHUT > 0))
    at = np.concatenate([starts[worth], opens])
    order = np.argsort(at, kind="stable")
    at = at[order]
    return at, marks_N2[at + 1] & _DIGIT > 0, marks_N2[at] & _AHEAD > 0


@cache
def _marks() -> npt.NDArray[np.uint8]:
    """Return what a character may be in a number, for those of the first plane."""
    marks = np.zeros(1 << 16, dtype=np.uint8)
    every = " ".join(WORDS[name] for name in ("unit", "classifier", "latin", "ordered")).split()
    sure = "".join(word[0] for word in WORDS["unit"].split()) + "年月日世廿分点时下初至到或余多来几-~～—–－"
    for bit, characters in (
        (_DIGIT, "0123456789０１２３４５６７８９"),
        (_NUMERAL, GRAMMAR["n"][1:-1]),
        (_BEHIND, "".join(word[0] for word in every) + _GOES_ON),
        (_SURE, sure),
        (_AHEAD, "".join(word[-1] for word in _BEFORE)),
        (_OPEN, "".join(pair[0] for pair in _OPENINGS)),
        (_SHUT, "".join(pair[1] for pair in _OPENINGS)),
        (_GLUED, _GLUE),
    ):
        marks[[ord(character) for character in characters]] |= bit
    return marks


@cache
def _pattern() -> re.Pattern[str]:
    kinds = zip(KINDS, ("date", "time", "number with unit"), strict=True)
    return re.compile("|".join(f"(?P<{kind}>{_expand(GRAMMAR[name])})" for kind, name in kinds))


def _expand(rule: str) -> str:
    """Return the regular expression of a rule.

    >>> _expand("<i>分之<i>")
    '[一二三四五六七八九]分之[一二三四五六七八九]'
    """
    return re.sub(r"<([a-z ]+)>", lambda name: _named(name[1]), rule)


def _named(name: str) -> str:
    if name == "sep":  # the group of this name
        return "<sep>"
    if name in GRAMMAR:
        return _expand(GRAMMAR[name])
    words = sorted(set(WORDS[name].split()), key=lambda word: (-len(word), word))
    return "(?:" + "|".join(map(re.escape, words)) + ")"
