"""Counts of classification, sentence pairs and multiple choice.

- One gold label each: the first predicted label counts. As soon as one example has several, the
  whole data set is multi-label: label sets are compared, and accuracy asks for equal sets.
- Macro F1 is the mean over the labels that occur in gold or prediction, as in scikit-learn.
- An example whose label is not known cannot be judged and is refused, by id.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from zhbert.errors import DataError
from zhbert.score.counts import EVERY, OVERALL, Counts, Metric, f1, label_table, macro_f1, ratio, some

ACCURACY = Metric("accuracy", ("correct", "n"), ratio)
MACRO_F1 = Metric("macro_f1", EVERY, macro_f1)
MICRO_F1 = Metric("micro_f1", OVERALL, f1)

Answers = tuple[str, ...]


def count_labels(ids: Sequence[str], gold: Sequence[Answers], predicted: Sequence[Answers]) -> Counts:
    """Return the counts of gold and predicted labels.

    >>> counts = count_labels(["1", "2"], [("体育",), ("财经",)], [("体育",), ("体育",)])
    >>> float(ACCURACY(counts)), round(float(MACRO_F1(counts)), 3)
    (0.5, 0.333)
    """
    unknown = [id for id, labels in zip(ids, gold, strict=True) if not labels]
    if unknown:
        raise DataError(f"no gold label: {some(unknown)}", remedy="judge only examples whose label is known")
    if not many(gold):
        predicted = [labels[:1] for labels in predicted]
    found = [(set(a), set(b)) for a, b in zip(gold, predicted, strict=True)]
    names, table = label_table(found, str)
    right = [[1.0, float(a == b)] for a, b in found]
    return Counts(("n", "correct", *names), np.hstack([np.array(right), table]), tuple(ids))


def count_choices(ids: Sequence[str], gold: Sequence[int | None], predicted: Sequence[int]) -> Counts:
    """Return the counts of chosen options.

    >>> float(ACCURACY(count_choices(["一", "二"], [0, 3], [0, 1])))
    0.5
    """
    unknown = [id for id, answer in zip(ids, gold, strict=True) if answer is None]
    if unknown:
        raise DataError(
            f"no gold answer: {some(unknown)}", remedy="judge only examples whose answer is known"
        )
    table = np.array([[1.0, float(a == b)] for a, b in zip(gold, predicted, strict=True)])
    return Counts(("n", "correct"), table, tuple(ids))


def many(gold: Sequence[Answers]) -> bool:
    """Return whether this is a multi-label data set."""
    return any(len(labels) > 1 for labels in gold)


def confusion(gold: Sequence[Answers], predicted: Sequence[Answers]) -> Counter[tuple[str, str]]:
    """Return how often each gold label was answered by each label; "" is no answer.

    >>> confusion([("体育",), ("财经",)], [("体育",), ("体育",)])[("财经", "体育")]
    1
    """
    return Counter((a[0], b[0] if b else "") for a, b in zip(gold, predicted, strict=True))
