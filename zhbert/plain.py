"""Frozen dataclasses as JSON and back: the one (de)serialiser of records and of what a model folder says.

What is read is checked against the types of the fields, and what is wrong is said with the name of the field.
A field that is marked RARE is left out of JSON where it is empty.
"""

import json
import types
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from zhbert.errors import DataError, nearest

RARE = {"rare": True}
R = TypeVar("R")


def to_json(record: object) -> str:
    """Return a record as one line of JSON, fields in order, Chinese as it is.

    >>> from zhbert.records import LabelExample
    >>> to_json(LabelExample(id="1", text="主队赢了", labels=("体育",)))
    '{"id": "1", "text": "主队赢了", "labels": ["体育"]}'
    """
    return json.dumps(to_plain(record), ensure_ascii=False)


def to_plain(value: object) -> Any:
    """Return a record as dictionaries, lists and scalars."""
    if is_dataclass(value) and not isinstance(value, type):
        named = ((f, getattr(value, f.name)) for f in fields(value))
        return {f.name: to_plain(item) for f, item in named if not ("rare" in f.metadata and _empty(item))}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def _empty(value: object) -> bool:
    return value is None or (hasattr(value, "__len__") and not value)


def from_plain(kind: type[R], value: object, *, at: str = "") -> R:
    """Return the record of type `kind` that `value` describes, or say what is wrong with it.

    >>> from zhbert.records import LabelExample
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
