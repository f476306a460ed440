"""JSONL: one JSON object a line.

- A key that stands twice in an object is a fault, for one of its values would be lost.
- Numbers stay as they are written, however long; `NaN`, which Python writes, is taken for one.
- An escaped half of a surrogate pair stays in the text; cleaning takes it out.
"""

import json
from collections import Counter
from collections.abc import Iterator

from zhbert.read.decode import Lines
from zhbert.read.fields import Number, document_of, shown, words
from zhbert.read.lines import why
from zhbert.read.piece import Fault, Piece
from zhbert.records import Document

ONE_A_LINE = "every line must be one JSON object"


class _Twice(ValueError):
    """A key that stands twice."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise _Twice(next(key for key, count in counts.items() if count > 1))
    return found


_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=Number
).decode


def read_jsonl(piece: Piece) -> Iterator[Document]:
    """Yield the documents of a JSONL file."""
    for number, line in Lines(piece):
        if isinstance(line, Fault):
            piece.refuse(number, line)
        elif line and not line.isspace():
            found = _document(piece, number, line)
            if isinstance(found, Fault):
                piece.refuse(number, found)
            else:
                yield found


def _document(piece: Piece, number: int, line: str) -> Document | Fault:
    try:
        record = _decode(line)
        if not isinstance(record, dict):
            return Fault("not a JSON object", f", but {words(record)}", ONE_A_LINE, line)
        found = document_of(piece, number, record)
    except _Twice as error:
        return Fault("a key stands twice in an object", f': "{shown(str(error))}"', "keep one of them", line)
    except (ValueError, RecursionError) as error:
        return Fault("not valid JSON", f": {why(error)}", ONE_A_LINE, line)
    return Fault(found.reason, found.detail, found.remedy, line) if isinstance(found, Fault) else found
