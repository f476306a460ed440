"""One system on one data set: predictions joined to gold by id, counted by the task's rules.

The rules of a task are one row of `RULES`: how to count, which metrics (the first is the headline) and what
they are by name. Texts and pairs may have one label, several, or a number: then `OTHER_WAYS` has the rules,
and unless the way is named it is seen from the gold examples. An id that is missing,
unknown or given twice is refused by name: a score over fewer examples is another score.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zhbert.errors import ConfigError, DataError, nearest
from zhbert.records import EXAMPLES, PREDICTIONS, Example, Prediction, Span
from zhbert.score import answers, entities, labels, segmentation, values
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
    rules: "Rules"

    @property
    def headline(self) -> Metric:
        """Return the metric that the task is known by."""
        return self.metrics[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How one task is judged; `way` is in which of several ways it is answered.

    Where train is known, `with_train` adds to the counts of gold and predictions what `train_metrics` need.
    """

    definition: str
    count: Callable[[Sequence[Any], Sequence[Any]], Counts]
    metrics: Callable[[Sequence[Any]], tuple[Metric, ...]]
    way: str = ""
    with_train: Callable[[Counts, Sequence[Any], Sequence[Any], Sequence[Any]], Counts] | None = None
    train_metrics: tuple[Metric, ...] = ()


ONE_LABEL = (labels.ACCURACY, labels.MACRO_F1, labels.MCC)


def _answer_metrics(gold: Sequence[Any]) -> tuple[Metric, ...]:
    official = (answers.F1, answers.EXACT, answers.AVERAGE)
    if all(example.texts for example in gold):
        return official
    return (*official, answers.HAS_F1, answers.HAS_EXACT, answers.NO_ANSWER)


def _ids(records: Sequence[Any]) -> tuple[str, ...]:
    return tuple(record.id for record in records)


def _count_texts(gold: Sequence[Any], said: Sequence[Any], *, several: bool = False) -> Counts:
    right, given = [g.labels for g in gold], [p.labels for p in said]
    return _counted(gold, right, given, said, several=several)


def _count_pairs(gold: Sequence[Any], said: Sequence[Any]) -> Counts:
    right, given = ([(one.label,) if one.label else () for one in some] for some in (gold, said))
    return _counted(gold, right, given, said)


def _counted(
    gold: Sequence[Any],
    right: Sequence[labels.Answers],
    given: Sequence[labels.Answers],
    said: Sequence[Any],
    *,
    several: bool = False,
) -> Counts:
    numbers = [p.id for p in said if p.value is not None]
    if numbers:
        raise DataError(f"a number was predicted where gold has labels: {some(numbers)}")
    labels.check_known(right, given, [p.scores for p in said])
    return labels.count_labels(_ids(gold), right, given, several=several)


def _count_numbers(gold: Sequence[Any], said: Sequence[Any]) -> Counts:
    return values.count_values(_ids(gold), [g.value for g in gold], [p.value for p in said])


def answer_text(context: str, prediction: Any) -> str:
    """Return the text that a reading prediction stands for; "" is no answer."""
    span = prediction.answer
    return context[span.start : span.end] if span else str(prediction.text)


RULES: dict[str, Rules] = {
    "classify": Rules(
        definition="accuracy of the first label; macro F1 over labels that occur; Matthews' correlation",
        count=_count_texts,
        metrics=lambda _: ONE_LABEL,
        way="one",
    ),
    "pair": Rules(
        definition="accuracy of the label; macro F1 over labels that occur; Matthews' correlation",
        count=_count_pairs,
        metrics=lambda _: ONE_LABEL,
        way="one",
    ),
    "ner": Rules(
        definition="strict entities: start, end and type must agree (seqeval strict, IOB2); macro over types",
        count=lambda gold, said: entities.count_entities(
            _ids(gold), [g.entities for g in gold], [p.entities for p in said]
        ),
        metrics=lambda _: (entities.MICRO_F1, entities.PRECISION, entities.RECALL, entities.MACRO_F1),
    ),
    "segment": Rules(
        definition="words: start and end must agree (SIGHAN bakeoffs), with parts of speech also the label",
        count=lambda gold, said: segmentation.count_words(
            _ids(gold), [g.entities for g in gold], [p.entities for p in said]
        ),
        metrics=segmentation.metrics,
        with_train=segmentation.with_new,
        train_metrics=(segmentation.NEW_RECALL,),
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
            _ids(gold), [g.answer for g in gold], [p.answer for p in said], [len(g.options) for g in gold]
        ),
        metrics=lambda _: (labels.ACCURACY,),
    ),
}


