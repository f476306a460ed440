"""Tokens of many texts at once, and what each of them continues: a word, a phrase, an entity; or begins.

The texts stand in one string, a line break between two. Everything that is found in it is an array
of ranges of its characters, and reaches the tokens through their offsets.

Shapes: T tokens, D documents, R ranges; `_T2` is a start and an end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhbert.encode.align import continuations, sentence_starts
from zhbert.encode.shards import CONTINUES_ENTITY, CONTINUES_PHRASE, CONTINUES_WORD, SENTENCE
from zhbert.encode.tokenizer import Tokenizer
from zhbert.text.blob import Blob
from zhbert.text.entities import Kinds
from zhbert.text.segment import Segmenter, ranges
from zhbert.text.sentences import sentence_ends
from zhbert.text.units import Units

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flagged:
    """The tokens of some texts with their flags, and the ranges of characters behind them."""

    blob: str
    ids_T: NDArray[np.int32]
    flags_T: NDArray[np.uint8]
    tokens_T2: Ints
    ends_D: Ints
    words_R2: Ints
    phrases_R2: Ints
    entities_R2: Ints
    kinds_R: Kinds

    @property
    def lengths_D(self) -> Ints:
        """The number of tokens of each text."""
        return np.diff(self.ends_D, prepend=0)


def flag(texts: Sequence[str], tokenizer: Tokenizer, cutter: Segmenter, units: Units) -> Flagged:
    """Return the tokens of some texts, each with what it continues and whether a sentence starts with it."""
    blob = "\n".join(texts)
    flat = tokenizer.encode_flat(texts)
    tokens_T2 = np.stack([flat.starts, flat.ends], axis=1)
    words_R2 = ranges(joined((cutter.ends(text) for text in texts), texts))
    phrases_R2, entities_R2, kinds_R = units.ranges(blob, words_R2[:, 1])
    flags_T = (
        continuations(tokens_T2, words_R2) * CONTINUES_WORD
        | continuations(tokens_T2, phrases_R2) * CONTINUES_PHRASE
        | continuations(tokens_T2, entities_R2) * CONTINUES_ENTITY
        | sentence_starts(tokens_T2, ranges(sentence_ends(Blob.of(blob)))) * SENTENCE
    )
    return Flagged(
        blob=blob,
        ids_T=flat.ids,
        flags_T=flags_T,
        tokens_T2=tokens_T2,
        ends_D=flat.docs,
        words_R2=words_R2,
        phrases_R2=phrases_R2,
        entities_R2=entities_R2,
        kinds_R=kinds_R,
    )


def joined(ends: Iterable[Ints], texts: Sequence[str]) -> Ints:
    """Return where the pieces of many texts end in the string that joins the texts; a break is a piece.

    >>> joined([np.array([1, 2]), np.array([2])], ["爱国", "北京"]).tolist()
    [1, 2, 3, 5]
    """
    pieces: list[Ints] = []
    at = 0
    for found, text in zip(ends, texts, strict=True):
        pieces.append(found + at)
        at += len(text) + 1
        pieces.append(np.array([at]))
    return np.concatenate(pieces)[:-1] if pieces else np.zeros(0, dtype=np.int64)
