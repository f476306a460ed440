"""What was added to a tokenizer, and what each new row of an embedding starts as: `extension.json`.

`zhbert vocab` with `extend` writes it beside the tokenizer. The start of a new row is the mean of some old
rows: those of its own (`init`), or those of a group, which are listed once.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from zhbert.errors import DataError
from zhbert.files import write_text
from zhbert.records import from_plain, to_plain

EXTENSION = "extension.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token that was added, how often the corpus has it, and the old ids that its row starts from."""

    token: str
    id: int
    count: int
    init: tuple[int, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """All that was added; `base` and `tokenizer` are the fingerprints of the tokenizer before and after.

    >>> new = (NewToken(token="琎", id=6, count=20, group="Han"),)
    >>> Extension(base="a", tokenizer="b", base_size=6, size=7, groups={"Han": (4, 5)}, tokens=new).starts()
    {6: (4, 5)}
    """

    base: str
    tokenizer: str
    base_size: int
    size: int
    groups: dict[str, tuple[int, ...]] = field(default_factory=dict)
    tokens: tuple[NewToken, ...] = ()

    def __post_init__(self) -> None:
        for new in self.tokens:
            if not (self.groups.get(new.group) if new.group else new.init):
                raise DataError(f'the token "{new.token}" has nothing to start from')

    def starts(self) -> dict[int, tuple[int, ...]]:
        """Return, for the id of every new token, the old ids whose mean row is its start."""
        return {new.id: self.groups[new.group] if new.group else new.init for new in self.tokens}


def write_extension(folder: Path, extension: Extension) -> None:
    """Write `extension.json`, a line for each token."""
    plain = to_plain(extension)
    tokens = ",\n".join(json.dumps(token, ensure_ascii=False) for token in plain.pop("tokens"))
    head = json.dumps(plain, ensure_ascii=False).removesuffix("}")
    write_text(folder / EXTENSION, f'{head}, "tokens": [\n{tokens}\n]}}\n')


def read_extension(folder: Path) -> Extension:
    """Return what was added to the tokenizer in a folder."""
    path = folder / EXTENSION
    if not path.is_file():
        raise DataError(f"no {EXTENSION} in it", where=folder, remedy="zhbert vocab with extend writes one")
    try:
        return from_plain(Extension, json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise DataError(f"not valid JSON: {error}", where=path) from error
    except DataError as error:
        raise DataError(error.what, where=path, remedy=error.remedy) from error
