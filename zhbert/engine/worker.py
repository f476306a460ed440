"""What goes on in a worker, on this machine or on a node of a cluster.

What is peculiar:

- A worker of this machine is a fresh interpreter that speaks over its standard input and output. It
  loads what the task needs and nothing else: neither the script that was started nor torch.
- It listens while it works: when the main process is gone, however it ended, the input closes and
  the worker ends at once.
- Its own prints go to standard error, for standard output carries the answers.
- Every worker has one thread: as many workers as cores, not as many threads as cores in each.
- An error travels as a value. A ZhbertError arrives as it was; any other carries the worker's
  traceback as a note.
"""

import os
import pickle
import signal
import sys
import traceback
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

from zhbert.engine.unit import Result, Task, carry_out
from zhbert.errors import ZhbertError

Outcome = Result | Exception

TRIES = 3  # how often a unit is begun before a worker that dies over it is an error
ONE_THREAD = {
    **dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "VECLIB_MAXIMUM_THREADS",
            "NUMEXPR_NUM_THREADS",
            "RAYON_NUM_THREADS",
            "POLARS_MAX_THREADS",
        ),
        "1",
    ),
    "TOKENIZERS_PARALLELISM": "false",
}
WORKER = "ZHBERT_WORKER"  # in the environment of a worker of this machine: which one it is, from 0
_LENGTH = 8  # bytes before each message that say how long it is


def attempt(task: bytes, unit: bytes, *, folder: Path, workshop: Path) -> bytes:
    """Do a pickled unit with a pickled task; return the pickled outcome, be it a result or an error."""
    os.environ.update(ONE_THREAD)  # before the task's module loads what reads them
    try:
        return pickle.dumps(carry_out(_load(task), pickle.loads(unit), folder=folder, workshop=workshop))
    except Exception as error:
        return _pack(error)


@lru_cache(maxsize=1)
def _load(task: bytes) -> Task[Any]:
    loaded: Task[Any] = pickle.loads(task)
    return loaded


def _pack(error: Exception) -> bytes:
    story = "In a worker:\n" + traceback.format_exc()
    if not isinstance(error, ZhbertError):
        error.add_note(story)
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)
    except Exception:  # an error that cannot travel
        packed = pickle.dumps(RuntimeError(story))
    return packed


def serve() -> None:
    """Do the units that come in, one at a time, for as long as there is somebody to do them for."""
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    inbox: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(orders, inbox), daemon=True).start()
    task, folder, workshop = pickle.loads(inbox.get())
    while True:
        send(answers, attempt(task, inbox.get(), folder=folder, workshop=workshop))


def _listen(orders: IO[bytes], inbox: "SimpleQueue[bytes]") -> None:
    while (message := receive(orders)) is not None:
        inbox.put(message)
    signal.raise_signal(signal.SIGTERM)


def send(stream: IO[bytes], message: bytes) -> None:
    """Write one message."""
    stream.write(len(message).to_bytes(_LENGTH, "little"))
    stream.write(message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Return the next message; None when the other side is gone."""
    size = stream.read(_LENGTH)
    if len(size) < _LENGTH:
        return None
    message = stream.read(length := int.from_bytes(size, "little"))
    return message if len(message) == length else None


def command() -> list[str]:
    """Return the command of a worker that finds the same modules as this process does."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from zhbert.engine.worker import serve; serve()"
    return [sys.executable, "-c", code]
