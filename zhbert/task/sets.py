"""The two sets that a fine-tuning reads, checked: every example must have an answer of the wanted kind.

An example that cannot be learnt from is refused with its id and its file, never left out.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from zhbert.errors import ConfigError, DataError
from zhbert.read.examples import labels_in, read_examples
from zhbert.records import ChoiceExample, EntityExample, Example, LabelExample, PairExample
from zhbert.task.registry import head_of

NAMELESS = (("reading", "span"), ("choice", "options"), ("classify", "value"), ("pair", "value"))


def read_sets(
    train: Path, dev: Path, *, task: str, head: str, labels: Sequence[str]
) -> tuple[list[str], list[Example], list[Example]]:
    """Return the labels in order and both sets; labels that are not given are those of train."""
    way = (task, head_of(task, head))
    if len(set(labels)) < len(labels):
        raise ConfigError(f"labels: one is given twice: {', '.join(labels)}")
    train_set = read_examples(train, task, labels=list(labels))
    names: list[str] = []
    if way not in NAMELESS:
        names = list(labels) or sorted({label for example in train_set for label in labels_in(example)})
        if not names:
            raise DataError("no example carries a label", where=train)
    _check(train, train_set, way)
    dev_set = read_examples(dev, task, labels=names)
    _check(dev, dev_set, way)
    return names, train_set, dev_set


def _check(path: Path, examples: Sequence[Example], way: tuple[str, str]) -> None:
    for example in examples:
        blank = _blank(example)
        if fault := blank or (_FAULTS[way](example) if way in _FAULTS else ""):
            remedy = "fill it, or take the example out" if blank else _REMEDY[way]
            raise DataError(f'the example "{example.id}" {fault}', where=path, remedy=remedy)


def _blank(example: Example) -> str:
    match example:
        case LabelExample() if not example.text.strip():
            return "has no text"
        case PairExample() if not (example.first.strip() and example.second.strip()):
            return "has no text on one of its sides"
    return ""


def _not_one(example: Example) -> str:
    given = len(labels_in(example))
    return "" if given == 1 else f"has {given} labels" + _of_value(example)


def _not_some(example: Example) -> str:
    return "has a value where labels are learnt" if getattr(example, "value", None) is not None else ""


def _no_value(example: Example) -> str:
    if getattr(example, "value", None) is not None:
        return ""
    return "has no value" + (" but a label" if labels_in(example) else "")


def _no_answer(example: Example) -> str:
    return "has no answer" if isinstance(example, ChoiceExample) and example.answer is None else ""


def _no_words(example: Example) -> str:
    blank = not (isinstance(example, EntityExample) and example.text.strip())
    return "" if blank or labels_in(example) else "has no words"


def _of_value(example: Example) -> str:
    return " but a value" if getattr(example, "value", None) is not None else ""


_FAULTS: dict[tuple[str, str], Callable[[Example], str]] = {
    ("classify", "one"): _not_one,
    ("classify", "several"): _not_some,
    ("classify", "value"): _no_value,
    ("pair", "one"): _not_one,
    ("pair", "value"): _no_value,
    ("choice", "options"): _no_answer,
    ("segment", "softmax"): _no_words,
    ("segment", "crf"): _no_words,
}
_REMEDY = {
    ("classify", "one"): "every example must have exactly one; --head several takes any number",
    ("classify", "several"): "--head value learns numbers",
    ("classify", "value"): "every example must have one",
    ("pair", "one"): "every example must have exactly one; --head value learns numbers",
    ("pair", "value"): "every example must have one",
    ("choice", "options"): "every example must have one",
    ("segment", "softmax"): "its spans are the words, and cover the text",
    ("segment", "crf"): "its spans are the words, and cover the text",
}
