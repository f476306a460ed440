"""The held-out text that encoders are judged on, what is hidden in it, and how often its words were seen.

- Documents are taken in a random order that depends on nothing but their number, a long one with no more
  than its beginning, until there is enough. All encoders get the same documents; those with the same shards
  get the same samples, the same masks and the same words.
- What has [UNK] in it, or is longer than masking takes whole, is never asked for.

Shapes: T tokens of the row, S samples (S1 boundaries), D documents that were taken, U units, K words that
were asked for, M hidden tokens.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zhbert.encode.draws import Bits, Ints, draw, stream
from zhbert.encode.masking import mask
from zhbert.encode.pack import SPECIAL, FlatBatch, SampleTable, flatten, order
from zhbert.encode.replacement import UNKNOWN, MaskIds
from zhbert.encode.shards import CONTINUES_ENTITY, CONTINUES_PHRASE, CONTINUES_WORD, Shard, Shards
from zhbert.encode.strategies import LONGEST, Masking
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError, DataError
from zhbert.task.guessing import Questions

SEED = 0
RATE = 0.15
MOST_OF_ONE = 2000  # tokens of a document
BITS = {"word": CONTINUES_WORD, "phrase": CONTINUES_PHRASE, "entity": CONTINUES_ENTITY}
_BLOCK = 1 << 20  # words that are looked up at once


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOut:
    """Samples on end, the document of each (by its place among those taken), and the documents' sources."""

    folder: Path
    row: FlatBatch
    documents_S: Ints
    documents: tuple[str, ...]
    sources_D: tuple[str, ...]
    vocabulary: MaskIds

    @property
    def tokens(self) -> int:
        """How many tokens of text there are, special ones aside."""
        return len(self.row.ids_T) - 2 * len(self.documents_S)

    def samples_at(self, places: Ints) -> Ints:
        """Return the sample that each place of the row lies in."""
        return np.searchsorted(self.row.starts_S1, places, side="right") - 1


def open_held_out(folder: Path, tokenizer: Tokenizer, *, where: str) -> Shards:
    """Return the held-out shards of a folder, which must have been made with this tokenizer."""
    if not (folder / "held-out").is_dir():
        raise DataError("there is no held-out part in it", where=folder, remedy="encode with held_out = 0.02")
    if Tokenizer.load(folder / "tokenizer").fingerprint != tokenizer.fingerprint:
        raise ConfigError(
            f"{folder} was made with another tokenizer",
            where=where,
            remedy="encode the documents with the encoder's tokenizer and give shards for each encoder",
        )
    return Shards.open(folder / "held-out", tokenizer=tokenizer.fingerprint)


def choose(shards: Shards, *, tokens: int) -> Ints:
    """Return the documents to judge on, in ascending order: enough for so many tokens."""
    lengths_D = np.concatenate([np.diff(s.ends_D.astype(np.int64), prepend=0) for s in shards.shards])
    order_D = order(shards.n_docs, seed=SEED, epoch=0)
    taken_D = np.minimum(lengths_D[order_D], MOST_OF_ONE)
    before_D = np.cumsum(taken_D) - taken_D
    chosen: Ints = np.sort(order_D[(before_D < tokens) & (taken_D > 0)])
    if not len(chosen):
        raise DataError("every held-out document is empty", where=shards.folder)
    return chosen


def held_out(shards: Shards, chosen: Ints, tokenizer: Tokenizer, *, max_tokens: int) -> HeldOut:
    """Return the samples of documents, of a long one those that begin in its first tokens."""
    table = SampleTable.cut(shards, max_tokens=max_tokens)
    documents_N = table.documents(np.arange(len(table)))
    firsts_D = np.concatenate(
        [s.starts_D + base for s, base in zip(shards.shards, shards.first_tokens[:-1], strict=True)]
    )
    taken_N = np.isin(documents_N, chosen) & (table.begins_N - firsts_D[documents_N] < MOST_OF_ONE)
    samples = np.flatnonzero(taken_N)
    return HeldOut(
        folder=shards.folder,
        row=flatten(table, samples, specials=tokenizer.special, epoch=0),
        documents_S=np.searchsorted(chosen, documents_N[samples]),
        documents=tuple(map(str, chosen.tolist())),
        sources_D=tuple(shards.sources[i] for i in shards.sources_D[chosen].tolist()),
        vocabulary=MaskIds.of(tokenizer),
    )


