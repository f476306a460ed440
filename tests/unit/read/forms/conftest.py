"""What the tests of the forms need: a file of some content, read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zhbert.read.forms import FORMS, How
from zhbert.records import Example

Read = Callable[..., tuple[list[Example], How]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return what writes a text, JSON lines (a list) or JSON (anything else) and reads it."""

    def write_and_read(form: str, content: Any, *, name: str = "data.txt", **options: Any) -> Any:
        path, how = tmp_path / name, How(**options)
        if isinstance(content, list):
            content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in content)
        elif not isinstance(content, str):
            content = json.dumps(content, ensure_ascii=False)
        path.write_bytes(content.encode())
        return [example for _, example in FORMS[form].read(path, how)], how

    return write_and_read
