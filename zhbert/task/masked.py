"""The job of pretraining: masked batches of shards, their loss, and the held-out text to judge by.

- The loss of masked tokens is a sum that the loop divides by their number. That of pairs is weighted so that
  in the mean it counts as much for each pair as masking for each token: the number of masked tokens that a
  sample has on average. A constant, so the loss of a step depends on no micro-batch and no process.
- Code that is compiled gets batches of one shape (`model.shape`); nobody else does.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, pad
from transformers import PreTrainedModel

from zhbert.encode.masking import mask
from zhbert.encode.pack import Batches, FlatBatch, SampleTable, State
from zhbert.encode.pairs import NO_LABEL, SPECIALS, flatten_pairs
from zhbert.encode.replacement import MaskIds
from zhbert.encode.shards import Shards
from zhbert.encode.tokenizer import Tokenizer
from zhbert.model.attention import Sequences
from zhbert.model.encoder import first_position
from zhbert.model.heads import masked_logits, pair_logits
from zhbert.model.shape import Shape, fill
from zhbert.precision import training
from zhbert.records import to_plain
from zhbert.train.job import Judged, Micro
from zhbert.train.ranks import Ranks
from zhbert.train.schedule import ramped

if TYPE_CHECKING:
    from zhbert.task.pretrain import PretrainConfig

HELD_OUT_SEED = 0
HELD_OUT_TOKENS = 200_000


class PretrainJob:
    """Masked batches of shards, and the held-out text to judge by."""

    def __init__(self, config: "PretrainConfig", tokenizer: Tokenizer, ranks: Ranks) -> None:
        self.config = config
        self.vocabulary, self.special = MaskIds.of(tokenizer, config.similar), tokenizer.special
        self.batches = self._open("train", config.batch_tokens, config.seed, ranks)
        self.before = self.batches.state
        self.shape: Shape | None = None
        self.pair_weight = config.rate * self.batches.table.mean_length
        self.held_out = self._held_out()
        self.judged: dict[int, dict[str, float]] = {}

    def _open(self, part: str, tokens: int, seed: int, ranks: Ranks | None = None) -> Batches:
        c, pairs = self.config, self.config.pairs
        specials = 2 if pairs == "none" else SPECIALS
        table = SampleTable.cut(Shards.open(c.shards / part), max_tokens=c.max_tokens, specials=specials)
        return Batches(
            table,
            tokens_per_batch=tokens,
            seed=seed,
            specials=self.special,
            rank=ranks.rank if ranks else 0,
            world=ranks.world if ranks else 1,
            lay_out=None if pairs == "none" else partial(flatten_pairs, pairs=pairs, seed=seed),
        )

    def _held_out(self) -> list[Micro]:
        """Return the first epoch of the held-out text, masked once and for all."""
        if not (self.config.shards / "held-out").is_dir():
            return []
        batches = self._open("held-out", self.config.micro_tokens, HELD_OUT_SEED)
        micros, tokens = [], 0
        for batch in batches:
            if batch.epoch or tokens > HELD_OUT_TOKENS:
                break
            micros.append(self._masked(batch, HELD_OUT_SEED, 1.0))
            tokens += micros[-1].tokens
        return micros

    def next_step(self, *, done: float, parts: int) -> list[Micro]:
        """Return this process's share of the next batch, cut into micro-batches."""
        c, self.before = self.config, self.batches.state
        tokens = ramped(c.first_batch_tokens or c.batch_tokens, c.batch_tokens, done, over=c.ramp)
        batch, self.batches.state = self.batches.batch_at(self.before, tokens=tokens)
        if not len(batch.samples_S):
            return [self._idle()]
        if self.shape:
            self.shape = self._shape(parts)
        return [self._masked(part, c.seed, done) for part in split(batch, max(1, c.micro_tokens // parts))]

    def _idle(self) -> Micro:
        """Return some sample without weight, for a process that a short batch leaves without any."""
        first = np.zeros(1, np.int64)
        batch = self.batches.lay_out(self.batches.table, first, specials=self.special, epoch=0)
        return self._masked(batch, self.config.seed, 1.0).idle()

    def where(self) -> str:
        """Name the samples of the last step by their place in the order of their epoch."""
        after = self.batches.state
        first = self.before.consumed if self.before.epoch == after.epoch else 0
        return f"epoch {after.epoch}, samples {first} to {after.consumed - 1} of {len(self.batches.table)}"

    def _shape(self, parts: int) -> Shape:
        """Return the one shape of micro-batches that are cut into so many parts."""
        c = self.config
        pieces = -(-c.batch_tokens // max(1, c.micro_tokens // parts))
        tokens = -(-c.batch_tokens // pieces) + (c.max_tokens if pieces > 1 else 0)
        mean = self.batches.table.mean_length
        return Shape.of(tokens=tokens, rate=max(c.rate, c.final_rate), longest=c.max_tokens, mean=mean)

    def _masked(self, batch: FlatBatch, seed: int, done: float) -> Micro:
        masked = mask(batch, self.config.masking(done), seed=seed, vocabulary=self.vocabulary)
        ids_T, positions_M, targets_M = map(
            torch.from_numpy, (masked.ids_T, masked.positions_M, masked.targets_M)
        )
        lengths, more = np.diff(batch.starts_S1).tolist(), _pairs(batch)
        if self.shape:
            filled = fill(
                ids_T, positions_M, targets_M, lengths=lengths, shape=self.shape, padding=self.special.pad
            )
            ids_T, positions_M, targets_M = filled.ids_T, filled.positions_M, filled.targets_M
            lengths = filled.lengths
            if more:
                more["segments_T"] = pad(more["segments_T"], (0, len(ids_T) - len(batch.ids_T)))
        tensors = {"ids_T": ids_T, "positions_M": positions_M, "targets_M": targets_M} | more
        return Micro(tensors, len(masked.targets_M), len(batch.ids_T), lengths)

    def loss(self, model: PreTrainedModel, micro: Micro) -> Tensor:
        """Return the summed cross-entropy at the masked positions, and that of pairs with its weight."""
        hidden_1TH = self._hidden(model, micro)
        logits = masked_logits(model, hidden_1TH, micro.tensors["positions_M"])
        loss = cross_entropy(logits.float(), micro.tensors["targets_M"], reduction="sum")
        if "labels_S" in micro.tensors:
            logits = pair_logits(model, hidden_1TH, micro.tensors["firsts_S"])
            pairs = cross_entropy(logits.float(), micro.tensors["labels_S"], reduction="sum")
            loss = loss + self.pair_weight * pairs
        return loss

    def _hidden(self, model: PreTrainedModel, micro: Micro) -> Tensor:
        ids_1T = micro.tensors["ids_T"][None]
        row = self.shape.sequences(micro.lengths) if self.shape else Sequences.of(micro.lengths)
        row = row.to(ids_1T.device)
        more = {"token_type_ids": micro.tensors["segments_T"][None]} if "segments_T" in micro.tensors else {}
        places_1T = row.positions_1T + first_position(model)
        output = model.base_model(input_ids=ids_1T, position_ids=places_1T, sequences=row, **more)
        return output.last_hidden_state  # type: ignore[no-any-return]

    def compiled(self, model: PreTrainedModel) -> None:
        """Compile the encoder, and give it batches of one shape from now on."""
        self.shape = self._shape(1)
        self.held_out = self._held_out()
        model.base_model.compile(dynamic=False)

    def evaluate(self, model: PreTrainedModel, step: int, *, last: bool) -> Judged | None:
        """Judge on held-out text where it is time to; the last weights are kept, not the best."""
        every = self.config.judge_every
        if not self.held_out or not (last or (every and step % every == 0)):
            return None
        self.judged[step] = self.judge(model)
        return Judged({f"held_out_{name}": value for name, value in self.judged[step].items()})

    @torch.inference_mode()
    def judge(self, model: PreTrainedModel) -> dict[str, float]:
        """Return loss and accuracy of masked tokens on held-out text, and accuracy of pairs."""
        model.eval()
        sums: dict[str, float] = defaultdict(float)
        for micro in self.held_out:
            here = micro.to(model.device)
            with training(self.config.dtype, model.device):
                hidden_1TH = self._hidden(model, here)
                logits = masked_logits(model, hidden_1TH, here.tensors["positions_M"]).float()
            wanted = here.tensors["targets_M"]
            sums["loss"] += float(cross_entropy(logits, wanted, reduction="sum"))
            sums["accuracy"] += int((logits.argmax(-1) == wanted).sum())
            sums["targets"] += micro.targets
            if "labels_S" in here.tensors:
                labels = here.tensors["labels_S"]
                guesses = pair_logits(model, hidden_1TH, here.tensors["firsts_S"]).argmax(-1)
                sums["right pairs"] += int((guesses == labels).sum())
                sums["pairs"] += int((labels != NO_LABEL).sum())
        figures = {name: sums[name] / max(1, sums["targets"]) for name in ("loss", "accuracy")}
        if sums["pairs"]:
            figures["pairs"] = sums["right pairs"] / sums["pairs"]
        return {name: round(value, 4) for name, value in figures.items()} if sums["targets"] else {}

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
    """Yield a batch in parts of whole samples, of about `tokens` tokens and all about as large.

    A part may be larger than that by less than a sample, but no crumb is left over.
    """
    starts, total = batch.starts_S1, int(batch.starts_S1[-1])
    parts = -(-total // tokens)
    inner = np.searchsorted(starts, np.arange(1, parts) * total // parts)
    for first, stop in pairwise(np.unique([0, *inner, len(batch.samples_S)]).tolist()):
        here = slice(starts[first], starts[stop])
        yield FlatBatch(
            ids_T=batch.ids_T[here],
            flags_T=batch.flags_T[here],
            starts_S1=starts[first : stop + 1] - starts[first],
            samples_S=batch.samples_S[first:stop],
            epoch=batch.epoch,
            segments_T=None if batch.segments_T is None else batch.segments_T[here],
            labels_S=None if batch.labels_S is None else batch.labels_S[first:stop],
        )


def _pairs(batch: FlatBatch) -> dict[str, Tensor]:
    """Return what a batch of pairs has beside its tokens: segments, where each sample begins, labels."""
    if batch.segments_T is None or batch.labels_S is None:
        return {}
    values = {"segments_T": batch.segments_T, "firsts_S": batch.starts_S1[:-1], "labels_S": batch.labels_S}
    return {name: torch.from_numpy(value) for name, value in values.items()}
