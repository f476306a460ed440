"""The same pretraining as one writes it with transformers: `Trainer`, `BertForMaskedLM`, padded rows.

Default settings but for what makes it faster: bf16, no dropout (as the encoder beside it), processes that
mask ahead, and rows that come padded and with their special tokens marked, which spares the collator most of
its work. Only real tokens are counted.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from transformers import (
    AutoTokenizer,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    PreTrainedConfig,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from zhbert.encode.pack import SampleTable

TOKENS = 2_560_000  # in rows that are kept, and learnt from in random order again and again
EPOCH = 1_000_000  # rows: no measurement ends an epoch, which would have the processes start again
WARM, LEAST = 4, 2
WORKERS = 8


class Rows(Dataset[dict[str, list[int]]]):
    """Some rows, many times over."""

    def __init__(self, rows: list[dict[str, list[int]]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return EPOCH

    def __getitem__(self, at: int) -> dict[str, list[int]]:
        return self.rows[at % len(self.rows)]


class Clock(TrainerCallback):  # type: ignore[misc]
    """Starts when a training is warm and stops it when the time is up."""

    def __init__(self, seconds: float, device: torch.device) -> None:
        self.seconds, self.cuda, self.steps = seconds, device.type == "cuda", 0
        self.started = self.spent = 0.0

    def now(self) -> float:
        """Return the time when the device is done."""
        if self.cuda:
            torch.cuda.synchronize()
        return time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.steps += 1
        if self.steps == WARM:
            self.started = self.now()
        elif self.steps >= WARM + LEAST and time.perf_counter() - self.started > self.seconds:
            self.spent = self.now() - self.started
            control.should_training_stop = True


class Counted(Trainer):  # type: ignore[misc]
    """A trainer that counts real tokens once its clock runs; nothing waits for the count."""

    clock: Clock
    real: Tensor | int = 0

    def training_step(self, model: Any, inputs: Any, *more: Any, **named: Any) -> Any:
        if self.clock.started:
            self.real = self.real + inputs["attention_mask"].sum()
        return super().training_step(model, inputs, *more, **named)


class Baseline:
    """A stock model and the rows that it learns from."""

    def __init__(
        self, config: PreTrainedConfig, table: SampleTable, shards: Path, length: int, device: torch.device
    ) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(shards / "tokenizer")
        self.device, self.length = device, length
        self.rows = Rows(self._rows(table))
        torch.manual_seed(1)
        self.model = BertForMaskedLM(config)

    def _rows(self, table: SampleTable) -> list[dict[str, list[int]]]:
        """Return samples padded to one length."""
        cls, sep, pad = (getattr(self.tokenizer, f"{name}_token_id") for name in ("cls", "sep", "pad"))
        ids_T, _, lengths_S = table.read(
            np.random.default_rng(2).permutation(len(table))[: TOKENS // self.length]
        )
        rows = []
        for text in np.split(ids_T, np.cumsum(lengths_S)[:-1]):
            rest = self.length - len(text) - 2
            row = {"input_ids": [cls, *text.tolist(), sep] + [pad] * rest}
            row["attention_mask"] = [1] * (len(text) + 2) + [0] * rest
            row["special_tokens_mask"] = [1] + [0] * len(text) + [1] * (rest + 1)
            rows.append(row)
        return rows

    def measure(self, seconds: float, *, batch: int) -> float:
        """Train for some seconds and return the real tokens a second."""
        cuda, clock = self.device.type == "cuda", Clock(seconds, self.device)
        with tempfile.TemporaryDirectory() as folder:
            settings = TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=batch,
                max_steps=100_000,
                bf16=cuda,
                use_cpu=not cuda,
                dataloader_num_workers=WORKERS if cuda else 0,
                remove_unused_columns=False,
                save_strategy="no",
                disable_tqdm=True,
                report_to="none",
            )
            trainer = Counted(
                self.model,
                settings,
                data_collator=DataCollatorForLanguageModeling(self.tokenizer, mlm_probability=0.15),
                train_dataset=self.rows,
                callbacks=[clock],
            )
            trainer.clock = clock
            trainer.remove_callback(PrinterCallback)
            trainer.train()
        return int(trainer.real) / clock.spent
