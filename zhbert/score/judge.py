"""One system on one data set: predictions joined to gold by id, counted by the task's rules.

The rules of a task are one row of `RULES`: the type of its examples and predictions, how to
count, which metrics (the first is the headline) and what they are by name. An id that is missing,
unknown or given twice is refused by name: a score over fewer examples is another score.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zhbert.errors import ConfigError, DataError, nearest
from zhbert.records import EXAMPLES, PREDICTIONS, Example, Prediction, Span
from zhbert.score import answers, entities, labels
from zhbert.score.counts import Counts, Metric, some
from zhbert.score.slices import Part, parts


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A system's predictions in the order of the gold examples, their counts, metrics and slices."""

    task: str
    gold: tuple[Example, ...]
    predictions: tuple[Prediction, ...]
    counts: Counts
    metrics: tuple[Metric, ...]
    parts: tuple[Part, ...]

    @property
    def headline(self) -> Metric:
        """Return the metric that the task is known by."""
        return self.metrics[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How one task is judged."""

    definition: str
    count: Callable[[Sequence[Any], Sequence[Any]], Counts]
    metrics: Callable[[Sequence[Any]], tuple[Metric, ...]]


def _label_metrics(gold: Sequence[Any]) -> tuple[Metric, ...]:
    several = labels.many([example.labels for example in gold])
    return (
        (labels.MICRO_F1, labels.MACRO_F1, labels.ACCURACY) if several else (labels.ACCURACY, labels.MACRO_F1)
    )


def _answer_metrics(gold: Sequence[Any]) -> tuple[Metric, ...]:
    official = (answers.F1, answers.EXACT, answers.AVERAGE)
    if all(example.answers for example in gold):
        return official
    return (*official, answers.HAS_F1, answers.HAS_EXACT, answers.NO_ANSWER)


def _ids(records: Sequence[Any]) -> tuple[str, ...]:
    return tuple(record.id for record in records)


def _count_pairs(gold: Sequence[Any], said: Sequence[Any]) -> Counts:
    return labels.count_labels(
        _ids(gold), [(g.label,) if g.label else () for g in gold], [(p.label,) for p in said]
    )


def answer_text(context: str, prediction: Any) -> str:
    """Return the text that a reading prediction stands for; "" is no answer."""
    span = prediction.answer
    return context[span.start : span.end] if span else ""


RULES: dict[str, Rules] = {
    "classify": Rules(
        definition="accuracy of the first label, or micro F1 of label sets; macro F1 over labels that occur",
        count=lambda gold, said: labels.count_labels(
            _ids(gold), [g.labels for g in gold], [p.labels for p in said]
        ),
        metrics=_label_metrics,
    ),
    "pair": Rules(
        definition="accuracy of the label; macro F1 over labels that occur",
        count=_count_pairs,
        metrics=lambda _: (labels.ACCURACY, labels.MACRO_F1),
    ),
    "ner": Rules(
        definition="strict entities: start, end and type must agree (seqeval strict, IOB2); macro over types",
        count=lambda gold, said: entities.count_entities(
            _ids(gold), [g.entities for g in gold], [p.entities for p in said]
        ),
        metrics=lambda _: (entities.MICRO_F1, entities.PRECISION, entities.RECALL, entities.MACRO_F1),
    ),
    "reading": Rules(
        definition="exact match and F1 of the official CMRC 2018 script, version 6",
        count=lambda gold, said: answers.count_answers(
            gold, {p.id: answer_text(g.context, p) for g, p in zip(gold, said, strict=True)}
        ),
        metrics=_answer_metrics,
    ),
    "choice": Rules(
        definition="accuracy over questions",
        count=lambda gold, said: labels.count_choices(
            _ids(gold), [g.answer for g in gold], [p.answer for p in said]
        ),
        metrics=lambda _: (labels.ACCURACY,),
    ),
}


def judge(
    task: str,
    gold: Sequence[Example],
    predictions: Sequence[Prediction],
    *,
    train: Sequence[Example] | None = None,
) -> Judged:
    """Return what a system's predictions are worth; `train` adds the slices seen and unseen.

    >>> from zhbert.records import LabelExample, LabelPrediction
    >>> gold = [LabelExample(id="1", text="主队赢了", labels=("体育",))]
    >>> judged = judge("classify", gold, [LabelPrediction(id="1", labels=("体育",), scores={"体育": 0.9})])
    >>> judged.headline.name, float(judged.headline(judged.counts))
    ('accuracy', 1.0)
    """
    if task not in RULES:
        raise ConfigError(f'unknown task "{task}"', remedy=nearest(task, RULES))
    joined = join(task, gold, predictions)
    counts = RULES[task].count(gold, joined)
    cut = parts(task, gold, joined, counts, train=train)
    return Judged(task, tuple(gold), joined, counts, RULES[task].metrics(gold), tuple(cut))


def join(task: str, gold: Sequence[Example], predictions: Sequence[Prediction]) -> tuple[Prediction, ...]:
    """Return the predictions in the order of the gold examples, or name the ids that do not fit."""
    if not gold:
        raise DataError("no gold examples to judge against")
    for kind, records in ((EXAMPLES[task], gold), (PREDICTIONS[task], predictions)):
        odd = [record.id for record in records if not isinstance(record, kind)]
        if odd:
            raise DataError(f"not a {kind.__name__}: {some(odd)}", remedy=f'the task is "{task}"')
    said = {prediction.id: prediction for prediction in predictions}
    asked = Counter(example.id for example in gold)
    faults = {
        "two gold examples have the id": [id for id, times in asked.items() if times > 1],
        "predicted twice": [id for id, times in Counter(p.id for p in predictions).items() if times > 1],
        "no prediction for": [id for id in asked if id not in said],
        "predicted but not in the gold data": [id for id in said if id not in asked],
    }
    wrong = [f"{words} {some(ids)}" for words, ids in faults.items() if ids]
    if wrong:
        raise DataError("; ".join(wrong), remedy="predictions and gold examples are joined by id")
    return tuple(_checked(task, example, said[example.id]) for example in gold)


_SPANS: dict[str, Callable[[Any, Any], tuple[str, Sequence[Span | None]]]] = {
    "ner": lambda example, prediction: (example.text, prediction.entities),
    "reading": lambda example, prediction: (example.context, (prediction.answer,)),
}


def _checked(task: str, example: Example, prediction: Prediction) -> Prediction:
    """Refuse a predicted span that is not in the text: a shifted offset is a fault, not a wrong answer."""
    text, spans = _SPANS[task](example, prediction) if task in _SPANS else ("", ())
    for span in filter(None, spans):
        found = text[span.start : span.end]
        if span.end > len(text) or span.surface not in ("", found):
            place = f'the predicted span {span.start}..{span.end} "{span.surface}"'
            what = f'{place} is not there: the text has "{found}"'
            raise DataError(what, where=example.id, remedy="offsets count characters of the original text")
    return prediction
