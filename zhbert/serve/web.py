"""The endpoints: what is asked over HTTP, and what is answered.

The document at /openapi.json describes them; the request is one type for all tasks (`asked.py`), the answers
are the records of predictions. Nothing is loaded from elsewhere, and no page runs a script.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

import zhbert
from zhbert.errors import UserError, nearest
from zhbert.records import PREDICTIONS, Prediction, to_plain
from zhbert.serve.asked import Asked, Refused, begun, parsed, questions_of
from zhbert.serve.counting import Counts
from zhbert.serve.gate import AGAIN, FAULT, Gate, in_json
from zhbert.serve.limits import Limits
from zhbert.serve.page import example_of, page_of
from zhbert.serve.queue import Answering, Batch, Closed, Full, Queue

STATUSES = {
    400: "the body is no JSON, or not UTF-8",
    401: "a key is needed",
    404: "there is no model of that name",
    408: "the request came too slowly",
    413: "the body, a text or the number of texts is too large",
    415: "the content type is not application/json",
    422: "JSON, but not what the model takes",
    429: "too much waits already; ask again after so many seconds as Retry-After says",
    500: "an internal error, which the server's log has",
    503: "the server is about to stop",
    504: "no answer within the time limit",
}


class Service:
    """Models by their names, each with its queue."""

    def __init__(
        self,
        pipes: Mapping[str, Answering],
        *,
        limits: Limits,
    ) -> None:
        self.limits, self.counts = limits, Counts()
        self.tasks = {name: pipe.facts.task for name, pipe in pipes.items()}
        self.queues = {
            name: Queue(
                pipe,
                budget=limits.batch,
                wait=limits.wait / 1000,
                most=limits.queue,
                told=self._teller(name),
            )
            for name, pipe in pipes.items()
        }

    def _teller(self, model: str) -> Any:
        def told(batch: Batch) -> None:
            self.counts.texts.add(batch.questions, model=model)
            self.counts.tokens.add(batch.tokens, model=model)
            self.counts.batches.add(batch.questions, model=model)
            self.counts.model_seconds.add(batch.seconds, model=model)

        return told

    def named(self, name: str | None) -> str:
        """Return the name of the model that is meant."""
        if name is None and len(self.queues) == 1:
            return next(iter(self.queues))
        if name is None:
            raise Refused(422, f"which model? known: {', '.join(self.queues)}")
        if name not in self.queues:
            raise Refused(404, f'no model "{begun(name)}" ({nearest(begun(name), self.queues)})')
        return name

    async def answers(self, model: str, asked: Asked) -> list[Prediction]:
        """Return the predictions for what was asked, in its order."""
        most, longest = self.limits.texts, self.limits.characters
        questions = questions_of(asked, self.tasks[model], most=most, longest=longest)
        try:
            futures = self.queues[model].submit_all(questions)
            async with asyncio.timeout(self.limits.timeout):
                found = await asyncio.gather(*map(asyncio.wrap_future, futures))
        except Full as error:
            raise Refused(429, str(error), **AGAIN) from None
        except Closed:
            raise Refused(503, "the server is about to stop", **AGAIN) from None
        except TimeoutError:
            raise Refused(504, f"no answer within {self.limits.timeout:g} seconds") from None
        except UserError as error:
            raise Refused(422, str(error)) from None
        return [replace(one, id=str(place)) for place, one in enumerate(found)]

    def close(self) -> None:
        """Answer what waits, and take nothing more."""
        for queue in self.queues.values():
            queue.close()


def gate_of(service: Service, *, keys: Sequence[str] = ()) -> Gate:
    """Return the whole application of a service; with `keys`, whoever asks must have one of them."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(service.close)

    app = FastAPI(
        title="zhbert",
        version=zhbert.__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=life,
    )
    gate = Gate(app, limits=service.limits, keys=keys, counts=service.counts)
    _add_endpoints(app, service, gate, key=bool(keys))
    app.openapi = lambda: _described(app, service)  # type: ignore[method-assign]  # FastAPI's own way

    @app.exception_handler(HTTPException)
    async def plainly(request: Request, error: HTTPException) -> Response:
        return _answer({"error": str(error.detail)}, status=error.status_code, headers=error.headers)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        return _answer({"error": error.what}, status=error.status, headers=error.headers)

    @app.exception_handler(Exception)
    async def faulty(request: Request, error: Exception) -> Response:  # the gate has it written down
        return _answer({"error": FAULT}, status=500)

    return gate


def _add_endpoints(app: FastAPI, service: Service, gate: Gate, *, key: bool) -> None:
    @app.post("/predict", summary="What a model says of texts, pairs or questions")
    async def predict(request: Request) -> Response:
        asked = parsed(await request.body())
        model = service.named(asked.model)
        found = await service.answers(model, asked)
        return _answer({"model": model, "predictions": to_plain(found)})

    @app.get("/health", summary="Whether new requests are taken, and by which models")
    async def health(request: Request) -> Response:
        said: dict[str, Any] = {"status": "draining" if gate.draining else "ready"}
        if request.scope["zhbert.known"]:
            said |= {"version": zhbert.__version__, "models": service.tasks}
        return _answer(said, status=503 if gate.draining else 200)

    @app.get("/metrics", summary="What was counted, as Prometheus reads it", response_class=PlainTextResponse)
    async def metrics() -> Response:
        waiting = {name: len(queue) for name, queue in service.queues.items()}
        text = service.counts.page(zhbert.__version__, waiting)
        return Response(text, media_type="text/plain; version=0.0.4")

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        headers = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
        text = page_of(service.tasks, _address(request), key=key)
        return Response(text, media_type="text/html", headers=headers)


def _address(request: Request) -> str:
    """Return where the server listens: the Host that a client claims is not to be shown."""
    host, port = request.scope.get("server") or ("127.0.0.1", 80)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _answer(plain: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(in_json(plain), status, dict(headers or {}), media_type="application/json")


def _described(app: FastAPI, service: Service) -> dict[str, Any]:
    """Return the OpenAPI document, with the request and the answers of the tasks that are served."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    place = "#/components/schemas/{model}"
    _, kept = models_json_schema([(Asked, "validation")], ref_template=place)
    schemas = dict(kept["$defs"])
    kinds = sorted({PREDICTIONS[task] for task in service.tasks.values()}, key=lambda kind: kind.__name__)
    for kind in kinds:
        schema = TypeAdapter(kind).json_schema(ref_template=place)
        schemas |= schema.pop("$defs", {}) | {kind.__name__: schema}
    for schema in schemas.values():
        schema["description"] = schema.get("description", "").partition("\n\n")[0]  # doctests stay here
    answers = {"anyOf": [{"$ref": place.format(model=kind.__name__)} for kind in kinds]}
    said = {"model": {"type": "string"}, "predictions": {"type": "array", "items": answers}}
    document["components"] = {"schemas": schemas}
    shown = {task: {"value": example_of(task)} for task in sorted(set(service.tasks.values()))}
    operation = document["paths"]["/predict"]["post"]
    operation["requestBody"] = {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": place.format(model="Asked")},
                "examples": shown,
            }
        },
    }
    good = {"application/json": {"schema": {"type": "object", "properties": said, "required": list(said)}}}
    operation["responses"] = {"200": {"description": "the predictions, in order", "content": good}} | {
        str(status): {"description": about} for status, about in STATUSES.items()
    }
    app.openapi_schema = document
    return document
