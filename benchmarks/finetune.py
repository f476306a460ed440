"""Fine-tuning beside transformers' own recipe: how fast, and how good.

Prints what it measures and, as its last line, one JSON object. Parts can be named:
`python benchmarks/finetune.py ner classify reading`. Needs the public data sets (ZHBERT_DATA).
The baseline is `AutoModelFor...` and `Trainer` with its default settings and `DataCollatorWithPadding` (for
entities its sister), from the bundled encoder, on the same windows, with the same batch, epochs, rate and
seeds, the two taking turns. Both keep their last weights. `ratio` is that of real tokens a second from the
first step to the last (median over the seeds), `whole_ratio` that of the time from examples to a saved model,
`cores_ratio` that of the seconds of all cores behind it, which other programs hardly change; `difference` is
zhbert's score on dev minus the baseline's in points, with its paired 95 % interval: the mean over the seeds.
What zhbert does otherwise: no padding, no dropout of attention, a warm-up, and products in bfloat16 where
the processor gains by it, while `Trainer` stays with float32 unless told. `--dtype` has both do the same.
"""

import argparse
import json
import random
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import get_args

from _machine import commit, machine
from _text import need_data

from zhbert.precision import Dtype

Figures = dict[str, object]
CHOOSE = 32
PARTS = {  # what is learnt, from how many examples, the longest window, and how
    "ner": ("cluener:entities", 2000, {"task": "ner", "window": 256, "lr": 3e-4, "epochs": 5}),
    "classify": (
        "thucnews-titles:topics",
        10_000,
        {"task": "classify", "window": 256, "lr": 1e-4, "epochs": 3},
    ),
    "reading": ("cmrc2018:reading", 2000, {"task": "reading", "window": 256, "lr": 2e-4, "epochs": 2}),
}


def measure(
    part: str, *, examples: int, dev: int, epochs: int, seeds: int, threads: int, dtype: Dtype
) -> Figures:
    """Train both on one data set with every seed, in turns."""
    import numpy as np
    import torch
    from _finetune_trainers import Plan, transformers_alone, zhbert_alone

    from zhbert.read.examples import labels_in, read_examples
    from zhbert.score.interval import paired
    from zhbert.score.judge import judge

    name, usual, values = PARTS[part]
    known = read_examples(Path(f"{name}/train"), part)
    random.Random(7).shuffle(known)
    labels = () if part == "reading" else tuple(sorted({label for e in known for label in labels_in(e)}))
    many = examples or usual
    plan = Plan(
        labels=labels,
        train=known[:many],
        choose=known[many : many + CHOOSE],
        dev=read_examples(Path(f"{name}/dev"), part)[: dev or None],
        batch=32,
        dtype=dtype,
        **values,
    )
    plan = replace(plan, epochs=epochs or plan.epochs)
    torch.set_num_threads(threads)
    pairs = []
    for seed in range(1, seeds + 1):
        turns = [transformers_alone, zhbert_alone][:: 1 if seed % 2 else -1]
        with tempfile.TemporaryDirectory() as folder:
            done = {turn: turn(plan, seed, Path(folder) / turn.__name__) for turn in turns}
        pairs.append((done[transformers_alone], done[zhbert_alone]))
        print(f"  {part} seed {seed}", *(f"{one.seconds:.1f} s" for one in pairs[-1]), flush=True)
    theirs, ours = (tuple(judge(part, plan.dev, pair[side].said) for pair in pairs) for side in (0, 1))
    metric = ours[0].headline
    rng = np.random.default_rng(7)
    change = paired(tuple(j.counts for j in ours), tuple(j.counts for j in theirs), metric, rng=rng)
    tokens = plan.tokens()
    return {
        f"{part}_ratio": round(statistics.median(a.seconds / b.seconds for a, b in pairs), 2),
        f"{part}_whole_ratio": round(statistics.median(a.whole / b.whole for a, b in pairs), 2),
        f"{part}_cores_ratio": round(statistics.median(a.cores / b.cores for a, b in pairs), 2),
        f"{part}_tokens_per_second": round(tokens / min(b.seconds for _, b in pairs)),
        f"{part}_baseline_tokens_per_second": round(tokens / min(a.seconds for a, _ in pairs)),
        f"{part}_metric": metric.name,
        f"{part}_score": round(100 * statistics.mean(float(metric(j.counts)) for j in ours), 2),
        f"{part}_baseline_score": round(100 * statistics.mean(float(metric(j.counts)) for j in theirs), 2),
        f"{part}_difference": [round(100 * v, 2) for v in (change.value, change.low, change.high)],
        f"{part}_examples": many,
        f"{part}_epochs": plan.epochs,
        f"{part}_seeds": seeds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure [everything]")
    parser.add_argument("--examples", type=int, default=0, help="examples to learn from [as above]")
    parser.add_argument("--dev", type=int, default=0, help="examples to judge by [all]")
    parser.add_argument("--epochs", type=int, default=0, help="times to go through them [as above]")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of either [3]")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch, for both [2]")
    parser.add_argument(
        "--dtype", choices=get_args(Dtype), default="auto", help="what both multiply in [each as it does]"
    )
    given = parser.parse_args()
    need_data()
    figures: Figures = {
        "machine": machine(),
        "commit": commit(),
        "threads": given.threads,
        "dtype": given.dtype,
    }
    for part in given.parts or PARTS:
        how = {key: getattr(given, key) for key in ("examples", "dev", "epochs", "seeds", "threads", "dtype")}
        found = measure(part, **how)
        print(f"{part:8}", "  ".join(f"{key} {value}" for key, value in found.items()), flush=True)
        figures |= found
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