def masked(text: HeldOut) -> tuple[Questions, Ints]:
    """Return the text with whole words masked as in pretraining, and where among the hidden a word begins."""
    masking = Masking(strategy="wwm", rate=RATE, replace=(1.0, 0.0, 0.0))
    places_M = mask(text.row, masking, seed=SEED, vocabulary=text.vocabulary).positions_M
    heads_M = text.row.flags_T[places_M] & CONTINUES_WORD == 0
    heads_M |= np.diff(places_M, prepend=-2) != 1
    samples, counts = np.unique(text.samples_at(places_M), return_counts=True)
    return Questions(samples_Q=samples, counts_Q=counts, places_M=places_M), np.flatnonzero(heads_M)


def units(text: HeldOut, kind: str, *, most: int) -> tuple[Ints, Ints]:
    """Return where up to so many units of a kind begin, drawn by lot, and how long each is."""
    flags_T = text.row.flags_T | text.vocabulary.flags_V[text.row.ids_T]
    heads_U = np.flatnonzero(flags_T & BITS[kind] == 0)
    lengths_U = np.diff(heads_U, append=len(flags_T))
    odd_T1 = np.concatenate([[0], np.cumsum(flags_T >= UNKNOWN)])
    fit_U = (odd_T1[heads_U + lengths_U] == odd_T1[heads_U]) & (lengths_U <= LONGEST)
    fit_U &= lengths_U >= (1 if kind == "word" else 2)  # one token alone is no phrase and no entity
    heads_U, lengths_U = heads_U[fit_U], lengths_U[fit_U]
    samples_U = text.samples_at(heads_U)
    streams_U = stream("probe", SEED, text.row.samples_S[samples_U])
    lots_U = draw(streams_U, heads_U - text.row.starts_S1[samples_U])
    drawn = np.sort(np.argsort(lots_U, kind="stable")[:most])
    return heads_U[drawn], lengths_U[drawn]


def word_keys(ids_T: Ints, begins_K: Ints, lengths_K: Ints) -> Bits:
    """Return one number for each word, the same for the same tokens in the same order.

    >>> keys = word_keys(np.array([5, 6, 6, 5, 5, 6]), np.array([0, 2, 4]), np.array([2, 2, 2]))
    >>> bool(keys[0] == keys[2]), bool(keys[0] == keys[1])
    (True, False)
    """
    if not len(begins_K):
        return np.zeros(0, np.uint64)
    firsts = np.cumsum(lengths_K) - lengths_K
    within = np.arange(lengths_K.sum()) - np.repeat(firsts, lengths_K)
    ids = ids_T[np.repeat(begins_K, lengths_K) + within]
    return np.add.reduceat(draw(stream("word", ids), within + 1), firsts)


def times_seen(folder: Path, keys_K: Bits, *, most: int) -> tuple[Ints, int]:
    """Return how often words stand in the training shards, and in how many tokens they were looked for."""
    known = np.unique(keys_K)
    times, read = np.zeros(len(known), np.int64), 0
    for shard in Shards.open(folder / "train").shards if (folder / "train").is_dir() else ():
        if read >= most:
            break
        read += _count(shard, known, times)
    return times[np.searchsorted(known, keys_K)], read


def _count(shard: Shard, known: Bits, times: Ints) -> int:
    heads_T: NDArray[np.bool_] = shard.flags_T & CONTINUES_WORD == 0
    heads_T[shard.starts_D[shard.starts_D < shard.meta.tokens]] = True
    heads_U = np.flatnonzero(heads_T)
    lengths_U = np.diff(heads_U, append=shard.meta.tokens)
    for first in range(0, len(heads_U), _BLOCK):
        begins, lengths = heads_U[first : first + _BLOCK], lengths_U[first : first + _BLOCK]
        ids = shard.ids_T[begins[0] : begins[-1] + lengths[-1]].astype(np.int64)
        keys = word_keys(ids, begins - begins[0], lengths)
        at = np.minimum(np.searchsorted(known, keys), max(len(known) - 1, 0))
        times += np.bincount(at[known[at] == keys], minlength=len(known)) if len(known) else 0
    return shard.meta.tokens


def is_special(text: HeldOut) -> NDArray[np.bool_]:
    """Return which tokens of the row are special, or their letters in a text."""
    return (text.row.flags_T | text.vocabulary.flags_V[text.row.ids_T]) >= SPECIAL
