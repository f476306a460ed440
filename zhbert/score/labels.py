"""Counts of classification, sentence pairs and multiple choice.

- One gold label each: the first predicted label counts. As soon as one example has several, the
  whole data set is multi-label: label sets, empty ones too, are compared, and subset accuracy asks for
  equal ones. Where no example happens to have several, whoever judges has to say that they could.
- Macro F1 is the mean over the labels that occur in gold or prediction, as in scikit-learn.
- Matthews' correlation of more than two labels is Gorodkin's, as in scikit-learn.
- An example whose label is not known cannot be judged and is refused, by id. So are predictions of a
  system that cannot say a gold label at all: it was taught another set of labels.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from zhbert.errors import DataError
from zhbert.score.counts import EVERY, OVERALL, Array, Counts, Metric, f1, label_table, macro_f1, ratio, some


def matthews(correct: Array, n: Array, tp: Array, fp: Array, fn: Array) -> Array:
    """Return how far gold and predicted labels go together: 1 always, 0 no more than by chance."""
    gold, said = tp + fn, tp + fp
    together = correct * n - (gold * said).sum(axis=-1)
    spread = (n**2 - (gold**2).sum(axis=-1)) * (n**2 - (said**2).sum(axis=-1))
    return ratio(together, np.sqrt(np.maximum(spread, 0)))


ACCURACY = Metric("accuracy", ("correct", "n"), ratio)
MACRO_F1 = Metric("macro_f1", EVERY, macro_f1)
MICRO_F1 = Metric("micro_f1", OVERALL, f1)
SUBSET = Metric("subset_accuracy", ("correct", "n"), ratio)
MCC = Metric("mcc", ("correct", "n", *EVERY), matthews)

Answers = tuple[str, ...]
ENOUGH = 20  # examples of which a system does not miss all by chance


def count_labels(
    ids: Sequence[str], gold: Sequence[Answers], predicted: Sequence[Answers], *, several: bool = False
) -> Counts:
    """Return the counts of gold and predicted labels, of which each example may have `several`.

    >>> counts = count_labels(["1", "2"], [("体育",), ("财经",)], [("体育",), ("体育",)])
    >>> float(ACCURACY(counts)), round(float(MACRO_F1(counts)), 3)
    (0.5, 0.333)
    """
    unknown = [id for id, labels in zip(ids, gold, strict=True) if not labels]
    if unknown and not several:
        raise DataError(f"no gold label: {some(unknown)}", remedy="judge only examples whose label is known")
    if not several:
        predicted = [labels[:1] for labels in predicted]
    found = [(set(a), set(b)) for a, b in zip(gold, predicted, strict=True)]
    names, table = label_table(found, str)
    right = [[1.0, float(a == b)] for a, b in found]
    return Counts(("n", "correct", *names), np.hstack([np.array(right), table]), tuple(ids))


def count_choices(
    ids: Sequence[str], gold: Sequence[int | None], predicted: Sequence[int], options: Sequence[int]
) -> Counts:
    """Return the counts of chosen options, of which each question has so many.

    >>> float(ACCURACY(count_choices(["一", "二"], [0, 3], [0, 1], [2, 4])))
    0.5
    """
    unknown = [id for id, answer in zip(ids, gold, strict=True) if answer is None]
    if unknown:
        raise DataError(
            f"no gold answer: {some(unknown)}", remedy="judge only examples whose answer is known"
        )
    outside = [id for id, answer, most in zip(ids, predicted, options, strict=True) if not 0 <= answer < most]
    if outside:
        raise DataError(f"the predicted answer is none of the options: {some(outside)}")
    table = np.array([[1.0, float(a == b)] for a, b in zip(gold, predicted, strict=True)])
    return Counts(("n", "correct"), table, tuple(ids))


def check_known(
    gold: Sequence[Answers], predicted: Sequence[Answers], scores: Sequence[Mapping[str, float]]
) -> None:
    """Refuse predictions of a system that was taught another set of labels, and show both.

    What a system can say is what it gives a probability to, where it does so for all its labels: if it lacks
    gold labels and has others instead, they are not the same. Of any other system it is only known what it
    did say: among ENOUGH examples some of that must be a gold label.

    >>> check_known([("体育",)], [("sports",)], [{"sports": 0.9, "finance": 0.1}])
    Traceback (most recent call last):
    zhbert.errors.DataError: the predictions know no label "体育" (gold: 体育; predictions: finance, sports)
    """
    wanted = {label for labels in gold for label in labels}
    said = {label for labels in predicted for label in labels}
    whole = len(scores[0]) > 1 and all(row.keys() == scores[0].keys() for row in scores)
    lacking = wanted - scores[0].keys() if whole and scores[0].keys() - wanted else set()
    if not whole and len(gold) >= ENOUGH and said and not wanted & said:
        lacking = wanted
    if lacking:
        both = f"gold: {some(sorted(wanted))}; predictions: {some(sorted(said.union(*scores)))}"
        raise DataError(f'the predictions know no label "{min(lacking)}"', remedy=both)


def many(gold: Sequence[Answers]) -> bool:
    """Return whether this is a multi-label data set."""
    return any(len(labels) > 1 for labels in gold)


def confusion(gold: Sequence[Answers], predicted: Sequence[Answers]) -> Counter[tuple[str, str]]:
    """Return how often each gold label was answered by each label; "" is no answer.

    >>> confusion([("体育",), ("财经",)], [("体育",), ("体育",)])[("财经", "体育")]
    1
    """
    return Counter((a[0], b[0] if b else "") for a, b in zip(gold, predicted, strict=True))
