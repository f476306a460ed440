"""A server that ends in order: what was taken is answered, what comes then is told so, the exit code is 0.

- SIGTERM or SIGINT begins the draining: the door stays open, so that whoever asks is told 503 rather than
  finding nothing there. When nothing is inside any more, or after `drain` seconds, the server stops. A second
  signal ends it at once.
- A connection on which the head of a request does not come in time is closed, and so is one on which a body
  goes on coming that nobody reads, or whose client does not take its answer.
"""

import asyncio
import errno
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import h11
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from zhbert.errors import ConfigError
from zhbert.serve.gate import Gate

CONNECTIONS = 900  # a process may usually have 1,024 files open
HEAD = 10.0  # seconds for the head of a request
KEPT = 30  # seconds for which a connection is kept between two requests
SIGNALS = (signal.SIGTERM, signal.SIGINT)
log = logging.getLogger("zhbert.serve")


class _Punctual(H11Protocol):
    """A connection that waits only so long: for a head, for the end of what nobody reads, for its client."""

    _closing: asyncio.TimerHandle | None = None
    _leaving: asyncio.TimerHandle | None = None

    def __init__(self, *given: Any, slow: float, **named: Any) -> None:
        super().__init__(*given, **named)
        self._slow = slow

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # so that whatever waits to be taken is heard of
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._closing, self._leaving):
            if timer:
                timer.cancel()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._leaving = self._leaving or self.loop.call_later(self._slow, self._leave)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._leaving:
            self._leaving.cancel()
            self._leaving = None

    def _leave(self) -> None:
        log.warning("a client did not take its answer within %g seconds", self._slow)
        self.transport.abort()

    def _watch(self) -> None:
        """Begin or end the time for a head, or for the rest of a body whose request is answered."""
        state = self.conn.their_state
        unread = state is h11.SEND_BODY and self.cycle.response_complete
        if state is h11.IDLE or unread:
            end = self.transport.abort if unread else self.transport.close
            self._closing = self._closing or self.loop.call_later(HEAD, end)
        elif self._closing:
            self._closing.cancel()
            self._closing = None


class Draining(Server):
    """A uvicorn server whose end is ours to say."""

    def __init__(self, gate: Gate, *, drain: float, slow: float) -> None:
        config = Config(
            gate,
            http=partial(_Punctual, slow=slow),  # type: ignore[arg-type]  # uvicorn only calls it
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
        of_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
        remedy = "another --port; 0 takes a free one" if of_port else "--host: an address of this machine"
        what = f"cannot listen: {error.strerror}"
        raise ConfigError(what, where=f"{host}:{port}", remedy=remedy) from error
    return found


def serve(
    gate: Gate, listening: socket.socket, *, drain: float, slow: float, ready: Callable[[], None]
) -> int:
    """Answer until a signal comes; return how many requests were still inside when it ended."""

    async def whole() -> int:
        server = Draining(gate, drain=drain, slow=slow)
        going = asyncio.create_task(server.serve([listening]))
        while not (server.started or going.done()):
            await asyncio.sleep(0.01)
        if server.started:
            ready()
        await going
        return server.left

    return asyncio.run(whole())
