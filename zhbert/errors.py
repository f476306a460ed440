"""What can go wrong, and who has to act.

    ZhbertError
    ├── TrainingError    a training that broke down; what it left behind stays to be looked at
    ├── WorkerError      a worker that died again and again; what was finished before stays
    └── UserError        something the user can put right before anything is done
        ├── DataError    a record, a file or an encoding
        ├── ConfigError  a recipe, a card or an option
        ├── ModelError   a folder that is not the model it should be
        └── BusyError    another run is working in the same folder

Every one says where, what and how to mend it, in one line, which is what the command line prints
before it exits with 2. A broken promise inside zhbert itself is an `assert` or a plain Python
exception, never one of these.
"""

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ZhbertError(Exception):
    """The root of every error that zhbert raises on purpose.

    >>> str(DataError("not valid JSON", where="train.jsonl:3", remedy="mend the line"))
    'train.jsonl:3: not valid JSON (mend the line)'
    """

    def __init__(self, what: str, *, where: object = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, str(where), remedy
        prefix = f"{where}: " if self.where else ""
        suffix = f" ({remedy})" if remedy else ""
        super().__init__(f"{prefix}{what}{suffix}")


class TrainingError(ZhbertError):
    """A training that broke down."""


class WorkerError(ZhbertError):
    """A worker that died again and again over the same unit of work."""


class UserError(ZhbertError):
    """A mistake that the user can put right."""


class DataError(UserError):
    """A record, a file or an encoding that does not hold what it should."""


class ConfigError(UserError):
    """A recipe, a card or an option that cannot be understood."""


class ModelError(UserError):
    """A folder that is not the model it should be."""


class BusyError(UserError):
    """Another run is working in the same folder."""


def nearest(name: str, known: "Iterable[str]") -> str:
    """Return a remedy that names the nearest known name, or all of them.

    >>> nearest("lable", ["label", "text"])
    'did you mean "label"?'
    >>> nearest("x", ["label", "text"])
    'known: label, text'
    """
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    return f'did you mean "{close[0]}"?' if close else "known: " + ", ".join(known)
