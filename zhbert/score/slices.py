"""Named parts of a test set: where a system is good and where it is not.

- A family asks one question of every example (how long is the text? which question word?) and its
  answer is the name of the part. Parts of one family do not overlap.
- For entities a family may ask it of every entity instead: then gold and predicted entities with
  the same answer are counted again, and the size of the part is its number of gold entities.
- Families that compare with the training set are there only when one is given.
- A part of fewer than 20 is `small`: shown, but nothing should be concluded from it.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from zhbert.records import Span
from zhbert.score.counts import Counts
from zhbert.score.entities import count_entities
from zhbert.score.segmentation import count_words

SMALL = 20


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some of the examples (or entities), and the counts over them alone."""

    family: str
    name: str
    size: int
    unit: str
    counts: Counts
    ids: tuple[str, ...]

    @property
    def small(self) -> bool:
        """Return whether the part is too small to conclude anything from."""
        return self.size < SMALL


@dataclass(frozen=True, slots=True)
class Family:
    """A question asked of every example or entity; `order` lists the answers where it is fixed."""

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
    return Family(name, lambda item: names[max(0, bisect_right(edges, size(item)) - 1)], names, unit)


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


_TEXT = (1, 16, 32, 64, 128, 256, 512)
_CONTEXT = (1, 256, 512, 768, 1024)
FAMILIES: dict[str, tuple[Family, ...]] = {
    "classify": (
        _banded("text length", lambda e: len(e.text), *_TEXT),
        Family("label", lambda e: " + ".join(sorted(e.labels)) or "none"),
    ),
    "pair": (
        _banded("text length", lambda e: len(e.first) + len(e.second), *_TEXT),
        Family("shared characters", _overlap, ("low", "middle", "high")),
        Family("label", lambda e: e.label),
    ),
    "ner": (
        _banded("text length", lambda e: len(e.text), *_TEXT),
        _banded("entity length", lambda span: span.end - span.start, 1, 2, 3, 4, 5, 7, 11, unit="entities"),
    ),
    "segment": (
        _banded("text length", lambda e: len(e.text), *_TEXT),
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
_COUNT = {"entities": count_entities, "words": count_words}
_SEEN = ("seen", "seen with another label", "unseen")


def training_family(task: str, train: Sequence[Any]) -> Family:
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


def parts(
    task: str,
    gold: Sequence[Any],
    predictions: Sequence[Any],
    counts: Counts,
    *,
    train: Sequence[Any] | None = None,
) -> list[Part]:
    """Return every part of a judged data set, family by family; a family with one part is left out.

    >>> from zhbert.records import LabelExample
    >>> gold = [LabelExample(id=label, text="主队", labels=(label,)) for label in ("体育", "财经")]
    >>> counts = Counts(("n",), np.ones((2, 1)), ("1", "2"))
    >>> [(part.family, part.name, part.size) for part in parts("classify", gold, [], counts)]
    [('label', '体育', 1), ('label', '财经', 1)]
    """
    families = FAMILIES[task] + ((training_family(task, train),) if train else ())
    cut = (
        _span_parts(f, gold, predictions) if f.unit in _COUNT else _parts(f, gold, counts) for f in families
    )
    return [part for family in cut if len(family) > 1 for part in family]


def _parts(family: Family, gold: Sequence[Any], counts: Counts) -> list[Part]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, example in enumerate(gold):
        rows[family.ask(example)].append(row)
    order = family.order or sorted(rows, key=lambda name: (-len(rows[name]), name))
    picked = {name: counts.filter(rows[name]) for name in order if name in rows}
    return [Part(family.name, name, len(c), family.unit, c, c.ids) for name, c in picked.items()]


def _span_parts(family: Family, gold: Sequence[Any], predictions: Sequence[Any]) -> list[Part]:
    ids = [example.id for example in gold]
    spans = [_with_surface(e.text, e.entities) for e in gold]
    said = [_with_surface(e.text, p.entities) for e, p in zip(gold, predictions, strict=True)]
    found: list[Part] = []
    for name in family.order:
        counts = _COUNT[family.unit](
            ids,
            spans,
            said,
            keep=lambda _, span, name=name: family.ask(span) == name,  # type: ignore[misc]
        )
        size = int(counts.pick(["gold"]).sum()[0])
        touched = np.flatnonzero(counts.pick(["tp", "fp", "fn"]).table.any(axis=1))
        if size:
            found.append(Part(family.name, name, size, family.unit, counts, tuple(ids[i] for i in touched)))
    return found


def _with_surface(text: str, spans: Sequence[Span]) -> list[Span]:
    return [Span.of(text, span.start, span.end, span.label) for span in spans]
