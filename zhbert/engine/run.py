"""Units of work, done here, in processes, or on a cluster: the same bytes in the same folders.

What is peculiar:

- Units come lazily, and at most twice as many as there are workers are held at a time.
- A unit whose folder is there already is not done again, so a killed run goes on where it was.
- Whoever finishes first, results are in the order of the units; and of several units that fail, the
  error of the first one is raised, whatever the number of workers.
- The caller holds the lock of the folder (`zhbert.files.building`): two runs would disturb each other.
"""

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from zhbert.config import HOW, Config
from zhbert.engine.cluster import nodes
from zhbert.engine.local import Crew, Here, processes
from zhbert.engine.unit import P, Result, Task, Unit, name_of, names_of_units, read_done, remove, workshop

T = TypeVar("T")

MOST = 8  # workers that start unasked: each has its own dictionaries in memory, and one process feeds them


class Parallel(Config):
    """How units of work are carried out: whatever is said here, the result is the same."""

    engine: Annotated[Literal["local", "ray"], HOW] = Field(
        default="local", description="who does the work: processes here, or a Ray cluster (zhbert[ray])"
    )
    workers: Annotated[int, HOW] = Field(
        default=0,
        ge=0,
        description=f"units at a time; 0: one per core, at most {MOST}, or one per CPU of the cluster",
    )
    address: Annotated[str, HOW] = Field(
        default="",
        description="a Ray cluster that sees these files, as HOST:PORT; empty: RAY_ADDRESS, or one made here",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.address and self.engine != "ray":
            raise ValueError('an address is for engine = "ray"')
        return self


def run_units(
    task: Task[P],
    units: Iterable[Unit[P]],
    *,
    folder: Path,
    config: Parallel,
    finished: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Do every unit that `folder` does not hold yet; return what each counted, in the order of the units.

    `finished` is called here with each result as soon as it is there. Afterwards the folder holds the
    folders of these units and of no others.
    """
    folder = folder.absolute()  # workers may stand elsewhere
    folder.mkdir(parents=True, exist_ok=True)
    few, coming = _look_ahead(_with_errors(units))
    with workshop(folder) as place, _crew(config, task, folder, place, few=few) as crew:
        row = _Row(crew, finished)
        for unit in coming:
            if isinstance(unit, Exception):
                row.errors[math.inf] = unit
            elif (result := read_done(folder / unit.name, unit.fingerprint)) is not None:
                row.keep(unit.number, result)
            else:
                remove(folder / unit.name, workshop=folder)
                row.add(unit)
            if row.errors:
                break
        results = row.finish()
    for name in set(names_of_units(folder)) - {name_of(number) for number in results}:
        remove(folder / name, workshop=folder)
    return [results[number] for number in sorted(results)]


def _with_errors(units: Iterable[Unit[P]]) -> Iterator[Unit[P] | Exception]:
    """Yield the units, and an error of their source as the last of them: those before it come first."""
    try:
        yield from units
    except Exception as error:
        yield error


def _look_ahead(coming: Iterator[T]) -> tuple[bool, Iterator[T]]:
    """Return whether there is at most one item, and all items."""
    first = list(islice(coming, 2))
    return len(first) < 2, chain(first, coming)


def _crew(
    config: Parallel, task: Task[P], folder: Path, place: Path, *, few: bool
) -> AbstractContextManager[Crew]:
    if config.engine == "ray":
        return nodes(task, folder=folder, workshop=place, workers=config.workers, address=config.address)
    workers = 1 if few else config.workers or min(cores(), MOST)
    if workers == 1:
        return nullcontext(Here(task, folder=folder, workshop=place))
    return processes(task, folder=folder, workshop=place, workers=workers)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class _Row:
    """The units under way, and what has come of the others."""

    def __init__(self, crew: Crew, finished: Callable[[Result], None]) -> None:
        self._crew, self._finished = crew, finished
        self._under_way: set[int] = set()
        self._results: dict[int, Result] = {}
        self.errors: dict[float, Exception] = {}

    def add(self, unit: Unit[Any]) -> None:
        """Start a unit, and wait where too many are under way."""
        self._under_way.add(unit.number)
        self._crew.start(unit)
        while len(self._under_way) >= self._crew.limit:
            self._collect()

    def _collect(self) -> None:
        number, outcome = self._crew.wait()
        self._under_way.remove(number)
        if isinstance(outcome, Exception):
            self.errors[number] = outcome
        else:
            self.keep(number, outcome)

    def keep(self, number: int, result: Result) -> None:
        """Note what a unit counted."""
        self._results[number] = result
        self._finished(result)

    def finish(self) -> dict[int, Result]:
        """Wait for all units; after an error only for those before it, and raise the first one."""
        while self._under_way and min(self._under_way) < min(self.errors, default=math.inf):
            self._collect()
        if self.errors:
            raise self.errors[min(self.errors)]
        return self._results
