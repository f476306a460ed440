"""How tokens group into the units that are masked: one function and one line in STRATEGIES each.

    pieces (words, or single tokens) ──a strategy──▶ units, each a run of pieces

- A strategy sees the PIECES of a batch and says at which of them a unit begins. What may be chosen, how
  much, and what is put instead is the rule of `masking`, the same for all.
- A run of words (`ngram`, `span`, `mac`) never goes over the beginning of a sentence, nor over a word that
  cannot be chosen. The lengths of the runs of a sample are drawn one after the other from its beginning, so
  that the shares asked for are those of all the units, and hence of the chosen ones.
- A phrase or an entity that is longer than LONGEST tokens, or holds a word that cannot be chosen, comes
  apart into its words: it cannot be guessed as a whole.
- `ernie` is no grouping but one after another: see `plan.STAGED`.

Shapes: P pieces, S samples (S1 boundaries), N lengths of runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zhbert.encode.draws import Bits, Ints, draw, stream
from zhbert.encode.shards import CONTINUES_ENTITY, CONTINUES_PHRASE, SENTENCE

LONGEST = 16
Mask = NDArray[np.bool_]
Flags = NDArray[np.uint8]
_ROUGH = 14  # bits of a draw that decide the length of a run: shares are exact to 0.01 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """What is masked at one point of training, and how; `plan.MaskingConfig` says what each means."""

    strategy: str = "wwm"
    rate: float = 0.15
    budget: Literal["tokens", "units"] = "tokens"
    replace: tuple[float, float, float] = (0.8, 0.1, 0.1)
    replace_per: Literal["token", "unit"] = "token"
    ngrams: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)
    span_p: float = 0.2
    span_longest: int = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """The words of a batch of `size` tokens, or these tokens: where each begins, whether it may be chosen.

    Sample i has the pieces bounds_S1[i] to bounds_S1[i + 1]; `keys` are the seed, the epoch and the samples,
    of which every draw is a hash.
    """

    heads_P: Ints
    fit_P: Mask
    bounds_S1: Ints
    flags_T: Flags
    keys: tuple[int, int, Ints]

    @property
    def size(self) -> int:
        """The number of tokens."""
        return len(self.flags_T)

    @cached_property
    def flags_P(self) -> Flags:
        """The flags of the first token of every piece."""
        return self.flags_T[self.heads_P]

    @cached_property
    def counts_S(self) -> Ints:
        """The number of pieces of each sample."""
        return np.diff(self.bounds_S1)

    def draws(self, purpose: str) -> Bits:
        """Return random bits for every piece, by its number in its sample."""
        firsts_P = np.repeat(self.bounds_S1[:-1], self.counts_S)
        streams_P = np.repeat(stream(purpose, *self.keys), self.counts_S)
        return draw(streams_P, np.arange(len(self.heads_P)) - firsts_P)


Group = Callable[[Pieces, Masking], Mask | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A way to mask: what it is, how pieces become units (None: each is one), and what goes instead."""

    about: str
    group: Group
    pieces: Literal["words", "tokens"] = "words"
    instead: Literal["[MASK]", "similar"] = "[MASK]"


def alone(pieces: Pieces, masking: Masking) -> None:
    """Make every piece a unit of its own."""


def ngrams(pieces: Pieces, masking: Masking) -> Mask:
    """Make runs of 1, 2, 3, … words in the shares of `ngrams`."""
    return _runs(pieces, masking.ngrams)


def spans(pieces: Pieces, masking: Masking) -> Mask:
    """Make runs of geometric length, none longer than `span_longest`."""
    return _runs(pieces, geometric(masking.span_p, masking.span_longest))


def phrases(pieces: Pieces, masking: Masking) -> Mask:
    """Keep the words of a phrase together."""
    return _together(pieces, CONTINUES_PHRASE)


def entities(pieces: Pieces, masking: Masking) -> Mask:
    """Keep the words of an entity together, and those of a phrase."""
    return _together(pieces, CONTINUES_PHRASE | CONTINUES_ENTITY)


STRATEGIES = {
    "char": Strategy(about="every token by itself", group=alone, pieces="tokens"),
    "wwm": Strategy(about="whole words", group=alone),
    "ngram": Strategy(about="runs of 1 to 4 words", group=ngrams),
    "phrase": Strategy(about="words and phrases", group=phrases),
    "entity": Strategy(about="words, phrases and entities", group=entities),
    "span": Strategy(about="runs of words of geometric length", group=spans),
    "char-span": Strategy(about="runs of tokens of geometric length", group=spans, pieces="tokens"),
    "mac": Strategy(about="similar words instead of [MASK], in n-grams", group=ngrams, instead="similar"),
}


def geometric(p: float, longest: int) -> tuple[float, ...]:
    """Return the shares of the lengths 1, 2, …; those beyond `longest` are left out, not heaped up on it.

    >>> round(sum(n * share for n, share in enumerate(geometric(0.2, 10), 1)), 2)  # the paper's mean: 3.8
    3.8
    """
    shares = [p * (1 - p) ** n for n in range(longest)]
    return tuple(share / sum(shares) for share in shares)


def _runs(pieces: Pieces, shares: tuple[float, ...]) -> Mask:
    """Return where a run begins when run after run takes as many pieces as is drawn for it."""
    firsts_S = pieces.bounds_S1[:-1]
    lengths_P = _lengths(shares)[pieces.draws("run") >> np.uint64(64 - _ROUGH)]
    ends_P = np.cumsum(lengths_P)
    ends_P += np.repeat(firsts_S - ends_P[firsts_S] + lengths_P[firsts_S], pieces.counts_S)
    starts_P = _breaks(pieces)
    starts_P[ends_P[ends_P < np.repeat(pieces.bounds_S1[1:], pieces.counts_S)]] = True
    return starts_P


@lru_cache(maxsize=16)
def _lengths(shares: tuple[float, ...]) -> Ints:
    """Return a table of lengths, each as often as its share."""
    edges = np.round(np.cumsum(shares) / sum(shares) * (1 << _ROUGH)).astype(np.int64)
    return np.repeat(np.arange(1, len(shares) + 1), np.diff(edges, prepend=0))


def _breaks(pieces: Pieces) -> Mask:
    """Return the pieces that no run may reach over: first ones, those not to be chosen, and what follows."""
    starts_P: Mask = pieces.flags_P & SENTENCE != 0
    starts_P |= ~pieces.fit_P
    starts_P[1:] |= ~pieces.fit_P[:-1]
    starts_P[pieces.bounds_S1[:-1]] = True
    return starts_P


def _together(pieces: Pieces, bits: np.uint8) -> Mask:
    """Return where a unit begins when a piece whose first token has one of the bits goes on with the last."""
    starts_P: Mask = pieces.flags_P & bits == 0
    starts_P[pieces.bounds_S1[:-1]] = True
    firsts_U = np.flatnonzero(starts_P)
    apart_U = np.diff(pieces.heads_P[firsts_U], append=pieces.size) > LONGEST
    apart_U[np.searchsorted(firsts_U, np.flatnonzero(~pieces.fit_P), side="right") - 1] = True
    starts_P |= np.repeat(apart_U, np.diff(firsts_U, append=len(starts_P)))
    return starts_P
