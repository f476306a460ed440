"""The endpoints: answers, and a plain line with its status for whatever cannot be answered."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from asking import JSON, Opened, Slow, ask, asked, post

import zhbert
from zhbert.app.pipeline import Pipeline, load
from zhbert.records import to_json, to_plain
from zhbert.serve import asked as asked_room
from zhbert.serve.counting import Counts
from zhbert.serve.limits import Limits

ODD = ["", " \u3000\n", "\u200b\u200d\ufeff", "a\0b", "\ud800王芳\udfff", "😀 王芳\r\n在杭州", "ＷＦ"]


@pytest.fixture(scope="module")
def pipes(tiny_models: dict[str, Path]) -> dict[str, Pipeline]:
    found = {task: load(folder) for task, folder in tiny_models.items()}
    return {task: pipe for task, pipe in found.items() if isinstance(pipe, Pipeline)}


def test_answers_are_the_records_of_the_pipeline(pipes: dict[str, Pipeline], opened: Opened) -> None:
    gate = opened(pipes, limits=Limits(batch=1))
    text, other = "王芳在杭州市图书馆工作，李明去了北京。", "她在图书馆。"
    requests: dict[str, tuple[dict[str, Any], list[Any]]] = {
        "classify": ({"texts": [text, *ODD]}, [text, *ODD]),
        "ner": ({"texts": [*ODD, text]}, [*ODD, text]),
        "pair": ({"pairs": [{"first": text, "second": odd} for odd in ODD]}, [(text, odd) for odd in ODD]),
        "reading": (
            {"questions": [{"question": odd, "context": text} for odd in (other, *ODD)]},
            [(odd, text) for odd in (other, *ODD)],
        ),
    }
    for task, (request, questions) in requests.items():
        answer = post(gate, {"model": task} | request)
        assert answer.status_code == 200, answer.text
        expected = [to_plain(pipes[task](question)) for question in questions]
        for place, one in enumerate(expected):
            one["id"] = str(place)
        assert answer.json() == json.loads(to_json({"model": task, "predictions": expected}))


REFUSED: list[tuple[Any, int, str]] = [
    ({"texts": ["字" * 51]}, 413, "texts[0] has 51 characters: 50 at most"),
    ({"texts": ["字"] * 7}, 413, "7 texts are too many: 6 at most"),
    ({"model": "two", "texts": ["字"]}, 404, 'no model "two" (known: one)'),
    ({"model": "\ud800", "texts": ["字"]}, 404, 'no model "\ud800" (known: one)'),
    ({"model": 5, "texts": ["字"]}, 422, '"model" must be a text'),
    ({"texts": "字"}, 422, '"texts" must be a list'),
    ({"texts": None}, 422, '"texts" must be a list'),
    ({"texts": ["字", None]}, 422, '"texts[1]" must be a text'),
    ({"texts": ["字", {"a": []}]}, 422, '"texts[1]" must be a text'),
    ({"text": ["字"]}, 422, 'unknown field "text" (did you mean "texts"?)'),
    ({"x" * 9999: 1}, 413, "the body is too large: 5,000 bytes at most"),
    ({"": 1}, 422, 'unknown field "" (known: model, pairs, questions, texts)'),
    ({"\ud800": 1}, 422, 'unknown field "\ud800" (known: model, pairs, questions, texts)'),
    ({"pairs": [{"first": "a"}]}, 422, '"pairs[0].second" is missing'),
    ({"pairs": [{"first": "a", "second": "b", "c": 1}]}, 422, '"pairs[0].c" is unknown'),
    (
        {"pairs": [{"first": "a", "second": "b", "\ud800": 1}]},
        422,
        '"pairs[0]" has a field whose name is no text',
    ),
    ({"pairs": ["a"]}, 422, '"pairs[0]" must be an object'),
    ({"pairs": [{"first": "a", "second": "b"}]}, 422, 'a classify model takes "texts" alone, not pairs'),
    ({"texts": ["a"], "pairs": []}, 422, 'a classify model takes "texts" alone, not texts, pairs'),
    ({}, 422, 'a classify model takes "texts" alone'),
    ([], 422, 'the body must be an object, such as {"texts": ["…"]}'),
    ("字", 422, 'the body must be an object, such as {"texts": ["…"]}'),
]


@pytest.mark.parametrize(("body", "status", "words"), REFUSED)
def test_what_cannot_be_answered_is_refused_in_one_line(
    body: Any, status: int, words: str, opened: Opened
) -> None:
    pipe = Slow()
    answer = post(opened({"one": pipe}), body)
    assert (answer.status_code, answer.json()) == (status, {"error": words})
    assert pipe.batches == []


NO_JSON: list[tuple[bytes, str]] = [
    (b"", "the body is not JSON: Expecting value: line 1 column 1 (char 0)"),
    (b'{"texts": ["a"', "the body is not JSON: Expecting ',' delimiter: line 1 column 15 (char 14)"),
    ("字".encode("gbk"), "the body is not UTF-8"),
    (b'{"texts": ["\xed\xa0\x80"]}', "the body is not UTF-8"),
    (b"[" * 4900, "the body is nested too deeply"),
    (b"9" * 4900, "the body is not JSON: "),
]


@pytest.mark.parametrize(("body", "words"), NO_JSON)
def test_what_is_no_json_is_refused(body: bytes, words: str, opened: Opened) -> None:
    answer = ask(opened({"one": Slow()}), "POST", "/predict", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(words)


def test_no_traceback_leaves_the_server(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    answer = post(opened({"one": Slow()}), {"texts": ["break"]})
    assert answer.status_code == 500
    assert answer.json() == {"error": "an internal error; the server's log has it"}
    assert "a secret of the server" in caplog.text


def test_what_waits_too_long_and_what_finds_no_room(opened: Opened) -> None:
    pipe = Slow()
    gate = opened({"one": pipe})

    async def many() -> list[httpx.Response]:
        pipe.gate.clear()
        busy = [asyncio.create_task(asked(gate, "POST", "/predict", json={"texts": ["忙"]}))]
        await asyncio.to_thread(pipe.called.wait)
        for texts in (["一"] * 5, ["二"] * 4, ["三"] * 3):
            busy.append(asyncio.create_task(asked(gate, "POST", "/predict", json={"texts": texts})))
            await asyncio.sleep(0.01)
        return await asyncio.gather(*busy)

    first, five, four, three = asyncio.run(many())
    assert [one.status_code for one in (first, five, four, three)] == [504, 504, 429, 504]
    assert four.json() == {"error": "5 questions wait already (ask again later)"}
    assert four.headers["retry-after"] == "1"
    assert first.json() == {"error": "no answer within 0.3 seconds"}
    pipe.gate.set()
    assert post(gate, {"texts": ["后来"]}).json()["predictions"][0]["labels"] == ["2"]
    assert pipe.batches == [["忙"], ["后来"]], "who no longer waits is not answered"


def test_requests_that_come_together_share_a_batch_and_get_their_own_answers(opened: Opened) -> None:
    pipe = Slow()
    gate = opened({"one": pipe}, limits=Limits(wait=200))

    async def many() -> list[httpx.Response]:
        texts = [["字" * n, "字"] for n in range(20)]
        return await asyncio.gather(*(asked(gate, "POST", "/predict", json={"texts": t}) for t in texts))

    for n, answer in enumerate(asyncio.run(many())):
        said = answer.json()["predictions"]
        assert [(one["id"], one["labels"]) for one in said] == [("0", [str(n)]), ("1", ["1"])]
    assert len(pipe.batches) == 1


def test_one_bad_request_harms_no_other(opened: Opened) -> None:
    gate = opened({"one": Slow()}, limits=Limits(wait=200))

    async def many() -> list[httpx.Response]:
        bodies = [{"texts": ["好"]}, {"texts": ["好", "break"]}, {"texts": [5]}, {"texts": ["好好"]}]
        return await asyncio.gather(*(asked(gate, "POST", "/predict", json=body) for body in bodies))

    assert [one.status_code for one in asyncio.run(many())] == [200, 500, 422, 200]


def test_health_metrics_and_the_page(opened: Opened) -> None:
    gate = opened({"<b>": Slow(), "two": Slow()})
    health = ask(gate, "GET", "/health")
    models = {"<b>": "classify", "two": "classify"}
    assert health.json() == {"status": "ready", "version": zhbert.__version__, "models": models}
    assert post(gate, {"model": "two", "texts": ["一二", "三"]}).status_code == 200
    assert post(gate, {"texts": ["一"]}).json() == {"error": "which model? known: <b>, two"}
    assert ask(gate, "GET", "/etc/passwd").json() == {"error": "Not Found"}
    assert ask(gate, "GET", "/predict").status_code == 405
    lines = ask(gate, "GET", "/metrics").text.splitlines()
    for line in (
        'zhbert_requests_total{path="/predict",status="200"} 1',
        'zhbert_requests_total{path="/predict",status="422"} 1',
        'zhbert_requests_total{path="other",status="404"} 1',
        'zhbert_request_seconds_count{path="/predict"} 3',
        'zhbert_queue_length{model="two"} 0',
        'zhbert_questions_total{model="two"} 2',
        'zhbert_tokens_total{model="two"} 3',
        'zhbert_batch_questions_bucket{model="two",le="2"} 1',
        'zhbert_batch_questions_sum{model="two"} 2.0',
    ):
        assert line in lines, line
    page = ask(gate, "GET", "/")
    assert "&lt;b&gt;" in page.text
    assert "<b>" not in page.text
    assert "<script" not in page.text
    assert "http://127.0.0.1:8000/predict" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_with_keys_the_commands_on_the_page_have_one(opened: Opened) -> None:
    bearer = {"authorization": "Bearer 0123456789abcdef"}
    closed = ask(opened({"one": Slow()}, keys=["0123456789abcdef"]), "GET", "/", headers=bearer)
    assert "-H &#x27;Authorization: Bearer KEY&#x27;" in closed.text
    assert "Bearer" not in ask(opened({"one": Slow()}), "GET", "/").text


def test_no_digit_of_what_is_counted_is_lost() -> None:
    counts = Counts()
    for _ in range(2):
        counts.tokens.add(6_172_839, model="one")
        counts.seconds.add(1_234_567.000_000_5, path="/")
    lines = counts.page("1.0", {}).splitlines()
    assert 'zhbert_tokens_total{model="one"} 12345678' in lines
    assert 'zhbert_request_seconds_sum{path="/"} 2469134.000001' in lines


def test_the_document_describes_what_is_served(pipes: dict[str, Pipeline], opened: Opened) -> None:
    document = ask(opened({"ner": pipes["ner"], "reading": pipes["reading"]}), "GET", "/openapi.json").json()
    operation = document["paths"]["/predict"]["post"]
    schemas = document["components"]["schemas"]
    assert {"Asked", "Pair", "Question", "EntityPrediction", "ReadingPrediction", "Span"} <= schemas.keys()
    assert "LabelPrediction" not in schemas
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/Asked")
    room = Path(asked_room.__file__).parent
    refused = {
        status for path in room.glob("*.py") for status in re.findall(r"Refused\((\d+)", path.read_text())
    }
    assert len(refused) > 8
    assert {"200", *refused} == operation["responses"].keys()
    assert ">>>" not in json.dumps(document)
    references = {word.split('"')[0] for word in json.dumps(document).split("#/components/schemas/")[1:]}
    assert references <= schemas.keys()
