"""Text to shards: how fast, how exact and with how much memory, beside what people use today.

Prints what it measures and, as its last line, one JSON object. Parts can be named:
`python benchmarks/corpus.py segment tokenize build workers near memory`. Needs real text (ZHBERT_DATA).
Differing lines of the segmenter go to the file of `--differences` (default: segment-differences.txt).
"""

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import unicodedata
from itertools import islice
from pathlib import Path

from _machine import ROOT, commit, machine
from _text import (
    DATA,
    beside,
    documents,
    lines_of,
    megabytes,
    need_data,
    ratio,
    sample,
)

Figures = dict[str, object]


def segment(given: argparse.Namespace) -> Figures:
    """Time the default segmenter beside jieba line by line, and compare the words of 20 MB."""
    import jieba

    from zhbert.text.segment import segmenter, words

    ours = segmenter()
    lines = lines_of(sample(3, seed=1))
    ways = {
        "jieba": lambda: [jieba.lcut(line) for line in lines],
        "zhbert": lambda: [ours.ends(line) for line in lines],
    }
    jieba.initialize()
    beside({"warm": lambda: [ours.ends(line) for line in lines[:2000]]}, rounds=1)
    seconds = beside(ways, rounds=5)
    size = megabytes(lines)
    more = lines_of(sample(20.5, seed=2))
    unlike = [line for line in more if words(ours, line) != jieba.lcut(line)]
    with given.differences.open("w", encoding="utf-8") as file:
        for line in unlike:
            file.write(
                json.dumps({"line": line, "jieba": jieba.lcut(line), "zhbert": words(ours, line)}) + "\n"
            )
    return {
        "segment_ratio": ratio(seconds, "jieba", "zhbert"),
        "segment_mb_per_s": round(size / min(seconds["zhbert"]), 2),
        "segment_identical": 1 - len(unlike) / len(more),
        "segment_lines": len(more),
        "segment_differing": len(unlike),
    }


def bert_folder(folder: Path) -> Path:
    """Write the vocabulary of bert-base-chinese as a tokenizer folder."""
    from zhbert.encode.tokenizer import Tokenizer

    tokens = (DATA / "vocab" / "bert-base-chinese.txt").read_bytes().decode().removesuffix("\n").split("\n")
    Tokenizer.from_vocab(tokens).save(folder)
    return folder


def tokenize(given: argparse.Namespace) -> Figures:
    """Time the character-table tokenizer beside transformers' fast one, and compare all ids."""
    from transformers import AutoTokenizer

    from zhbert.encode.tokenizer import Tokenizer

    with tempfile.TemporaryDirectory() as folder:
        ours = Tokenizer.load(bert_folder(Path(folder)))
        other = AutoTokenizer.from_pretrained(folder)
    assert other.is_fast
    assert len(other) == ours.size == 21128
    lines = lines_of(sample(6, seed=3))
    chunks = [lines[i : i + 2000] for i in range(0, len(lines), 2000)]
    ways = {
        "transformers": lambda: [other(chunk, add_special_tokens=False)["input_ids"] for chunk in chunks],
        "zhbert": lambda: [ours.encode_flat(chunk) for chunk in chunks],
    }
    beside(ways, rounds=1)
    seconds = beside(ways, rounds=5)
    unlike = total = 0
    batch: list[str] = []
    for _, text in islice(documents(), 0, None, given.every):
        batch += [line for line in text.split("\n") if line.strip()]
        if len(batch) > 5000:
            unlike, total, batch = unlike + _unlike(batch, ours, other), total + len(batch), []
    if batch:
        unlike, total = unlike + _unlike(batch, ours, other), total + len(batch)
    return {
        "tokenize_ratio": ratio(seconds, "transformers", "zhbert"),
        "tokenize_mb_per_s": round(megabytes(lines) / min(seconds["zhbert"]), 1),
        "tokenize_lines": total,
        "tokenize_differing": unlike,
    }


def _unlike(lines: list[str], ours, other) -> int:
    flat = ours.encode_flat(lines)
    expected = other(lines, add_special_tokens=False)["input_ids"]
    starts = [0, *flat.docs[:-1].tolist()]
    found = [flat.ids[a:b].tolist() for a, b in zip(starts, flat.docs.tolist(), strict=True)]
    return sum(a != b for a, b in zip(found, expected, strict=True))


def write_source(path: Path, texts: list[str]) -> None:
    """Write texts as people keep them: one JSON object a line, packed."""
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=3) as file:
        for number, text in enumerate(texts):
            file.write(json.dumps({"id": str(number), "text": text}, ensure_ascii=False) + "\n")


