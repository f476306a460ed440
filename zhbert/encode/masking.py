"""Which tokens the model must guess: whole words, at an exact rate, on real Chinese text.

- A STRATEGY says how tokens group into units; one shared rule then chooses units, whole or not at all.
- The budget of a sample is rate x its real tokens (all but special tokens), never rounded, and never more
  than half of the tokens that can be chosen. Its units stand in random order; a unit is taken when

      tokens before it + u x its own tokens < budget          u uniform in [0, 1), one per sample

  so every unit inside the budget is taken, none outside, and the one that crosses it with just the
  probability that makes the expected number of tokens EQUAL to the budget, whatever the word lengths.
  "Fill up, skip what overflows" (Google BERT, HF 4, UER) prefers short words near the end; a draw per
  word (ERNIE, HF 5) leaves many documents without a mask; both are why this rule is what it is.
- A sample of 30 real tokens or more (that is, a budget of 4.5 at 15 %) always gets its first unit.
- A unit longer than its budget or 4 tokens comes after all others. A unit longer than 16 tokens (the
  longest word in jieba's dictionary has 16) is no word but a ruler, a hash or an unsegmented run: it is cut
  into units of 4, so that it neither swallows the budget nor goes without a mask.
- A special token, or its letters in a text, ends the unit before it and is never chosen. Nor is a unit that
  holds [UNK]: guessing [UNK] teaches nothing, and the rest of the word without it is not a whole word.
  [UNK] counts as a real token.
- 80 % of chosen tokens become [MASK], 10 % another token, 10 % stay: drawn per TOKEN, as in BERT and
  Chinese-BERT-wwm. The other token is one that a text can produce (`Tokenizer.ordinary_ids`), never a
  "##" and a Han character, which would give the forgery away.
- Every draw is a hash of (purpose, seed, epoch, sample, position): the mask of a sample in an epoch does
  not depend on batch, order, rank or resume, and a new epoch masks anew.

Shapes: T tokens, S samples (S1 boundaries), U units that can be chosen, M chosen tokens, V vocabulary,
R tokens to choose a replacement from.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhbert.encode.draws import Bits, Ints, below, draw, stream, uniform
from zhbert.encode.pack import SPECIAL, FlatBatch
from zhbert.encode.shards import CONTINUES_WORD
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError, nearest

UNKNOWN = np.uint8(1 << 6)  # in memory only, beside the flags of the shards
LONGEST, PIECE = 16, 4
ALWAYS = 30
Flags = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Strategy = Callable[[FlatBatch, int], Mask]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskIds:
    """What masking must know of a vocabulary: [MASK], what is not to be guessed, what to put instead."""

    mask: int
    flags_V: Flags
    random_R: Ints

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "MaskIds":
        """Return the facts of a tokenizer; its ids flagged SPECIAL or UNKNOWN."""
        special = tokenizer.special
        flags_V = np.zeros(tokenizer.size, np.uint8)
        flags_V[[special.pad, special.cls, special.sep, special.mask]] = SPECIAL
        flags_V[special.unk] = UNKNOWN
        return cls(mask=special.mask, flags_V=flags_V, random_R=tokenizer.ordinary_ids)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Masked:
    """A batch to guess in: the ids to read, where to guess, and what stood there."""

    ids_T: Ints
    positions_M: Ints
    targets_M: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The units that can be chosen: first token, length; sample i has bounds_S1[i] to bounds_S1[i + 1]."""

    heads_U: Ints
    lengths_U: Ints
    bounds_S1: Ints


def whole_words(batch: FlatBatch, seed: int) -> Mask:
    """Return where a word of the segmenter begins."""
    heads_T: Mask = batch.flags_T & CONTINUES_WORD == 0
    return heads_T


def characters(batch: FlatBatch, seed: int) -> Mask:
    """Return that every token is a unit of its own, as in the first Chinese BERT."""
    return np.ones(len(batch.ids_T), np.bool_)


STRATEGIES: dict[str, Strategy] = {"wwm": whole_words, "char": characters}


def mask(
    batch: FlatBatch,
    *,
    strategy: str = "wwm",
    rate: float = 0.15,
    replace: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int,
    vocabulary: MaskIds,
) -> Masked:
    """Choose about `rate` of the tokens; of these the parts in `replace` are masked, changed and kept."""
    if strategy not in STRATEGIES:
        raise ConfigError(f'unknown masking strategy "{strategy}"', remedy=nearest(strategy, STRATEGIES))
    if not 0 < rate <= 0.5:
        raise ConfigError(f"the masking rate must be above 0 and at most 0.5, not {rate}")
    if min(replace) < 0 or abs(sum(replace) - 1) > 1e-9:
        raise ConfigError(f"masked, changed and kept must add up to 1, not {replace}")
    flags_T = batch.flags_T | vocabulary.flags_V[batch.ids_T]
    units = _units(batch, flags_T, STRATEGIES[strategy](batch, seed))
    positions_M, samples_M = _choose(batch, units, _real_tokens(batch, flags_T), rate=rate, seed=seed)
    ids_T = batch.ids_T.copy()
    targets_M = ids_T[positions_M]
    local_M = positions_M - batch.starts_S1[samples_M]
    kinds_M = uniform(_draws(batch, "replace", samples_M, local_M, seed))
    others_M = below(_draws(batch, "other", samples_M, local_M, seed), len(vocabulary.random_R))
    unmasked_M = np.where(kinds_M < replace[0] + replace[1], vocabulary.random_R[others_M], targets_M)
    ids_T[positions_M] = np.where(kinds_M < replace[0], vocabulary.mask, unmasked_M)
    return Masked(ids_T=ids_T, positions_M=positions_M, targets_M=targets_M)


