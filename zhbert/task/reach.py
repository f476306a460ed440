"""Gold answers that a model cannot give, whatever its weights are, and why.

A model can say labels that it has heard of, and spans of whole tokens that its windows hold. A gold answer
that is none of these counts as missed, and no training changes that.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import cast

from zhbert.encode.align import char_span, token_range
from zhbert.encode.tokenizer import Encoded
from zhbert.encode.windows import Window
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    ReadingExample,
    Span,
)
from zhbert.score.answers import DROPPED, bare, judge_answer
from zhbert.task.base import Prepared, Task
from zhbert.task.ner import Ner
from zhbert.task.reading import LONGEST
from zhbert.task.segment import joined

LABEL = "a label that the model does not know"
BORDER = "a border that is none of a token"
OVERLAP = "overlaps with another answer"
LONG = "longer than the model looks for"
ABSENT = "does not stand in the text"
SILENCE = "no answer, which the model never gives"
Lost = tuple[str, str]  # why, and what


def answers_in(gold: Example) -> int:
    """Return how many answers gold asks for; 0 where it is not known, or a number."""
    match gold:
        case EntityExample():
            return len(set(gold.entities))
        case ReadingExample():
            return 1
        case LabelExample():
            return int(bool(gold.labels))
        case PairExample():
            return int(bool(gold.label))
        case ChoiceExample():
            return int(gold.answer is not None)


def out_of_reach(task: Task, gold: Example, prepared: Prepared) -> Iterator[Lost]:
    """Yield the answers of an example that the model cannot give, each with the reason."""
    match gold:
        case LabelExample():
            asked = gold.labels if task.setting.head == "several" else gold.labels[:1]
            if unknown := [label for label in asked if label not in task.setting.labels]:
                yield LABEL, ", ".join(unknown)
        case PairExample() if gold.label and gold.label not in task.setting.labels:
            yield LABEL, gold.label
        case EntityExample() if task.name == "segment":
            yield from _words(gold, prepared.encoded, task.setting.labels)
        case EntityExample():
            yield from _entities(cast("Ner", task), gold, prepared)
        case ReadingExample():
            yield from _answer(task, gold, prepared)


def _entities(task: Ner, gold: EntityExample, prepared: Prepared) -> Iterator[Lost]:
    offsets, cuts = prepared.encoded.offsets, [feature.span for feature in prepared.features]
    held = [(start, end) for start, end in offsets.tolist() if start < end] if gold.entities else []
    starts, ends = {start for start, _ in held}, {end for _, end in held}
    whole: list[Span] = []
    for span in sorted(set(gold.entities)):
        if span.label not in task.setting.labels:
            yield LABEL, _said(gold, span)
        elif span.start not in starts or span.end not in ends:
            yield BORDER, _said(gold, span)
        elif task.way.nested and not _reached(task, token_range(offsets, span.start, span.end), cuts):
            yield LONG, _said(gold, span)
        else:
            whole.append(span)
    if not task.way.nested:
        kept = apart(whole)
        yield from ((OVERLAP, _said(gold, span)) for span in whole if span not in kept)


def _said(gold: EntityExample, span: Span) -> str:
    return f"{gold.text[span.start : span.end]} {span.label}"


def _reached(task: Ner, tokens: tuple[int, int] | None, cuts: Sequence[Window]) -> bool:
    return tokens is not None and task.way.reaches(Span(*tokens), cuts)


def apart(spans: Sequence[Span]) -> list[Span]:
    """Return the most spans of which none overlap: those that end first.

    >>> [span.surface for span in apart([Span(0, 4, "", "长"), Span(0, 2, "", "一"), Span(2, 4, "", "二")])]
    ['一', '二']
    """
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.end, span)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def _words(gold: EntityExample, encoded: Encoded, labels: Sequence[str]) -> Iterator[Lost]:
    """Yield the words with a border where the finest words that tokens can make have none."""
    finest: list[Span] = []
    for start, end in encoded.offsets.tolist():
        if start < end and start >= (finest[-1].end if finest else 0):
            finest.append(Span(start, end))
    words = list(joined(finest, gold.text))
    starts, ends = {word.start for word in words}, {word.end for word in words}
    for span in sorted(set(gold.entities)):
        if span.label not in labels:
            yield LABEL, _said(gold, span)
        elif span.start not in starts or span.end not in ends:
            yield BORDER, _said(gold, span)


def _answer(task: Task, gold: ReadingExample, prepared: Prepared) -> Iterator[Lost]:
    decoding, offsets = task.setting.decoding, prepared.encoded.offsets
    if not gold.texts:
        if "none" not in decoding:
            yield SILENCE, gold.question
        return
    reasons = {ABSENT}
    marked = ((span.start, span.end) for span in gold.answers)
    for start, end in chain(marked, _places(gold)):
        tokens = token_range(offsets, start, end)
        found = char_span(offsets, *tokens) if tokens else None
        if not (tokens and found and judge_answer(gold.texts, gold.context[slice(*found)])[0]):
            reasons.add(BORDER)
        elif not _looked_for(tokens, prepared, int(decoding.get("longest", LONGEST))):
            reasons.add(LONG)
        else:
            return
    yield next(why for why in (LONG, BORDER, ABSENT) if why in reasons), gold.texts[0]


def _places(gold: ReadingExample) -> Iterator[tuple[int, int]]:
    """Yield where the answers stand in the context by the letters that are judged, marked or not."""
    letters = [
        (letter, at)
        for at, char in enumerate(gold.context)
        for letter in char.lower()
        if letter not in DROPPED
    ]
    context = "".join(letter for letter, _ in letters)
    for answer in filter(None, {bare(text) for text in gold.texts}):
        found = context.find(answer)
        while found >= 0:
            yield letters[found][1], letters[found + len(answer) - 1][1] + 1
            found = context.find(answer, found + 1)


def _looked_for(tokens: tuple[int, int], prepared: Prepared, most: int) -> bool:
    """Return whether a range of tokens is short enough, and lies whole in a window."""
    first, stop = tokens
    return stop - first <= most and any(
        feature.span[0] <= first and stop <= feature.span[1] for feature in prepared.features
    )
