"""What stands out in a labelled file: its figures, and the examples that a person should look at.

When two examples ask the same, and when they contradict each other, is said in `score/alike.py`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zhbert.read.examples import labels_in
from zhbert.read.forms import Placed
from zhbert.read.sets import asked
from zhbert.records import EntityExample, Example, ReadingExample, Span
from zhbert.score.alike import (
    answer_in_words,
    answer_of,
    contradict,
    groups_of,
    key_of,
    opposed,
    overlap,
)

SHOWN = 5  # examples of a finding
_CUT = 40  # characters of a text that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a person should look at: how often it is there, and the first places."""

    what: str
    count: int
    places: tuple[str, ...]


def labels_of(examples: Iterable[Placed]) -> dict[str, int]:
    """Return how often every label occurs, the most frequent first."""
    counts = Counter(label for _, example in examples for label in labels_in(example) if label)
    return dict(counts.most_common())


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
    groups = groups_of(example for _, example in examples).values()
    repeated = [_place(*examples[place]) for group in groups for place in group[1:]]
    contradictions = [
        _opposed(*(examples[group[place]] for place in pair))
        for group in groups
        if (pair := opposed([examples[place][1] for place in group]))
    ]
    ids = Counter(example.id for _, example in examples)
    twice = [f'"{ident}"' for ident, count in ids.items() if count > 1]
    found |= {
        "text that stood before": repeated,
        "same text, another answer": contradictions,
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
    if isinstance(example, EntityExample) and overlap(example):
        yield "spans that overlap"


def _opposed(one: Placed, other: Placed) -> str:
    return f"{_place(*one)} [{answer_in_words(one[1])}] and {short(other[0])} [{answer_in_words(other[1])}]"


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
    known = groups_of(example for _, example in one)
    shared, against = [], []
    for where, example in other:
        if not (places := known.get(key_of(example))):
            continue
        shared.append(_place(where, example))
        if all(contradict(one[place][1], example) for place in places):
            against.append(f"{_place(where, example)} [{answer_in_words(example)}]")
    found = {"text that stands in both": shared, "same text, another answer": against}
    return [finding(what, places) for what, places in found.items() if places]
