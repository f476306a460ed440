"""Pretraining: how fast, how exact, and whether it goes on as if nothing had happened.

Prints what it measures and, as its last line, one JSON object. Parts can be named:
`python benchmarks/pretrain.py micro base mask packed resume`. Needs real text (ZHBERT_DATA).
The baseline is transformers' Trainer with `BertForMaskedLM` and its default settings, padded to 128 tokens,
on the same samples, with as many of them a step, the two taking turns.
"""

import statistics
import tempfile
from pathlib import Path

Figures = dict[str, object]
THREADS = 2


def speed(preset: str, *, steps: int, rounds: int) -> Figures:
    """Train both for some steps, in turns."""
    import torch
    from _trainers import Transformers, Zhbert, make_shards, sgemm_peak
    from corpus import bert_folder

    with tempfile.TemporaryDirectory() as name:
        shards = make_shards(Path(name), bert_folder(Path(name) / "tokenizer"), megabytes=4)
        other = Transformers(shards, preset)
        ours = Zhbert(shards, preset, mean=other.mean)
        torch.set_num_threads(THREADS)
        turns = [(other.tokens_per_second(steps), ours.tokens_per_second(steps)) for _ in range(rounds)]
    return {
        "ratio": round(statistics.median(fast / slow for slow, fast in turns), 2),
        "tokens_per_second": round(max(fast for _, fast in turns)),
        "baseline_tokens_per_second": round(max(slow for slow, _ in turns)),
        "mean_tokens": round(other.mean, 1),
        "sgemm_gflops": round(sgemm_peak(THREADS) / 1e9),
    }
