"""What tests of readers share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zhbert.read.config import ReadConfig
from zhbert.read.piece import Reject
from zhbert.read.reader import Reader
from zhbert.records import Document

Read = Callable[..., list[Document]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Return what writes files into an empty folder and reads a source in it: `read({"a.txt": b"…"})`."""
    monkeypatch.chdir(tmp_path)

    def read(
        files: dict[str, bytes | str], *sources: str, rejects: list[Reject] | None = None, **config: Any
    ) -> list[Document]:
        for name, data in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.encode() if isinstance(data, str) else data)
        reject = None if rejects is None else rejects.append
        return list(Reader(sources or tuple(files), ReadConfig(**config), reject=reject))

    return read
