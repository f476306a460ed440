"""`pretrain`: shards in, a masked-language model out that plain transformers loads.

Batches are flat: whole sequences on end, no padding, attention kept inside each sequence,
vocabulary logits at masked positions only. Held-out documents, which training never sees, are
masked the same way every time and judged at the end, and in between where that is asked for.
"""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from zhbert.config import Input, ModelInput
from zhbert.encode.masking import MaskIds, mask
from zhbert.encode.pack import Batches, FlatBatch, SampleTable, State
from zhbert.encode.shards import Shards
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError
from zhbert.files import Work
from zhbert.model import store
from zhbert.model.attention import positions, use_packed, use_plain
from zhbert.model.encoder import (
    DROPOUT,
    count_parameters,
    describe,
    first_position,
    most_tokens,
    new_config,
    new_encoder,
    set_dropout,
)
from zhbert.model.heads import masked_logits
from zhbert.progress import SILENT, Progress
from zhbert.records import to_plain
from zhbert.train.loop import LoopConfig, Micro, train

HELD_OUT_SEED = 0
HELD_OUT_TOKENS = 200_000


class PretrainConfig(LoopConfig):
    """How shards become an encoder."""

    shards: Input = Field(description="the output of `zhbert encode`")
    size: Literal["pico", "nano", "micro", "mini", "small", "small-wide", "medium", "base", "large"] = Field(
        default="nano", description="preset of a new encoder"
    )
    init: ModelInput | None = Field(default=None, description="go on with this encoder instead of a new one")
    max_tokens: int = Field(default=128, ge=16, description="longest sequence, [CLS] and [SEP] included")
    batch_tokens: int = Field(default=8192, ge=16, description="tokens a step")
    micro_tokens: int = Field(default=8192, ge=16, description="tokens that go through the model at once")
    strategy: Literal["char", "wwm"] = Field(
        default="wwm", description="what is masked together: char, or wwm (whole words)"
    )
    rate: float = Field(default=0.15, gt=0, lt=1, description="share of the tokens that is masked")
    judge_every: int = Field(
        default=0, ge=0, description="judge on held-out text every so many steps; 0: at the end only"
    )


