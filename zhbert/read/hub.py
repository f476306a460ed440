"""Data sets of the hub, through `datasets`: `hub:NAME` or `hub:NAME:CONFIG`. Texts are streamed row by row.

NAME may also be a folder or file that `datasets` knows how to load. Nothing is kept on disk.
"""

from collections.abc import Iterator, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

from zhbert.config import HUB
from zhbert.errors import DataError
from zhbert.read.fields import document_of, other_key
from zhbert.read.piece import Broken, Fault, Piece
from zhbert.records import Document

_REACH = "is the name right, and the network there? a downloaded folder needs neither"


def read_hub(piece: Piece) -> Iterator[Document]:
    """Yield the documents of a data set, the name of which is the piece's place."""
    rows, key = _open(piece), piece.config.text_key
    for number, row in enumerate(_each(rows), start=1):
        if number == 1 and key not in row:
            raise Broken(Fault(f'no column "{key}"', remedy=other_key(key, row)))
        found = document_of(piece, f"row {number}", row)
        if isinstance(found, Fault):
            piece.refuse(f"row {number}", found)
        else:
            yield found


def load(name: str, split: str) -> Any:
    """Return a split of a data set that is called NAME or NAME:CONFIG, whole."""
    from datasets import load_dataset  # see below

    name, _, config = name.partition(":")
    try:
        return load_dataset(name, config or None, split=split)
    except Exception as error:  # see below
        raise DataError(f"cannot be loaded: {_short(error)}", where=f"{HUB}{name}", remedy=_REACH) from error


def _open(piece: Piece) -> Any:
    from datasets import load_dataset  # seconds to import: only for those who ask

    name, _, config = piece.where.removeprefix(HUB).partition(":")
    try:
        return load_dataset(name, config or None, split=piece.config.split, streaming=True)
    except Exception as error:  # a network and a dozen libraries have each their own
        raise Broken(Fault("cannot be loaded", f": {_short(error)}", _REACH)) from error


def _each(rows: Any) -> Iterator[Mapping[str, object]]:
    count = 0
    try:
        for row in rows:
            yield {name: value for name, value in row.items() if _is_plain(value)}
            count += 1
    except Exception as error:  # see above
        raise Broken(Fault("cannot be read on", f": {_short(error)}", _REACH), f"row {count + 1}") from error


def _is_plain(value: object) -> bool:
    """Return whether a value is text, numbers and the like; pictures and sound are not."""
    match value:
        case dict():
            return all(map(_is_plain, value.values()))
        case list():
            return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float | Decimal | date | time)


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0][:150]
