"""The gate: keys, bodies that are too large or too slow, and draining."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from asking import JSON, LIMITS, Opened, Slow, ask, asked, post

KEYS = ["0123456789abcdef", "fedcba9876543210"]


def test_only_who_has_a_key_is_answered(opened: Opened) -> None:
    gate = opened({"one": Slow()}, keys=KEYS)
    body = {"texts": ["一"]}
    for key in KEYS:
        assert post(gate, body, authorization=f"Bearer {key}").status_code == 200
    for wrong in (
        "",
        "Bearer",
        "Bearer ",
        f"Basic {KEYS[0]}",
        "Bearer 0123456789abcdeF",
        f"Bearer {KEYS[0]}0",
    ):
        answer = post(gate, body, authorization=wrong)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["connection"] == "close", "its body was not read"
    for path in ("/", "/metrics", "/openapi.json", "/nothing"):
        assert ask(gate, "GET", path).status_code == 401
    assert ask(gate, "GET", "/health").json() == {"status": "ready"}, "and nothing that others need not know"
    known = ask(gate, "GET", "/health", headers={"authorization": f"bearer {KEYS[1]}"}).json()
    assert known["models"] == {"one": "classify"}


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_only_json_is_read(kind: str, opened: Opened) -> None:
    gate = opened({"one": Slow()})
    answer = ask(gate, "POST", "/predict", content=b'{"texts": ["a"]}', headers={"content-type": kind})
    assert answer.status_code == 415
    assert answer.json() == {"error": "the content type must be application/json"}


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_may_be_said_in_several_ways(kind: str, opened: Opened) -> None:
    gate = opened({"one": Slow()})
    content = b'{"texts": ["a"]}'
    assert ask(gate, "POST", "/predict", content=content, headers={"content-type": kind}).status_code == 200


def test_of_a_large_body_no_more_than_the_limit_is_kept(opened: Opened) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 10_000
            yield bytes(10_000)

    async def sent(gate: Any) -> list[dict[str, Any]]:
        parts, said = endless(), []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": await anext(parts), "more_body": True}

        async def send(message: Any) -> None:
            said.append(message)

        head = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/predict", "headers": head}
        await gate(scope, receive, send)
        return said

    limit = 100_000
    gate = opened({"one": Slow()}, limits=LIMITS.model_copy(update={"body": limit}))
    tracemalloc.start()
    start, body = asyncio.run(sent(gate))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * limit
    assert start["status"] == 413
    assert (b"connection", b"close") in start["headers"]
    assert json.loads(body["body"]) == {"error": "the body is too large: 100,000 bytes at most"}
    assert read == 16 * limit + 10_000


def test_a_body_of_just_the_limit_is_taken(opened: Opened) -> None:
    gate = opened({"one": Slow()})
    content = b'{"texts": ["a"]}'
    assert ask(gate, "POST", "/predict", content=content.ljust(5000), headers=JSON).status_code == 200
    assert ask(gate, "POST", "/predict", content=content.ljust(5001), headers=JSON).status_code == 413


def test_a_slow_client_is_not_waited_for(opened: Opened) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for part in (b'{"te', b'xts": ', b'["a"]}'):
            await asyncio.sleep(0.2)
            yield part

    async def sent() -> httpx.Response:
        return await asked(opened({"one": Slow()}), "POST", "/predict", content=slowly(), headers=JSON)

    answer = asyncio.run(sent())
    assert (answer.status_code, answer.json()) == (
        408,
        {"error": "the request did not come within 0.3 seconds"},
    )


def test_while_it_drains_what_was_taken_is_answered_and_nothing_else(opened: Opened) -> None:
    pipe = Slow()
    gate = opened({"one": pipe}, limits=LIMITS.model_copy(update={"timeout": 20.0}))

    async def story() -> tuple[httpx.Response, ...]:
        pipe.gate.clear()
        taken = asyncio.create_task(asked(gate, "POST", "/predict", json={"texts": ["一"]}))
        await asyncio.to_thread(pipe.called.wait)
        gate.draining = True
        assert gate.inside == 1
        late = await asked(gate, "POST", "/predict", json={"texts": ["二"]})
        health = await asked(gate, "GET", "/health")
        pipe.gate.set()
        return await taken, late, health

    taken, late, health = asyncio.run(story())
    assert taken.json()["predictions"][0]["labels"] == ["1"]
    assert (late.status_code, late.json()) == (503, {"error": "the server is about to stop"})
    assert (late.headers["retry-after"], late.headers["connection"]) == ("1", "close")
    assert (health.status_code, health.json()["status"]) == (503, "draining")
    assert (gate.inside, gate.accepted) == (0, 1)


def test_every_answer_says_that_its_type_is_meant(opened: Opened) -> None:
    gate = opened({"one": Slow()})
    answers = [ask(gate, "GET", "/health"), ask(gate, "POST", "/predict"), post(gate, {"texts": ["一"]})]
    assert [one.headers["x-content-type-options"] for one in answers] == ["nosniff"] * 3
