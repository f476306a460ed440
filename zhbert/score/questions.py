"""The questions by which a test set is cut into parts (`slices.py` does the cutting).

- A family asks one question of every example (how long is the text? which question word?), or of every entity
  or word. Its answer is the name of the part; "" means that the question does not arise.
- Families that compare with the training set are there only when one is given.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from zhbert.records import Span, texts_of
from zhbert.score.lengths import BANDS, named_band


@dataclass(frozen=True, slots=True)
class Family:
    """A question asked of every example or span; `order` lists the answers where it is fixed."""

    name: str
    ask: Callable[[Any], str]
    order: tuple[str, ...] = ()
    unit: str = "examples"


def bands(*edges: int) -> tuple[str, ...]:
    """Return the names of the bands of whole numbers that begin at these edges.

    >>> bands(1, 2, 4)
    ('1', '2–3', '4+')
    """
    inner = (f"{a}–{b - 1}" if b - a > 1 else str(a) for a, b in pairwise(edges))
    return (*inner, f"{edges[-1]}+")


def _banded(name: str, size: Callable[[Any], int], *edges: int, unit: str = "examples") -> Family:
    names = bands(*edges)
    found = ("", *names)
    return Family(name, lambda item: found[bisect_right(edges, size(item))], names, unit)


QUESTION_WORDS: tuple[tuple[str, str], ...] = (
    ("为什么", r"为什么|为何|为啥|為什麼|為何|原因"),
    ("何时", r"何时|何時|什么时候|什麼時候|哪[一]?[年天月日]|几[年月点]|幾[年月點]|时间|時間|年份|日期"),
    ("谁", r"谁|誰|什么人|什麼人|哪位|何人"),
    ("多少", r"多少|几|幾|多[长大高远深重久長遠]"),
    ("哪", r"哪|何处|何處|何地|什么地方|什麼地方"),
    ("怎么", r"怎么|怎麼|怎样|怎樣|如何"),
    ("是否", r"是否|吗|嗎|是不是|有没有|有沒有|能不能"),
    ("什么", r"什么|什麼|甚麼|何"),
)


def question_word(question: str) -> str:
    """Return the kind of question by its question word.

    >>> [question_word(q) for q in ("谁写了《红楼梦》？", "铁路全长多少公里？", "请列举三种乐器。")]
    ['谁', '多少', '其他']
    """
    return next((name for name, pattern in QUESTION_WORDS if re.search(pattern, question)), "其他")


def _overlap(example: Any) -> str:
    a, b = set(example.first), set(example.second)
    return ("low", "middle", "high")[bisect_right((0.3, 0.6), len(a & b) / max(1, len(a | b)))]


_LATIN = re.compile("[0-9A-Za-z０-９Ａ-Ｚａ-ｚ]+")
_SHARES = ("0 %", "under 10 %", "10 % and more")


def latin_share(text: str) -> str:
    """Return how much of a text is Latin letters and digits, roughly.

    >>> [latin_share(text) for text in ("今天下雨", "华为Mate 60今天开售", "他一九九七年出生，现居南京3")]
    ['0 %', '10 % and more', 'under 10 %']
    """
    return _SHARES[bisect_right((1e-9, 0.1), 1 - len(_LATIN.sub("", text)) / max(1, len(text)))]


def answer_third(example: Any) -> str:
    """Return in which third of the context the first answer begins; "" where none stands in it.

    >>> from zhbert.records import ReadingExample
    >>> text = "他毕业于北京大学，后来在上海工作。"
    >>> answer_third(ReadingExample(id="1", context=text, question="？", answers=(Span.of(text, 12, 14),)))
    'last third'
    """
    if not example.answers:
        return ""
    return _THIRDS[3 * example.answers[0].start // len(example.context)]


_THIRDS = ("first third", "middle third", "last third")


def _lengthed(length: Callable[[Any], int]) -> Family:
    return Family("text length", lambda e: named_band(length(e)), BANDS)


_CONTEXT = (0, 257, 513, 769, 1025)
FAMILIES: dict[str, tuple[Family, ...]] = {
    "classify": (
        _lengthed(lambda e: len(e.text)),
        Family("label", lambda e: " + ".join(sorted(e.labels)) or "none"),
        Family("Latin letters and digits", lambda e: latin_share(e.text), _SHARES),
    ),
    "pair": (
        _lengthed(lambda e: len(e.first) + len(e.second)),
        Family("shared characters", _overlap, ("low", "middle", "high")),
        Family("label", lambda e: e.label),
        Family("Latin letters and digits", lambda e: latin_share(e.first + e.second), _SHARES),
    ),
    "ner": (
        _lengthed(lambda e: len(e.text)),
        Family("Latin letters and digits", lambda e: latin_share(e.text), _SHARES),
        _banded("entities in the text", lambda e: len(e.entities), 1, 2, 3, 5, 8),
        _banded("entity length", lambda span: span.end - span.start, 1, 2, 3, 4, 5, 7, 11, unit="entities"),
    ),
    "segment": (
        _lengthed(lambda e: len(e.text)),
        Family("Latin letters and digits", lambda e: latin_share(e.text), _SHARES),
        _banded("word length", lambda span: span.end - span.start, 1, 2, 3, 4, 5, unit="words"),
    ),
    "reading": (
        Family(
            "question word", lambda e: question_word(e.question), (*(w for w, _ in QUESTION_WORDS), "其他")
        ),
        Family(
            "answer", lambda e: "answerable" if e.texts else "unanswerable", ("answerable", "unanswerable")
        ),
        _banded(
            "answer length",
            lambda e: len(e.texts[0]) if e.texts else 0,
            0,
            1,
            4,
            8,
            16,
            32,
        ),
        Family("answer position", answer_third, _THIRDS),
        _banded("context length", lambda e: len(e.context), *_CONTEXT),
    ),
    "choice": (
        _banded("context length", lambda e: len(e.context), *_CONTEXT),
        Family(
            "question word", lambda e: question_word(e.question), (*(w for w, _ in QUESTION_WORDS), "其他")
        ),
    ),
}

_KEYS: dict[str, Callable[[Any], Any]] = {
    "classify": lambda e: e.text,
    "pair": lambda e: (e.first, e.second),
    "reading": lambda e: e.context,
    "choice": lambda e: e.context,
}
_SPANS = {"ner": ("entity", "entities"), "segment": ("word", "words")}
_SEEN = ("seen", "seen with another label", "unseen")


def training_families(task: str, train: Sequence[Any]) -> tuple[Family, ...]:
    """Return the questions how an example stands to train: seen, how frequent, in which characters."""
    classes = _class_family(task, train)
    return (_seen_family(task, train), *([classes] if classes else []), _character_family(train))


def _seen_family(task: str, train: Sequence[Any]) -> Family:
    """Return the question whether the training set has seen the text, or the surface of the span."""
    if task not in _SPANS:
        key, seen = _KEYS[task], {_KEYS[task](example) for example in train}
        return Family("text in the training set", lambda e: "seen" if key(e) in seen else "unseen", _SEEN)
    known: dict[str, set[str]] = defaultdict(set)
    for example in train:
        for span in example.entities:
            known[example.text[span.start : span.end]].add(span.label)

    def ask(span: Span) -> str:
        types = known.get(span.surface, set())
        return "seen" if span.label in types else "seen with another label" if types else "unseen"

    one, many = _SPANS[task]
    return Family(f"{one} in the training set", ask, _SEEN, many)


def _class_family(task: str, train: Sequence[Any]) -> Family | None:
    """Return the question how frequent a class is in train; of several labels the rarest counts."""
    name = "class in the training set"
    if task == "ner":
        how = frequency(Counter(span.label for example in train for span in example.entities))
        return Family(name, lambda span: how(span.label), _HOW_MANY, "entities")
    if task == "classify":
        how = frequency(Counter(label for example in train for label in example.labels))
        return Family(name, lambda e: min(map(how, e.labels), key=_HOW_MANY.index, default=""), _HOW_MANY)
    return None


_HOW_MANY = ("rare", "middle", "frequent")


def frequency(times: Counter[str]) -> Callable[[str], str]:
    """Return the function from a class to how frequent it is: thirds of the classes, equals together.

    >>> how = frequency(Counter({"体育": 900, "财经": 80, "教育": 80, "彩票": 2}))
    >>> [how(label) for label in ("体育", "财经", "教育", "彩票", "星座")]
    ['frequent', 'middle', 'middle', 'rare', 'rare']
    """
    ranked = sorted(times.values())

    def how(label: str) -> str:
        fewer, as_many = bisect_left(ranked, times[label]), bisect_right(ranked, times[label])
        return _HOW_MANY[bisect_right((1 / 3, 2 / 3), (fewer + as_many) / (2 * max(1, len(ranked))))]

    return how


def _character_family(train: Sequence[Any]) -> Family:
    """Return the question how many different characters of the texts no training text has."""
    known = set().union(*(text for example in train for text in texts_of(example).values()))
    return _banded("characters new to the training set", lambda e: len(_characters(e) - known), 0, 1, 2, 4)


def _characters(example: Any) -> set[str]:
    return set().union(*texts_of(example).values())
