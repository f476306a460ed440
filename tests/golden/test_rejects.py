"""The same bad input, with somewhere to set it aside: the good records around it survive.

In cases.toml, `kept` says what comes through of a case, by its place, and `set_aside` what does not.
"""

import runpy
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from zhbert.config import parse_value
from zhbert.read.config import ReadConfig
from zhbert.read.piece import Reject
from zhbert.read.reader import Reader

_BAD_INPUT = runpy.run_path(str(Path(__file__).with_name("test_bad_input.py")))
CASES: dict[str, dict[str, Any]] = {
    name: case for name, case in _BAD_INPUT["CASES"].items() if "set_aside" in case
}


def options(command: str) -> tuple[list[str], ReadConfig]:
    """The sources of a command, and its other options that say how to read."""
    words = shlex.split(command)
    pairs = [(a, b) for a, b in pairwise(words) if a.startswith("--")]
    keys = {key.removeprefix("--").replace("-", "_"): parse_value(value) for key, value in pairs}
    sources = [value for key, value in pairs if key == "--source"]
    return sources, ReadConfig(
        **{key: value for key, value in keys.items() if key in ReadConfig.model_fields}
    )


@pytest.mark.parametrize("name", CASES)
def test_what_is_good_survives(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    _BAD_INPUT["lay_out"](case, tmp_path)
    monkeypatch.chdir(tmp_path)
    sources, config = options(case["command"])
    rejects: list[Reject] = []
    kept = [document.at for document in Reader(sources, config, reject=rejects.append)]
    assert kept == case.get("kept", [])
    assert [f"{reject.at}: {reject.what}" for reject in rejects] == case["set_aside"]
    assert all(reject.reason and reject.what.startswith(reject.reason) for reject in rejects)


def test_there_are_many_such_cases() -> None:
    assert len(CASES) >= 60
