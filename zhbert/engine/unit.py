"""A unit of work: a piece of the input, and the folder that it becomes.

    00000/unit.json    the fingerprint of the input, the size of each file, what the task counted
          ...          what the task wrote
    00001/...
    .doing-5d1f.../    where the units of one run grow

What is peculiar:

- A folder with a number is finished. It grows elsewhere, gets its unit.json last and its name after
  that. It counts as done for the same input only, and while every file has its size.
- A run that begins takes the growing place of earlier runs away, name first. A worker that has outlived
  its killed run then finds no place to write to, so it can neither add to the new run nor disturb it.
- Two workers may do the same unit, as when one was given up too early: the first to finish counts.
"""

import gc
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar
from uuid import uuid4

from zhbert.errors import DataError
from zhbert.files import list_files, write_text
from zhbert.records import from_plain, to_plain

P = TypeVar("P")
P_contra = TypeVar("P_contra", contravariant=True)
Result = dict[str, Any]

MARKER = "unit.json"
_DOING = ".doing-"


class Task(Protocol[P_contra]):
    """The work itself, as something that can be pickled: a frozen dataclass at the top of a module.

    What is heavy to load (a dictionary, a tokenizer) belongs into a cached function of that module, so
    that it is loaded once in every worker and never sent.
    """

    def __call__(self, payload: P_contra, folder: Path, /) -> Result:
        """Write files into an empty folder and return counts that JSON can hold."""


def name_of(number: int) -> str:
    """Return the name of a unit's folder."""
    return f"{number:05d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit(Generic[P]):
    """What a task is given at a time: plain columns, the fingerprint of what they hold, where they begin.

    >>> cities = ["北京", "上海"]
    >>> unit = Unit(number=7, payload=cities, fingerprint=hash_texts(cities), at="a.txt:1")
    >>> unit.name, unit.where
    ('00007', 'a.txt:1')
    """

    number: int
    payload: P
    fingerprint: str
    at: str = ""

    @property
    def name(self) -> str:
        """The name of the folder."""
        return name_of(self.number)

    @property
    def where(self) -> str:
        """The place in the input, for a message."""
        return self.at or f"unit {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    fingerprint: str
    files: dict[str, int]
    result: Result


def hash_texts(*columns: Sequence[str]) -> str:
    """Return the fingerprint of columns of texts.

    >>> hash_texts(["北京", "爱"]) == hash_texts(["北", "京爱"])
    False
    """
    digest = hashlib.sha256()
    for column in columns:
        digest.update(str([len(text) for text in column]).encode())
        digest.update("".join(column).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


@contextmanager
def workshop(folder: Path) -> Iterator[Path]:
    """Open the place in `folder` where the units of one run grow; nothing of it stays."""
    _sweep(folder)
    place = folder / _new(_DOING)
    place.mkdir()
    try:
        yield place
    finally:
        _sweep(folder)


def _new(start: str) -> str:
    return start + uuid4().hex


def _sweep(folder: Path) -> None:
    for old in list(folder.glob(_DOING + "*")):
        remove(old, workshop=folder)


def remove(place: Path, *, workshop: Path) -> None:
    """Remove a folder, its name first, so that there is never half of it under that name."""
    nameless = workshop / _new(_DOING)
    with suppress(FileNotFoundError):
        place.rename(nameless)
    shutil.rmtree(nameless, ignore_errors=True)  # what somebody holds open goes with the next sweep


def carry_out(task: Task[P], unit: Unit[P], *, folder: Path, workshop: Path) -> Result:
    """Do one unit: its folder is in `folder`, whole, when this returns."""
    desk = workshop / _new(unit.name + "-")
    desk.mkdir()
    with _old_objects_left_alone():
        result: Result = json.loads(json.dumps(task(unit.payload, desk)))  # as it will be read back
    files = {name: (desk / name).stat().st_size for name in list_files(desk)}
    done = _Done(fingerprint=unit.fingerprint, files=files, result=result)
    write_text(desk / MARKER, json.dumps(to_plain(done), indent=1) + "\n")
    try:
        desk.rename(folder / unit.name)
    except OSError:
        if read_done(folder / unit.name, unit.fingerprint) is None:
            raise
        shutil.rmtree(desk)
    return result


@contextmanager
def _old_objects_left_alone() -> Iterator[None]:
    """Keep the garbage collector from looking again at all that was there before: 7 % of the time."""
    if gc.get_freeze_count():  # somebody has seen to it
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def read_done(place: Path, fingerprint: str) -> Result | None:
    """Return what a finished unit counted; None where it is not there, or was another input's."""
    try:
        done = from_plain(_Done, json.loads((place / MARKER).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, DataError):
        return None
    if done.fingerprint != fingerprint:
        return None
    sizes = {name: (place / name).stat().st_size for name in list_files(place) if name != MARKER}
    return done.result if sizes == done.files else None


def names_of_units(folder: Path) -> list[str]:
    """Return the names of all units in a folder."""
    return sorted(path.parent.name for path in folder.glob(f"*/{MARKER}") if path.parent.name.isdigit())
