"""A server that ends in order: what was taken is answered, what comes then is told so, the exit code is 0.

- SIGTERM or SIGINT begins the draining: the door stays open, so that whoever asks is told 503 rather than
  finding nothing there. When nothing is inside any more, or after `drain` seconds, the server stops. A second
  signal ends it at once.
- A connection on which the head of a request does not come in time is closed.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import h11
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from zhbert.errors import ConfigError
from zhbert.serve.gate import Gate

CONNECTIONS = 900  # a process may usually have 1,024 files open
HEAD = 10.0  # seconds for the head of a request
KEPT = 30  # seconds for which a connection is kept between two requests
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Punctual(H11Protocol):
    """A connection that waits for the head of a request only so long."""

    _closing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._closing:
            self._closing.cancel()

    def _watch(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self._closing = self._closing or self.loop.call_later(HEAD, self.transport.close)
        elif self._closing:
            self._closing.cancel()
            self._closing = None


class Draining(Server):
    """A uvicorn server whose end is ours to say."""

    def __init__(self, gate: Gate, *, drain: float) -> None:
        config = Config(
            gate,
            http=_Punctual,
            ws="none",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=KEPT,
            timeout_graceful_shutdown=1,  # by then all is answered
            access_log=False,
            server_header=False,
            log_level="warning",
        )
        super().__init__(config)
        self._gate, self._drain = gate, drain
        self._ending: asyncio.Task[None] | None = None
        self.left = 0  # requests that were taken and not answered

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Drain on a signal, and do not raise it again at the end as uvicorn would."""
        loop = asyncio.get_running_loop()
        before = [signal.signal(one, lambda *_: loop.call_soon_threadsafe(self.drain)) for one in SIGNALS]
        try:
            yield
        finally:
            for one, handler in zip(SIGNALS, before, strict=True):
                signal.signal(one, handler)

    def drain(self) -> None:
        """Begin to end; asked again, end at once."""
        if self._ending:
            self._give_up()
            return
        self._gate.draining = True
        self._ending = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> None:
        try:
            async with asyncio.timeout(self._drain):
                while self._gate.inside:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self._give_up()
        self.should_exit = True

    def _give_up(self) -> None:
        self.left = self._gate.inside
        self.should_exit = self.force_exit = True


def door(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address, or say why it cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise ConfigError(f"cannot listen: {error.strerror}", where=f"{host}:{port}") from error
    return found


def serve(gate: Gate, listening: socket.socket, *, drain: float, ready: Callable[[], None]) -> int:
    """Answer until a signal comes; return how many requests were still inside when it ended."""

    async def whole() -> int:
        server = Draining(gate, drain=drain)
        going = asyncio.create_task(server.serve([listening]))
        while not (server.started or going.done()):
            await asyncio.sleep(0.01)
        if server.started:
            ready()
        await going
        return server.left

    return asyncio.run(whole())
