"""Documents into samples, samples into batches of about so many tokens, each exactly once an epoch.

    document ──cut──▶ samples of at most max_tokens - 2 ──order(seed, epoch)──▶ flat batches

- A sample is a range of one document. It ends at the last sentence start in the last quarter of the room
  that is left, else before the last word that fits, else (a word longer than a sample) anywhere.
- A batch is flat: whole samples on end, [CLS] and [SEP] around each, no padding. `SPECIAL` flags them, so
  that nothing later takes them for text. Its tokens, specials counted, keep to the budget; a sample
  longer than the budget comes alone.
- The order of an epoch is a permutation by sorted hashes (`draws`), the same on any machine and numpy.
- A position is (seed, epoch, consumed) and nothing else: `batch_at` is a function of it, so a resumed
  run goes on exactly. A batch never spans two epochs: the last of an epoch is short.
- The budget is that of all ranks together. The samples of a step depend on the position alone; each of
  `world` ranks then takes a run of them, equal in tokens to within one sample. Where a step has fewer
  samples than ranks (the end of an epoch), a rank may get an empty batch.

Shapes: N samples of the table, S samples of the batch, S1 = S + 1 boundaries, T tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zhbert.encode.draws import Ints, draw, stream
from zhbert.encode.shards import CONTINUES_WORD, SENTENCE, Shard, Shards
from zhbert.encode.tokenizer import Special
from zhbert.errors import ConfigError, DataError

SPECIAL = np.uint8(1 << 7)
BLOCK = 1 << 22  # tokens whose boundaries are held in memory at once while cutting


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlatBatch:
    """Whole samples on end: sample i is tokens starts_S1[i] to starts_S1[i + 1]."""

    ids_T: Ints
    flags_T: NDArray[np.uint8]
    starts_S1: Ints
    samples_S: Ints
    epoch: int
    segments_T: Ints | None = (
        None  # pairs only, as is the label: whether the second segment follows the first
    )
    labels_S: Ints | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A position in the stream of batches: `consumed` samples of an epoch are behind it."""

    seed: int
    epoch: int = 0
    consumed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class SampleTable:
    """Where each sample begins and ends, in tokens counted over all shards, and what is added to each."""

    shards: Shards
    begins_N: Ints
    ends_N: Ints
    specials: int

    @classmethod
    def cut(cls, shards: Shards, *, max_tokens: int, specials: int = 2) -> "SampleTable":
        """Cut documents into samples that fit `max_tokens` with special tokens; an empty one has none."""
        if max_tokens <= specials:
            raise ConfigError(f"max_tokens must be at least {specials + 1}, not {max_tokens}")
        cuts = [
            _cut_block(shard, first, last, max_tokens - specials) + base
            for shard, base in zip(shards.shards, shards.first_tokens[:-1], strict=True)
            for first, last in _blocks(shard)
        ]
        begins_N, ends_N = np.concatenate(cuts, axis=1) if cuts else np.empty((2, 0), np.int64)
        return cls(shards, begins_N, ends_N, specials)

    def __len__(self) -> int:
        return len(self.begins_N)

    def lengths(self, samples_S: Ints) -> Ints:
        """Return how many tokens of text each sample has."""
        return self.ends_N[samples_S] - self.begins_N[samples_S]

    @property
    def mean_length(self) -> float:
        """The mean of these."""
        return float(np.mean(self.ends_N - self.begins_N)) if len(self) else 0.0

    def documents(self, samples_S: Ints) -> Ints:
        """Return the document that each sample is a range of, counted over all shards."""
        begins_S = self.begins_N[samples_S]
        shard_S = np.searchsorted(self.shards.first_tokens, begins_S, side="right") - 1
        documents_S = np.empty_like(begins_S)
        for at in np.unique(shard_S):
            here_S, ends_D = shard_S == at, self.shards.shards[at].ends_D
            places = (begins_S[here_S] - self.shards.first_tokens[at]).astype(ends_D.dtype)
            documents_S[here_S] = np.searchsorted(ends_D, places, side="right") + self.shards.first_docs[at]
        return documents_S

    def read(self, samples_S: Ints) -> tuple[Ints, NDArray[np.uint8], Ints]:
        """Return the ids and flags of samples on end, and the length of each."""
        begins_S, lengths_S = self.begins_N[samples_S], self.lengths(samples_S)
        shard_S = np.searchsorted(self.shards.first_tokens, begins_S, side="right") - 1
        places_T, shard_T = ranges(begins_S, lengths_S), np.repeat(shard_S, lengths_S)
        ids_T, flags_T = np.empty(len(places_T), np.int64), np.empty(len(places_T), np.uint8)
        for at in np.unique(shard_S):
            here_T, shard = shard_T == at, self.shards.shards[at]
            places = places_T[here_T] - self.shards.first_tokens[at]
            ids_T[here_T], flags_T[here_T] = shard.ids_T[places], shard.flags_T[places]
        return ids_T, flags_T, lengths_S


