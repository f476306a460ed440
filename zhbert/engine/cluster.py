"""Workers on the nodes of a Ray cluster, or on one that is made here for the time of the work.

What is peculiar:

- Every node needs zhbert in the same version and the output folder under the same path; both are
  checked before a unit is begun.
- A unit travels through Ray's object store, pickled; what it becomes is written by the worker itself.
- A unit whose worker or node dies is begun again, by us: Ray would retry without end after "out of memory".
- A cluster made here listens on loopback only, has no dashboard and reports no usage.
- Where the caller has called `ray.init`, that cluster is used and stays.
"""

import os
import pickle
import socket
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zhbert
from zhbert.engine.local import Crew, died
from zhbert.engine.unit import Task, Unit
from zhbert.engine.worker import TRIES, Outcome, attempt
from zhbert.errors import ConfigError, WorkerError

_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # at "0" Ray stays on 127.0.0.1, on Linux too; read at import
_Order = tuple[int, str, Any, int]  # number of the unit, its place for messages, the unit, tries left


@contextmanager
def nodes(task: Task[Any], *, folder: Path, workshop: Path, workers: int, address: str) -> Iterator[Crew]:
    """Open a crew of Ray tasks, `workers` at a time; 0 means every CPU of the cluster."""
    address = address or os.environ.get("RAY_ADDRESS", "")
    ray = _load(address)
    ours = not ray.is_initialized()
    if ours:
        _connect(ray, address, workers)
    crew = _Nodes(ray, task, folder=folder, workshop=workshop, workers=workers)
    try:
        yield crew
    finally:
        crew.dismiss()
        if ours:
            ray.shutdown()


def _load(address: str) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not address:
        os.environ.setdefault(_LOOPBACK, "0")
    try:
        import ray
    except ImportError as error:
        raise ConfigError(
            "Ray is not installed", where='engine = "ray"', remedy="pip install 'zhbert[ray]'"
        ) from error
    return ray


def _connect(ray: Any, address: str, workers: int) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if not address:
        ray.init("local", num_cpus=workers or None, include_dashboard=False, **quiet)
        return
    try:
        _knock(address)
        ray.init(address, **quiet)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"no Ray cluster answers: {error}", where=f'address = "{address}"', remedy="see `ray status`"
        ) from error


def _knock(address: str) -> None:
    """Fail at once where nobody listens; Ray itself would try for three minutes and end the process."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Home:
    """What the main process is like, so that names of files and modules mean the same on a node."""

    version: str
    folder: str
    modules: tuple[str, ...]

    def resemble(self) -> None:
        """Make this process alike, as far as the node has the places."""
        sys.path += [place for place in self.modules if place not in sys.path]
        if Path(self.folder).is_dir():
            os.chdir(self.folder)


class _Nodes:
    """The Ray tasks under way, and the units that wait to become one."""

    def __init__(self, ray: Any, task: Task[Any], *, folder: Path, workshop: Path, workers: int) -> None:
        cpus = int(ray.cluster_resources().get("CPU", 1))
        wanted = workers or cpus
        self._at_once = 2 * wanted if wanted >= cpus else wanted  # the second half waits in Ray for a CPU
        self.limit = max(self._at_once, wanted + 1)
        self._ray, self._task = ray, ray.put(pickle.dumps(task))
        self._remote = ray.remote(num_cpus=1, max_retries=0)(_attempt_there)
        home = _Home(version=zhbert.__version__, folder=os.getcwd(), modules=tuple(sys.path))
        self._places = {"folder": folder, "workshop": workshop, "home": home}
        self._waiting: deque[_Order] = deque()
        self._under_way: dict[Any, _Order] = {}

    def start(self, unit: Unit[Any]) -> None:
        """Take a unit."""
        self._waiting.append((unit.number, unit.where, self._ray.put(pickle.dumps(unit)), TRIES))
        self._begin()

    def _begin(self) -> None:
        while self._waiting and len(self._under_way) < self._at_once:
            order = self._waiting.popleft()
            self._under_way[self._remote.remote(self._task, order[2], **self._places)] = order

    def wait(self) -> tuple[int, Outcome]:
        """Return the number of a unit that is finished and what came of it."""
        while True:
            (ready,), _ = self._ray.wait(list(self._under_way), num_returns=1)
            number, where, unit, tries = self._under_way.pop(ready)
            outcome = self._outcome(ready, where)
            if not isinstance(outcome, WorkerError) or tries == 1:
                self._begin()
                return number, outcome
            self._waiting.appendleft((number, where, unit, tries - 1))
            self._begin()

    def _outcome(self, ready: Any, where: str) -> Outcome:
        errors = self._ray.exceptions
        try:
            outcome: Outcome = pickle.loads(self._ray.get(ready))
        except errors.RayTaskError as error:  # such as a node on which zhbert cannot be imported
            return RuntimeError(str(error))
        except errors.RayError as error:
            return died(where, type(error).__name__)
        return outcome

    def dismiss(self) -> None:
        """Give up what is under way."""
        for task in self._under_way:
            self._ray.cancel(task, force=True)


def _attempt_there(task: bytes, unit: bytes, *, folder: Path, workshop: Path, home: _Home) -> bytes:
    """Do a unit on a node, if the node is fit for it."""
    fault: ConfigError | None = None
    if home.version != (there := zhbert.__version__):
        what = f"zhbert is {home.version} here and {there} on a node"
        fault = ConfigError(what, remedy="install the same version")
    elif not workshop.is_dir():
        fault = ConfigError("a node does not see this folder", where=folder, remedy="choose a shared one")
    if fault:
        return pickle.dumps(fault)
    home.resemble()
    return attempt(task, unit, folder=folder, workshop=workshop)
