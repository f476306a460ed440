"""Examples to look at: gold and every system's answer, wrong ones first but right ones too.

The choice is random but even: kinds of mistake take turns, so that fifty wrong boundaries do not
hide the one wrong type, and a quarter of the places is kept for examples that are right.
"""

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Any

import numpy as np

from zhbert.records import Span
from zhbert.score.answers import judge_answer
from zhbert.score.entities import errors
from zhbert.score.judge import Judged, answer_text
from zhbert.score.sheet import Exhibit, Marking

RIGHT = "right"
VALUE = "value"
NEAR = 0.5


def exhibits(systems: dict[str, Judged], *, rng: np.random.Generator, most: int = 60) -> tuple[Exhibit, ...]:
    """Return up to `most` examples; the first system decides which are worth showing."""
    first = next(iter(systems.values()))
    kinds = [outcomes(first, row) for row in range(len(first.gold))]
    return tuple(exhibit_of(systems, row, kinds[row]) for row in choose(kinds, rng=rng, most=most))


def choose(kinds: Sequence[Sequence[str]], *, rng: np.random.Generator, most: int) -> list[int]:
    """Return row numbers, kinds of mistake in turn, then right ones.

    >>> choose([["right"], ["missed"], ["missed"], ["wrong type"]], rng=np.random.default_rng(1), most=3)
    [1, 3, 0]
    """
    queues: dict[str, list[int]] = {}
    for row in rng.permutation(len(kinds)).tolist():
        queues.setdefault(kinds[row][0], []).append(row)
    right = queues.pop(RIGHT, [])
    turns = zip_longest(*(queues[kind] for kind in sorted(queues)))
    wrong = [row for row in chain.from_iterable(turns) if row is not None]
    kept = min(len(right), max(most // 4, 1, most - len(wrong)))
    return wrong[: most - kept] + right[:kept]


def outcomes(judged: Judged, row: int) -> tuple[str, ...]:
    """Return what the system did with one example: "right", or the kinds of its mistakes."""
    return _OUTCOMES[judged.task](judged, row)


def _entity_outcomes(judged: Judged, row: int) -> tuple[str, ...]:
    gold: Any = judged.gold[row]
    said: Any = judged.predictions[row]
    return tuple(dict.fromkeys(kind for kind, _, _ in errors(gold.entities, said.entities))) or (RIGHT,)


def _answer_outcomes(judged: Judged, row: int) -> tuple[str, ...]:
    gold: Any = judged.gold[row]
    answer = answer_text(gold.context, judged.predictions[row])
    exact, f1 = judge_answer(gold.texts, answer)
    if exact:
        return (RIGHT,)
    if not answer or not gold.texts:
        return ("no answer given",) if gold.texts else ("answered the unanswerable",)
    return ("partly right",) if f1 else ("wrong",)


def _label_outcomes(judged: Judged, row: int) -> tuple[str, ...]:
    if judged.rules.way == VALUE:
        return _number_outcomes(judged, row)
    return (RIGHT,) if judged.counts.pick(["correct"]).table[row, 0] else ("wrong",)


def _number_outcomes(judged: Judged, row: int) -> tuple[str, ...]:
    """A number is right here if it is not farther off than half a deviation of the gold numbers."""
    gold, said = judged.counts.pick(["x", "y"]).table[row].tolist()
    return (RIGHT,) if abs(said - gold) <= NEAR else ("too high",) if said > gold else ("too low",)


_OUTCOMES: dict[str, Callable[[Judged, int], tuple[str, ...]]] = {
    "classify": _label_outcomes,
    "pair": _label_outcomes,
    "choice": _label_outcomes,
    "ner": _entity_outcomes,
    "segment": _entity_outcomes,
    "reading": _answer_outcomes,
}


def exhibit_of(systems: dict[str, Judged], row: int, kinds: tuple[str, ...]) -> Exhibit:
    """Return one example with the gold answer and that of every system."""
    first = next(iter(systems.values()))
    gold: Any = first.gold[row]
    text, other = _TEXTS[first.task](gold)
    several = first.rules.way == "several"
    answers = [(name, outcomes(judged, row), judged.predictions[row]) for name, judged in systems.items()]
    say = _SAID[first.task]
    said = (Marking(by=name, outcome=found[0], **say(gold, p, several)) for name, found, p in answers)
    return Exhibit(id=gold.id, kinds=kinds, text=text, other=other, markings=(_gold(first.task, gold), *said))


def _gold(task: str, gold: Any) -> Marking:
    spans: tuple[Span, ...] = _GOLD_SPANS.get(task, lambda _: ())(gold)
    return Marking(by="gold", outcome="gold", spans=spans, labels=_GOLD_LABELS.get(task, lambda _: ())(gold))


_GOLD_SPANS: dict[str, Callable[[Any], tuple[Span, ...]]] = {
    "ner": lambda e: e.entities,
    "segment": lambda e: e.entities,
    "reading": lambda e: e.answers[:1],
}
_GOLD_LABELS: dict[str, Callable[[Any], tuple[str, ...]]] = {
    "classify": lambda e: _answer(e.labels, e.value),
    "pair": lambda e: _answer((e.label,), e.value),
    "choice": lambda e: (e.options[e.answer],),
}
_TEXTS: dict[str, Callable[[Any], tuple[str, str]]] = {
    "classify": lambda e: (e.text, ""),
    "pair": lambda e: (e.first, e.second),
    "ner": lambda e: (e.text, ""),
    "segment": lambda e: (e.text, ""),
    "reading": lambda e: (e.context, e.question),
    "choice": lambda e: (e.context, e.question),
}


def _answer(labels: tuple[str, ...], value: float | None) -> tuple[str, ...]:
    """Return an answer as it is shown: its labels, or its number."""
    return labels if value is None else (f"{value:.4g}",)


def _said_labels(_gold: Any, prediction: Any, several: bool) -> dict[str, Any]:
    if prediction.value is not None:
        return {"labels": _answer((), prediction.value)}
    shown = prediction.labels if several else prediction.labels[:1]
    return {"labels": tuple(shown), "scores": tuple(prediction.scores.get(label, 0.0) for label in shown)}


def _said_relation(prediction: Any) -> dict[str, Any]:
    if prediction.value is not None:
        return {"labels": _answer((), prediction.value)}
    return {"labels": (prediction.label,), "scores": (prediction.scores.get(prediction.label, 0.0),)}


_SAID: dict[str, Callable[[Any, Any, bool], dict[str, Any]]] = {
    "classify": _said_labels,
    "pair": lambda _, p, __: _said_relation(p),
    "choice": lambda g, p, _: {"labels": (g.options[p.answer],), "scores": p.scores[p.answer : p.answer + 1]},
    "ner": lambda _, p, __: {"spans": p.entities, "scores": p.scores},
    "segment": lambda _, p, __: {"spans": p.entities, "scores": p.scores},
    "reading": lambda _, p, __: {
        "spans": (p.answer,) if p.answer else (),
        "labels": (p.text,) if p.text else (),
        "scores": (p.score if p.answer else p.null_score,),
    },
}
