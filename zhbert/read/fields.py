"""What a record with keys becomes: its text, its id, whose text it is, and everything else as texts.

Values stay as they were written: "001", "NA" and "null" are texts, the number 1.10 is "1.10". What is
nested is kept as JSON; null is left out.
"""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from json import dumps

from zhbert.errors import nearest
from zhbert.read.config import ReadConfig
from zhbert.read.piece import Fault, Piece
from zhbert.records import Document


class Number(str):
    """A number as it was written."""

    __slots__ = ()


_MANY, _LONG = 20, 30  # names that a complaint lists, and characters of each
_WORDS = {bool: "true or false", Number: "a number", int: "a number", float: "a number", dict: "an object"}
_WORDS |= {list: "a list", type(None): "null", bytes: "bytes"}


def document_of(piece: Piece, place: int | str, record: Mapping[str, object]) -> Document | Fault:
    """Return the document that a record holds, or what is wrong with it."""
    config = piece.config
    text = record.get(config.text_key)
    if type(text) is not str:
        return _no_text(record, config)
    names = {}
    for role, key in (("id", config.id_key), ("source", config.source_key)):
        value = record.get(key)
        if isinstance(value, bool | list | dict | bytes):
            return Fault(f"the {role} is not a text", f': "{key}" is {words(value)}')
        names[role] = "" if value is None else clean(plain(value))
    own = (config.text_key, config.id_key, config.source_key)
    meta = {
        clean(key): value if type(value) is str else plain(value)
        for key, value in record.items()
        if key not in own and value is not None
    }
    return piece.document(place, text, id=names["id"], source=names["source"], meta=meta)


def _no_text(record: Mapping[str, object], config: ReadConfig) -> Fault:
    key = config.text_key
    if key in record:
        return Fault(f'"{key}" must be a text', f", not {words(record[key])}")
    return Fault(f'no "{key}" in this record', remedy=other_key(key, record))


def other_key(key: str, known: Mapping[str, object]) -> str:
    """Return the remedy for a key that is not there.

    >>> other_key("text", {"id": 1, "内容": "北京"})
    'known: id, 内容; --text-key names the right one'
    """
    near = nearest(key, [shown(name) for name in islice(known, _MANY)])
    return f"{near}{'' if near.endswith('?') else ';'} --text-key names the right one"


def shown(name: str) -> str:
    """Return a name from a file as part of one short line.

    >>> shown("标题\\n" + "长" * 50)
    '标题 长长长长长长长长长长长长长长长长长长长长长长长长长长长…'
    """
    name = " ".join(clean(name).split())
    return name if len(name) <= _LONG else name[:_LONG] + "…"


def words(value: object) -> str:
    """Return what a value is, in words.

    >>> words(None), words("北京"), words(["北京"])
    ('null', 'a text', 'a list')
    """
    return "a text" if type(value) is str else _WORDS.get(type(value), type(value).__name__)


def plain(value: object) -> str:
    """Return a value as a text, what is nested as JSON.

    >>> plain(Number("1.10")), plain(True), plain({"标签": ["体育", None]})
    ('1.10', 'true', '{"标签": ["体育", null]}')
    """
    match value:
        case str():
            return str(value)
        case None | bool():
            return dumps(value)
        case dict():
            return (
                "{" + ", ".join(f"{dumps(k, ensure_ascii=False)}: {_json(v)}" for k, v in value.items()) + "}"
            )
        case list():
            return "[" + ", ".join(map(_json, value)) + "]"
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case _:
            return str(value)


def _json(value: object) -> str:
    """Return a value inside another one as JSON."""
    scalar = not isinstance(value, Number | bool | int | float | Decimal | dict | list | None)
    return dumps(plain(value), ensure_ascii=False) if scalar else plain(value)


def clean(name: str) -> str:
    """Return a name in which half a surrogate pair, which is no UTF-8, is spelled out.

    >>> clean("甲\\ud800")
    '甲\\\\ud800'
    """
    return name if name.isascii() else name.encode("utf-8", "backslashreplace").decode()
