"""The records that flow from stage to stage; `plain.py` writes and reads them.

Every offset is a half-open range of Python characters into the ORIGINAL text. A span that is
tied to a text carries its surface, and `text[start:end] == surface` is checked whenever an
example is made, so a shifted offset cannot enter the house.

An example is what a task is asked (and, where known, the right answer); a prediction is what a
model answered. They are joined by `id`. One type per task, listed in `EXAMPLES` and
`PREDICTIONS` under the task's name. Where a model has a temperature, which divides its logits, `raw` keeps
the probabilities that it would give without, in the order of the prediction's own.
"""

from dataclasses import dataclass, field
from math import isfinite

from zhbert.errors import DataError
from zhbert.plain import RARE
from zhbert.plain import from_plain as from_plain
from zhbert.plain import to_json as to_json
from zhbert.plain import to_plain as to_plain


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
    """A text to classify, or to give a number; `labels` is empty where none applies or none is known."""

    id: str
    text: str
    labels: tuple[str, ...] = ()
    value: float | None = field(default=None, metadata=RARE)

    def __post_init__(self) -> None:
        _check_answer(self.labels, self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairExample:
    """Two texts whose relation is asked, a label or a number; `label` is empty where it is not known."""

    id: str
    first: str
    second: str
    label: str = ""
    value: float | None = field(default=None, metadata=RARE)

    def __post_init__(self) -> None:
        _check_answer((self.label,) if self.label else (), self.value)


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
    """A question on a context; no answers at all means that the context does not answer it.

    `published` gives all answers as texts, where some are not what stands in the context: another full
    stop, or "39764.0" for "39764". Those that stand nowhere have no span.
    """

    id: str
    context: str
    question: str
    answers: tuple[Span, ...] = ()
    published: tuple[str, ...] = field(default=(), metadata=RARE)

    def __post_init__(self) -> None:
        for span in self.answers:
            span.check(self.context)

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the answers as texts; none means that the context does not answer the question.

        >>> ReadingExample(id="1", context="他毕业于北大", question="哪里？", published=("北京大学",)).texts
        ('北京大学',)
        """
        return self.published or tuple(self.context[span.start : span.end] for span in self.answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceExample:
    """A question on a context with options to choose from; `answer` is an index or None."""

    id: str
    context: str
    question: str
    options: tuple[str, ...]
    answer: int | None = None

    def __post_init__(self) -> None:
        if len(self.options) < 2:
            raise DataError(f"there must be two options or more, not {len(self.options)}")
        if self.answer is not None and not 0 <= self.answer < len(self.options):
            raise DataError(f"answer {self.answer} is not one of the {len(self.options)} options")


def _check_answer(labels: tuple[str, ...], value: float | None) -> None:
    """Refuse an answer that is a label and a number at once, one label twice, or no number at all."""
    twice = next((label for i, label in enumerate(labels) if label in labels[:i]), None)
    if twice is not None:
        raise DataError(f'the label "{twice}" is given twice')
    if value is not None and labels:
        raise DataError(f'an answer is a label or a value, not both: "{labels[0]}" and {value:g}')
    if value is not None and not isfinite(value):
        raise DataError(f"the value must be a finite number, not {value}")


Example = LabelExample | PairExample | EntityExample | ReadingExample | ChoiceExample


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPrediction:
    """The labels of a text, best first, and the probability of every label; or a number alone."""

    id: str
    labels: tuple[str, ...]
    scores: dict[str, float]
    value: float | None = field(default=None, metadata=RARE)
    coverage: float = 1.0
    raw: tuple[float, ...] = field(default=(), metadata=RARE, repr=False)

    def __post_init__(self) -> None:
        _check_answer(self.labels, self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPrediction:
    """The relation of two texts and the probability of every label; or a number alone."""

    id: str
    label: str
    scores: dict[str, float]
    value: float | None = field(default=None, metadata=RARE)
    coverage: float = 1.0
    raw: tuple[float, ...] = field(default=(), metadata=RARE, repr=False)

    def __post_init__(self) -> None:
        _check_answer((self.label,) if self.label else (), self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPrediction:
    """The entities of a text in order, with one probability each."""

    id: str
    entities: tuple[Span, ...]
    scores: tuple[float, ...]
    coverage: float = 1.0
    raw: tuple[float, ...] = field(default=(), metadata=RARE, repr=False)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that was considered, and its probability."""

    span: Span
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPrediction:
    """The answer to a question; None when the model holds that there is none.

    `score` is the probability of the best answer, given or not, `null_score` that of none; `others` are
    further answers, best first, where they were asked for. All probabilities of a question add up to 1. An
    answer that stands nowhere in the context, as other systems give them, is a `text` without a span.
    """

    id: str
    answer: Span | None
    score: float
    null_score: float
    others: tuple[Candidate, ...] = field(default=(), metadata=RARE)
    text: str = field(default="", metadata=RARE)
    coverage: float = 1.0
    raw: tuple[float, ...] = field(default=(), metadata=RARE, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePrediction:
    """The chosen option and the probability of each."""

    id: str
    answer: int
    scores: tuple[float, ...]
    coverage: float = 1.0
    raw: tuple[float, ...] = field(default=(), metadata=RARE, repr=False)


Prediction = LabelPrediction | PairPrediction | EntityPrediction | ReadingPrediction | ChoicePrediction

EXAMPLES: dict[str, type[Example]] = {
    "classify": LabelExample,
    "pair": PairExample,
    "ner": EntityExample,
    "segment": EntityExample,
    "reading": ReadingExample,
    "choice": ChoiceExample,
}
PREDICTIONS: dict[str, type[Prediction]] = {
    "classify": LabelPrediction,
    "pair": PairPrediction,
    "ner": EntityPrediction,
    "segment": EntityPrediction,
    "reading": ReadingPrediction,
    "choice": ChoicePrediction,
}
_TEXTS: dict[type[object], tuple[str, ...]] = {
    LabelExample: ("text",),
    PairExample: ("first", "second"),
    EntityExample: ("text",),
    ReadingExample: ("context", "question"),
    ChoiceExample: ("context", "question"),
}


def texts_of(example: Example) -> dict[str, str]:
    """Return the texts that an example asks about, by the names of its fields; options are numbered.

    >>> texts_of(PairExample(id="1", first="今天下雨", second="今天晴"))
    {'first': '今天下雨', 'second': '今天晴'}
    """
    options = {f"option {i}": text for i, text in enumerate(getattr(example, "options", ()))}
    return {key: getattr(example, key) for key in _TEXTS[type(example)]} | options


def characters_of(example: Example) -> int:
    """Return how many characters the texts of an example have, options included.

    >>> characters_of(ChoiceExample(id="1", context="他在北京", question="谁", options=("他", "你们")))
    8
    """
    return sum(map(len, texts_of(example).values()))
