"""Who is asked, and how: a model that tells how it is called, and requests without a network."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from zhbert.errors import DataError
from zhbert.model.store import Facts
from zhbert.records import LabelPrediction, Prediction
from zhbert.serve.gate import Gate
from zhbert.serve.limits import Limits
from zhbert.task.predict import NOBODY, Onlooker

LIMITS = Limits(body=5000, texts=6, characters=50, queue=8, timeout=0.3, slow=0.3, wait=0)
JSON = {"content-type": "application/json"}
Opened = Callable[..., Gate]


class Slow:
    """Says of a text how long it is; waits at the gate; refuses what is no text, breaks where it says so."""

    def __init__(self) -> None:
        self.facts = Facts(task="classify")
        self.batches: list[list[Any]] = []
        self.gate, self.called = threading.Event(), threading.Event()
        self.gate.set()
        self.inside = 0

    def batch(self, questions: Sequence[Any], *, onlooker: Onlooker = NOBODY) -> list[Prediction]:
        self.inside += 1
        assert self.inside == 1, "called twice at once"
        self.called.set()
        try:
            assert self.gate.wait(20)
            self.batches.append(list(questions))
            if any(not isinstance(one, str) for one in questions):
                raise DataError("takes a text")
            if "break" in questions:
                raise RuntimeError("a secret of the server")
            onlooker.ran(range(len(questions)), [len(one) for one in questions], 0.1)
            return [
                LabelPrediction(id=str(n), labels=(str(len(one)),), scores={})
                for n, one in enumerate(questions)
            ]
        finally:
            self.inside -= 1


async def asked(gate: Gate, method: str, path: str, **more: Any) -> httpx.Response:
    transport = httpx.ASGITransport(gate)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        return await client.request(method, path, **more)


def ask(gate: Gate, method: str, path: str, **more: Any) -> httpx.Response:
    return asyncio.run(asked(gate, method, path, **more))


def post(gate: Gate, plain: object, **headers: str) -> httpx.Response:
    return ask(gate, "POST", "/predict", content=json.dumps(plain), headers=JSON | headers)
