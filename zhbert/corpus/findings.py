"""What stands out in a labelled file: its figures, and the examples that a person should look at.

Two examples are the same when all their texts are, character for character; they contradict each other when
both have an answer and the answers differ.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from zhbert.read.examples import labels_in
from zhbert.read.forms import Placed
from zhbert.read.sets import asked
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    ReadingExample,
    Span,
)

SHOWN = 5  # examples of a finding
_CUT = 40  # characters of a text that are shown
Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a person should look at: how often it is there, and the first places."""

    what: str
    count: int
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How many characters examples have."""

    shortest: int
    median: float
    mean: float
    p95: float
    longest: int

    @classmethod
    def of(cls, lengths: Sequence[int]) -> "Lengths":
        """Return the figures of some lengths.

        >>> Lengths.of([1, 2, 9])
        Lengths(shortest=1, median=2.0, mean=4.0, p95=8.3, longest=9)
        """
        median, p95 = np.percentile(lengths, [50, 95]).round(1).tolist()
        mean = round(float(np.mean(lengths)), 1)
        return cls(shortest=min(lengths), median=median, mean=mean, p95=p95, longest=max(lengths))


def answer_of(example: Example) -> Any:
    """Return the answer of an example in a form that compares; None where it is not known.

    >>> answer_of(LabelExample(id="1", text="主队赢了", labels=("体育",)))
    ('体育',)
    """
    match example:
        case LabelExample() if example.labels:
            return tuple(sorted(example.labels))
        case LabelExample() | PairExample() if example.value is not None:
            return example.value
        case PairExample():
            return example.label or None
        case EntityExample():
            return frozenset(example.entities)
        case ReadingExample():
            return frozenset(example.texts)
        case ChoiceExample() if example.answer is not None:
            return example.options[example.answer]
    return None


def labels_of(examples: Iterable[Placed]) -> dict[str, int]:
    """Return how often every label occurs, the most frequent first."""
    counts = Counter(label for _, example in examples for label in labels_in(example) if label)
    return dict(counts.most_common())


def characters(example: Example) -> int:
    """Return how many characters the texts of an example have."""
    return sum(map(len, asked(example)))


def spans_of(example: Example) -> tuple[Span, ...]:
    """Return the marked ranges of an example's text."""
    match example:
        case EntityExample():
            return example.entities
        case ReadingExample():
            return example.answers
    return ()


def marked_text(example: Example) -> str:
    """Return the text in which an example's ranges are."""
    return asked(example)[0]


def findings_in(examples: Sequence[Placed]) -> list[Finding]:
    """Return what stands out in the examples of one file."""
    found: dict[str, list[str]] = {}
    for where, example in examples:
        for what in _faults(example):
            found.setdefault(what, []).append(_place(where, example))
    same = _same(examples)
    repeated = [_place(*placed) for group in same for placed in group[1:]]
    opposed = [_opposed(group) for group in same if len(_answers(group)) > 1]
    ids = Counter(example.id for _, example in examples)
    twice = [f'"{ident}"' for ident, count in ids.items() if count > 1]
    found |= {
        "text that stood before": repeated,
        "same text, another answer": opposed,
        "id given twice": twice,
    }
    return [finding(what, places) for what, places in found.items() if places]


def finding(what: str, places: Sequence[str]) -> Finding:
    """Return what was found at some places, the first of which are kept."""
    return Finding(what=what, count=len(places), places=tuple(places[:SHOWN]))


def _faults(example: Example) -> Iterable[str]:
    """Yield what stands out in one example."""
    if not all(text.strip() for text in asked(example)):
        yield "empty text"
    if answer_of(example) is None:
        yield "no answer"
    spans, text = sorted(spans_of(example)), marked_text(example)
    if any(text[span.start].isspace() or text[span.end - 1].isspace() for span in spans):
        yield "span that begins or ends in white space"
    if isinstance(example, EntityExample) and any(b.start < a.end for a, b in pairwise(spans)):
        yield "spans that overlap"


def _same(examples: Sequence[Placed]) -> list[list[Placed]]:
    """Return the groups of examples that ask the same, of two or more."""
    groups: dict[Texts, list[Placed]] = defaultdict(list)
    for placed in examples:
        groups[asked(placed[1])].append(placed)
    return [group for group in groups.values() if len(group) > 1]


def _answers(group: Sequence[Placed]) -> set[Any]:
    return {answer for _, example in group if (answer := answer_of(example)) is not None}


def _opposed(group: Sequence[Placed]) -> str:
    first = group[0]
    other = next(one for one in group if answer_of(one[1]) != answer_of(first[1]))
    return f"{_place(*first)} [{_words(first[1])}] and {short(other[0])} [{_words(other[1])}]"


def _words(example: Example) -> str:
    """Return an answer as a person reads it."""
    if isinstance(example, EntityExample):
        return ", ".join(f"{span.surface} {span.label}" for span in example.entities)[:_CUT]
    if isinstance(example, ReadingExample):
        return " / ".join(example.texts)[:_CUT]
    answer = answer_of(example)
    return ", ".join(answer) if isinstance(answer, tuple) else str(answer)


def _place(where: str, example: Example) -> str:
    text = " | ".join(asked(example)).replace("\n", "⏎")
    return f"{short(where)}: {text[:_CUT]}{'…' * (len(text) > _CUT)}"


def short(where: str) -> str:
    """Return a place without the folder.

    >>> short("data/train.jsonl:12")
    'train.jsonl:12'
    """
    return Path(where).name


def across(one: Sequence[Placed], other: Sequence[Placed]) -> list[Finding]:
    """Return which examples of the second file ask what those of the first one do."""
    answers: dict[Texts, set[Any]] = defaultdict(set)
    for _, example in one:
        answers[asked(example)].add(answer_of(example))
    shared, opposed = [], []
    for where, example in other:
        if (known := answers.get(asked(example))) is None:
            continue
        shared.append(_place(where, example))
        if answer_of(example) is not None and not {answer_of(example), None} & known:
            opposed.append(f"{_place(where, example)} [{_words(example)}]")
    found = {"text that stands in both": shared, "same text, another answer": opposed}
    return [finding(what, places) for what, places in found.items() if places]
