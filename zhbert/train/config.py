"""The settings of a training: what is learnt how fast, and how the work is done.

What `Upkeep` holds says how the work is done; it is no part of a stage's plan, so that a training may be
stopped, and go on with other upkeep. `minutes` in the place of `steps` makes every rate a function of the
share of the time that is spent: such a run ends when it should, but no two of them are the same.
"""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from zhbert.config import HOW, Config
from zhbert.precision import Dtype
from zhbert.train.schedule import ScheduleName


class Upkeep(Config):
    """How a training is kept going: whatever is said here, the same is learnt."""

    save_seconds: Annotated[float, HOW] = Field(default=60.0, gt=0, description="seconds between checkpoints")
    keep: Annotated[int, HOW] = Field(
        default=1, ge=1, description="newest checkpoints that are kept; the best weights are kept besides"
    )
    shard: Annotated[bool, HOW] = Field(
        default=False, description="spread weights and optimizer over the processes of torchrun (FSDP2)"
    )
    compile: Annotated[bool, HOW] = Field(
        default=False, description="on CUDA, fuse operations with torch.compile (pretraining only)"
    )
    tensorboard: Annotated[bool, HOW] = Field(
        default=False, description="write the figures of logs/metrics.jsonl for TensorBoard too"
    )


class Digits(Config):
    """What is multiplied in which numbers; the weights are float32 always."""

    dtype: Dtype = Field(
        default="auto",
        description="numbers that are multiplied: bfloat16, float32, or auto: bfloat16 where the processor "
        "gains by it (most GPUs, CPUs with AVX512-BF16), else float32",
    )


class LoopConfig(Upkeep, Digits):
    """How long and how fast to train."""

    steps: int = Field(default=0, ge=0, description="optimizer steps; or give minutes")
    minutes: float = Field(
        default=0.0,
        ge=0,
        validate_default=True,
        description="train for so long, restarts counted together, the falling rate fitted in; "
        "unlike steps, two such runs never give quite the same weights",
    )
    lr: float = Field(gt=0, description="peak learning rate")
    schedule: ScheduleName = Field(
        default="linear", description="shape of the learning rate after the warm-up"
    )
    warmup: float = Field(default=0.06, ge=0, lt=1, description="share of the steps in which the rate rises")
    weight_decay: float = Field(
        default=0.01, ge=0, description="decay of weight matrices (not of norms and biases)"
    )
    betas: tuple[float, float] = Field(default=(0.9, 0.98), description="AdamW's two averages")
    clip: float = Field(default=1.0, gt=0, description="largest norm of the gradient")
    spike: float = Field(
        default=2.0,
        ge=0,
        description="skip a step whose loss is so many times the median of the last 50; 0: only if it is "
        "no number",
    )
    patience: int = Field(
        default=10, ge=1, description="stop after so many skipped steps in a row, or ten times as many in all"
    )
    seed: int = Field(default=1, ge=0, description="seed of everything random")

    @field_validator("minutes")
    @classmethod
    def _one_length(cls, minutes: float, info: ValidationInfo) -> float:
        if (minutes > 0) == (info.data.get("steps", 0) > 0):
            raise ValueError("give steps or minutes, one of the two")
        return minutes