class PretrainJob:
    """Masked batches of shards, and the held-out text to judge by."""

    def __init__(self, config: PretrainConfig, tokenizer: Tokenizer) -> None:
        self.config = config
        self.vocabulary, self.special = MaskIds.of(tokenizer), tokenizer.special
        self.batches = self._open("train", config.batch_tokens, config.seed)
        self.held_out = self._held_out()
        self.judged: dict[int, dict[str, float]] = {}

    def _open(self, part: str, tokens: int, seed: int) -> Batches:
        table = SampleTable.cut(Shards.open(self.config.shards / part), max_tokens=self.config.max_tokens)
        return Batches(table, tokens_per_batch=tokens, seed=seed, specials=self.special)

    def _held_out(self) -> list[Micro]:
        """Return the first epoch of the held-out text, masked once and for all."""
        if not (self.config.shards / "held-out").is_dir():
            return []
        batches = self._open("held-out", self.config.micro_tokens, HELD_OUT_SEED)
        micros, tokens = [], 0
        for batch in batches:
            if batch.epoch or tokens > HELD_OUT_TOKENS:
                break
            micros.append(self._masked(batch, HELD_OUT_SEED))
            tokens += micros[-1].tokens
        return micros

    def next_step(self) -> list[Micro]:
        """Return the next batch, cut into micro-batches."""
        batch, self.batches.state = self.batches.batch_at(self.batches.state)
        return [self._masked(part, self.config.seed) for part in split(batch, self.config.micro_tokens)]

    def _masked(self, batch: FlatBatch, seed: int) -> Micro:
        c = self.config
        masked = mask(batch, strategy=c.strategy, rate=c.rate, seed=seed, vocabulary=self.vocabulary)
        tensors = {
            "ids_T": torch.from_numpy(masked.ids_T),
            "positions_M": torch.from_numpy(masked.positions_M),
            "targets_M": torch.from_numpy(masked.targets_M),
        }
        return Micro(tensors, len(masked.targets_M), len(batch.ids_T), np.diff(batch.starts_S1).tolist())

    def loss(self, model: PreTrainedModel, micro: Micro) -> Tensor:
        """Return the summed cross-entropy at the masked positions."""
        return cross_entropy(self._logits(model, micro).float(), micro.tensors["targets_M"], reduction="sum")

    def _logits(self, model: PreTrainedModel, micro: Micro) -> Tensor:
        ids_1T = micro.tensors["ids_T"][None]
        places_1T = positions(micro.lengths, device=ids_1T.device) + first_position(model)
        output = model.base_model(input_ids=ids_1T, position_ids=places_1T, lengths=micro.lengths)
        return masked_logits(model, output.last_hidden_state, micro.tensors["positions_M"])

    def evaluate(self, model: PreTrainedModel, step: int) -> float | None:
        """Judge on held-out text where it is time to; the last weights are kept, not the best."""
        every = self.config.judge_every
        if self.held_out and (step == self.config.steps or (every and step % every == 0)):
            self.judged[step] = self.judge(model)
        return None

    @torch.inference_mode()
    def judge(self, model: PreTrainedModel) -> dict[str, float]:
        """Return loss and accuracy of masked tokens on held-out text."""
        model.eval()
        loss, right, targets = 0.0, 0, 0
        for micro in self.held_out:
            here = micro.to(model.device)
            logits, wanted = self._logits(model, here).float(), here.tensors["targets_M"]
            loss += float(cross_entropy(logits, wanted, reduction="sum"))
            right += int((logits.argmax(-1) == wanted).sum())
            targets += micro.targets
        return {"loss": round(loss / targets, 4), "accuracy": round(right / targets, 4)} if targets else {}

    def state(self) -> dict[str, Any]:
        """Return the position in the shards."""
        return {
            "position": to_plain(self.batches.state),
            "judged": {str(k): v for k, v in self.judged.items()},
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go to a position in the shards."""
        self.batches.resume(State(**state["position"]))
        self.judged = {int(step): figures for step, figures in state["judged"].items()}


def split(batch: FlatBatch, tokens: int) -> Iterator[FlatBatch]:
    """Yield a batch in parts of whole samples and at most so many tokens each."""
    first = 0
    starts = batch.starts_S1
    while first < len(batch.samples_S):
        limit = starts[first] + tokens
        stop = max(first + 1, int(np.searchsorted(starts, limit, side="right")) - 1)
        yield FlatBatch(
            ids_T=batch.ids_T[starts[first] : starts[stop]],
            flags_T=batch.flags_T[starts[first] : starts[stop]],
            starts_S1=starts[first : stop + 1] - starts[first],
            samples_S=batch.samples_S[first:stop],
            epoch=batch.epoch,
        )
        first = stop


def pretrain(config: PretrainConfig, work: Work, progress: Progress = SILENT) -> None:
    """Train an encoder and save it."""
    tokenizer = Tokenizer.load(config.shards / "tokenizer")
    model = _start(config, tokenizer)
    if config.max_tokens > most_tokens(model):
        raise ConfigError(
            f"max_tokens = {config.max_tokens}: the encoder has {most_tokens(model)} positions",
            where=config.init or config.size,
        )
    use_packed(model)
    job = PretrainJob(config, tokenizer)
    history = train(model, job, config, folder=work.folder, progress=progress)
    use_plain(model)
    set_dropout(model.config, DROPOUT)  # what the folder says to whoever fine-tunes it, with us or without
    work.counts |= {
        "size": describe(model.config),
        "parameters": count_parameters(model),
        "steps": config.steps,
        "tokens": history.tokens,
        "epochs": round(history.tokens / max(1, int(job.batches.table.shards.n_tokens)), 2),
        "strategy": config.strategy,
        "rate": config.rate,
        "held_out": job.judged.get(config.steps, {}),
    }
    facts = store.Facts(
        task=store.MASKED, window=config.max_tokens, metric="held-out accuracy", provenance=dict(work.counts)
    )
    store.save(work.folder, model=model, tokenizer=tokenizer, facts=facts)


def _start(config: PretrainConfig, tokenizer: Tokenizer) -> PreTrainedModel:
    if config.init is None:
        return new_encoder(new_config(config.size, tokenizer), seed=config.seed)
    model, own = store.load_encoder(config.init, dropout=0.0)
    if own.fingerprint != tokenizer.fingerprint:
        raise ConfigError(
            "the shards were made with another tokenizer",
            where=config.init,
            remedy="encode again with tokenizer = init",
        )
    return model
