"""What a build leaves out, with reasons: ten examples of each, and everything where that is wanted."""

import json
from pathlib import Path
from typing import IO

from zhbert.corpus.tallies import EXAMPLES

SHOWN = 300  # characters of an example


class LeftOut:
    """Takes down what is left out.

    >>> out = LeftOut(None)
    >>> out.add("a.txt:1", "a.txt:1", "filter: too short", "你好")
    >>> out.examples
    {'filter: too short': [{'id': 'a.txt:1', 'at': 'a.txt:1', 'text': '你好'}]}
    """

    def __init__(self, path: Path | None) -> None:
        self._file: IO[str] | None = None
        if path:
            self._file = path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n")
        self.examples: dict[str, list[dict[str, str]]] = {}

    def add(self, name: str, at: str, reason: str, text: str, *, message: str = "") -> None:
        """Take down one document, or one record with the whole message."""
        examples = self.examples.setdefault(reason, [])
        if len(examples) < EXAMPLES:
            examples.append({"id": name, "at": at, "text": text[:SHOWN]})
        if self._file:
            record = {"id": name, "at": at, "reason": reason, "text": text}
            record |= {"message": message} if message else {}
            self._file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Finish the file."""
        if self._file:
            self._file.close()
