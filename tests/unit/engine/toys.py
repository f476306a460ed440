"""Tasks that take no time, and some that go wrong in every way."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhbert.engine.unit import Unit, hash_texts
from zhbert.errors import DataError
from zhbert.files import hash_file, list_files

TEXTS = ["北京 2024", "爱", "", "👩‍👩‍👧 𠀀", "e\u0301", "坏\ud83d", "\x00", "行\u2028行"]


def column(number: int) -> list[str]:
    return [f"{number}{text}" for text in TEXTS[: 1 + number % len(TEXTS)]]


def units(count: int, begun: list[int] | None = None) -> Iterator[Unit[list[str]]]:
    """Yield units, and note when each is asked for."""
    for number in range(count):
        if begun is not None:
            begun.append(number)
        texts = column(number)
        yield Unit(number=number, payload=texts, fingerprint=hash_texts(texts), at=f"a.txt:{number + 1}")


def tree(folder: Path) -> dict[str, str]:
    """The hash of every file."""
    return {name: hash_file(folder / name) for name in list_files(folder)}


@dataclass(frozen=True, slots=True)
class Count:
    """Writes what it was given and counts characters; the later units are done sooner."""

    pause: float = 0.0

    def __call__(self, texts: list[str], folder: Path) -> dict[str, Any]:
        (folder / "deep").mkdir()
        number = int(texts[0][0])
        time.sleep(self.pause * (9 - number))
        (folder / "texts.txt").write_bytes("\n".join(texts).encode("utf-8", "surrogatepass"))
        (folder / "deep" / "count.txt").write_text(str(len(texts)))
        return {"characters": sum(map(len, texts)), "longest": max(texts, key=len), "pair": (1, 2)}


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Does the first unit last but one: when the unit after next is there."""

    def __call__(self, texts: list[str], folder: Path) -> dict[str, Any]:
        while texts[0].startswith("0") and not (folder.parents[1] / "00002").exists():
            time.sleep(0.01)
        return Count()(texts, folder)


@dataclass(frozen=True, slots=True)
class Watch:
    """Tells from when to when it was at work."""

    seconds: float

    def __call__(self, texts: list[str], folder: Path) -> dict[str, Any]:
        started = time.monotonic()
        time.sleep(self.seconds)
        return {"span": [started, time.monotonic()]}


@dataclass(frozen=True, slots=True)
class Slow:
    """Writes in small steps, and leaves a note of the process that does it."""

    notes: Path

    def __call__(self, texts: list[str], folder: Path) -> dict[str, Any]:
        (self.notes / str(os.getpid())).touch()
        for part in range(5):
            with (folder / f"{part}.txt").open("wb") as file:
                for text in texts:
                    file.write(text.encode("utf-8", "surrogatepass"))
                    file.flush()
                    time.sleep(0.002)
        return {"texts": len(texts)}


@dataclass(frozen=True, slots=True)
class Dies:
    """Is killed over one unit, as by the system when memory runs out, for the first so many times."""

    notes: Path
    times: int = 1
    at: int = 2

    def __call__(self, texts: list[str], folder: Path) -> dict[str, Any]:
        deaths = len(list(self.notes.iterdir()))
        if texts[0].startswith(str(self.at)) and deaths < self.times:
            (self.notes / str(deaths)).touch()
            (folder / "half.txt").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
        return Count()(texts, folder)


@dataclass(frozen=True, slots=True)
class Quits:
    """Ends its process."""

    def __call__(self, texts: list[str], folder: Path) -> dict[str, Any]:
        os._exit(3)


@dataclass(frozen=True, slots=True)
class Fails:
    """Raises over some units, the later ones sooner."""

    numbers: tuple[int, ...]
    kind: type[Exception] = DataError

    def __call__(self, texts: list[str], folder: Path) -> dict[str, Any]:
        number = int(texts[0][0])
        if number not in self.numbers:
            return Count()(texts, folder)
        time.sleep(0.05 * (9 - number))
        (folder / "half.txt").write_text("half")
        if self.kind is DataError:
            raise DataError("坏了", where=f"a.txt:{number}", remedy="mend it")
        raise self.kind(number)


class Untravelled(Exception):
    """An error that pickle makes, and cannot read."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return Untravelled, ()


@dataclass(frozen=True, slots=True)
class Confess:
    """Tells what the process is like."""

    names: tuple[str, ...]

    def __call__(self, texts: list[str], folder: Path) -> dict[str, Any]:
        print("噪音 on standard output")
        os.write(1, b"more noise")
        return {
            "pid": os.getpid(),
            "group": os.getpgrp(),
            "input": sys.stdin.read(),
            "modules": sorted({name.partition(".")[0] for name in sys.modules}),
            "main": "zhbert.app" in sys.modules,
            "environment": {name: os.environ.get(name) for name in self.names},
        }


@dataclass(frozen=True, slots=True)
class Sleep:
    """Takes longer than anybody waits."""

    notes: Path

    def __call__(self, texts: list[str], folder: Path) -> dict[str, Any]:
        (self.notes / str(os.getpid())).touch()
        time.sleep(600)
        return {}
