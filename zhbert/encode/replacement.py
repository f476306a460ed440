"""What is put where a token is to be guessed: [MASK], another token, or itself.

- 80 % of chosen tokens become [MASK], 10 % another token, 10 % stay, drawn per TOKEN as in BERT and
  Chinese-BERT-wwm, or per unit, as in SpanBERT. The other token is one that a text can produce
  (`Tokenizer.ordinary_ids`), never a "##" and a Han character, which would give the forgery away.
- A strategy that puts similar words instead (`mac`) never shows a [MASK]: 80 % of chosen words become a
  similar word of as many tokens, or any word of as many where none is similar; 10 % any word of as many
  tokens; 10 % stay. It is drawn per word, or per unit. Where no word has as many tokens, other tokens go.

Shapes: M chosen tokens, C chosen units, W chosen words, P pieces of the batch, V vocabulary, R tokens to
choose from.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zhbert.encode.draws import Bits, Floats, Ints, below, draw, stream, uniform
from zhbert.encode.pack import SPECIAL, FlatBatch
from zhbert.encode.similar import SimilarWords, keys_of, read_similar
from zhbert.encode.strategies import STRATEGIES, Masking
from zhbert.encode.tokenizer import Tokenizer

UNKNOWN = np.uint8(1 << 6)  # in memory only, beside the flags of the shards


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskIds:
    """What masking must know of a vocabulary: [MASK], what is not to be guessed, what to put instead."""

    mask: int
    flags_V: NDArray[np.uint8]
    random_R: Ints
    similar: SimilarWords | None

    @classmethod
    def of(cls, tokenizer: Tokenizer, similar: Path | None = None) -> "MaskIds":
        """Return the facts of a tokenizer, and of a list of similar words where there is one."""
        special = tokenizer.special
        flags_V = np.zeros(tokenizer.size, np.uint8)
        flags_V[[special.pad, special.cls, special.sep, special.mask]] = SPECIAL
        flags_V[special.unk] = UNKNOWN
        words = read_similar(similar, tokenizer) if similar else None
        return cls(mask=special.mask, flags_V=flags_V, random_R=tokenizer.ordinary_ids, similar=words)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen:
    """The chosen tokens of a batch in order, the units they come from, and where all pieces begin."""

    positions_M: Ints
    heads_C: Ints
    lengths_C: Ints
    samples_C: Ints
    heads_P: Ints


def replaced(
    batch: FlatBatch, chosen: Chosen, targets_M: Ints, masking: Masking, *, seed: int, vocabulary: MaskIds
) -> Ints:
    """Return what is put where tokens are chosen."""
    samples_M = np.repeat(chosen.samples_C, chosen.lengths_C)

    def draws(purpose: str, positions: Ints, samples: Ints) -> Bits:
        streams_S = stream(purpose, seed, batch.epoch, batch.samples_S)
        return draw(streams_S[samples], positions - batch.starts_S1[samples])

    def others(at: Ints) -> Ints:
        bits = draws("other", chosen.positions_M[at], samples_M[at])
        return vocabulary.random_R[below(bits, len(vocabulary.random_R))]

    def kinds(positions: Ints, samples: Ints, at: Ints | slice) -> Floats:
        if masking.replace_per == "token":
            return uniform(draws("replace", positions, samples))
        kinds_C = uniform(draws("replace", chosen.heads_C, chosen.samples_C))
        return np.repeat(kinds_C, chosen.lengths_C)[at]

    hidden, changed, _ = masking.replace
    if STRATEGIES[masking.strategy].instead == "[MASK]":
        kinds_M = kinds(chosen.positions_M, samples_M, slice(None))
        put_M = np.where(kinds_M < hidden, vocabulary.mask, targets_M)
        at = np.flatnonzero((kinds_M >= hidden) & (kinds_M < hidden + changed))
        put_M[at] = others(at)
        return put_M
    assert vocabulary.similar is not None, "no list of similar words was given"
    begins_T = np.zeros(len(batch.ids_T), np.bool_)
    begins_T[chosen.heads_P] = True
    firsts_W = np.flatnonzero(begins_T[chosen.positions_M])
    lengths_W = np.diff(firsts_W, append=len(targets_M))
    places = chosen.positions_M[firsts_W], samples_M[firsts_W]
    kinds_W = kinds(*places, firsts_W)
    words_W = vocabulary.similar.instead(
        keys_of(targets_M, firsts_W),
        bits_W=draws("word", *places),
        similar_W=kinds_W < hidden,
    )
    put_M = vocabulary.similar.tokens(words_W, lengths_W)
    at = np.flatnonzero(put_M < 0)
    put_M[at] = others(at)
    return np.where(np.repeat(kinds_W < hidden + changed, lengths_W), put_M, targets_M)