class LayOut(Protocol):
    """What makes a flat batch of samples: `flatten`, or pairs of segments."""

    def __call__(
        self, table: SampleTable, samples_S: Ints, *, specials: Special, epoch: int
    ) -> FlatBatch: ...


class Batches:
    """The endless row of batches from a position on."""

    def __init__(
        self,
        table: SampleTable,
        *,
        tokens_per_batch: int,
        seed: int,
        specials: Special,
        rank: int = 0,
        world: int = 1,
        lay_out: "LayOut | None" = None,
    ) -> None:
        if not len(table):
            raise DataError("no samples: every document is empty", where=table.shards.folder)
        if not 0 <= rank < world:
            raise ConfigError(f"rank {rank} of {world}")
        self.table, self.state = table, State(seed=seed)
        self._budget, self._specials, self._rank, self._world = tokens_per_batch, specials, rank, world
        self._epoch: tuple[State, Ints, Ints] | None = None
        self.lay_out = lay_out or flatten

    def resume(self, state: State) -> "Batches":
        """Go on from a position that an earlier run reached."""
        if state.seed != self.state.seed:
            raise ConfigError(f"the run to resume had seed {state.seed}, not {self.state.seed}")
        if not 0 <= state.consumed <= len(self.table):
            raise DataError(
                f"{state.consumed} samples consumed of {len(self.table)}", remedy="another corpus?"
            )
        self.state = state
        return self

    def __iter__(self) -> Iterator[FlatBatch]:
        while True:
            batch, self.state = self.batch_at(self.state)
            yield batch

    def batch_at(self, state: State, *, tokens: int | None = None) -> tuple[FlatBatch, State]:
        """Return this rank's batch at a position, and the position after it; `tokens` sets the budget."""
        if state.consumed == len(self.table):
            state = State(seed=state.seed, epoch=state.epoch + 1)
        order_N, ends_N = self._order_of(state)
        start = state.consumed
        spent = int(ends_N[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends_N, spent + (tokens or self._budget), side="right")))
        samples_S = order_N[start:stop][self._share(ends_N[start:stop] - spent)]
        after = State(seed=state.seed, epoch=state.epoch, consumed=stop)
        return self.lay_out(self.table, samples_S, specials=self._specials, epoch=state.epoch), after

    def _share(self, ends_S: Ints) -> slice:
        """Return the run of samples whose middles lie in this rank's part of the tokens."""
        middles_S = ends_S - np.diff(ends_S, prepend=0) / 2
        edges = ends_S[-1] * np.array([self._rank, self._rank + 1]) / self._world
        first, last = np.searchsorted(middles_S, edges)
        return slice(int(first), int(last))

    def _order_of(self, state: State) -> tuple[Ints, Ints]:
        """Return the order of an epoch and where each sample ends in it, in tokens with specials."""
        key = State(seed=state.seed, epoch=state.epoch)
        if self._epoch is None or self._epoch[0] != key:
            order_N = order(len(self.table), seed=key.seed, epoch=key.epoch)
            self._epoch = (key, order_N, np.cumsum(self._lengths_N[order_N]))
        return self._epoch[1:]

    @cached_property
    def _lengths_N(self) -> Ints:
        return self.table.ends_N - self.table.begins_N + self.table.specials


