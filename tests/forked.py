"""A command without its start: a process that has loaded everything forks a child for each call.

Loading torch and transformers takes longer than most of what tests then ask of a command. The child is the
real command otherwise, with the caller's folder, environment and streams; a signal to the caller reaches it,
and it dies with the caller.

    python forked.py SOCKET                      serve
    python forked.py SOCKET zhbert WORD ...      carry out `zhbert WORD ...`
    python forked.py SOCKET SCRIPT.py WORD ...   carry out a script
"""

import atexit
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Thread

_SEPARATOR = "\0"
_HEAVY = ("app.apply", "app.search", "app.serving", "serve.web", "task.pretrain", "task.probe")


def forked(program: str | Path = "zhbert") -> list[str]:
    """Return the words by which a process begins that is `zhbert`, or a script, already loaded."""
    return [sys.executable, "-IS", __file__, str(_place()), str(program)]


@cache
def _place() -> Path:
    """Return the socket of the process that answers calls, started once."""
    place = Path(tempfile.mkdtemp()) / "socket"
    own = {"PYTHONPATH": str(Path(__file__).parents[1]), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen([sys.executable, __file__, str(place)], env=os.environ | own)
    atexit.register(shutil.rmtree, place.parent)
    atexit.register(server.kill)
    while not place.exists():
        assert server.poll() is None, "the server of commands did not start"
        time.sleep(0.05)
    return place


def call(place: str, words: list[str]) -> int:
    """Have a command carried out; return its exit code, or end by the signal that it ended by."""
    facts = [os.getcwd(), *(f"{key}={value}" for key, value in os.environ.items()), "", *words]
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(place)
        data = _SEPARATOR.join(facts).encode("utf-8", "surrogateescape")
        socket.send_fds(line, [len(data).to_bytes(4, "big")], [0, 1, 2])
        line.sendall(data)
        child = _number(line)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda sent, _: os.kill(child, sent))
        code = _number(line)
    if code < 0:
        with suppress(OSError):  # SIGKILL has no handler to be taken away
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _number(line: socket.socket) -> int:
    data = line.recv(4, socket.MSG_WAITALL)
    assert len(data) == 4, "the server of commands is gone"
    return int.from_bytes(data, "big", signed=True)


def serve(place: str) -> None:
    """Answer calls, several at a time, until the process is ended or whoever started it is gone."""
    for heavy in _HEAVY:
        import_module(f"zhbert.{heavy}")
    import_module("jieba").initialize()
    parent = os.getppid()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen()
        door.settimeout(5)
        while os.getppid() == parent:
            try:
                line, _ = door.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                door.close()
                _answer(line)
            line.close()
            while _reap():
                pass


def _answer(line: socket.socket) -> None:
    """Carry out one call in a child of this process and tell how it ended."""
    size, streams, _, _ = socket.recv_fds(line, 4, 3)
    data = b""
    while len(data) < int.from_bytes(size, "big"):
        data += line.recv(1 << 16)
    folder, *rest = data.decode("utf-8", "surrogateescape").split(_SEPARATOR)
    given, words = rest[: rest.index("")], rest[rest.index("") + 1 :]
    child = os.fork()
    if child == 0:
        line.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for the whole process
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(pair.partition("=")[::2] for pair in given)
        sys.argv = words
        os._exit(_run(_program(words[0])))
    for stream in streams:
        os.close(stream)
    line.send(child.to_bytes(4, "big", signed=True))
    Thread(target=_die_with, args=(line, child), daemon=True).start()
    _, status = os.waitpid(child, 0)
    with suppress(BrokenPipeError):
        line.send(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
    os._exit(0)


def _program(name: str) -> Callable[[], object]:
    if name == "zhbert":
        return import_module("zhbert.app.cli").main
    sys.path.insert(0, str(Path(name).parent))
    return lambda: runpy.run_path(name, run_name="__main__")


def _run(program: Callable[[], object]) -> int:
    try:
        program()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _die_with(line: socket.socket, child: int) -> None:
    """Kill the child when the caller is gone."""
    line.recv(1)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


def _reap() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(call(sys.argv[1], sys.argv[2:]))
    serve(sys.argv[1])
