"""How a server does under load: 64 clients, texts of many lengths, hostile requests among them.

Two servers of the same model take turns: one that batches, one with `--batch 1`, which reads every text
alone. Latencies are those of good requests, as clients see them. Every answer is looked at: the status that
must come, and for entities that each span is what stands at its place. Memory is the server's, before the
first round and after the last. The clients share the machine with the server. The last line is JSON.

    python benchmarks/serve.py [MODEL] [--seconds 120] [--clients 64] [--rounds 3]

Without MODEL a small tagger of entities is fine-tuned first. `--seconds` are those of one server, over all
rounds.
"""

import argparse
import asyncio
import json
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.request import urlopen

from _machine import commit, machine

from zhbert.model.store import read_facts
from zhbert.read.references import find

MADE = ["--task", "ner", "--init", "bundled", "--train", "mini:ner/train", "--dev", "mini:ner/dev"]
MADE += ["--epochs", "1", "--lr", "5e-4"]
KINDS = {"batches": [], "one text at a time": ["--batch", "1"]}
HOSTILE: list[tuple[bytes, str, int]] = [
    (b'{"texts": ["\\ud800\\u0000\\u200b"]}', "application/json", 200),
    (b'{"texts": ["", "  "]}', "application/json", 200),
    (b'{"texts": [5]}', "application/json", 422),
    (b'{"texts": ["\xff"]}', "application/json", 400),
    (b"[" * 100_000, "application/json", 400),
    (b"a=b", "application/x-www-form-urlencoded", 415),
    (b'{"texts": ["' + b"x" * 2_500_000 + b'"]}', "application/json", 413),
]
EVERY = 20  # one request of so many is hostile
LENGTHS = (4, 1.1)  # mean and deviation of the logarithm: half of the texts have fewer than 55 characters
LONGEST = 2000


