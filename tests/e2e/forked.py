"""The command `zhbert` without its start: a process that has loaded everything forks a child for each call.

A page of the documentation calls it a dozen times, and loading torch and transformers takes longer than
most of what is then done. The child is the real command, with the caller's folder, environment and streams.

    python forked.py SOCKET                     serve
    python forked.py SOCKET zhbert WORD ...     call
"""

import os
import signal
import socket
import sys
from collections.abc import Callable
from importlib import import_module

_SEPARATOR = "\0"


def call(place: str, words: list[str]) -> int:
    """Have a command carried out; return its exit code."""
    facts = [os.getcwd(), *(f"{key}={value}" for key, value in os.environ.items()), "", *words]
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(place)
        data = _SEPARATOR.join(facts).encode("utf-8", "surrogateescape")
        socket.send_fds(line, [len(data).to_bytes(4, "big")], [0, 1, 2])
        line.sendall(data)
        child = int.from_bytes(line.recv(4), "big")
        signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))  # as if it were the command
        return line.recv(1)[0]


def serve(place: str) -> None:
    """Answer calls until the process is ended, several at a time."""
    from zhbert.app.cli import main

    for heavy in ("app.apply", "app.search", "task.pretrain", "task.probe"):
        import_module(f"zhbert.{heavy}")

    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen()
        while True:
            line, _ = door.accept()
            if os.fork() == 0:
                door.close()
                _answer(line, main)
            line.close()
            while _reap():
                pass


def _answer(line: socket.socket, main: Callable[[], None]) -> None:
    """Carry out one call in a child of this process and tell how it ended."""
    size, streams, _, _ = socket.recv_fds(line, 4, 3)
    data = b""
    while len(data) < int.from_bytes(size, "big"):
        data += line.recv(1 << 16)
    folder, *rest = data.decode("utf-8", "surrogateescape").split(_SEPARATOR)
    given, words = rest[: rest.index("")], rest[rest.index("") + 1 :]
    child = os.fork()
    if child == 0:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for the whole process
        sys.stdout, sys.stderr = (open(n, "w", encoding="utf-8", closefd=False) for n in (1, 2))  # noqa: SIM115
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(pair.partition("=")[::2] for pair in given)
        sys.argv = words
        os._exit(_run(main))
    line.send(child.to_bytes(4, "big"))
    _, status = os.waitpid(child, 0)
    line.send(bytes([os.waitstatus_to_exitcode(status) & 0xFF]))
    os._exit(0)


def _run(main: Callable[[], None]) -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _reap() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(call(sys.argv[1], sys.argv[2:]))
    serve(sys.argv[1])
