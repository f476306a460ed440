"""What every reader works on: one open file, what to call it, and where its bad records go.

A reader is a function from a `Piece` to documents. What it cannot make a document of it refuses:
with nobody to set rejects aside, the refusal is the `DataError` that stops the reading; otherwise it
goes to the reject function and the next record follows. A file that cannot be read on at all raises
`Broken`; what was read of it before stands.
"""

import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from zhbert.errors import DataError
from zhbert.read.config import ReadConfig
from zhbert.records import Document

MB, GB = 1 << 20, 1 << 30
_SHOWN = 200  # characters of a bad record that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A record, or a whole file, that was set aside: where it stands, why in countable words, the message."""

    at: str
    reason: str
    what: str
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a record: a reason that can be counted, the detail, and what would mend it.

    >>> Fault("not valid JSON", ": expecting value at column 9", remedy="mend the line").what
    'not valid JSON: expecting value at column 9'
    """

    reason: str
    detail: str = ""
    remedy: str = ""
    raw: str = ""

    @property
    def what(self) -> str:
        """The whole message."""
        return self.reason + self.detail


class Broken(DataError):
    """A file that cannot be read on, from the line or row `place` where that is known."""

    def __init__(self, fault: Fault, place: int | str = "") -> None:
        super().__init__(fault.what, where=place, remedy=fault.remedy)
        self.fault, self.place = fault, place


@dataclass(slots=True, kw_only=True)
class Ledger:
    """What one reading keeps account of, over all its files."""

    config: ReadConfig
    reject: Callable[[Reject], None] | None = None
    encodings: dict[str, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    done: int = 0


@dataclass(slots=True, kw_only=True)
class Piece:
    """One file, or one member of an archive, open for reading."""

    where: str  # as it was typed, for complaints
    name: str  # below what was typed, for ids
    source: str
    stream: io.BufferedReader
    ledger: Ledger
    path: Path | None = None  # where it lies unpacked, if it does
    good: int = 0
    bad: int = 0
    left: int = 0

    @property
    def config(self) -> ReadConfig:
        """How it is to be read."""
        return self.ledger.config

    def document(
        self,
        place: int | str,
        text: str,
        *,
        id: str = "",
        source: str = "",
        meta: dict[str, str] | None = None,
    ) -> Document:
        """Return the document of one record."""
        self.good += 1
        at = f"{self.name}:{place}"
        return Document(id=id or at, text=text, source=source or self.source, at=at, meta=meta or {})

    def refuse(self, place: int | str, fault: Fault) -> None:
        """Set a bad record aside, or stop."""
        self.bad += 1
        colon = ":" if place != "" else ""
        if self.ledger.reject is None:
            raise DataError(fault.what, where=f"{self.where}{colon}{place}", remedy=fault.remedy)
        at = f"{self.name}{colon}{place}"
        self.ledger.reject(Reject(at=at, reason=fault.reason, what=fault.what, raw=fault.raw[:_SHOWN]))

    def leave_out(self, what: str) -> None:
        """Count something that is no bad record, yet no document."""
        self.left += 1
        self.ledger.left_out[what] += 1
