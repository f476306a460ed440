"""Gold and predictions of a system that is not zhbert's, in whatever form they are written.

- Gold is read in the form that is named, else in the first that fits the whole file.
- Predictions are tried as zhbert writes them, as one JSON object of ids and answers, as what CLUENER takes
  (ids and places without texts), and as examples that somebody else has answered, in the forms of gold.
- Reading is scored by texts: an answer that does not stand where the file says is none the worse for it.
- An answer of reading is a text. Where it stands in the passage it gets the first place there.
- Tags that break their scheme are entities to some scorers and none to others: they are read both ways.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from zhbert.errors import ConfigError, DataError, nearest
from zhbert.read.examples import read_examples, read_predictions
from zhbert.read.forms import FORMS, Form, How
from zhbert.read.forms.base import get, read_json, records_of
from zhbert.read.forms.cluener import entities_of
from zhbert.read.forms.tagged import CONLL
from zhbert.read.references import is_reference
from zhbert.records import (
    EXAMPLES,
    ChoiceExample,
    ChoicePrediction,
    EntityExample,
    EntityPrediction,
    Example,
    LabelExample,
    LabelPrediction,
    PairExample,
    PairPrediction,
    Prediction,
    ReadingExample,
    ReadingPrediction,
    Span,
    texts_of,
)

Gold = dict[str, Example]


def read_gold(path: Path, task: str, *, form: str = "") -> list[Example]:
    """Return the examples of a file, folder or reference."""
    if is_reference(path):
        return read_examples(path, task)
    if form and form not in FORMS:
        raise ConfigError(f'no form "{form}"', remedy=nearest(form, FORMS))
    fitting = [f for f in FORMS.values() if any(EXAMPLES[own] is EXAMPLES[task] for own in f.tasks)]
    ways = {f.name: partial(_read, f, path, task) for f in ([FORMS[form]] if form else fitting)}
    return _first_that_fits(path, ways, remedy="name its form with --form")


def _read(form: Form, path: Path, task: str) -> list[Example]:
    how = How(task=task, misplaced="search", scored=True) if task == "reading" else How(task=task)
    return [example for _, example in form.read(path, how)]


def read_said(path: Path, task: str, gold: Sequence[Example], *, form: str = "") -> list[Prediction]:
    """Return predictions in whatever form they are, those of ids that gold does not have included."""
    known = {example.id: example for example in gold}
    ways: dict[str, Callable[[], list[Prediction]]] = {
        "zhbert's predictions": lambda: read_predictions(path, task),
        "an object of ids and answers": lambda: _object(path, task, known),
        "entities without texts": lambda: _places(path, task, known),
        "examples": lambda: _answered(path, task, known, form),
    }
    if form:
        return ways["examples"]()
    return _first_that_fits(path, ways, remedy="name its form with --form")


def _first_that_fits(path: Path, ways: Mapping[str, Callable[[], list[Any]]], *, remedy: str) -> list[Any]:
    if not path.exists():
        raise DataError("no such file", where=path)
    faults = []
    for name, read in ways.items():
        try:
            found = read()
        except (DataError, IsADirectoryError, NotADirectoryError) as error:
            faults.append(f"{name}: {getattr(error, 'what', 'not this kind of file')}")
            continue
        if found:
            return found
    raise DataError(f"in no form that is known ({'; '.join(faults)})", where=path, remedy=remedy)


def _object(path: Path, task: str, gold: Gold) -> list[Prediction]:
    """Return what one JSON object says: a text, a label or the number of an option for every id."""
    answers = read_json(path)
    if not isinstance(answers, dict) or not all(isinstance(a, (str, int)) for a in answers.values()):
        raise DataError("must be an object of ids and answers", where=path)
    if task not in _FROM_ANSWER:
        raise DataError(f"an answer of {task} is more than a text or a number", where=path)
    return [_FROM_ANSWER[task](id_, answer, gold.get(id_)) for id_, answer in answers.items()]


def _reading(id_: str, answer: str | int, example: Any) -> Prediction:
    text = str(answer)
    start = example.context.find(text) if example and text else -1
    span = Span.of(example.context, start, start + len(text)) if start >= 0 else None
    return ReadingPrediction(
        id=id_, answer=span, text="" if span else text, score=float(bool(text)), null_score=float(not text)
    )


_FROM_ANSWER: dict[str, Callable[[str, Any, Any], Prediction]] = {
    "reading": _reading,
    "choice": lambda id_, answer, _: ChoicePrediction(id=id_, answer=int(answer), scores=()),
    "classify": lambda id_, answer, _: LabelPrediction(id=id_, labels=(str(answer),), scores={}),
    "pair": lambda id_, answer, _: PairPrediction(id=id_, label=str(answer), scores={}),
}


def _places(path: Path, task: str, gold: Gold) -> list[Prediction]:
    """Return what CLUENER takes: ids, and places by type and surface."""
    found: list[Prediction] = []
    for where, record in records_of(path):
        id_ = str(get(record, "id", (str, int), where))
        if task != "ner" or "text" in record:
            raise DataError("not entities without texts", where=where)
        example = gold.get(id_)
        text = example.text if isinstance(example, EntityExample) else ""
        spans = sorted(entities_of(record, text, How(own="inclusive"), where)) if text else []
        found.append(EntityPrediction(id=id_, entities=tuple(spans), scores=(1.0,) * len(spans)))
    return found


def _answered(path: Path, task: str, gold: Gold, form: str) -> list[Prediction]:
    """Return examples that somebody has answered as predictions; their texts must be those of gold."""
    examples = read_gold(path, task, form=form)
    _check_texts(examples, gold, path)
    return [_as_prediction(example) for example in examples]


def _check_texts(examples: Sequence[Example], gold: Gold, path: Path) -> None:
    for example in examples:
        if example.id in gold and texts_of(example) != texts_of(gold[example.id]):
            raise DataError(f'"{example.id}" has another text than in the gold data', where=path)


Tagged = tuple[list[Prediction], list[Prediction], int]


def read_broken_tags(path: Path, gold: Sequence[Example], gold_path: Path) -> Tagged | None:
    """Return entities of tags that break their scheme in some sentences, and in how many; None of any others.

    First those that stand there whole, as seqeval's strict mode has it, then all as conlleval (seqeval's
    default mode) reads them. Where spans of the gold file begin with B, one that begins with I breaks it.
    """
    if not path.is_file():
        return None
    try:
        scheme = _scheme(path)
        if scheme == "IOB1" and gold_path.is_file() and _scheme(gold_path) == "BIO":
            scheme = "BIO"
        hows = [How(task="ner", scheme=scheme, repair=True, scored=strict) for strict in (True, False)]
        strict, lenient = ([example for _, example in CONLL.read(path, how)] for how in hows)
    except DataError:
        return None
    broken = hows[0].counts["sentences with mended tags"]
    if not broken:
        return None
    _check_texts(strict, {example.id: example for example in gold}, path)
    return [_as_prediction(e) for e in strict], [_as_prediction(e) for e in lenient], broken


def _scheme(path: Path) -> str:
    """Return the scheme of a file of tags."""
    how = How(task="ner", repair=True)
    next(iter(CONLL.read(path, how)), None)
    return how.found["scheme"]


def _as_prediction(example: Example) -> Prediction:
    match example:
        case LabelExample():
            return LabelPrediction(id=example.id, labels=example.labels, scores={}, value=example.value)
        case PairExample():
            return PairPrediction(id=example.id, label=example.label, scores={}, value=example.value)
        case EntityExample():
            return EntityPrediction(
                id=example.id, entities=example.entities, scores=(1.0,) * len(example.entities)
            )
        case ReadingExample():
            return _reading(example.id, next(iter(example.texts), ""), example)
        case ChoiceExample():
            return ChoicePrediction(
                id=example.id, answer=-1 if example.answer is None else example.answer, scores=()
            )
