"""Options of a fine-tuning that say how its weights learn.

What two options cannot do together is refused before anything is read.
"""

from typing import Self

from pydantic import Field, model_validator
from transformers import PreTrainedModel

from zhbert.errors import ConfigError
from zhbert.model.depth import embedding_of, rates
from zhbert.task.doubt import COMPARED
from zhbert.task.registry import head_of
from zhbert.task.taught import Taught
from zhbert.train.config import Digits, Upkeep
from zhbert.train.manner import Manner


class Learning(Upkeep, Digits, Taught):
    """How the weights of a task model learn."""

    epochs: int = Field(
        default=0, ge=0, description="times to go through the training examples; 0: what is usual"
    )
    batch: int = Field(default=32, ge=1, description="examples (windows) a step, over all processes")
    lr: float = Field(
        default=0.0, ge=0, description="peak learning rate; 0: what is usual for the encoder's size"
    )
    warmup: float = Field(default=0.1, ge=0, lt=1, description="share of the steps in which the rate rises")
    layer_decay: float = Field(
        default=1.0, gt=0, le=1, description="how fast each layer learns, beside the one above it"
    )
    head_lr: float = Field(
        default=1.0, gt=0, description="how fast the head learns, beside the topmost layer of the encoder"
    )
    chain_lr: float = Field(
        default=30.0, gt=0, description="how fast the steps between tags (head crf) learn, beside the encoder"
    )
    freeze: int = Field(
        default=-1,
        ge=-1,
        description="lowest layers that do not learn; 0: the embeddings only, -1: all learn",
    )
    dropout: float = Field(default=0.1, ge=0, lt=1, description="dropout while fine-tuning")
    attention_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="dropout of attention; it makes long windows slow"
    )
    rdrop: float = Field(
        default=0.0, ge=0, description="weight of the difference between two answers under dropout (R-Drop)"
    )
    fgm: float = Field(
        default=0.0, ge=0, description="length of the step by which embeddings are disturbed (FGM)"
    )
    ema: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="share that an average of the weights keeps each step, such as 0.99",
    )
    judge_every: float = Field(
        default=1.0,
        gt=0,
        description="judge on dev each time so many epochs are over, such as 0.25; and at the end",
    )
    patience_epochs: float = Field(
        default=0.0, ge=0, description="end after so many epochs without a better score on dev; 0: never"
    )

    @model_validator(mode="after")
    def _together(self) -> Self:
        head = head_of(self.task, self.head)
        if self.rdrop and head not in COMPARED:
            raise ConfigError(
                f'rdrop: has no meaning for the task "{self.task}" with the head "{head}"',
                remedy=f"it is for the heads {', '.join(COMPARED)}",
            )
        if self.rdrop and not (self.dropout or self.attention_dropout):
            raise ConfigError("rdrop: without dropout, two answers do not differ", remedy="dropout = 0.1")
        if self.fgm and self.freeze >= 0:
            raise ConfigError("fgm: the embeddings that it disturbs are frozen", remedy="leave freeze out")
        if self.shard and (self.ema or self.fgm):
            name = "ema" if self.ema else "fgm"
            raise ConfigError(f"{name}: needs whole weights in every process", remedy="leave shard out")
        return self

    def manner(self, model: PreTrainedModel, steps_per_epoch: int) -> Manner:
        """Return what the loop is to do beyond descending."""
        return Manner(
            rates=rates(model, layer=self.layer_decay, head=self.head_lr, chain=self.chain_lr),
            average=self.ema,
            disturb=self.fgm,
            disturbed=embedding_of(model) if self.fgm else "",
            wait=max(1, round(self.patience_epochs * steps_per_epoch)) if self.patience_epochs else 0,
        )
