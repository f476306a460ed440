"""Pretraining: how fast, how exact, and whether it goes on as if nothing had happened.

Prints what it measures and, as its last line, one JSON object. Parts can be named:
`python benchmarks/pretrain.py micro base mask packed resume`. Needs real text (ZHBERT_DATA).
The baseline is transformers' Trainer with `BertForMaskedLM` and its default settings, padded to 128 tokens,
on the same samples, with as many of them a step, the two taking turns.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from _machine import commit, machine
from _text import need_data

Figures = dict[str, object]
THREADS, RATE = 2, 0.15


def speed(preset: str, *, steps: int, rounds: int) -> Figures:
    """Train both for some steps, in turns."""
    import torch
    from _trainers import Transformers, Zhbert, make_shards, sgemm_peak
    from corpus import bert_folder

    from zhbert.encode.tokenizer import Tokenizer
    from zhbert.model.encoder import new_config
    from zhbert.model.flops import flops_per_token

    with tempfile.TemporaryDirectory() as name:
        shards = make_shards(Path(name), bert_folder(Path(name) / "tokenizer"), megabytes=4)
        other = Transformers(shards, preset)
        ours = Zhbert(shards, preset, mean=other.mean)
        config = new_config(preset, Tokenizer.load(shards / "tokenizer"))
        torch.set_num_threads(THREADS)
        turns = [(other.tokens_per_second(steps), ours.tokens_per_second(steps)) for _ in range(rounds)]
    peak, fastest = sgemm_peak(THREADS), max(fast for _, fast in turns)
    needed = flops_per_token(config, lengths=other.lengths, masked=RATE)
    return {
        "ratio": round(statistics.median(fast / slow for slow, fast in turns), 2),
        "tokens_per_second": round(fastest),
        "baseline_tokens_per_second": round(max(slow for slow, _ in turns)),
        "mean_tokens": round(other.mean, 1),
        "share_of_sgemm": round(fastest * needed / peak, 3),
        "sgemm_gflops": round(peak / 1e9),
    }


def micro() -> Figures:
    """Train the micro preset."""
    return {f"cpu_{name}": value for name, value in speed("micro", steps=20, rounds=5).items()}


def base() -> Figures:
    """Train bert-base for a few steps."""
    return {f"cpu_{name}_base": value for name, value in speed("base", steps=2, rounds=3).items()}


def masks() -> Figures:
    """Mask with every strategy beside transformers' whole-word collator."""
    from _masking import measure

    return measure()


def packed() -> Figures:
    """Compare packed sequences with each of them alone, forward and backward, in float32."""
    import torch
    from transformers import AutoModelForMaskedLM

    from zhbert.encode.tokenizer import Special
    from zhbert.model.attention import Sequences, use_packed, use_plain
    from zhbert.model.encoder import first_position
    from zhbert.model.families import config_of

    size = {"hidden_size": 312, "num_hidden_layers": 4, "num_attention_heads": 12, "intermediate_size": 1200}
    lengths = torch.randint(1, 128, (40,), generator=torch.Generator().manual_seed(1)).tolist()
    figures: Figures = {}
    for family in ("bert", "ernie", "roberta"):
        torch.manual_seed(1)
        special = Special(pad=0, unk=1, cls=2, sep=3, mask=4)
        config = config_of(family, positions=512, special=special, vocab_size=8000, **size)
        model = AutoModelForMaskedLM.from_config(config).eval()
        ids_T = torch.randint(5, 8000, (sum(lengths),))
        weights_TH = torch.randn(len(ids_T), size["hidden_size"])
        rows = ids_T.split(lengths)
        use_plain(model)
        alone = torch.cat([model.base_model(input_ids=row[None]).last_hidden_state[0] for row in rows])
        one = torch.autograd.grad((alone * weights_TH).sum(), list(model.base_model.parameters()))
        use_packed(model)
        row = Sequences.of(lengths)
        places = row.positions_1T + first_position(model)
        output = model.base_model(input_ids=ids_T[None], position_ids=places, sequences=row)
        together = output.last_hidden_state[0]
        other = torch.autograd.grad((together * weights_TH).sum(), list(model.base_model.parameters()))
        norm = torch.cat([grad.flatten() for grad in one]).norm()
        wrong = torch.cat([(a - b).flatten() for a, b in zip(one, other, strict=True)]).norm()
        figures[f"packed_error_{family}"] = float(f"{(alone - together).abs().max():.1e}")
        figures[f"gradient_error_{family}"] = float(f"{wrong / norm:.1e}")
    return figures


def resume() -> Figures:
    """Kill a training again and again, alone and in two processes."""
    from _resume import measure

    found = {processes: measure(kills=10, processes=processes) for processes in (1, 2)}
    wanted = ("kills", "hits", "differing")
    return {f"resume_{n}_{name}": figures[name] for n, figures in found.items() for name in wanted}


PARTS = {"micro": micro, "base": base, "mask": masks, "packed": packed, "resume": resume}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure [everything]")
    given = parser.parse_args()
    need_data()
    figures: Figures = {"machine": machine(), "commit": commit()}
    for part in given.parts or PARTS:
        found = PARTS[part]()
        print(f"{part:8}", "  ".join(f"{key} {value}" for key, value in found.items()), flush=True)
        figures |= found
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