@dataclass
class Server:
    """A server that runs, and what was seen of it."""

    process: subprocess.Popen[str]
    port: int
    seconds: list[float] = field(default_factory=list)
    hostile: int = 0
    characters: int = 0
    spent: float = 0.0
    wrong: list[str] = field(default_factory=list)
    before: float = 0.0

    def memory(self) -> float:
        """Return the resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    def counted(self, name: str) -> float:
        """Return a number that the server counts."""
        with urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(f"zhbert_{name}{{"))


def main() -> None:
    parser = argparse.ArgumentParser(description="A server under load.")
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as running:
        model = given.model or fine_tuned(Path(scratch))
        if read_facts(model).task not in ("classify", "ner", "segment"):
            sys.exit("a model that takes one text is needed")
        servers = {kind: started(model, words, running) for kind, words in KINDS.items()}
        texts = (find("mini:raw") / "news.txt").read_text("utf-8")
        for server in servers.values():
            asyncio.run(load(server, texts, "warm", 2, given.clients))
            server.seconds, server.hostile, server.characters, server.spent = [], 0, 0, 0.0
            server.before = server.memory()
        for turn in range(given.rounds):
            for server in list(servers.values())[:: 1 if turn % 2 else -1]:
                asyncio.run(load(server, texts, str(turn), given.seconds / given.rounds, given.clients))
        found = {kind: figures(server) for kind, server in servers.items()}
    for kind, row in found.items():
        print(f"{kind}: " + ", ".join(f"{name} {value}" for name, value in row.items()))
    facts: dict[str, Any] = {
        "machine": machine(),
        "commit": commit(),
        "model": str(given.model or " ".join(MADE)),
    }
    facts |= {"clients": given.clients, "rounds": given.rounds, "servers": found}
    print(json.dumps(facts, ensure_ascii=False))
    if any(row["wrong"] for row in found.values()):
        sys.exit(1)


def fine_tuned(folder: Path) -> Path:
    """Return a small model."""
    command = [sys.executable, "-m", "zhbert", "finetune", *MADE, "-o", str(folder / "ner")]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return folder / "ner"


def started(model: Path, words: list[str], running: ExitStack) -> Server:
    """Return a server that has said where it listens, and is killed at the end if it has not ended."""
    command = [sys.executable, "-m", "zhbert", "serve", f"model={model}", "--port", "0", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    running.callback(process.kill)
    assert process.stdout is not None
    port = re.search(r":(\d+)$", process.stdout.readline().strip())
    assert port, "the server did not start"
    return Server(process=process, port=int(port[1]))


async def load(server: Server, texts: str, turn: str, seconds: float, clients: int) -> None:
    """Have clients ask for so many seconds; what they ask depends on the turn, not on the server."""
    started = monotonic()
    until = started + seconds
    draws = (random.Random(f"{turn} {number}") for number in range(clients))
    await asyncio.gather(*(client(server, texts, until, draw) for draw in draws))
    server.spent += monotonic() - started


async def client(server: Server, texts: str, until: float, rng: random.Random) -> None:
    """Ask one thing after the other, over one connection where the server keeps it."""
    line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while monotonic() < until:
        hostile = rng.randrange(EVERY) == 0
        text = cut(texts, rng)
        good = json.dumps({"texts": [text]}, ensure_ascii=False).encode(), "application/json", 200
        body, kind, wanted = rng.choice(HOSTILE) if hostile else good
        line = line or await asyncio.open_connection("127.0.0.1", server.port)
        asked = monotonic()
        try:
            status, kept, answer = await exchange(line[0], line[1], body, kind)
        except (OSError, asyncio.IncompleteReadError) as error:
            server.wrong.append(f"{type(error).__name__} instead of {wanted}")
            line = None
            continue
        if not kept:
            line[1].close()
            line = None
        if status != wanted:
            server.wrong.append(f"{status} instead of {wanted}: {answer[:80]!r}")
        elif hostile:
            server.hostile += 1
        else:
            server.seconds.append(monotonic() - asked)
            server.characters += len(text)
            server.wrong += faults(text, json.loads(answer))
    if line:
        line[1].close()


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes, kind: str
) -> tuple[int, bool, bytes]:
    """Return the status of an answer, whether the connection stays, and the answer."""
    head = ["POST /predict HTTP/1.1", "Host: x", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    writer.write("\r\n".join([*head, "", ""]).encode() + body)
    await writer.drain()
    said = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = re.search(r"content-length: (\d+)", said)
    assert length
    return int(said.split()[1]), "connection: close" not in said, await reader.readexactly(int(length[1]))


def cut(texts: str, rng: random.Random) -> str:
    """Return a piece of a random length from a random place."""
    length = min(LONGEST, max(1, round(rng.lognormvariate(*LENGTHS))))
    place = rng.randrange(len(texts) - length)
    return texts[place : place + length]


def faults(text: str, answer: Any) -> list[str]:
    """Return what is wrong with an answer."""
    (said,) = answer["predictions"]
    spans = said.get("entities", [])
    return [f"a span that is not there: {s}" for s in spans if text[s["start"] : s["end"]] != s["surface"]]


def figures(server: Server) -> dict[str, Any]:
    """End a server and return what was seen of it."""
    size = server.counted("questions_total") / max(1.0, server.counted("batch_seconds_count"))
    after = server.memory()
    server.process.send_signal(signal.SIGTERM)
    server.process.communicate(timeout=120)
    cuts = statistics.quantiles(server.seconds, n=100)
    wrong = server.wrong + ([f"exit code {server.process.returncode}"] if server.process.returncode else [])
    for line in wrong[:9]:
        print(line, file=sys.stderr)
    return {
        "requests": len(server.seconds),
        "hostile": server.hostile,
        "wrong": len(wrong),
        "per_second": round(len(server.seconds) / server.spent, 1),
        "characters_per_second": round(server.characters / server.spent),
        "texts_per_batch": round(size, 2),
        "p50_ms": round(1000 * cuts[49], 1),
        "p95_ms": round(1000 * cuts[94], 1),
        "p99_ms": round(1000 * cuts[98], 1),
        "memory_before_mb": round(server.before),
        "memory_after_mb": round(after),
    }


if __name__ == "__main__":
    main()