def order(n: int, *, seed: int, epoch: int) -> Ints:
    """Return a permutation of n samples; 10 million take two or three seconds, once an epoch.

    >>> order(5, seed=1, epoch=0).tolist() != order(5, seed=1, epoch=1).tolist()
    True
    """
    return np.argsort(draw(stream("order", seed, epoch), np.arange(n, dtype=np.int64))).astype(np.int64)


def flatten(table: SampleTable, samples_S: Ints, *, specials: Special, epoch: int) -> FlatBatch:
    """Return samples as one flat batch with [CLS] and [SEP] around each."""
    ids, flags, lengths_S = table.read(samples_S)
    starts_S1 = np.concatenate([[0], np.cumsum(lengths_S + 2)]).astype(np.int64)
    body = ranges(starts_S1[:-1] + 1, lengths_S)
    ids_T, flags_T = np.empty(starts_S1[-1], np.int64), np.full(starts_S1[-1], SPECIAL)
    ids_T[body], flags_T[body] = ids, flags
    ids_T[starts_S1[:-1]], ids_T[starts_S1[1:] - 1] = specials.cls, specials.sep
    flags_T[starts_S1[:-1] + 1] &= SENTENCE  # a sample cut inside a word, a phrase, an entity begins one
    return FlatBatch(ids_T=ids_T, flags_T=flags_T, starts_S1=starts_S1, samples_S=samples_S, epoch=epoch)


def ranges(begins: Ints, lengths: Ints) -> Ints:
    """Return begin, begin + 1, … for each range, on end.

    >>> ranges(np.array([5, 1]), np.array([2, 3])).tolist()
    [5, 6, 1, 2, 3]
    """
    ends = np.cumsum(lengths)
    return np.repeat(begins - ends + lengths, lengths) + np.arange(ends[-1] if len(ends) else 0)


def _blocks(shard: Shard) -> Iterator[tuple[int, int]]:
    """Yield runs of documents of about BLOCK tokens."""
    first = 0
    while first < shard.meta.documents:
        limit = shard.starts_D[first] + BLOCK
        last = max(first + 1, int(np.searchsorted(shard.ends_D, limit, side="right")))
        yield first, last
        first = last


def _cut_block(shard: Shard, first: int, last: int, room: int) -> Ints:
    """Return the begins and ends of the samples of documents first to last, in order.

    All documents are cut in step: round k cuts the k-th sample of every document that has one.
    """
    base = int(shard.starts_D[first])
    begins, ends = shard.starts_D[first:last] - base, shard.ends_D[first:last].astype(np.int64) - base
    flags_T = shard.flags_T[base : base + int(ends[-1])]
    sentences, words = np.flatnonzero(flags_T & SENTENCE), np.flatnonzero(flags_T & CONTINUES_WORD == 0)
    done = [np.empty((2, 0), np.int64)]
    while len(begins := begins[keep := begins < ends]):
        ends = ends[keep]
        limits = begins + room
        at_sentence, at_word = last_before(sentences, limits), last_before(words, limits)
        stops = np.where(at_word > begins, at_word, limits)
        stops = np.where(at_sentence > limits - room // 4, at_sentence, stops)
        stops = np.where(limits >= ends, ends, stops)
        done.append(np.stack([begins, stops]))
        begins = stops
    cut = np.concatenate(done, axis=1)
    return cut[:, np.argsort(cut[0], kind="stable")] + base


def last_before(places: Ints, limits: Ints) -> Ints:
    """Return the last of the sorted places that is not after each limit, or -1.

    >>> last_before(np.array([2, 5]), np.array([1, 5, 9])).tolist()
    [-1, 5, 5]
    """
    found: Ints = np.concatenate([[-1], places])[np.searchsorted(places, limits, side="right")]
    return found
