"""Examples whose texts were changed, with their answers moved along.

What is peculiar:

- Besides the changes of single texts (`text/changes.py`) there are two that need the other examples: `names`
  puts another entity of the same type for every entity, `distractor` puts a sentence of another passage
  before a passage, one that shares characters with the question and holds none of the answers.
- An example is left out where a change does nothing to it, or where an answer loses its place.
- Published answers that stand nowhere in the passage cannot move along: what moves is the spans.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zhbert.records import (
    ChoiceExample,
    ChoicePrediction,
    EntityExample,
    EntityPrediction,
    Example,
    LabelPrediction,
    PairPrediction,
    Prediction,
    ReadingExample,
    ReadingPrediction,
    Span,
    texts_of,
)
from zhbert.text.changes import CHANGES, applied, change, moved
from zhbert.text.normalize import Edit, Normalized
from zhbert.text.sentences import sentences

OF_EXAMPLES = {
    "names": "every entity becomes another one of its type",
    "distractor": "a sentence of another passage, which looks as if it answered, stands before the passage",
}
TRIED = 40  # sentences of other passages among which the most likely one is taken
LONG, SHORT = 80, 8  # characters of a sentence that can distract
_TASKS = {"names": EntityExample, "distractor": ReadingExample}
Texts = dict[str, Normalized]


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """An example before and after, and where the characters of its texts came from."""

    before: Example
    after: Example
    texts: Texts

    def follow(self, prediction: Prediction) -> object:
        """Return what a prediction says, its spans moved to where they are after the change."""
        text = next(iter(self.texts.values()))
        match prediction:
            case EntityPrediction():
                return frozenset((moved(text, s.start, s.end), s.label) for s in prediction.entities)
            case ReadingPrediction(answer=Span() as span):
                return moved(text, span.start, span.end)
            case _:
                return said(prediction)


def said(prediction: Prediction) -> object:
    """Return what a prediction says, to be held against what another says: labels, places, a number.

    >>> said(LabelPrediction(id="1", labels=("体育",), scores={"体育": 0.9}))
    frozenset({'体育'})
    """
    match prediction:
        case EntityPrediction():
            return frozenset(((s.start, s.end), s.label) for s in prediction.entities)
        case ReadingPrediction(answer=Span() as span):
            return span.start, span.end
        case ReadingPrediction():
            return prediction.text or None
        case ChoicePrediction():
            return prediction.answer
        case LabelPrediction():
            return frozenset(prediction.labels) if prediction.value is None else prediction.value
        case PairPrediction():
            return prediction.label if prediction.value is None else prediction.value


def changes_for(task_example: type[Example]) -> dict[str, str]:
    """Return the changes that can be made to a kind of example, with what they do.

    >>> "names" in changes_for(EntityExample), "distractor" in changes_for(EntityExample)
    (True, False)
    """
    own = {name: about for name, about in OF_EXAMPLES.items() if _TASKS[name] is task_example}
    return {name: each.about for name, each in CHANGES.items()} | own


def changed(examples: Sequence[Example], name: str, *, seed: int = 1) -> Iterator[Changed]:
    """Yield the examples that a change does something to, in order, with their answers in new places."""
    edits = _of_examples(name, examples, seed) if name in OF_EXAMPLES else None
    for example in examples:
        texts = {
            key: applied(text, edits(example, key)) if edits else change(text, name, seed=seed)
            for key, text in texts_of(example).items()
        }
        after = _rebuilt(example, texts)
        if after is not None and after != example:
            yield Changed(example, after, texts)


def _rebuilt(example: Example, texts: Texts) -> Example | None:
    """Return an example with other texts, or none if one of its spans has no place in them."""
    new: dict[str, Any] = {key: text.text for key, text in texts.items() if hasattr(example, key)}
    match example:
        case EntityExample():
            new["entities"] = _followed(texts["text"], example.entities)
        case ReadingExample():
            new["answers"] = _followed(texts["context"], example.answers)
            if example.published and not example.answers:
                return None
            new["published"] = ()
        case ChoiceExample():
            new["options"] = tuple(texts[f"option {i}"].text for i in range(len(example.options)))
    return None if None in new.values() else replace(example, **new)


def _followed(text: Normalized, spans: Sequence[Span]) -> tuple[Span, ...] | None:
    found = [(moved(text, span.start, span.end), span.label) for span in spans]
    if any(place is None for place, _ in found):
        return None
    return tuple(Span.of(text.text, *place, label) for place, label in found if place)


def _of_examples(name: str, examples: Sequence[Example], seed: int) -> Callable[[Example, str], list[Edit]]:
    """Return what `names` or `distractor` do to a text of an example."""
    if name == "names":
        pool: dict[str, list[str]] = {}
        for example in examples:
            for span in getattr(example, "entities", ()):
                pool.setdefault(span.label, []).append(span.surface)
        kinds = {label: sorted(set(surfaces)) for label, surfaces in pool.items()}
        return lambda example, _: _renamed(example, kinds, _draw(name, seed, example))
    passages = list(dict.fromkeys(getattr(example, "context", "") for example in examples))
    return lambda example, key: _distracted(example, key, passages, _draw(name, seed, example))


def _draw(name: str, seed: int, example: Example) -> np.random.Generator:
    digest = hashlib.blake2b(f"{seed}\0{name}\0{example.id}".encode("utf-8", "surrogatepass"), digest_size=8)
    return np.random.default_rng(int.from_bytes(digest.digest(), "big"))


def _renamed(example: Any, kinds: dict[str, list[str]], draw: np.random.Generator) -> list[Edit]:
    edits, done = [], 0
    for span in sorted(example.entities):
        others = [surface for surface in kinds[span.label] if surface != span.surface]
        if span.start >= done and others:  # of nested entities the first keeps the others
            edits.append((span.start, span.end, others[int(draw.integers(len(others)))]))
            done = span.end
    return edits


def _distracted(example: Any, key: str, passages: list[str], draw: np.random.Generator) -> list[Edit]:
    if key != "context":
        return []
    asked, best, most = set(example.question), "", -1
    for _ in range(TRIED):
        passage = passages[int(draw.integers(len(passages)))]
        cuts = [cut for cut in sentences(passage) if SHORT <= cut[1] - cut[0] <= LONG]
        if passage == example.context or not cuts:
            continue
        start, end = cuts[int(draw.integers(len(cuts)))]
        sentence = passage[start:end].strip()
        shared = len(asked & set(sentence))
        if shared > most and not any(answer in sentence for answer in example.texts):
            best, most = sentence, shared
    return [(0, 0, best)] if best else []
