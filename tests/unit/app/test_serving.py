"""The command `serve`: what it is given, and a real process among real clients."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from forked import forked

from zhbert.app.options import systems_of
from zhbert.app.pipeline import Pipeline, load
from zhbert.app.serving import ServeConfig, check_open, folders_of, pipelines, read_keys
from zhbert.errors import ConfigError, ModelError, ZhbertError
from zhbert.records import to_plain

TEXT = "王芳在杭州市图书馆工作，李明去了北京。"
KEY = "0123456789abcdef"
BEFORE_THE_GATE = (408, 413, 415, 503)  # refused before it was taken
Started = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def started() -> Iterator[Started]:
    """Return what starts a server on a free port, and ends it if the test has not."""
    running = []

    def start(*words: str) -> tuple[subprocess.Popen[str], str]:
        command = [*forked(), "serve", *words, "--port", "0"]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)
        running.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, process.communicate()
        return process, found[0]

    yield start
    for process in running:
        process.kill()
        process.communicate()


HOSTILE: list[tuple[dict[str, Any], int]] = [
    ({"content": b'{"texts": ["\xff"]}'}, 400),
    ({"content": b"[" * 50_000}, 400),
    ({"content": b'{"texts": ["' + b"x" * 10_000_000 + b'"]}'}, 413),
    ({"content": json.dumps({"texts": [5]})}, 422),
    ({"content": json.dumps({"texts": ["a\0\ud800\u200b", "", "  "]})}, 200),
    ({"content": b"{}", "kind": "text/plain"}, 415),
]


@pytest.mark.slow
def test_a_stop_in_the_middle_of_everything_loses_nothing(
    started: Started, tiny_models: dict[str, Path]
) -> None:
    process, address = started(str(tiny_models["ner"]), "--wait", "20")
    expected = entities(load(tiny_models["ner"]))
    answers: list[int] = []
    stopping = threading.Event()

    def client(number: int) -> None:
        with httpx.Client(base_url=address, timeout=60) as http:
            for turn in range(10_000):
                text = TEXT[: (number + turn) % len(TEXT)]
                bad, wanted = HOSTILE[turn % len(HOSTILE)]
                hostile = number % 4 == 0
                sent = bad if hostile else {"content": json.dumps({"texts": [text]})}
                try:
                    headers = {"content-type": sent.get("kind", "application/json")}
                    answer = http.post("/predict", content=sent["content"], headers=headers)
                except httpx.TransportError:
                    assert stopping.is_set(), "only who comes too late finds the door closed"
                    return
                answers.append(answer.status_code)
                if answer.status_code == 503:
                    assert stopping.is_set()
                    return
                assert answer.status_code == (wanted if hostile else 200), answer.text
                if not hostile:
                    (said,) = answer.json()["predictions"]
                    assert [(s["start"], s["end"], s["label"]) for s in said["entities"]] == expected(text)

    def stop() -> None:
        while answers.count(200) < 40 and any(not one.done() for one in working):
            time.sleep(0.02)
        stopping.set()
        process.send_signal(signal.SIGTERM)

    with ThreadPoolExecutor(13) as pool:
        working = [pool.submit(client, number) for number in range(12)]
        pool.submit(stop).result()
        for one in working:
            one.result(60)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    taken = re.search(r"Stopped: (\d+) requests taken", out)
    assert taken
    assert answers.count(200) >= 40
    assert int(taken[1]) == sum(status not in BEFORE_THE_GATE for status in answers)


def entities(pipe: Any) -> Callable[[str], list[tuple[int, int, str]]]:
    assert isinstance(pipe, Pipeline)
    known = {TEXT[:n]: to_plain(pipe(TEXT[:n])) for n in range(len(TEXT))}
    return lambda text: [(s["start"], s["end"], s["label"]) for s in known[text]["entities"]]


@pytest.mark.slow
def test_a_head_that_does_not_come_a_body_that_stops_and_a_wrong_key(
    started: Started, tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"{KEY}\n\n", "utf-8")
    process, address = started(
        f"topics={tiny_models['classify']}", "--api-key-file", str(keys), "--slow", "0.5"
    )
    url = httpx.URL(address)
    assert httpx.post(f"{address}/predict", json={"texts": [TEXT]}).status_code == 401
    bearer = {"authorization": f"Bearer {KEY}"}
    assert httpx.post(f"{address}/predict", json={"texts": [TEXT]}, headers=bearer).status_code == 200
    with socket.create_connection((url.host, url.port or 0)) as line:
        head = ["POST /predict HTTP/1.1", "Host: x", f"Authorization: Bearer {KEY}", "Content-Length: 99"]
        line.sendall("\r\n".join([*head, "Content-Type: application/json", "", "{"]).encode())
        line.settimeout(20)
        assert line.recv(99).startswith(b"HTTP/1.1 408 ")
    with socket.create_connection((url.host, url.port or 0)) as line:
        line.sendall(b"POST /predict HT")
        line.settimeout(20)
        assert line.recv(99) == b"", "closed without a word"
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


@pytest.mark.slow
def test_what_is_not_answered_in_time_is_said(started: Started, tiny_models: dict[str, Path]) -> None:
    process, address = started(str(tiny_models["ner"]), "--wait", "5000", "--drain", "0.2")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(httpx.post, f"{address}/predict", json={"texts": [TEXT]}, timeout=30)
        while 'queue_length{model="ner"} 1' not in httpx.get(f"{address}/metrics").text:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "1 requests were not answered in time" in out
        waiting.exception(30)


@pytest.mark.slow
def test_a_port_that_is_taken_is_said_in_one_line(tiny_models: dict[str, Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "zhbert", "serve", str(tiny_models["ner"]), "--port", port]
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    remedy = "(another --port; 0 takes a free one)"
    assert done.stderr == f"zhbert: 127.0.0.1:{port}: cannot listen: Address already in use {remedy}\n"


def test_models_are_told_apart_by_their_names() -> None:
    assert list(folders_of(["runs/a", "b=runs/x"])) == ["a", "b"]
    with pytest.raises(ConfigError, match='two models are called "a"'):
        folders_of(["runs/a", "other/a"])
    with pytest.raises(ConfigError, match='no name in "=x"'):
        folders_of(["=x"])
    with pytest.raises(ConfigError, match='no path in "x="'):
        folders_of(["x="])


def test_a_folder_with_an_equals_sign_has_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("runs/lr=0.1", "runs/lr=0.2"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert folders_of(["runs/lr=0.1", "b=runs/lr=0.2"]) == {
        "lr=0.1": Path("runs/lr=0.1"),
        "b": Path("runs/lr=0.2"),
    }
    assert systems_of(["runs/lr=0.1", "runs/lr=0.2"]) == {
        "lr=0.1": ["runs/lr=0.1"],
        "lr=0.2": ["runs/lr=0.2"],
    }
    with pytest.raises(ConfigError, match='"runs/lr" is no name, and there is no file or folder "runs/lr=3'):
        folders_of(["runs/lr=3"])
    assert systems_of(["whole words: 3=said.jsonl"]) == {"whole words: 3": ["said.jsonl"]}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.7", "::", "example.org"])
def test_other_machines_need_a_key_or_consent(host: str) -> None:
    with pytest.raises(ConfigError, match=r"without a key \(--api-key-file, or --open\)"):
        check_open(ServeConfig(host=host), keys=False)
    check_open(ServeConfig(host=host), keys=True)
    check_open(ServeConfig(host=host, open=True), keys=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
def test_this_machine_needs_none(host: str) -> None:
    check_open(ServeConfig(host=host), keys=False)


def test_keys_are_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f" {KEY}\r\n\n{KEY[::-1]}\n", "utf-8")
    assert read_keys(path) == [KEY, KEY[::-1]]
    for text, words in (("\n", "no key in it"), ("short", "16 ASCII characters"), ("密" * 20, "16 ASCII")):
        path.write_text(text, "utf-8")
        with pytest.raises(ConfigError, match=words):
            read_keys(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_keys(tmp_path / "nowhere")


def test_models_are_loaded_as_the_options_say(tiny_models: dict[str, Path], tiny_encoder: Path) -> None:
    config = ServeConfig(script="simplified", answers=3)
    text = "王芳在臺灣大學圖書館工作"
    found = pipelines({"reading": tiny_models["reading"]}, config)["reading"](("誰在那裡工作？", text))
    expected = load(tiny_models["reading"], script="simplified", answers=3)
    assert isinstance(expected, Pipeline)
    assert found == expected(("誰在那裡工作？", text))
    with pytest.raises(ModelError, match="an encoder answers nothing yet"):
        pipelines({"encoder": tiny_encoder}, config)
    with pytest.raises(ZhbertError, match=r"no model\.onnx in it"):
        pipelines({"ner": tiny_models["ner"]}, ServeConfig(backend="onnx"))


def test_without_the_extra_the_remedy_is_said(
    monkeypatch: pytest.MonkeyPatch, tiny_models: dict[str, Path]
) -> None:
    from rich.console import Console

    from zhbert.app.serving import run

    for name in ("zhbert.serve.server", "zhbert.serve.web", "uvicorn", "fastapi"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ConfigError, match=r"uvicorn is not installed \(pip install zhbert\[serve\]\)"):
        run(ServeConfig(), [str(tiny_models["ner"])], Console())
