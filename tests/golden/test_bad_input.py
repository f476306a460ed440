"""Bad input, typed into the real command line: exit code 2, one line, nothing left behind.

The cases are in cases.toml beside this file; after a change of words, `python test_bad_input.py`
prints what every case says now.
"""

import contextlib
import io
import os
import runpy
import shlex
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest

import zhbert
from zhbert.app.cli import app, corpus, data, main
from zhbert.files import locked
from zhbert.read.card import content_root

CASES: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("cases.toml").read_text(encoding="utf-8")
)
IN_A_PROCESS = ("gbk-file", "unknown-key")
MAKERS = runpy.run_path(str(Path(__file__).with_name("spoiled.py")))["MAKERS"]
FILLED = {
    b"@DEEP@": b"[" * 100_000,
    b"@DIGITS@": b"7" * 5000,
    b"@MEGABYTE@": b"7" * (1 << 20),
    b"@FF@": b"\xff",
    b"@HALF@": b"\xed\xa0\x80",  # of a surrogate pair
}
SHIPPED = {"@CORPORA@": "corpora", "@PIPELINES@": "pipelines"}


def lay_out(case: dict[str, Any], folder: Path) -> None:
    for name, text in case.get("files", {}).items():
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text.lstrip("\n").encode(case.get("encoding", {}).get(name, "utf-8"))
        for sign, filling in FILLED.items():
            data = data.replace(sign, filling)
        path.write_bytes(data)
    for name, maker in case.get("made", {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MAKERS[maker]())


def held(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")
    }


def expected(case: dict[str, Any]) -> str:
    text: str = case["error"]
    for sign, kind in SHIPPED.items():
        text = text.replace(sign, str(content_root(kind)))
    return f"zhbert: {text}\n"


@pytest.fixture(autouse=True)
def commands_are_added_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away again what `main` adds to the command line of this process: a hundred calls would be slow."""
    for group in (app, corpus, data):
        monkeypatch.setattr(group, "registered_commands", list(group.registered_commands))


def typed(words: list[str]) -> tuple[object, str]:
    """The exit code and what stderr says when the words are typed, in this process."""
    before, sys.argv = sys.argv, ["zhbert", *words]
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            main()
    except SystemExit as end:
        return end.code, said.getvalue()
    finally:
        sys.argv = before
    return None, said.getvalue()


@pytest.mark.parametrize("name", CASES)
def test_bad_input(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    lay_out(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(case.get("stdin", "").encode())))
    before = held(tmp_path)
    with locked(Path(case["lock"])) if "lock" in case else contextlib.nullcontext():
        code, said = typed(shlex.split(case["command"]))
    assert (code, said) == (2, expected(case))
    assert held(tmp_path) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_A_PROCESS)
def test_bad_input_in_a_process(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    lay_out(case, tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(Path(zhbert.__file__).parents[1])}
    command = [sys.executable, "-m", "zhbert", *shlex.split(case["command"])]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr.decode("utf-8")) == (2, expected(case))


if __name__ == "__main__":
    for name, case in CASES.items():
        sys.stdin = io.TextIOWrapper(io.BytesIO(case.get("stdin", "").encode()))
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            lay_out(case, Path(folder))
            with locked(Path(case["lock"])) if "lock" in case else contextlib.nullcontext():
                print(f"[{name}]", *typed(shlex.split(case["command"])))
