"""Have a model that learnt from simplified text read traditional text, and answer in the text as it stands.

One character becomes one character (`text/normalize.py`), so what is found in the simplified text stands at
the same offsets in the original; only the surfaces have to be read there again.
"""

from dataclasses import fields, replace
from typing import Any, Literal

from zhbert.records import (
    EntityExample,
    EntityPrediction,
    Example,
    Prediction,
    ReadingExample,
    ReadingPrediction,
    Span,
)
from zhbert.text.normalize import normal_text

Script = Literal["kept", "simplified"]


def simplified(example: Example) -> Example:
    """Return an example without answers in simplified characters.

    >>> simplified(EntityExample(id="1", text="他在臺灣大學讀書")).text
    '他在台湾大学读书'
    """
    texts = {field.name: getattr(example, field.name) for field in fields(example) if field.name != "id"}
    return replace(example, **{name: _simple(value) for name, value in texts.items()})


def _simple(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_simple, value))
    return normal_text(value, nfkc=False, controls=False, simplify=True) if isinstance(value, str) else value


def restored(prediction: Prediction, example: Example) -> Prediction:
    """Return a prediction with the surfaces that stand in the text that was given.

    >>> example = EntityExample(id="1", text="他在臺灣大學讀書")
    >>> found = EntityPrediction(id="1", entities=(Span(2, 6, "机构", "台湾大学"),), scores=(0.9,))
    >>> restored(found, example).entities[0].surface
    '臺灣大學'
    """
    match prediction, example:
        case EntityPrediction(), EntityExample():
            return replace(prediction, entities=tuple(_there(example.text, s) for s in prediction.entities))
        case ReadingPrediction(), ReadingExample():
            others = tuple(
                replace(other, span=_there(example.context, other.span)) for other in prediction.others
            )
            answer = _there(example.context, prediction.answer) if prediction.answer else None
            return replace(prediction, answer=answer, others=others)
        case _:
            return prediction


def _there(text: str, span: Span) -> Span:
    return Span.of(text, span.start, span.end, span.label)
