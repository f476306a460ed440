"""Pretraining as one writes it with transformers alone, and with zhbert, on the same samples."""

import json
import tempfile
import time
from pathlib import Path

import torch
from _text import lines_of, sample
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from zhbert.app.stages import execute, find_stage
from zhbert.config import parse
from zhbert.encode.pack import SampleTable
from zhbert.encode.shards import Shards
from zhbert.model.encoder import PRESETS

LENGTH = 128
DOCUMENTS = 32  # a step


def run(stage: str, folder: Path, **values: object) -> Path:
    """Carry out one stage."""
    found = find_stage(stage)
    execute(found, parse(found.config_type(), values), folder)
    return folder


def make_shards(folder: Path, tokenizer: Path, *, megabytes: float) -> Path:
    """Encode the paragraphs of real text, each a document."""
    lines = [line for line in lines_of(sample(megabytes, seed=7)) if len(line) > 10]
    source = folder / "raw.jsonl"
    source.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines), encoding="utf-8")
    run("corpus build", folder / "documents", source=[str(source)], steps=["normalise"])
    documents = str(folder / "documents")
    return run("encode", folder / "shards", documents=documents, tokenizer=str(tokenizer), held_out=0)


class Clock(TrainerCallback):
    """Times a training from its first step to its last."""

    started = ended = 0.0

    def on_step_begin(self, args, state, control, **_):
        self.started = self.started or time.perf_counter()

    def on_step_end(self, args, state, control, **_):
        self.ended = time.perf_counter()


class Transformers:
    """`Trainer` and `BertForMaskedLM` with their default settings, every sample padded to 128 tokens."""

    def __init__(self, shards: Path, preset: str) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(shards / "tokenizer")
        table = SampleTable.cut(Shards.open(shards / "train"), max_tokens=LENGTH)
        cls, sep, pad = (getattr(self.tokenizer, f"{name}_token_id") for name in ("cls", "sep", "pad"))
        self.rows = []
        for begin, end in zip(table.begins_N.tolist(), table.ends_N.tolist(), strict=True):
            (shard,) = table.shards.shards
            ids = [cls, *shard.ids_T[begin:end].tolist(), sep]
            rest = LENGTH - len(ids)
            self.rows.append({"input_ids": ids + [pad] * rest, "attention_mask": [1] * len(ids) + [0] * rest})
        size = PRESETS[preset]
        self.config = BertConfig(
            vocab_size=len(self.tokenizer),
            hidden_size=size.width,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            intermediate_size=size.inner,
        )
        self.lengths = [sum(row["attention_mask"]) for row in self.rows]
        self.mean = sum(self.lengths) / len(self.rows)
        self.used = 0

    def tokens_per_second(self, steps: int) -> float:
        """Train for some steps and return the real tokens a second."""
        rows = [self.rows[(self.used + i) % len(self.rows)] for i in range(steps * DOCUMENTS)]
        self.used += len(rows)
        clock = Clock()
        with tempfile.TemporaryDirectory() as folder:
            settings = TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=DOCUMENTS,
                max_steps=steps,
                save_strategy="no",
                disable_tqdm=True,
                report_to="none",
                use_cpu=True,
            )
            trainer = Trainer(
                BertForMaskedLM(self.config),
                settings,
                data_collator=DataCollatorForLanguageModeling(self.tokenizer),
                train_dataset=rows,
                callbacks=[clock],
            )
            trainer.train()
        return sum(sum(row["attention_mask"]) for row in rows) / (clock.ended - clock.started)


class Zhbert:
    """`zhbert pretrain`, as many samples a step."""

    def __init__(self, shards: Path, preset: str, *, mean: float) -> None:
        self.values = {"shards": str(shards), "size": preset, "lr": 5e-5, "max_tokens": LENGTH}
        self.values |= {"batch_tokens": round(DOCUMENTS * mean), "save_seconds": 1e9}
        self.seed = 0

    def tokens_per_second(self, steps: int) -> float:
        """Train for some steps and return the real tokens a second."""
        self.seed += 1
        with tempfile.TemporaryDirectory() as folder:
            out = run("pretrain", Path(folder) / "out", steps=steps, seed=self.seed, **self.values)
            rows = [json.loads(line) for line in (out / "logs" / "metrics.jsonl").read_text().splitlines()]
        return [row["tokens_per_second"] for row in rows if "tokens_per_second" in row][-1]


def sgemm_peak(threads: int) -> float:
    """Return the floating-point operations a second of a large matrix product."""
    torch.set_num_threads(threads)
    a, b = torch.randn(2, 2048, 2048)
    best = 1e9
    for _ in range(5):
        started = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - started)
    return 2 * 2048**3 / best
