"""`finetune`: an encoder and labelled examples in, a task model in one folder out.

After every epoch the model is judged on the dev set; the folder holds the best epoch's weights.
"""

from pathlib import Path
from typing import Any, Literal, Self

import torch
from pydantic import Field, model_validator
from transformers import PreTrainedModel

from zhbert.config import Input, ModelInput
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError
from zhbert.files import Work
from zhbert.model import store
from zhbert.model.depth import freeze, keep_layers
from zhbert.model.dropout import use_quick_dropout
from zhbert.model.encoder import count_parameters, describe, most_tokens, set_dropout
from zhbert.model.unpadded import wants_alike
from zhbert.progress import SILENT, Progress
from zhbert.read.references import labels_of
from zhbert.task.base import Setting, Task
from zhbert.task.finish import finish, take_over
from zhbert.task.fitting import FinetuneJob
from zhbert.task.inherit import check_head
from zhbert.task.learning import Learning
from zhbert.task.pupil import Pupil, Teacher, told
from zhbert.task.registry import make_task
from zhbert.task.sets import read_sets
from zhbert.task.teaching import Teaching
from zhbert.task.usual import usual
from zhbert.train import checkpoint
from zhbert.train.config import LoopConfig, Upkeep
from zhbert.train.loop import train
from zhbert.train.ranks import join


class FinetuneConfig(Learning, Teaching, Pupil):
    """How an encoder learns a task."""

    task: Literal["classify", "pair", "ner", "segment", "reading", "choice"] = Field(
        description="what to learn"
    )
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

    @model_validator(mode="after")
    def _of_one_look(self) -> Self:
        if self.teacher and self.rdrop:
            raise ConfigError("teacher: it does not go with rdrop", remedy="leave one of them out")
        return self


def finetune(config: FinetuneConfig, work: Work, progress: Progress = SILENT) -> None:
    """Train a task model and save the best epoch."""
    labels, train_set, dev_set = read_sets(
        config.train, config.dev, task=config.task, head=config.head, labels=config.labels
    )
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
            decoding=config.decoding(),
            lesson=config.lesson(train_set, labels, where=config.train),
        ),
    )
    teacher = Teacher(config, task) if config.teacher else None
    answered = teacher.answered(config.unlabelled) if teacher else []
    model = _start(config, task)
    ranks = join()
    job = FinetuneJob(
        task, config, [*train_set, *answered], dev_set, ranks, alike=wants_alike(model), teacher=teacher
    )
    config = _filled(config, model, len(job.features), progress)
    history = train(
        model,
        job,
        loop_config(config, job),
        folder=work.folder,
        progress=progress,
        manner=config.manner(model, job.steps_per_epoch),
    )
    if not ranks.main:
        return
    done = finish(job.task, model, dev_set, history.best)
    setting = done.task.setting
    counts = {
        "train": len(train_set),
        "dev": len(dev_set),
        "windows": len(job.features),
        "answers out of reach": job.lost,
        "lr": config.lr,
        "epochs": config.epochs,
        "best_epoch": -(-history.best_step // job.steps_per_epoch),
        "dev_score": done.score,
    }
    facts = store.Facts(
        task=config.task,
        head=setting.head,
        labels=tuple(labels),
        window=config.window,
        overlap=config.overlap,
        decoding=dict(setting.decoding),
        metric="headline score on dev",
        score=done.score,
        provenance=_provenance(config, model)
        | config.told(job.task.setting.lesson)
        | told(config, answered)
        | counts
        | done.decided,
    )
    store.save(work.folder, model=model, tokenizer=setting.tokenizer, facts=facts)
    checkpoint.clear(work.folder)
    work.counts |= counts


def _provenance(config: FinetuneConfig, model: PreTrainedModel) -> dict[str, Any]:
    """Return how a task model came about, for whoever reads its report."""
    pretraining = store.read_facts(Path(config.init)).provenance if _is_ours(config.init) else config.init
    return {
        "size": describe(model.config),
        "parameters": count_parameters(model),
        "encoder": "random weights" if config.random else pretraining,
        "batch": config.batch,
        "seed": config.seed,
    }


def _filled(
    config: FinetuneConfig, model: PreTrainedModel, examples: int, progress: Progress
) -> FinetuneConfig:
    """Return the settings with what is usual for such an encoder where nothing was said."""
    found = usual(model.config, task=config.task, examples=examples)
    lr, epochs = config.lr or found.lr, config.epochs or found.epochs
    taken = ([] if config.lr else [f"lr = {lr:g}"]) + ([] if config.epochs else [f"epochs = {epochs}"])
    if taken:
        progress.say(f"{', '.join(taken)}: what is usual for a {describe(model.config)} encoder")
    return config.model_copy(update={"lr": lr, "epochs": epochs})


def _is_ours(init: str) -> bool:
    return (Path(init) / store.FACTS).is_file()


def loop_config(config: FinetuneConfig, job: FinetuneJob) -> LoopConfig:
    """Return the loop's settings for a fine-tuning; losses of a few examples differ too much for `spike`."""
    return LoopConfig(
        **{name: getattr(config, name) for name in Upkeep.model_fields},
        steps=config.epochs * job.steps_per_epoch,
        lr=config.lr,
        warmup=config.warmup,
        betas=(0.9, 0.999),
        dtype=config.dtype,
        seed=config.seed,
        spike=0.0,
    )


def _start(config: FinetuneConfig, task: Task) -> PreTrainedModel:
    """Return the model before training; what is new in it depends on the seed alone."""
    torch.manual_seed(config.seed)
    if not (config.random or config.fresh_head):
        check_head(config.init, task)
    size = store.task_config(
        config.init, labels=task.model_labels, problem=task.problem, dropout=config.dropout
    )
    set_dropout(size, config.dropout, attention=config.attention_dropout)
    store.check_fit(task.setting.tokenizer, size, where=config.init)
    model = store.new_task_model(
        config.init,
        task=config.task,
        head=task.setting.head,
        config=size,
        random=config.random,
        fresh=config.fresh_head,
    )
    if not (config.random or config.fresh_head):
        take_over(task, model, config.init)
    if config.window > most_tokens(model):
        raise ConfigError(
            f"window = {config.window}: the encoder has {most_tokens(model)} positions", where=config.init
        )
    if config.layers:
        keep_layers(model, config.layers)
    if config.freeze >= 0:
        freeze(model, config.freeze)
    use_quick_dropout(model)
    return model
