"""Pretraining on a CUDA device: whether packed attention is right there, and how fast training is.

Prints each figure as it comes and, as its last line, one JSON object. Needs a CUDA device and the output of
`zhbert encode`; torch, transformers, accelerate and numpy are all it imports besides. Parts can be named:
`python benchmarks/gpu.py --shards runs/shards --parts check base128`. What they are:

    check      packed bf16 attention beside float32 SDPA of one sequence at a time, for every family
    base128    tokens a second of bert-base on samples of up to 128 tokens, by size of micro-batch
    base512    the same on samples of up to 512
    micro      the same for the micro preset, up to 128
    baseline   the same documents through transformers' Trainer, padded, in turns with both ways of feeding
    compile    the best of each with torch.compile

A speed counts real tokens, [CLS] and [SEP] among them; filling and padding do not count. MFU is the share of
the device's dense bf16 peak that the mathematics asks for (`zhbert.model.flops`). Masking and the making of
batches are in every speed: `ahead` has a thread make them, `loop` does as `zhbert.train.loop` does, and
`waiting` is the share of the time in which no step was ready.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from _machine import ROOT, commit, machine

if TYPE_CHECKING:
    from _gpu_bench import Bench, Case

ABSENT = 77  # the exit code of a benchmark that lacks what it needs
PEAKS = {  # dense bf16 with float32 sums, operations a second, by what a device's name holds; first match
    "B200": 2250e12,
    "GH200": 989e12,
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "H800": 989e12,
    "H20": 148e12,
    "A100": 312e12,
    "A800": 312e12,
    "A30": 165e12,
    "L40S": 362e12,
    "L4": 121e12,
    "RTX 4090": 165e12,
    "RTX 3090": 71e12,
}
ROUNDS = 2
Row = dict[str, Any]


def peak_of(device: str) -> float | None:
    """Return the dense bf16 peak of a device, where it is known."""
    return next((peak for name, peak in PEAKS.items() if name in device), None)


def check(bench: "Bench") -> None:
    """Hold packed attention against one sequence at a time, and time it with and without empty slots."""
    import _gpu_check as checks

    bench.row("check", "matrix product, bf16", partial(checks.product, bench.device))
    for family in checks.FAMILIES:
        for size in checks.SIZES:
            do = partial(checks.check, family, size, bench.device)
            bench.row("check", f"{family}, heads of {size}", do)
    for what, count in checks.slots(bench.device).items():
        bench.row("check", f"attention, {what}", partial(checks.attention, bench.device, slots=count))


def speeds(bench: "Bench", name: str) -> None:
    """Measure every size of micro-batch, and the best of them as the loop feeds it."""
    from _gpu_bench import CASES

    case = CASES[name]

    def measure(**how: Any) -> Row:
        return bench.speed(bench.training(case), **how)

    found = {}
    for size in bench.sizes(name):
        row = bench.row(name, f"{size} tokens, ahead", partial(measure, tokens=size, ahead=True))
        found[size] = row.get("tokens_per_second", 0)
    if any(found.values()):
        bench.best[name] = max(found, key=lambda size: found[size])
    size = bench.size(name)
    bench.row(name, f"{size} tokens, loop", partial(measure, tokens=size, ahead=False))
    if name == "base128":
        parts = partial(measure, tokens=size // 4, parts=4, ahead=False)
        bench.row(name, f"4 times {size // 4} tokens a step, loop", parts)


def baseline(bench: "Bench") -> None:
    """Take turns with transformers' Trainer."""
    from _gpu_bench import CASES

    for name, case in CASES.items():
        bench.row("baseline", f"{name}, {bench.size(name)} tokens", partial(versus, bench, name, case))


