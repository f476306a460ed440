"""Fine-tuning as one writes it with transformers alone, and with zhbert: same encoder, same windows.

Both get the very same features (ids, segments, targets), so that nothing but the training differs.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from _trainers import Clock
from transformers import (
    AutoTokenizer,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    PreTrainedModel,
    Trainer,
    TrainingArguments,
)

from zhbert.app.stages import execute, find_stage
from zhbert.config import model_named, parse
from zhbert.encode.tokenizer import Tokenizer
from zhbert.model import store
from zhbert.model.heads import model_class
from zhbert.precision import Dtype
from zhbert.records import Example, Prediction, to_json
from zhbert.task.base import Feature, Setting, Task, evened
from zhbert.task.predict import predict
from zhbert.task.registry import make_task

OVERLAP = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What came of one training: seconds of its steps, from examples to a folder, and those of all cores."""

    seconds: float
    whole: float
    cores: float
    said: list[Prediction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What both learn, and how."""

    task: str
    labels: tuple[str, ...]
    train: Sequence[Example]
    choose: Sequence[Example]  # zhbert wants a look at some examples of neither set when it is over
    dev: Sequence[Example]
    batch: int
    epochs: int
    lr: float
    window: int
    dtype: Dtype  # auto: each as it does by itself
    init: str = "bundled"

    def made(self) -> Task:
        """Return the task with the encoder's tokenizer."""
        tokenizer = Tokenizer.load(model_named(self.init))
        setting = Setting(tokenizer=tokenizer, labels=self.labels, window=self.window, overlap=OVERLAP)
        return make_task(self.task, setting)

    def features(self) -> list[Feature]:
        """Return what both learn from."""
        return [f for f in evened(self.made().prepare(self.train)) if f.target is not None]

    def tokens(self) -> int:
        """Return the real tokens of a whole training."""
        return self.epochs * sum(len(feature.ids) for feature in self.features())


def row_of(task: str, feature: Feature) -> dict[str, Any]:
    """Return a feature as the collators of transformers take it."""
    ids = {"input_ids": list(feature.ids), "token_type_ids": feature.segments}
    ids["attention_mask"] = [1] * len(feature.ids)
    if task == "reading":
        return ids | dict(zip(("start_positions", "end_positions"), feature.target[0], strict=True))
    return ids | {"labels": feature.target}


def transformers_alone(plan: Plan, seed: int, folder: Path) -> Learnt:
    """Train with `Trainer`, its default settings, and the collator of the task."""
    clock, init = Clock(), model_named(plan.init)
    began, used = time.perf_counter(), time.process_time()
    task = plan.made()
    rows = [row_of(plan.task, feature) for feature in plan.features()]
    tokenizer = AutoTokenizer.from_pretrained(init)
    collators = {"ner": DataCollatorForTokenClassification}
    torch.manual_seed(seed)
    names = {"num_labels": len(task.model_labels)} if task.model_labels else {}
    model: PreTrainedModel = model_class(plan.task).from_pretrained(init, dtype=torch.float32, **names)
    settings = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=plan.batch,
        num_train_epochs=plan.epochs,
        learning_rate=plan.lr,
        seed=seed,
        bf16=plan.dtype == "bfloat16",
        save_strategy="no",
        disable_tqdm=True,
        report_to="none",
        use_cpu=True,
    )
    trainer = Trainer(
        model,
        settings,
        data_collator=collators.get(plan.task, DataCollatorWithPadding)(tokenizer),
        train_dataset=rows,
        callbacks=[clock],
    )
    trainer.train()
    trainer.save_model(str(folder / "model"))
    whole, cores = time.perf_counter() - began, time.process_time() - used
    said = list(predict(task, model.eval(), plan.dev))
    return Learnt(seconds=clock.ended - clock.started, whole=whole, cores=cores, said=said)


def zhbert_alone(plan: Plan, seed: int, folder: Path) -> Learnt:
    """Train with `zhbert finetune`."""
    folder.mkdir()
    for name, examples in (("train", plan.train), ("choose", plan.choose)):
        (folder / f"{name}.jsonl").write_text("".join(to_json(e) + "\n" for e in examples), "utf-8")
    values = {
        "task": plan.task,
        "init": plan.init,
        "train": str(folder / "train.jsonl"),
        "dev": str(folder / "choose.jsonl"),
        "labels": list(plan.labels),
        "epochs": plan.epochs,
        "batch": plan.batch,
        "lr": plan.lr,
        "window": plan.window,
        "overlap": OVERLAP,
        "dtype": plan.dtype,
        "judge_every": float(plan.epochs),  # once, when it is over, as the baseline's last weights are kept
        "seed": seed,
        "save_seconds": 1e9,
    }
    began, used, stage = time.perf_counter(), time.process_time(), find_stage("finetune")
    execute(stage, parse(stage.config_type(), values), folder / "model")
    whole, cores = time.perf_counter() - began, time.process_time() - used
    log = (folder / "model" / "logs" / "metrics.jsonl").read_text("utf-8").splitlines()
    steps = [row for row in map(json.loads, log) if "loss" in row]
    stored = store.load(folder / "model")
    said = list(predict(plan.made(), stored.model, plan.dev))
    return Learnt(seconds=steps[-1]["seconds"], whole=whole, cores=cores, said=said)