NUMBERS = Rules(
    definition="Pearson's correlation; Spearman's, of ranks among all examples",
    count=_count_numbers,
    metrics=lambda _: (values.PEARSON, values.SPEARMAN),
    way="value",
)
OTHER_WAYS: dict[tuple[str, str], Rules] = {
    ("classify", "several"): Rules(
        definition="micro F1 of label sets; macro F1 over labels that occur; accuracy of whole sets",
        count=lambda gold, said: _count_texts(gold, said, several=True),
        metrics=lambda _: (labels.MICRO_F1, labels.MACRO_F1, labels.SUBSET),
        way="several",
    ),
    ("classify", "value"): NUMBERS,
    ("pair", "value"): NUMBERS,
}


def rules_of(task: str, gold: Sequence[Any], *, head: str = "") -> Rules:
    """Return the rules for a task, by the head of the model where it is named, else by the gold examples.

    >>> from zhbert.records import LabelExample
    >>> rules_of("classify", [LabelExample(id="1", text="便宜又好用", labels=("价格", "质量"))]).way
    'several'
    """
    usual = RULES[task]
    if not usual.way:
        return usual
    ways = {usual.way: usual} | {way: rules for (other, way), rules in OTHER_WAYS.items() if other == task}
    if head and head not in ways:
        raise ConfigError(f'no way of {task} is called "{head}"', remedy=nearest(head, ways))
    return ways[head or _seen(task, gold)]


def _seen(task: str, gold: Sequence[Any]) -> str:
    without = [example.id for example in gold if example.value is None]
    if len(without) < len(gold):
        if without:
            raise DataError(f"some gold examples have a value, others have none: {some(without)}")
        return "value"
    return "several" if task == "classify" and labels.many([example.labels for example in gold]) else "one"


def judge(
    task: str,
    gold: Sequence[Example],
    predictions: Sequence[Prediction],
    *,
    train: Sequence[Example] | None = None,
    head: str = "",
) -> Judged:
    """Return what a system's predictions are worth; `train` adds the slices seen and unseen.

    `head` says in which way the task was answered, where the gold examples may not show it.

    >>> from zhbert.records import LabelExample, LabelPrediction
    >>> gold = [LabelExample(id="1", text="主队赢了", labels=("体育",))]
    >>> judged = judge("classify", gold, [LabelPrediction(id="1", labels=("体育",), scores={"体育": 0.9})])
    >>> judged.headline.name, float(judged.headline(judged.counts))
    ('accuracy', 1.0)
    """
    if task not in RULES:
        raise ConfigError(f'unknown task "{task}"', remedy=nearest(task, RULES))
    joined = join(task, gold, predictions)
    rules = rules_of(task, gold, head=head)
    counts, metrics = rules.count(gold, joined), rules.metrics(gold)
    if train and rules.with_train:
        counts, metrics = rules.with_train(counts, gold, joined, train), (*metrics, *rules.train_metrics)
    cut = parts(task, gold, joined, counts, train=train)
    return Judged(task, tuple(gold), joined, counts, metrics, tuple(cut), rules)


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
    "segment": lambda example, prediction: (example.text, prediction.entities),
    "reading": lambda example, prediction: (
        example.context,
        (prediction.answer, *(other.span for other in prediction.others)),
    ),
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