def versus(bench: "Bench", name: str, case: "Case") -> Row:
    """Return how many times as fast as Trainer, with the best of some sizes of its batch, training is."""
    import torch
    from _gpu_trainer import Baseline

    from zhbert.model.encoder import new_config

    ours, size = bench.training(case), bench.size(name)
    config = new_config(ours.preset, bench.tokenizer)
    other = Baseline(config, ours.job.batches.table, bench.shards, case.length, bench.device)
    tried = {}
    for batch in [max(1, tokens // case.length) for tokens in bench.sizes(name)[:3]]:
        try:
            tried[batch] = round(other.measure(bench.seconds / 2, batch=batch))
        except torch.OutOfMemoryError:
            tried[batch] = 0
    batch = max(tried, key=lambda batch: tried[batch])
    turns = []
    for _ in range(1 if bench.rehearsal else ROUNDS):
        ways = [ours.measure(bench.seconds, tokens=size, ahead=ahead).speed for ahead in (False, True)]
        turns.append((*ways, other.measure(bench.seconds, batch=batch)))
    return {
        "ratio_loop": round(median(loop / theirs for loop, _, theirs in turns), 2),
        "ratio_ahead": round(median(ahead / theirs for _, ahead, theirs in turns), 2),
        "loop": round(max(turn[0] for turn in turns)),
        "ahead": round(max(turn[1] for turn in turns)),
        "trainer": round(max(turn[2] for turn in turns)),
        "trainer_by_batch": tried,
    }


def compiled(bench: "Bench") -> None:
    """Measure the best size of each with torch.compile."""
    from _gpu_bench import CASES

    for name, case in CASES.items():
        size = bench.size(name)
        bench.row("compile", f"{name}, {size} tokens, ahead", partial(fused, bench, case, size))


def fused(bench: "Bench", case: "Case", size: int) -> Row:
    """Return the speed of compiled code; in a rehearsal nothing is compiled, but batches are filled."""
    import torch
    from torch._dynamo.utils import counters

    torch.compiler.set_stance("force_eager" if bench.rehearsal else "default")
    torch._dynamo.reset()
    counters.clear()
    training = bench.training(case)
    row = bench.speed(training, tokens=size, ahead=True, compiled=True)
    loop = bench.speed(training, tokens=size, ahead=False, compiled=True)
    more = {f"loop_{key}": loop[key] for key in ("tokens_per_second", "waiting", "mfu") if key in loop}
    return row | more | {"graphs": counters["stats"]["unique_graphs"]}


PARTS: dict[str, Callable[["Bench"], None]] = {
    "check": check,
    "base128": partial(speeds, name="base128"),
    "base512": partial(speeds, name="base512"),
    "micro": partial(speeds, name="micro"),
    "baseline": baseline,
    "compile": compiled,
}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shards", type=Path, help="output of `zhbert encode` [shards]")
    parser.add_argument(
        "--device", choices=["cuda", "cpu"], default="cuda", help="cpu: a tiny rehearsal of the same code"
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one measurement [3]")
    parser.add_argument("--minutes", type=float, default=6.5, help="after these no row is begun [6.5]")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what to do [all]")
    parser.add_argument("--peak", type=float, help="dense bf16 operations a second of the device, for MFU")
    return parser.parse_args()


def need(device: str, given: Path | None) -> Path:
    """Return the folder of shards, or leave, saying what is not there."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device (--device cpu rehearses)", file=sys.stderr)
        sys.exit(ABSENT)
    folder = given or Path("shards")
    if not (folder / "train").is_dir() or not (folder / "tokenizer").is_dir():
        made = "make some: zhbert corpus build, zhbert vocab, zhbert encode, or `make quickstart`"
        print(f"{folder}: no shards ({made}; then --shards FOLDER)", file=sys.stderr)
        sys.exit(2 if given else ABSENT)
    return folder


def main() -> None:
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")  # Trainer would spread over all there are
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ["HF_HUB_OFFLINE"] = "1"
    given, began = options(), time.monotonic()
    shards = need(given.device, given.shards)
    import torch

    sys.path.insert(0, str(ROOT))  # a checkout that is not installed will do, and it is what is measured
    from _gpu_bench import Bench, short

    from zhbert.encode.tokenizer import Tokenizer

    name = torch.cuda.get_device_name() if given.device == "cuda" else "cpu"
    bench = Bench(
        shards=shards,
        device=torch.device(given.device),
        tokenizer=Tokenizer.load(shards / "tokenizer"),
        seconds=given.seconds,
        ends=began + 60 * given.minutes,
        peak=given.peak or peak_of(name),
    )
    figures = facts(bench, name)
    print("  ".join(f"{key} {value}" for key, value in figures.items()), flush=True)
    for part, do in PARTS.items():
        if part in given.parts:
            try:
                do(bench)
            except Exception as error:  # the other parts are worth having
                bench.rows.append({"part": part, "what": "", "error": short(error)})
                print(f"{part:9} {short(error)}", flush=True)
    figures |= {"took_seconds": round(time.monotonic() - began, 1), "rows": bench.rows}
    print(json.dumps(figures, ensure_ascii=False))
    sys.exit(any(row.get("right") is False for row in bench.rows))


def facts(bench: "Bench", name: str) -> Row:
    """Return what the figures were measured on."""
    import torch
    import transformers

    return {
        "device": name,
        "peak": bench.peak,
        "rehearsal": bench.rehearsal,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "machine": machine(),
        "commit": commit() if shutil.which("git") else "unknown",
        "shards": str(bench.shards),
        "vocabulary": bench.tokenizer.size,
        "seconds": bench.seconds,
    }


if __name__ == "__main__":
    main()
