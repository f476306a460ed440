"""The page of a data card (`score/page.py` says what all pages have in common).

- Shapes are SVGs that stretch with the page, with the words beside or over them as plain text; columns and
  bars are boxes. So the page is readable from 400 pixels on, and nothing in a drawing is ever too small.
- A table shows what fits an eye and says how much it leaves out; report.json has all of it.
- `t` is a word in both languages, `say` a sentence with figures in it.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from zhbert.corpus.datacard import (
    Amount,
    DataCard,
    Histogram,
    SourceRow,
    StepRow,
    largest_losses,
    most_shortened,
    ranked,
)
from zhbert.corpus.differences import differences
from zhbert.score import marks
from zhbert.score.page import in_both, render_page
from zhbert.score.words import chinese, percent

if TYPE_CHECKING:
    from markupsafe import Markup

SOURCES = 30
WIDTH = 90  # characters of a name
_ONE = re.compile(r"(?<![\d,.])1 (document|character|token|text|cluster|source|record|file|licence)s\b")


def render(card: DataCard) -> str:
    """Return the whole page of a data card."""
    return render_page(
        "card.html.j2",
        room="corpus",
        title=card.title,
        format=card.format,
        styles=["card.css"],
        functions=_SHOWN,
        card=card,
    )


def t(word: str) -> "Markup":
    """Return a word in both languages; a number or a detail behind it stays.

    >>> "其他类型的文件：.pdf" in t("a file of another kind: .pdf"), "过滤 2" in t("filter 2")
    (True, True)
    """
    if translated := chinese(word, "corpus"):
        return in_both(word, translated)
    stem, detail = _with_detail(word)
    translated = chinese(stem, "corpus")
    return in_both(brief(word), translated and brief(translated + detail))


def _with_detail(word: str) -> tuple[str, str]:
    stem, colon, detail = word.partition(": ")
    if colon:
        return stem, "：" + detail
    stem, _, number = word.rpartition(" ")
    return (stem, " " + number) if number.isdecimal() else (word, "")


def say(sentence: str, **values: object) -> "Markup":
    """Return a sentence in both languages with its figures filled in.

    >>> str(say("{n:,} documents", n=1))
    '<span class="en">1 document</span><span class="zh" lang="zh-Hans">1 篇文档</span>'
    """
    filled = {key: brief(value) if isinstance(value, str) else value for key, value in values.items()}
    translated = chinese(sentence, "corpus") or sentence
    return in_both(_ONE.sub(r"1 \1", sentence.format(**filled)), translated.format(**filled))


def brief(text: object, size: int = WIDTH) -> str:
    """Return a name that is safe to show and not longer than a line or two.

    >>> brief("法规" * 100, 6)
    '法规法…法规'
    """
    name = str(text)
    if len(name) > size:
        name = name[: size // 2] + "…" + name[len(name) - size // 2 + 1 :]
    return marks.clean(name)


def number(count: float) -> str:
    """Return a number as it is printed.

    >>> number(12345678)
    '12,345,678'
    """
    return f"{count:,}"


def rounded(count: int) -> str:
    """Return a number with two or three digits, for where there is no room.

    >>> rounded(940), rounded(3189), rounded(12_345_678)
    ('940', '3.2k', '12M')
    """
    for size, sign in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.1f}{sign}" if count < 10 * size else f"{count // size}{sign}"
    return str(count)


def share(part: float, whole: float) -> str:
    """Return a share as per cent, never rounding something down to nothing.

    >>> share(1, 3), share(1, 10**6), share(0, 5), share(0, 0)
    ('33.3 %', '<0.1 %', '0 %', '0 %')
    """
    if not part or not whole:
        return "0 %"
    return "<0.1 %" if 0 < part / whole < 0.0005 else f"{percent(part / whole)} %"


def width(part: float, whole: float) -> float:
    """Return how wide a bar is, in per cent."""
    return round(100 * min(part / whole, 1), 2) if whole else 0.0


def took(seconds: float) -> str:
    """Return a time as it is said.

    >>> took(4.2), took(75), took(7500)
    ('4.2 s', '1 min 15 s', '2 h 5 min')
    """
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {int(seconds % 60)} s" if minutes else f"{seconds:.1f} s"


@cache
def _meanings() -> dict[str, tuple[str, str]]:
    text = (files("zhbert.corpus") / "templates" / "meanings.json").read_text(encoding="utf-8")
    return {reason: (english, chinese) for reason, (english, chinese) in json.loads(text).items()}


def meaning(reason: str) -> "Markup":
    """Return what a reason means, in both languages; nothing for one that is not known."""
    english, translated = _meanings().get(reason, ("", ""))
    return in_both(english, translated or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One step of the funnel: two shapes in a box of 100 by 100, what stays and what leaves."""

    row: StepRow
    before: int
    after: int
    stays: str
    leaves: str


