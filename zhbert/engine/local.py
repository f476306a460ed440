"""Workers on this machine: this very process, or processes of its own.

What is peculiar:

- With one worker the work is done in this process, where a debugger and a profiler see it.
- Each worker has its own pair of pipes and its own thread here, which gives it the next unit and waits.
  So it is known over which unit a worker died, and the others do not notice.
- A unit waits pickled: that is smaller than its texts, and it may be needed again.
- A worker is in a process group of its own: Ctrl-C reaches the main process, which ends the workers.
"""

import os
import pickle
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol

from zhbert.engine.unit import Task, Unit, carry_out
from zhbert.engine.worker import TRIES, WORKER, Outcome, command, receive, send
from zhbert.errors import WorkerError

_Order = tuple[int, str, bytes]  # number of the unit, its place for messages, the unit pickled


class Crew(Protocol):
    """Those who do the work; `limit` is how many units may be under way, waiting ones included."""

    limit: int

    def start(self, unit: Unit[Any]) -> None:
        """Take a unit."""

    def wait(self) -> tuple[int, Outcome]:
        """Return the number of a unit that is finished and what came of it."""


class Here:
    """The crew that is this process."""

    limit = 1

    def __init__(self, task: Task[Any], *, folder: Path, workshop: Path) -> None:
        self._task, self._folder, self._workshop = task, folder, workshop
        self._units: list[Unit[Any]] = []

    def start(self, unit: Unit[Any]) -> None:
        """Take a unit."""
        self._units.append(unit)

    def wait(self) -> tuple[int, Outcome]:
        """Do the unit now."""
        unit = self._units.pop(0)
        try:
            return unit.number, carry_out(self._task, unit, folder=self._folder, workshop=self._workshop)
        except Exception as error:
            return unit.number, error


def died(unit_at: str, why: str) -> WorkerError:
    """Return the error of a unit over which every worker died."""
    return WorkerError(
        f"a worker died {TRIES} times ({why})",
        where=unit_at,
        remedy="out of memory? use fewer workers, or smaller documents",
    )


@contextmanager
def processes(task: Task[Any], *, folder: Path, workshop: Path, workers: int) -> Iterator[Crew]:
    """Open a crew of `workers` processes; they end with the block, whatever they are doing."""
    crew = _Processes(pickle.dumps((pickle.dumps(task), folder, workshop)), workers)
    try:
        yield crew
    finally:
        crew.dismiss()


class _Processes:
    """Threads that each look after one worker and give it the next unit when it is free."""

    def __init__(self, opening: bytes, workers: int) -> None:
        self.limit = 2 * workers
        self._opening, self._wanted = opening, workers
        self._workers: list[tuple[_Worker, Thread]] = []
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._outcomes: SimpleQueue[tuple[int, Outcome]] = SimpleQueue()

    def start(self, unit: Unit[Any]) -> None:
        """Take a unit; each of the first ones calls for another worker."""
        self._orders.put((unit.number, unit.where, pickle.dumps(unit)))
        if len(self._workers) < self._wanted:
            worker = _Worker(self._opening, len(self._workers))
            thread = Thread(target=self._look_after, args=(worker,), daemon=True)
            self._workers.append((worker, thread))
            thread.start()

    def wait(self) -> tuple[int, Outcome]:
        """Return the number of a unit that is finished and what came of it."""
        return self._outcomes.get()

    def _look_after(self, worker: "_Worker") -> None:
        while order := self._orders.get():
            number, where, unit = order
            try:
                outcome = worker.do(unit, where=where)
            except Exception as error:  # such as no memory for another process: somebody waits for the news
                outcome = error
            self._outcomes.put((number, outcome))
        worker.end()

    def dismiss(self) -> None:
        """End all workers."""
        for worker, _ in self._workers:
            worker.dismiss()
            self._orders.put(None)
        for _, thread in self._workers:
            thread.join()


class _Worker:
    """A process, and another one in its place when it dies."""

    def __init__(self, opening: bytes, number: int) -> None:
        self._opening, self._number = opening, number
        self._process: subprocess.Popen[bytes] | None = None
        self._dismissed = False

    def do(self, unit: bytes, *, where: str) -> Outcome:
        """Return what came of a pickled unit."""
        code = 0
        for _ in range(0 if self._dismissed else TRIES):
            if (answer := self._ask(unit)) is not None:
                outcome: Outcome = pickle.loads(answer)
                return outcome
            code = self._bury()
        return died(where, f"exit code {code}")

    def _ask(self, unit: bytes) -> bytes | None:
        """Return the answer to a unit; None when the process died over it."""
        process, messages = self._process, [unit]
        if process is None:
            process, messages = self._begin(), [self._opening, unit]
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            for message in messages:
                send(process.stdin, message)
        return receive(process.stdout)

    def _begin(self) -> "subprocess.Popen[bytes]":
        pipe, named = subprocess.PIPE, os.environ | {WORKER: str(self._number)}
        self._process = subprocess.Popen(command(), stdin=pipe, stdout=pipe, env=named, process_group=0)
        if self._dismissed:
            self._process.kill()
        return self._process

    def _bury(self) -> int:
        """Return the exit code of a process that is ending by itself."""
        assert self._process is not None
        process = self._process
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        self.end()
        return process.returncode

    def end(self) -> None:
        """End the process, if there is one."""
        if process := self._process:
            process.kill()
            process.communicate()
        self._process = None

    def dismiss(self) -> None:
        """End the process from outside; no other one takes its place."""
        self._dismissed = True
        if process := self._process:
            process.kill()
