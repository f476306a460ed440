"""Connections: who sends without an end, or takes nothing, is let go."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asking import LIMITS

from zhbert.errors import ConfigError
from zhbert.serve import server as room
from zhbert.serve.counting import Counts
from zhbert.serve.gate import Gate
from zhbert.serve.server import Draining, door

KEY = "0123456789abcdef"
LENGTH = b"Content-Length: 9999"
Talk = Callable[[Draining, socket.socket], Awaitable[None]]


def talked(talk: Talk, *, answer: bytes = b"{}", keys: tuple[str, ...] = (), slow: float = 20.0) -> None:
    """Serve one answer to whatever is asked, and talk over a socket that is connected."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = [(b"content-length", str(len(answer)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": answer})

    async def whole() -> None:
        gate = Gate(app, limits=LIMITS, keys=keys, counts=Counts())
        server, listening = Draining(gate, drain=1, slow=slow), door("127.0.0.1", 0)
        going = asyncio.create_task(server.serve([listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.setblocking(False)
            await asyncio.get_running_loop().sock_connect(line, listening.getsockname())
            await asyncio.wait_for(talk(server, line), 10)
        server.drain()
        await going

    asyncio.run(whole())


async def sent(line: socket.socket, method: bytes, *more: bytes) -> None:
    head = [method + b" /predict HTTP/1.1", b"Host: x", *more, b"", b""]
    await asyncio.get_running_loop().sock_sendall(line, b"\r\n".join(head))


async def empty(server: Draining) -> None:
    """Wait until the server has no connection."""
    while server.server_state.connections:
        await asyncio.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "keys"), [(b"GET", ()), (b"PUT", ()), (b"POST", (KEY,)), (b"GET", (KEY,))]
)
def test_a_body_that_nobody_reads_does_not_hold_a_connection(
    method: bytes, keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "HEAD", 0.2)

    async def trickle(server: Draining, line: socket.socket) -> None:
        await sent(line, method, LENGTH)
        gone = asyncio.create_task(empty(server))
        with contextlib.suppress(ConnectionError):
            while not gone.done():
                await asyncio.get_running_loop().sock_sendall(line, b"x")
                await asyncio.sleep(0.02)
        await gone

    talked(trickle, keys=keys)


@pytest.mark.slow
def test_who_takes_no_answer_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    async def take_nothing(server: Draining, line: socket.socket) -> None:
        await sent(line, b"GET")
        while not server.server_state.connections:
            await asyncio.sleep(0.01)
        await empty(server)

    talked(take_nothing, answer=bytes(20_000_000), slow=0.3)
    assert [one.getMessage() for one in caplog.records] == [
        "a client did not take its answer within 0.3 seconds"
    ]


@pytest.mark.slow
def test_who_takes_the_answer_in_time_keeps_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "HEAD", 0.2)

    async def take_twice(server: Draining, line: socket.socket) -> None:
        for _ in range(2):
            await sent(line, b"GET")
            taken = 0
            while taken < 3_000_000:
                taken += len(await asyncio.get_running_loop().sock_recv(line, 1 << 20))
            await asyncio.sleep(0.3)
        assert len(server.server_state.connections) == 1

    talked(take_twice, answer=bytes(3_000_000), slow=2.0)


def test_a_door_that_cannot_be_opened_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="another --port"):
        door("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1:0: cannot listen: .* \(--host: an address of this"):
        door("192.0.2.1", 0)
