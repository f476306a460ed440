"""What a source means: a file, a folder, a pattern, standard input or a data set of the hub.

- A folder is all files below it that can be read, in the order of their names. Hidden ones are passed
  over; files of another kind, and folders that are links, are counted and left out.
- An input is named below the folder or pattern that was given; where several sources are, below their
  names as well. Its texts are said to be from the first part of that name: a file or folder at the top.
"""

import glob
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zhbert.config import HUB
from zhbert.errors import DataError
from zhbert.read.fields import clean
from zhbert.read.kinds import Kind, is_hidden, kind_of, known, suffix_of

STDIN = "-"
_MAGIC = re.compile(r"[*?\[]")
_STATE = "state.json"  # in a folder that datasets wrote: the names of its parts
_CHECK = "check the path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One file, the standard input or a data set: how it was typed, what it is called, what it is."""

    where: str
    name: str
    source: str
    kind: Kind
    path: Path | None = None


def expand(source: str) -> list[Path]:
    """Return the files and folders that a pattern matches, in order; without one, the path itself."""
    if Path(source).exists():
        return [Path(source)]
    if not _MAGIC.search(source):
        raise DataError("no such file or folder", where=source, remedy=_CHECK)
    base = _base(source)
    found = sorted(Path(name) for name in set(glob.glob(source, recursive=True)))
    found = [path for path in found if not _is_linked(path, base) and (path.is_file() or "**" not in source)]
    if not found:
        raise DataError("nothing matches this pattern", where=source, remedy="** goes into folders; quote it")
    return found


def _base(source: str) -> Path:
    """Return the folder that a pattern starts from, or the parent of a path.

    >>> _base("语料/原文/**/*.jsonl.gz").as_posix()
    '语料/原文'
    """
    parts = Path(source).parts
    fixed = next((i for i, part in enumerate(parts) if _MAGIC.search(part)), len(parts) - 1)
    return Path(*parts[:fixed])


def _is_linked(path: Path, base: Path) -> bool:
    """Return whether a path goes through a folder below `base` that is a link, which may lead in circles."""
    return any(
        parent.is_symlink() for parent in path.parents if parent != base and parent.is_relative_to(base)
    )


def inputs_of(sources: Sequence[str], left_out: Counter[str]) -> list[Input]:
    """Return all that sources mean, in their order; what is not read of a folder is counted."""
    labels = _labels([_top(source) for source in sources])
    found = []
    for source in sources:
        if source == STDIN or source.startswith(HUB):
            name, kind = ("stdin", Kind()) if source == STDIN else (source, Kind("hub"))
            where = "standard input" if source == STDIN else source
            found.append(Input(where=where, name=name, source=name, kind=kind))
        else:
            label = labels[_top(source)] if len(sources) > 1 else ""
            found += _files_of(source, label, left_out)
    return found


def _top(source: str) -> Path:
    """Return the file or folder that a source begins at, as an absolute path."""
    path = Path(source)
    return Path(os.path.abspath(path if path.exists() else _base(source)))


def _labels(tops: list[Path]) -> dict[Path, str]:
    """Return for every path the shortest end of it that no other one has.

    >>> list(_labels([Path("/2023/新闻"), Path("/2024/新闻"), Path("/百科")]).values())
    ['2023/新闻', '2024/新闻', '百科']
    """
    labels = {}
    for top in tops:
        length, others = 1, {other for other in tops if other != top}
        while any(other.parts[-length:] == top.parts[-length:] for other in others):
            length += 1
        labels[top] = clean(Path(*top.parts[-length:]).as_posix())
    return labels


def _files_of(source: str, label: str, left_out: Counter[str]) -> Iterator[Input]:
    """Yield the files of a path or a pattern."""
    is_folder, is_file = Path(source).is_dir(), Path(source).exists() and not Path(source).is_dir()
    base = Path(source) if is_folder else _base(source)
    count = 0
    for found in expand(source):
        for path in _walk(found, left_out) if found.is_dir() else [found]:
            named = not found.is_dir() and (is_file or _means_a_suffix(source))
            kind = kind_of(path.name, named=named)
            if not kind.format and not named:
                left_out[f"a file of another kind: {suffix_of(path.name) or 'no suffix'}"] += 1
                continue
            below = clean(path.relative_to(base).as_posix())
            name = label if label and is_file else f"{label}/{below}" if label else below
            first = name if is_file else name.removesuffix(below) + below.partition("/")[0]
            yield Input(where=str(path), name=name, source=first, kind=kind, path=path)
            count += 1
    if not count:
        raise DataError("no text files in this folder", where=source, remedy=known())


def _means_a_suffix(pattern: str) -> bool:
    """Return whether a pattern ends in a suffix, and so means files of that kind, whatever it is.

    >>> _means_a_suffix("语料/*.log"), _means_a_suffix("语料/*"), _means_a_suffix("语料/*.*")
    (True, False, False)
    """
    suffix = suffix_of(pattern)
    return bool(suffix) and not _MAGIC.search(suffix)


def _walk(folder: Path, left_out: Counter[str]) -> Iterator[Path]:
    """Yield the files below a folder in the order of names."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        parts = _listed(folder / _STATE)
    except OSError as error:
        what = (error.strerror or str(error)).lower()
        raise DataError(f"cannot be read: {what}", where=error.filename or folder) from error
    for entry in entries:
        if is_hidden(entry.name) or (parts is not None and entry.is_file() and entry.name not in parts):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name, left_out)
        elif entry.is_file():
            yield folder / entry.name
        else:
            left_out[
                "a link to a folder" if entry.is_dir() else "no file, but a device, a pipe or a dead link"
            ] += 1


def _listed(path: Path) -> set[str] | None:
    """Return the names of the parts that a folder of datasets says it has; others there are its cache."""
    if not path.is_file():
        return None
    with suppress(ValueError, TypeError, KeyError):
        return {part["filename"] for part in json.loads(path.read_bytes())["_data_files"]}
    return None