def obvious(source: Path, target: Path, tokenizer) -> None:
    """Turn text into tokens with word flags the way one writes it in an afternoon."""
    import jieba

    seen: set[str] = set()
    with gzip.open(source, "rt", encoding="utf-8") as file, target.open("w", encoding="utf-8") as out:
        for record in file:
            for line in json.loads(record)["text"].split("\n"):
                line = unicodedata.normalize("NFC", line).strip()
                han = sum("\u4e00" <= c <= "\u9fff" for c in line)
                if len(line) < 20 or han < 0.3 * len(line) or line in seen:
                    continue
                seen.add(line)
                starts = set()
                at = 0
                for word in jieba.lcut(line):
                    starts.add(at)
                    at += len(word)
                tokens = tokenizer(line, add_special_tokens=False, return_offsets_mapping=True)
                flags = [int(start not in starts) for start, _ in tokens["offset_mapping"]]
                out.write(json.dumps({"ids": tokens["input_ids"], "flags": flags}) + "\n")


def shards(source: Path, tokenizer: Path, folder: Path, **more: object) -> None:
    """Build documents from a source and encode them, as the two commands do."""
    from zhbert.app.stages import execute, find_stage
    from zhbert.config import parse

    how = {"workers": more.pop("workers", 1)}
    for name, values in (
        ("corpus build", {"source": [str(source)], **how, **more}),
        ("encode", {"documents": str(folder / "corpus build"), "tokenizer": str(tokenizer), **how, **UNITS}),
    ):
        stage = find_stage(name)
        execute(stage, parse(stage.config_type(), values), folder / name)


UNITS = {"entities": True}


def build(_: argparse.Namespace) -> Figures:
    """Time text to shards on one core beside the obvious pipeline."""
    from transformers import AutoTokenizer

    texts = sample(24, seed=4)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_source(folder / "raw.jsonl.gz", texts)
        tokenizer = bert_folder(folder / "tokenizer")
        other = AutoTokenizer.from_pretrained(tokenizer)
        turn = iter(range(100))
        ways = {
            "obvious": lambda: obvious(folder / "raw.jsonl.gz", folder / "obvious.jsonl", other),
            "zhbert": lambda: shards(folder / "raw.jsonl.gz", tokenizer, folder / str(next(turn))),
        }
        ways["zhbert"]()
        seconds = beside(ways, rounds=3)
    return {
        "build_ratio": ratio(seconds, "obvious", "zhbert"),
        "mb_per_s": round(megabytes(texts) / min(seconds["zhbert"]), 2),
    }


def workers(_: argparse.Namespace) -> Figures:
    """Time two workers beside one, all the text to the same shards, each in a fresh process."""
    texts = [text for _, text in documents()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_source(folder / "raw.jsonl.gz", texts)
        bert_folder(folder / "tokenizer")
        turn = iter(range(100))
        ways = {
            str(count): lambda count=count: in_a_process(folder, "raw", str(next(turn)), workers=count)
            for count in (1, 2)
        }
        seconds = beside(ways, rounds=2)
    return {"workers_ratio": ratio(seconds, "1", "2")}


def in_a_process(folder: Path, source: str, target: str, *, workers: int = 1) -> str:
    """Make shards in a process of its own; return what it says, which is its peak memory."""
    code = f"import corpus; from pathlib import Path; folder = Path({str(folder)!r})\n"
    code += f"corpus.shards(folder / '{source}.jsonl.gz', folder / 'tokenizer', folder / '{target}', "
    code += f"workers={workers}); corpus.peak()"
    path = os.pathsep.join([str(ROOT / "benchmarks"), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    ).stdout


def memory(_: argparse.Namespace) -> Figures:
    """Measure the peak memory of a build and an encoding of a text, and of eight times as much."""
    texts = sample(24, seed=6)
    peaks: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bert_folder(folder / "tokenizer")
        for times in (1, 8):
            copies = [f"第{copy}份\n{text}" for copy in range(times) for text in texts]
            write_source(folder / f"{times}.jsonl.gz", copies)
            peaks[times] = float(in_a_process(folder, str(times), f"shards-{times}").split()[-1])
    growth = peaks[8] / peaks[1] - 1
    return {"peak_mb_1": peaks[1], "peak_mb_8": peaks[8], "peak_growth": round(growth, 3)}


def peak() -> None:
    """Print the peak memory of this process in megabytes."""
    print(round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1))


def near(_: argparse.Namespace) -> Figures:
    """Find planted near-duplicates, and time it beside datasketch."""
    from _near import measure

    return measure()


PARTS = {
    "segment": segment,
    "tokenize": tokenize,
    "build": build,
    "workers": workers,
    "near": near,
    "memory": memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure [everything]")
    parser.add_argument("--differences", type=Path, default=Path("segment-differences.txt"))
    parser.add_argument("--every", type=int, default=1, help="compare the ids of every so many documents")
    given = parser.parse_args()
    need_data()
    figures: Figures = {"machine": machine(), "commit": commit()}
    for part in given.parts or PARTS:
        found = PARTS[part](given)
        print(f"{part:10}", "  ".join(f"{key} {value}" for key, value in found.items()), flush=True)
        figures |= found
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