def _draws(batch: FlatBatch, purpose: str, samples: Ints, local: Ints, seed: int) -> Bits:
    """Return random bits for positions counted from the begin of their sample in the batch."""
    return draw(stream(purpose, seed, batch.epoch, batch.samples_S)[samples], local)


def _real_tokens(batch: FlatBatch, flags_T: Flags) -> Ints:
    ends_T = np.concatenate([[0], np.cumsum(flags_T & SPECIAL == 0)])
    real_S: Ints = np.diff(ends_T[batch.starts_S1])
    return real_S


def _units(batch: FlatBatch, flags_T: Flags, heads_T: Mask) -> Units:
    """Return the units that can be chosen: none spans a special token or two samples, none is no word."""
    if not len(flags_T):
        return Units(np.empty(0, np.int64), np.empty(0, np.int64), np.zeros_like(batch.starts_S1))
    special_T = flags_T >= SPECIAL
    heads_T = heads_T | special_T
    heads_T[1:] |= special_T[:-1]
    heads_T[batch.starts_S1[:-1]] = True
    heads_U = np.flatnonzero(heads_T)
    lengths_U = np.diff(heads_U, append=len(flags_T))
    if lengths_U.max() > LONGEST:
        heads_U, lengths_U = _cut(heads_U, lengths_U)
    fit_U = np.bitwise_or.reduceat(flags_T, heads_U) < UNKNOWN
    heads_U, lengths_U = heads_U[fit_U], lengths_U[fit_U]
    return Units(heads_U, lengths_U, np.searchsorted(heads_U, batch.starts_S1))


def _cut(heads_U: Ints, lengths_U: Ints) -> tuple[Ints, Ints]:
    """Cut units longer than LONGEST into pieces of PIECE tokens.

    >>> _cut(np.array([0, 3]), np.array([3, 18]))
    (array([ 0,  3,  7, 11, 15, 19]), array([3, 4, 4, 4, 4, 2]))
    """
    pieces_U = np.where(lengths_U > LONGEST, -(-lengths_U // PIECE), 1)
    ends_U = np.cumsum(pieces_U)
    nth = np.arange(ends_U[-1]) - np.repeat(ends_U - pieces_U, pieces_U)
    heads = np.repeat(heads_U, pieces_U) + nth * PIECE
    return heads, np.diff(heads, append=heads_U[-1] + lengths_U[-1])


def _choose(batch: FlatBatch, units: Units, real_S: Ints, *, rate: float, seed: int) -> tuple[Ints, Ints]:
    """Return the positions of the chosen tokens in order, and the sample of each."""
    every_S, counts_S = np.arange(len(real_S)), np.diff(units.bounds_S1)
    samples_U = np.repeat(every_S, counts_S)
    ends_U = np.concatenate([[0], np.cumsum(units.lengths_U)])
    can_S = np.diff(ends_U[units.bounds_S1])
    budget_S = np.minimum(rate * real_S, can_S / 2)
    heads_U = _shuffle(batch, units, samples_U, budget_S, seed)
    lengths_U = _at(units, heads_U, len(batch.ids_T))
    before_U = np.cumsum(lengths_U) - lengths_U - ends_U[units.bounds_S1[:-1]][samples_U]
    crossing_S = uniform(_draws(batch, "cross", every_S, np.zeros_like(every_S), seed))
    taken_U = before_U + crossing_S[samples_U] * lengths_U < budget_S[samples_U]
    taken_U |= (before_U == 0) & (real_S >= ALWAYS)[samples_U]
    return _expand(heads_U[taken_U], lengths_U[taken_U], samples_U[taken_U])


def _shuffle(
    batch: FlatBatch, units: Units, samples_U: Ints, budget_S: NDArray[np.float64], seed: int
) -> Ints:
    """Return the heads in random order within each sample, overlong units last.

    One sort of packed keys (sample 20 bits, overlong 1, hash 27, head 16) is four times as fast as
    sorting indices by three keys, and equal hashes fall to the earlier head, not to chance.
    """
    assert len(batch.samples_S) < 1 << 20, "more than a million samples in a batch"
    starts_U = batch.starts_S1[samples_U]
    local_U = units.heads_U - starts_U
    assert not len(local_U) or local_U.max() < 1 << 16, "a sample longer than 65,536 tokens"
    keys_U = _draws(batch, "unit", samples_U, local_U, seed) >> np.uint64(37) << np.uint64(16)
    keys_U |= local_U.astype(np.uint64)
    late_U = units.lengths_U > np.maximum(budget_S, PIECE)[samples_U]
    keys_U |= ((samples_U << 1 | late_U) << 43).astype(np.uint64)
    keys_U.sort()
    return (keys_U & np.uint64(0xFFFF)).astype(np.int64) + starts_U


def _at(units: Units, heads_U: Ints, size: int) -> Ints:
    """Return the length of the unit at each head."""
    lengths_T = np.empty(size, np.int64)
    lengths_T[units.heads_U] = units.lengths_U
    return lengths_T[heads_U]


def _expand(heads: Ints, lengths: Ints, samples: Ints) -> tuple[Ints, Ints]:
    ends = np.cumsum(lengths)
    places = np.repeat(heads - ends + lengths, lengths) + np.arange(ends[-1] if len(ends) else 0)
    places.sort()
    return places, np.repeat(samples, lengths)
