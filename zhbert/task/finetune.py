"""`finetune`: an encoder and labelled examples in, a task model in one folder out.

After every epoch the model is judged on the dev set; the folder holds the best epoch's weights.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor
from transformers import PreTrainedModel

from zhbert.config import Input, ModelInput
from zhbert.corpus.card import labels_of
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError, DataError
from zhbert.files import Work
from zhbert.model import store
from zhbert.model.encoder import count_parameters, describe, most_tokens
from zhbert.progress import SILENT, Progress
from zhbert.read.examples import labels_in, read_examples
from zhbert.records import Example
from zhbert.score.judge import judge
from zhbert.task.base import Feature, Setting, Task, collate, run_model
from zhbert.task.predict import predict
from zhbert.task.registry import make_task
from zhbert.train import checkpoint
from zhbert.train.config import LoopConfig, Upkeep
from zhbert.train.job import Judged, Micro
from zhbert.train.loop import train
from zhbert.train.ranks import Ranks, join

POOL = 16  # batches whose examples are sorted by length together


class FinetuneConfig(Upkeep):
    """How an encoder learns a task."""

    task: Literal["classify", "pair", "ner", "reading"] = Field(description="what to learn")
    head: str = Field(default="", description="how the model answers; default: the task's usual way")
    init: ModelInput = Field(
        description="the encoder to start from: a folder, a name on the hub, or `bundled`"
    )
    random: bool = Field(
        default=False, description="take only the size and vocabulary of the encoder, not its weights"
    )
    train: Input = Field(description="examples to learn from (JSONL, or a reference such as mini:ner/train)")
    dev: Input = Field(description="examples to choose the best epoch by")
    labels: list[str] = Field(
        default=[], description="all labels in order; default: the card's, else those of train"
    )
    epochs: int = Field(default=5, ge=1, description="times to go through the training examples")
    batch: int = Field(default=32, ge=1, description="examples (windows) a step, over all processes")
    lr: float = Field(
        default=1e-4, gt=0, description="peak learning rate; small encoders want more than big ones"
    )
    warmup: float = Field(default=0.1, ge=0, lt=1, description="share of the steps in which the rate rises")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="dropout while fine-tuning")
    window: int = Field(
        default=256, ge=16, description="tokens that the model sees at once; longer texts take several"
    )
    overlap: int = Field(default=64, ge=0, description="tokens that neighbouring windows share")
    seed: int = Field(default=1, ge=0, description="seed of everything random")

    @model_validator(mode="before")
    @classmethod
    def _labels_from_card(cls, values: dict[str, Any]) -> dict[str, Any]:
        labels = [] if "labels" in values else labels_of(Path(str(values.get("train", ""))))
        return {**values, "labels": labels} if labels else values


class FinetuneJob:
    """Batches of features in a seeded order, judged on dev after every epoch."""

    def __init__(
        self,
        task: Task,
        config: FinetuneConfig,
        train: Sequence[Example],
        dev: Sequence[Example],
        ranks: Ranks,
    ) -> None:
        self.task, self.config, self.dev, self.ranks = task, config, dev, ranks
        self.features = [feature for prepared in task.prepare(train) for feature in prepared.features]
        self.steps_per_epoch = -(-len(self.features) // config.batch)
        self.position = 0
        self._planned: tuple[int, list[list[int]]] = (-1, [])

    def next_step(self, *, done: float, parts: int) -> list[Micro]:
        """Return this process's share of the next batch."""
        epoch, place = divmod(self.position, self.steps_per_epoch)
        if self._planned[0] != epoch:
            self._planned = (
                epoch,
                epoch_batches(self.features, self.config.batch, seed=(self.config.seed, epoch)),
            )
        self.position += 1
        mine = self._planned[1][place][self.ranks.rank :: self.ranks.world]
        if not mine:
            return [collate(self.task, self.features[:1]).idle()]
        size = max(1, len(mine) // parts)
        cut = [mine[i : i + size] for i in range(0, len(mine), size)]
        return [collate(self.task, [self.features[i] for i in part]) for part in cut]

    def where(self) -> str:
        """Name the last batch by its place in its epoch."""
        epoch, place = divmod(self.position - 1, self.steps_per_epoch)
        return f"epoch {epoch}, batch {place} of {self.steps_per_epoch}"

    def compiled(self, model: PreTrainedModel) -> None:
        """Compile nothing: a fine-tuning is over before it would pay."""

    def loss(self, model: PreTrainedModel, micro: Micro) -> Tensor:
        """Return the task's loss."""
        return self.task.loss(run_model(model, micro.tensors), micro.tensors)

    def evaluate(self, model: PreTrainedModel, step: int, *, last: bool) -> Judged | None:
        """Return the headline score on dev at the end of an epoch."""
        if step % self.steps_per_epoch:
            return None
        judged = judge(self.config.task, self.dev, list(predict(self.task, model, self.dev)))
        return Judged(score=float(judged.headline(judged.counts)))

    def state(self) -> dict[str, Any]:
        """Return how many batches were taken."""
        return {"position": self.position}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on after a number of batches."""
        self.position = state["position"]


def epoch_batches(features: Sequence[Feature], size: int, *, seed: tuple[int, int]) -> list[list[int]]:
    """Return one epoch as batches of feature numbers, like lengths together, batches in random order."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(features)).tolist()
    batches = []
    for start in range(0, len(order), POOL * size):
        pool = sorted(order[start : start + POOL * size], key=lambda i: len(features[i].ids))
        batches += [pool[i : i + size] for i in range(0, len(pool), size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def finetune(config: FinetuneConfig, work: Work, progress: Progress = SILENT) -> None:
    """Train a task model and save the best epoch."""
    labels, train_set, dev_set = read_sets(config)
    if not store.is_hub_name(config.init):
        store.inspect(Path(config.init))
    task = make_task(
        config.task,
        Setting(
            tokenizer=Tokenizer.load(config.init),
            labels=tuple(labels),
            window=config.window,
            overlap=config.overlap,
            head=config.head,
        ),
    )
    model = _start(config, task)
    ranks = join()
    job = FinetuneJob(task, config, train_set, dev_set, ranks)
    history = train(model, job, loop_config(config, job), folder=work.folder, progress=progress)
    if not ranks.main:
        return
    counts = {
        "train": len(train_set),
        "dev": len(dev_set),
        "windows": len(job.features),
        "best_epoch": history.best_step // job.steps_per_epoch,
        "dev_score": history.best,
    }
    facts = store.Facts(
        task=config.task,
        head=task.setting.head,
        labels=tuple(labels),
        window=config.window,
        overlap=config.overlap,
        metric="headline score on dev",
        score=history.best,
        provenance=_provenance(config, model) | counts,
    )
    store.save(work.folder, model=model, tokenizer=task.setting.tokenizer, facts=facts)
    checkpoint.clear(work.folder)
    work.counts |= counts


def _provenance(config: FinetuneConfig, model: PreTrainedModel) -> dict[str, Any]:
    """Return how a task model came about, for whoever reads its report."""
    pretraining = store.read_facts(Path(config.init)).provenance if _is_ours(config.init) else config.init
    return {
        "size": describe(model.config),
        "parameters": count_parameters(model),
        "encoder": "random weights" if config.random else pretraining,
        "epochs": config.epochs,
        "batch": config.batch,
        "lr": config.lr,
        "seed": config.seed,
    }


def _is_ours(init: str) -> bool:
    return (Path(init) / store.FACTS).is_file()


def read_sets(config: FinetuneConfig) -> tuple[list[str], list[Example], list[Example]]:
    """Return the labels in order and both sets, every label checked."""
    train_set = read_examples(config.train, config.task, labels=config.labels)
    labels = config.labels or sorted({label for example in train_set for label in labels_in(example)})
    if not labels and config.task != "reading":
        raise DataError("no example carries a label", where=config.train)
    if len(set(labels)) < len(labels):
        raise ConfigError(f"labels: one is given twice: {', '.join(labels)}")
    dev_set = read_examples(config.dev, config.task, labels=labels)
    if config.task in ("classify", "pair"):
        _check_one_label(config.train, train_set)
        _check_one_label(config.dev, dev_set)
    return labels, train_set, dev_set


def _check_one_label(path: Path, examples: Sequence[Example]) -> None:
    for example in examples:
        if len(labels_in(example)) != 1:
            raise DataError(
                f'the example "{example.id}" has {len(labels_in(example))} labels',
                where=path,
                remedy="every example must have exactly one",
            )


def loop_config(config: FinetuneConfig, job: FinetuneJob) -> LoopConfig:
    """Return the loop's settings for a fine-tuning; losses of a few examples differ too much for `spike`."""
    return LoopConfig(
        **{name: getattr(config, name) for name in Upkeep.model_fields},
        steps=config.epochs * job.steps_per_epoch,
        lr=config.lr,
        warmup=config.warmup,
        betas=(0.9, 0.999),
        seed=config.seed,
        spike=0.0,
    )


def _start(config: FinetuneConfig, task: Task) -> PreTrainedModel:
    """Return the model before training; what is new in it depends on the seed alone."""
    torch.manual_seed(config.seed)
    size = store.task_config(config.init, labels=task.model_labels, dropout=config.dropout)
    store.check_fit(task.setting.tokenizer, size, where=config.init)
    model = store.new_task_model(config.init, task=config.task, config=size, random=config.random)
    if config.window > most_tokens(model):
        raise ConfigError(
            f"window = {config.window}: the encoder has {most_tokens(model)} positions", where=config.init
        )
    return model
