"""The JSON schema of report.json, made of the records that it holds.

A field that is always written is required; one that is marked RARE is there only where it is not empty.
What a record says of itself is its description. `report.schema.json`, beside this file, is what comes of it.
"""

import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.resources import files
from inspect import getdoc
from typing import Any, Union, get_args, get_origin, get_type_hints

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_KINDS = {str: "string", int: "integer", float: "number", bool: "boolean"}
Schema = dict[str, Any]


@cache
def published() -> str:
    """Return the schema of report.json as it is shipped."""
    return (files("zhbert.score") / "report.schema.json").read_text(encoding="utf-8")


def schema_of(kind: type) -> Schema:
    """Return the schema of a record and of all records in it.

    >>> from zhbert.score.sheet import Confused
    >>> schema_of(Confused)["$defs"]["Confused"]["properties"]["count"]
    {'type': 'integer'}
    """
    known: dict[str, Schema] = {}
    return {"$schema": DRAFT, **_schema(kind, known), "$defs": dict(sorted(known.items()))}


def text_of(kind: type) -> str:
    """Return the schema of a record as the text of a file."""
    return json.dumps(schema_of(kind), ensure_ascii=False, indent=1) + "\n"


def _schema(hint: Any, known: dict[str, Schema]) -> Schema:
    """Return the schema of what a type hint allows; records go into `known`, once each."""
    origin, args = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return _record(hint, known)  # type: ignore[arg-type]  # a dataclass type: hints are no instances
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(one, known) for one in args]}
    if origin is tuple:
        several = {"type": "array", "items": _schema(args[0], known)}
        return several if args[-1] is ... else several | {"minItems": len(args), "maxItems": len(args)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _schema(args[1], known)}
    return {"type": "null"} if hint is type(None) else {"type": _KINDS[hint]}


def _record(kind: type, known: dict[str, Schema]) -> Schema:
    if kind.__name__ not in known:
        known[kind.__name__] = {}  # holds the place, should a record hold records of its own kind
        hints = get_type_hints(kind)
        known[kind.__name__] = {
            "description": (getdoc(kind) or "").partition("\n\n")[0].replace("\n", " "),
            "type": "object",
            "properties": {name: _schema(hint, known) for name, hint in hints.items()},
            "required": [f.name for f in fields(kind) if "rare" not in f.metadata],
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{kind.__name__}"}
