"""`datasets`: a data set in memory, or a folder that `save_to_disk` made.

A number whose feature is a `ClassLabel` becomes its name; -1 is none. Columns are named as those of a table.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zhbert.errors import DataError
from zhbert.read.forms.base import Form, Placed
from zhbert.read.forms.how import How
from zhbert.read.forms.rows import NEEDED, Columns, Row, examples_in


def from_dataset(dataset: Any, how: How, *, where: object = "data set") -> Iterator[Placed]:
    """Yield the examples of a `datasets.Dataset`."""
    names = {name: _names(feature) for name, feature in dataset.features.items()}
    columns = Columns.among(list(names), how, where)
    yield from examples_in(_rows(dataset, names, where), columns, how, where)


def _names(feature: Any) -> list[str] | None:
    """Return the labels that the numbers of a column, or of the lists in it, stand for."""
    names = getattr(getattr(feature, "feature", feature), "names", None)
    return list(names) if names else None


def _rows(dataset: Any, names: dict[str, list[str] | None], where: object) -> Iterator[Row]:
    for number, row in enumerate(dataset, start=1):
        yield f"{where}:{number}", {key: _named(value, names[key]) for key, value in row.items()}


def _named(value: Any, names: list[str] | None) -> Any:
    if names is None:
        return value
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names[value] if isinstance(value, int) and value >= 0 else None


def _read(path: Path, how: How) -> Iterator[Placed]:
    if (path / "dataset_dict.json").is_file():
        splits = sorted(folder.name for folder in path.iterdir() if folder.is_dir())
        raise DataError("holds several splits", where=path, remedy=f"name one: {path / splits[0]}")
    if not (path / "dataset_info.json").is_file():
        raise DataError("is no folder of save_to_disk", where=path)
    from datasets import load_from_disk  # only here: it takes a second

    yield from from_dataset(load_from_disk(str(path)), how, where=path)


DATASETS = Form(
    name="datasets",
    about="a folder that datasets' save_to_disk made",
    tasks=tuple(reversed(NEEDED)),
    reader=_read,
    suffix="",
)
