"""What stands before the endpoints: keys, the size and the pace of what comes in, draining, and counting.

A request is inside from the head that was let in to the end of its answer; while the server drains, no POST
is let in, whatever was inside before is answered, and whoever asks after its health is still told. A body is
counted while it is read: nothing larger than the limit is ever in memory, though what comes is read on for a
while, because a client that is cut off while it sends does not see why. An answer shows of a fault only that
there was one.
"""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from time import monotonic
from typing import Any

from zhbert.serve.asked import Refused
from zhbert.serve.counting import Counts
from zhbert.serve.limits import Limits

PATHS = ("/", "/health", "/metrics", "/openapi.json", "/predict")
READ_ON = 16  # times the limit: so much of a body that is too large is read, and forgotten
FAULT = "an internal error; the server's log has it"
AGAIN = {"retry-after": "1"}
KEYLESS = {"www-authenticate": "Bearer", "connection": "close"}  # a body may stand behind it
_SAFE = (b"x-content-type-options", b"nosniff")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
log = logging.getLogger("zhbert.serve")


class Gate:
    """An ASGI application around another."""

    def __init__(self, app: App, *, limits: Limits, keys: Sequence[str], counts: Counts) -> None:
        self._app, self._limits, self._counts = app, limits, counts
        self._keys = [key.encode() for key in keys]
        self.draining = False
        self.inside = self.accepted = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let a request in, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, answer = monotonic(), _Answer(send)
        self.inside += 1
        try:
            await self._answered(scope, receive, answer)
        except Refused as refused:
            await answer.refuse(refused)
        except Exception:  # a fault of ours: the log has it, the answer does not
            log.exception("a request failed")
            if not answer.status:
                await answer.refuse(Refused(500, FAULT))
        finally:
            self.inside -= 1
            path = scope["path"] if scope["path"] in PATHS else "other"
            self._counts.requests.add(path=path, status=str(answer.status or "none"))
            self._counts.seconds.add(monotonic() - started, path=path)

    async def _answered(self, scope: MutableMapping[str, Any], receive: Receive, answer: "_Answer") -> None:
        headers = dict(scope["headers"])
        scope["zhbert.known"] = known = self._known(headers.get(b"authorization", b""))
        if not known and scope["path"] != "/health":
            raise Refused(401, "a key is needed: Authorization: Bearer KEY", **KEYLESS)
        if scope["method"] == "POST":
            if self.draining:
                raise Refused(503, "the server is about to stop", connection="close", **AGAIN)
            if headers.get(b"content-type", b"").split(b";")[0].strip().lower() != b"application/json":
                raise Refused(415, "the content type must be application/json", connection="close")
            body = await self._body(receive)
            self.accepted += 1
            receive = _replayed(body, receive)
        await self._app(scope, receive, answer)

    def _known(self, given: bytes) -> bool:
        """Tell whether a header carries one of the keys, in a time that does not depend on which."""
        word, _, key = given.partition(b" ")
        fits = [hmac.compare_digest(key.strip(), known) for known in self._keys]
        return not self._keys or (word.lower() == b"bearer" and any(fits))

    async def _body(self, receive: Receive) -> bytes:
        """Return the whole body, or refuse what is too large or too slow."""
        limit, size, parts = self._limits.body, 0, []
        try:
            async with asyncio.timeout(self._limits.slow):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refused(400, "the client has gone", connection="close")
                    part = message.get("body", b"")
                    size += len(part)
                    if size <= limit:
                        parts.append(part)
                    else:
                        parts.clear()
                    if not message.get("more_body", False) or size > READ_ON * limit:
                        break
        except TimeoutError:
            what = f"the request did not come within {self._limits.slow:g} seconds"
            raise Refused(408, what, connection="close") from None
        if size > limit:
            raise Refused(413, f"the body is too large: {limit:,} bytes at most", connection="close")
        return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and then whatever comes."""
    rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return rest.pop() if rest else await receive()

    return again


class _Answer:
    """What is sent; its status is noted."""

    def __init__(self, send: Send) -> None:
        self._send, self.status = send, 0

    async def __call__(self, message: Message) -> None:
        """Send a part of an answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), _SAFE]
        await self._send(message)

    async def refuse(self, refused: Refused) -> None:
        """Send why a request is not answered."""
        body = in_json({"error": refused.what})
        headers = {"content-type": "application/json", "content-length": str(len(body))} | refused.headers
        raw = [(key.encode(), value.encode()) for key, value in headers.items()]
        await self({"type": "http.response.start", "status": refused.status, "headers": raw})
        await self({"type": "http.response.body", "body": body})


def in_json(plain: object) -> bytes:
    r"""Return JSON in UTF-8; half a surrogate pair is written as JSON escapes it.

    >>> in_json({"error": "甲\ud800"}).decode()
    '{"error": "甲\\ud800"}'
    """
    return json.dumps(plain, ensure_ascii=False).encode("utf-8", "backslashreplace")
