"""Real text for benchmarks, and how two ways of doing a thing are timed beside each other, on one thread."""

import gzip
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from _machine import ROOT

for _threads in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS"):  # read by what is imported after this
    os.environ.setdefault(_threads, "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

DATA = Path(os.environ.get("ZHBERT_DATA", ROOT.parent / "shared" / "data"))
ABSENT = 77  # the exit code of a benchmark that lacks what it needs
PACKED = ("laws", "tech-translations", "docs", "histories")


def need_data() -> None:
    """Leave, saying so, where there is no real text; else have zhbert look for data sets beside it."""
    if not (DATA / "text").is_dir():
        print(f"no real text in {DATA}: set ZHBERT_DATA", file=sys.stderr)
        sys.exit(ABSENT)
    os.environ.setdefault("ZHBERT_DATA", str(DATA))


def documents(names: tuple[str, ...] = PACKED) -> Iterator[tuple[str, str]]:
    """Yield id and text of every document of the packed files and, with all of them, of the plain ones."""
    for name in names:
        with gzip.open(DATA / "text" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            for line in file:
                value = json.loads(line)
                yield value["id"], value["text"]
    if names == PACKED:
        plain = [*sorted((DATA / "text" / "recipes").glob("*.md")), *sorted((DATA / "text").glob("*.txt"))]
        yield from ((path.name, path.read_text("utf-8")) for path in plain)


def sample(megabytes: float, *, seed: int = 0, names: tuple[str, ...] = PACKED) -> list[str]:
    """Return documents drawn from all files, so many megabytes in all; the same ones for a seed."""
    texts = [text for _, text in documents(names)]
    random.Random(seed).shuffle(texts)
    chosen: list[str] = []
    size = 0
    while texts and size < megabytes * 1e6:
        chosen.append(texts.pop())
        size += len(chosen[-1].encode("utf-8", "surrogatepass"))
    return chosen


def lines_of(texts: list[str]) -> list[str]:
    """Return the lines of texts that are not blank."""
    return [line for text in texts for line in text.split("\n") if line.strip()]


def megabytes(texts: list[str]) -> float:
    """Return the size of texts as UTF-8."""
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) / 1e6


def beside(ways: dict[str, Callable[[], object]], *, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each way, round by round: one after the other, the order turned each time."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name in list(ways)[:: 1 if turn % 2 else -1]:
            started = time.perf_counter()
            ways[name]()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(seconds: dict[str, list[float]], slow: str, fast: str) -> float:
    """Return how many times as fast: the median over the rounds."""
    pairs = zip(seconds[slow], seconds[fast], strict=True)
    return round(statistics.median(one / other for one, other in pairs), 2)
