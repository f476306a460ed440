"""The records that flow from stage to stage, and their one (de)serialiser.

Every offset is a half-open range of Python characters into the ORIGINAL text. A span that is
tied to a text carries its surface, and `text[start:end] == surface` is checked whenever an
example is made, so a shifted offset cannot enter the house.

An example is what a task is asked (and, where known, the right answer); a prediction is what a
model answered. They are joined by `id`. One type per task, listed in `EXAMPLES` and
`PREDICTIONS` under the task's name.
"""

import json
import types
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from zhbert.errors import DataError, nearest

R = TypeVar("R")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A labelled range of characters; two spans are equal when range and label are.

    >>> Span.of("李明在北京工作", 3, 5, "地点")
    Span(start=3, end=5, label='地点', surface='北京')
    """

    start: int
    end: int
    label: str = ""
    surface: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise DataError(f"a span must have 0 <= start < end, not {self.start}..{self.end}")

    @classmethod
    def of(cls, text: str, start: int, end: int, label: str = "") -> "Span":
        """Return the span of `text` between two offsets, surface included."""
        return cls(start, end, label, text[start:end])

    def check(self, text: str) -> None:
        """Refuse a span that lies outside `text` or whose surface is not what stands there."""
        if self.end > len(text):
            raise DataError(f"span {self.start}..{self.end} ends after the text ({len(text)} characters)")
        found = text[self.start : self.end]
        if self.surface and found != self.surface:
            raise DataError(
                f'span {self.start}..{self.end} should be "{self.surface}" but the text has "{found}" there',
                remedy="offsets are half-open and count Python characters",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One text of a corpus; `source` is whose text it is, `at` the file and line where it was read."""

    id: str
    text: str
    source: str = ""
    at: str = ""
    meta: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelExample:
    """A text to classify; `labels` is empty where the answer is not known."""

    id: str
    text: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PairExample:
    """Two texts whose relation is asked; `label` is empty where it is not known."""

    id: str
    first: str
    second: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityExample:
    """A text and the entities in it."""

    id: str
    text: str
    entities: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        for span in self.entities:
            span.check(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingExample:
    """A question on a context; no answers means that the context does not answer it."""

    id: str
    context: str
    question: str
    answers: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        for span in self.answers:
            span.check(self.context)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceExample:
    """A question on a context with options to choose from; `answer` is an index or None."""

    id: str
    context: str
    question: str
    options: tuple[str, ...]
    answer: int | None = None

    def __post_init__(self) -> None:
        if self.answer is not None and not 0 <= self.answer < len(self.options):
            raise DataError(f"answer {self.answer} is not one of the {len(self.options)} options")


Example = LabelExample | PairExample | EntityExample | ReadingExample | ChoiceExample


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPrediction:
    """The labels of a text, best first, and the probability of every label."""

    id: str
    labels: tuple[str, ...]
    scores: dict[str, float]
    coverage: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPrediction:
    """The relation of two texts and the probability of every label."""

    id: str
    label: str
    scores: dict[str, float]
    coverage: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPrediction:
    """The entities of a text in order, with one probability each."""

    id: str
    entities: tuple[Span, ...]
    scores: tuple[float, ...]
    coverage: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPrediction:
    """The answer to a question; None when the model holds that there is none."""

    id: str
    answer: Span | None
    score: float
    null_score: float
    coverage: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePrediction:
    """The chosen option and the probability of each."""

    id: str
    answer: int
    scores: tuple[float, ...]
    coverage: float = 1.0


Prediction = LabelPrediction | PairPrediction | EntityPrediction | ReadingPrediction | ChoicePrediction

EXAMPLES: dict[str, type[Example]] = {
    "classify": LabelExample,
    "pair": PairExample,
    "ner": EntityExample,
    "reading": ReadingExample,
    "choice": ChoiceExample,
}
PREDICTIONS: dict[str, type[Prediction]] = {
    "classify": LabelPrediction,
    "pair": PairPrediction,
    "ner": EntityPrediction,
    "reading": ReadingPrediction,
    "choice": ChoicePrediction,
}


def to_json(record: object) -> str:
    """Return a record as one line of JSON, fields in order, Chinese as it is.

    >>> to_json(LabelExample(id="1", text="主队赢了", labels=("体育",)))
    '{"id": "1", "text": "主队赢了", "labels": ["体育"]}'
    """
    return json.dumps(to_plain(record), ensure_ascii=False)


def to_plain(value: object) -> Any:
    """Return a record as dictionaries, lists and scalars."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def from_plain(kind: type[R], value: object, *, at: str = "") -> R:
    """Return the record of type `kind` that `value` describes, or say what is wrong with it.

    >>> from_plain(LabelExample, {"id": "1", "text": "主队赢了", "labels": ["体育"]}).labels
    ('体育',)
    >>> from_plain(LabelExample, {"id": "1", "txt": "主队赢了"})
    Traceback (most recent call last):
    zhbert.errors.DataError: unknown field "txt" (did you mean "text"?)
    """
    if not isinstance(value, dict):
        raise DataError(f"{_name(at)}must be an object, not {_json_type(value)}")
    hints, required = _schema(kind)  # type: ignore[arg-type]  # a type is hashable, whatever mypy fears
    for key in value:
        if key not in hints:
            raise DataError(f'{_name(at)}unknown field "{key}"', remedy=nearest(key, hints))
    for key in required:
        if key not in value:
            raise DataError(f'{_name(at)}the field "{key}" is missing')
    return kind(**{key: _read(hints[key], item, f"{at}.{key}" if at else key) for key, item in value.items()})


@cache
def _schema(kind: type) -> tuple[dict[str, Any], tuple[str, ...]]:
    hints = get_type_hints(kind)
    required = tuple(f.name for f in fields(kind) if f.default is f.default_factory)  # both MISSING
    return hints, required


def _read(hint: Any, value: object, at: str) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return None if value is None else _read(next(a for a in args if a is not type(None)), value, at)
    if is_dataclass(hint):
        return from_plain(hint, value, at=at)  # type: ignore[arg-type]  # a dataclass type, seen above
    if origin is tuple:
        return tuple(_read(args[0], item, f"{at}[{i}]") for i, item in enumerate(_is(list, value, at)))
    if origin is dict:
        return {_is(str, k, at): _read(args[1], v, f"{at}.{k}") for k, v in _is(dict, value, at).items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return _is(hint, value, at)


def _is(kind: type, value: object, at: str) -> Any:
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise DataError(f"{_name(at)}must be {_WORDS[kind]}, not {_json_type(value)}")


def _name(at: str) -> str:
    return f'"{at}" ' if at else ""


_WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def _json_type(value: object) -> str:
    return "null" if value is None else _WORDS.get(type(value), type(value).__name__)
