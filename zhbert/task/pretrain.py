"""`pretrain`: shards in, a masked-language model out that plain transformers loads.

Batches are flat: whole sequences on end, no padding, attention kept inside each sequence,
vocabulary logits at masked positions only. Held-out documents, which training never sees, are
masked the same way every time and judged at the end, and in between where that is asked for.
"""

from typing import Literal

from pydantic import Field
from transformers import PreTrainedConfig

from zhbert.config import Input, ModelInput
from zhbert.encode.company import Company, company
from zhbert.encode.plan import MaskingConfig
from zhbert.encode.shards import Shards
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError
from zhbert.files import Work
from zhbert.model import store
from zhbert.model.attention import use_packed, use_plain
from zhbert.model.counted import begin_counted
from zhbert.model.encoder import (
    DROPOUT,
    PositionStart,
    count_parameters,
    describe,
    most_tokens,
    new_config,
    new_encoder,
    set_dropout,
)
from zhbert.model.families import FamilyName, family_of
from zhbert.model.start import Start, check_head, go_on
from zhbert.progress import SILENT, Progress
from zhbert.task.masked import PretrainJob
from zhbert.train import checkpoint
from zhbert.train.config import LoopConfig
from zhbert.train.loop import train
from zhbert.train.ranks import Ranks, join


class PretrainConfig(LoopConfig, MaskingConfig):
    """How shards become an encoder."""

    shards: Input = Field(description="the output of `zhbert encode`")
    size: Literal["pico", "nano", "micro", "mini", "small", "small-wide", "medium", "base", "large"] = Field(
        default="nano", description="preset of a new encoder"
    )
    family: FamilyName = Field(default="bert", description="kind of a new encoder")
    positions: PositionStart = Field(
        default="sinusoids",
        description="positions of a new encoder: sinusoids that are trained on, fixed sinusoids, or random",
    )
    begin: Literal["counts", "random"] = Field(
        default="counts",
        description="weights of a new encoder: counts (what stands beside what in the shards, and heads that "
        "look at the tokens beside; knows far more after few steps) or random",
    )
    longest: int = Field(default=512, ge=16, description="tokens that a new encoder can take at once")
    init: ModelInput | None = Field(
        default=None,
        description="go on with this encoder instead of a new one: a folder, a name on the hub, or `bundled`",
    )
    pairs: Literal["none", "nsp", "sop"] = Field(
        default="none",
        description="also learn whether the second half of a text follows the first: nsp (or is of another "
        "document), sop (or stands before it)",
    )
    max_tokens: int = Field(default=128, ge=16, description="longest sequence, [CLS] and [SEP] included")
    batch_tokens: int = Field(default=8192, ge=16, description="tokens a step, over all processes")
    first_batch_tokens: int = Field(
        default=0, ge=0, description="tokens of the first step, growing to batch_tokens; 0: all are alike"
    )
    ramp: float = Field(
        default=0.3, gt=0, le=1, description="share of the training over which first_batch_tokens grow"
    )
    micro_tokens: int = Field(
        default=8192, ge=16, description="tokens that go through the model at once, in each process"
    )
    judge_every: int = Field(
        default=0, ge=0, description="judge on held-out text every so many steps; 0: at the end only"
    )


def pretrain(config: PretrainConfig, work: Work, progress: Progress = SILENT) -> None:
    """Train an encoder and save it."""
    tokenizer = Tokenizer.load(config.shards / "tokenizer")
    ranks = join()
    begun = ranks.said(checkpoint.latest(work.folder) is not None)  # then its weights are taken anyway
    start = _start(config, tokenizer, ranks, progress, counts=not begun)
    model = start.model
    if config.max_tokens > most_tokens(model):
        raise ConfigError(
            f"max_tokens = {config.max_tokens}: the encoder has {most_tokens(model)} positions",
            where=config.init or config.size,
        )
    use_packed(model)
    job = PretrainJob(config, tokenizer, ranks)
    facts = start.facts | _heard(start, job, ranks, progress)
    history = train(model, job, config, folder=work.folder, progress=progress)
    if not ranks.main:
        return
    use_plain(model)
    set_dropout(model.config, DROPOUT)  # what the folder says to whoever fine-tunes it, with us or without
    work.counts |= facts | {
        "size": describe(model.config),
        "parameters": count_parameters(model),
        "steps": history.steps,
        "skipped": history.guard.skipped,
        "tokens": history.tokens,
        "epochs": round(history.tokens / max(1, int(job.batches.table.shards.n_tokens)), 2),
        "strategy": config.strategy,
        "rate": config.rate,
        "held_out": job.judged.get(history.steps, {}),
    }
    store.save(
        work.folder,
        model=model,
        tokenizer=tokenizer,
        facts=store.Facts(
            task=store.MASKED,
            window=config.max_tokens,
            metric="held-out accuracy",
            provenance=dict(work.counts),
        ),
    )
    checkpoint.clear(work.folder)


def _start(
    config: PretrainConfig, tokenizer: Tokenizer, ranks: Ranks, progress: Progress, *, counts: bool
) -> Start:
    pairs = config.pairs != "none"
    if config.init is not None:
        return go_on(config.init, tokenizer, folder=config.shards / "tokenizer", pairs=pairs)
    size = new_config(config.size, tokenizer, family=config.family, positions=config.longest)
    model = new_encoder(size, seed=config.seed, positions=config.positions, pairs=pairs)
    if config.begin == "counts" and counts:
        counted = ranks.said(_company(config, size, progress) if ranks.main else None)
        assert counted is not None, "process 0 has counted"
        table = family_of(size).table and config.positions != "random"
        begin_counted(model, counted, seed=config.seed, neighbours=table)
    return Start(model=model, facts={"family": config.family, "begin": config.begin})


def _company(config: PretrainConfig, size: PreTrainedConfig, progress: Progress) -> Company:
    shards = Shards.open(config.shards / "train")
    return company(shards, vocabulary=size.vocab_size, dimensions=size.hidden_size, progress=progress)


def _heard(start: Start, job: PretrainJob, ranks: Ranks, progress: Progress) -> dict[str, float]:
    """Say what is odd about an encoder to go on with, and return how well it predicts as it is."""
    for warning in start.warnings:
        progress.say(warning)
    if job.config.init is None or not job.held_out:
        return {}
    check = check_head(start.model.to(ranks.device), lambda model: job.judge(model)["loss"])
    if check.warning:
        progress.say(f"{job.config.init}: {check.warning}")
    return {"loss_before": round(check.loss, 4)}