def flows(card: DataCard, what: str) -> list[Flow]:
    """Return the funnel of documents or of characters."""
    whole = getattr(card.read, what)
    return [_flow(row, getattr(row.before, what), getattr(row.after, what), whole) for row in card.steps]


def _flow(row: StepRow, before: int, after: int, whole: int) -> Flow:
    a, b = width(before, whole), width(after, whole)
    curve = f"C{a} 55 {b} 45 {b} 100"
    return Flow(
        row=row, before=before, after=after, stays=f"M0 0H{a}{curve}H0Z", leaves=f"M{a} 0{curve}H{a}Z"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a histogram: its height in per cent, and the range that it stands for."""

    height: float
    count: int
    label: str
    range: str


def columns(histogram: Histogram, *, shares: bool = False) -> list[Column]:
    """Return the columns of a histogram; the edges are characters or, with `shares`, shares of 1.

    >>> [c.range for c in columns(Histogram(edges=(0, 8), counts=(3, 1)))]
    ['0–7', '≥ 8']
    """
    edges, most = histogram.edges, max(histogram.counts, default=0)
    shown = [f"{100 * edge:.0f}" if shares else f"{edge:,.0f}" for edge in edges]
    ends = [*(shown[1:] if shares else [f"{edge - 1:,.0f}" for edge in edges[1:]]), "100" if shares else ""]
    sign = " %" if shares else ""
    return [
        Column(
            height=width(count, most),
            count=count,
            label=label,
            range=f"{label}–{end}{sign}" if end else f"≥ {label}",
        )
        for count, label, end in zip(histogram.counts, shown, ends, strict=True)
    ]


def sources_shown(rows: Sequence[SourceRow]) -> tuple[list[SourceRow], SourceRow | None]:
    """Return the largest sources and, where there are more, the sum of the others."""
    first, rest = list(rows[:SOURCES]), rows[SOURCES:]
    if not rest:
        return first, None
    tokens = None if rest[0].tokens is None else sum(row.tokens or 0 for row in rest)
    return first, SourceRow(
        name="", read=_sum([row.read for row in rest]), kept=_sum([row.kept for row in rest]), tokens=tokens
    )


def _sum(amounts: Sequence[Amount]) -> Amount:
    return Amount(documents=sum(a.documents for a in amounts), characters=sum(a.characters for a in amounts))


def code_points(text: str) -> str:
    """Return what the characters of a short text are called.

    >>> code_points("𠮷"), code_points("👍👍👍👍")
    ('U+20BB7', 'U+1F44D U+1F44D U+1F44D …')
    """
    return " ".join(f"U+{ord(char):04X}" for char in text[:3]) + (" …" if len(text) > 3 else "")


def called(text: str) -> str:
    """Return the name that Unicode gives to a single character, in small letters.

    >>> called("—"), called("镕"), called("OK")
    ('em dash', '', '')
    """
    name = unicodedata.name(text, "") if len(text) == 1 else ""
    return "" if name.startswith("CJK UNIFIED") else name.lower()


_SHOWN = (
    t,
    say,
    brief,
    number,
    rounded,
    share,
    width,
    took,
    meaning,
    flows,
    columns,
    sources_shown,
    code_points,
    called,
    ranked,
    largest_losses,
    most_shortened,
    differences,
)
