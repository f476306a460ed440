"""The words and numbers of a report: English as stored, Chinese beside it, figures as printed.

Every room with a page has one file of words, English to Chinese (`templates/words.json`). What is not in
it (labels, names, free facts) is shown as it is. Its "limits" are the sentences that every report says
about itself.
"""

import json
from functools import cache
from importlib.resources import files

NAMES = {
    "classify": "classification",
    "pair": "sentence pairs",
    "ner": "entity recognition",
    "segment": "word segmentation",
    "reading": "reading comprehension",
    "choice": "multiple choice",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "subset_accuracy": "accuracy of whole sets",
    "mcc": "Matthews' correlation",
    "pearson": "Pearson's correlation",
    "spearman": "Spearman's correlation",
    "f1": "F1",
    "word_f1": "word F1",
    "word_precision": "word precision",
    "word_recall": "word recall",
    "tagged_f1": "F1 of words with their part of speech",
    "new_word_recall": "recall of new words",
    "exact_match": "exact match",
    "average": "average of EM and F1",
    "has_answer_f1": "F1, answerable",
    "has_answer_exact_match": "exact match, answerable",
    "no_answer_accuracy": "accuracy, unanswerable",
    "semeval_exact_f1": "F1, borders alone (SemEval exact)",
    "semeval_partial_f1": "F1, overlaps too (SemEval partial)",
    "semeval_type_f1": "F1, type and overlap (SemEval type)",
    "surface_macro_f1": "macro F1 of surfaces (CLUENER)",
    "best_f1": "F1 of the best answer",
    "best_exact_match": "exact match of the best answer",
}


@cache
def table(room: str = "score") -> dict[str, dict[str, str]]:
    """Return the tables of a room's page, such as words and limits: English to Chinese."""
    text = (files(f"zhbert.{room}") / "templates" / "words.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found


def limits() -> tuple[str, ...]:
    """Return what every report says about itself, in English."""
    return tuple(table()["limits"])


def chinese(word: str, room: str = "score") -> str | None:
    """Return the Chinese of a word that a room's tables know.

    >>> chinese("wrong boundary"), chinese("李明")
    ('边界错误', None)
    """
    return next((part[word] for part in table(room).values() if word in part), None)


def name_of(metric: str) -> str:
    """Return the English name of a metric or a task, or the word itself.

    >>> name_of("micro_f1"), chinese(name_of("micro_f1"))
    ('micro F1', '微平均 F1')
    """
    return NAMES.get(metric, metric)


def percent(share: float) -> str:
    """Return a share as per cent with one decimal.

    >>> percent(0.7123), points(-0.004), p_value(0.00009), p_value(0.23)
    ('71.2', '−0.4', '0.0001', '0.23')
    """
    return f"{100 * share:.1f}".replace("-", "−")


def points(difference: float) -> str:
    """Return a difference in percentage points, sign first."""
    return ("+" if difference > 0 else "") + percent(difference)


def p_value(p: float) -> str:
    """Return a p value with the digits that matter; randomisation cannot go below 1/(R+1), exact tests can.

    >>> p_value(3e-8)
    '< 0.0001'
    """
    if p < 0.00005:
        return "< 0.0001"
    return f"{p:.2f}" if p >= 0.1 else f"{p:.3f}" if p >= 0.001 else f"{p:.4f}"
