"""`similar`: shards in, the words of the corpus out, each with those that stand in the same places.

    words of the shards ─▶ counts beside frequent words ─▶ PPMI ─▶ truncated SVD ─▶ nearest of one length

- Vectors are counted (`counting`): the same shards give the same file on the same machine. Between machines
  a similarity may differ in its last figure.
- Words are the `words` most frequent ones whose tokens are all known and which are read back as they are
  written. They are counted in a table of at most KEYS entries, from which rare ones are dropped when it is
  full, so the count of a rare word may be too low.
- Neighbours are sought among the CONTEXTS most frequent words, at most `window` words away and in the same
  document. Memory is bounded by words x CONTEXTS counts of 12 bytes: 500 MB for 20,000 words, far less in
  practice.
- Of a large corpus, every k-th portion of documents is read, so many that `tokens` are reached.

Shapes: T tokens and P words of a portion, K words that are kept, C contexts, D dimensions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from zhbert.config import Config, Input
from zhbert.encode.counting import Vectors, cuts, ppmi, vectors
from zhbert.encode.draws import Bits, Ints
from zhbert.encode.shards import CONTINUES_WORD, Shards
from zhbert.encode.similar import HEAD, keys_of, length_of
from zhbert.encode.strategies import LONGEST
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import DataError
from zhbert.files import Work, write_text
from zhbert.progress import SILENT, Progress

NAME = "similar.tsv"
KEYS = 1_000_000
CONTEXTS = 2_000
AT_ONCE = 1_000  # words whose similarities to all others are held at once


class SimilarConfig(Config):
    """How words and their neighbours become words that are similar."""

    shards: Input = Field(description="the output of `zhbert encode`")
    words: int = Field(
        default=20_000, ge=10, le=200_000, description="how many words, the most frequent ones"
    )
    min_count: int = Field(default=10, ge=1, description="leave out words that occur less often")
    most: int = Field(default=10, ge=1, le=50, description="similar words for each word at most")
    least: float = Field(default=0.4, ge=-1, le=1, description="how similar they must be, as a cosine")
    window: int = Field(default=2, ge=1, le=20, description="how many words away a neighbour may be")
    dimensions: int = Field(default=100, ge=2, le=1000, description="dimensions of a word")
    tokens: int = Field(default=50_000_000, ge=1, description="how many tokens to read at most")


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """Some documents: their ids, where words begin, the key of each word, and the document it is in."""

    ids_T: Ints
    heads_P: Ints
    keys_P: Bits
    docs_P: Ints


def similar(config: SimilarConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write the words of a corpus, the most frequent first, and what is similar to each."""
    tokenizer = Tokenizer.load(config.shards / "tokenizer")
    shards = Shards.open(config.shards / "train", tokenizer=tokenizer.fingerprint)
    step = max(1, -(-shards.n_tokens // config.tokens))
    with progress.bar("similar", total=2 * len(range(0, _count(shards), step)), unit="portions") as bar:
        counts = _Counts()
        for portion in portions(shards, step):
            counts.add(portion)
            bar.advance()
        names, keys_K, counts_K = counts.best(config, tokenizer)
        pairs_KC = sparse.csr_matrix((len(keys_K), min(CONTEXTS, len(keys_K))), dtype=np.int64)
        for portion in portions(shards, step):
            pairs_KC = pairs_KC + pairs(portion, keys_K, config.window)
            bar.advance()
    vectors_KD = vectors(ppmi(pairs_KC), config.dimensions)
    lines = [HEAD]
    for k, near in enumerate(nearest(vectors_KD, length_of(keys_K), most=config.most, least=config.least)):
        others = (f"{names[other]} {cosine:.3f}" for other, cosine in near)
        lines.append("\t".join([names[k], str(int(counts_K[k])), *others]))
    write_text(work.folder / NAME, "".join(f"{line}\n" for line in lines))
    work.counts |= {"words": len(names), "with_similar": sum(line.count("\t") > 1 for line in lines)}


def _count(shards: Shards) -> int:
    return sum(len(cuts(shard)) for shard in shards.shards)


def portions(shards: Shards, step: int = 1) -> Iterator[Portion]:
    """Yield every step-th portion of the documents."""
    places = [(shard, first, last) for shard in shards.shards for first, last in cuts(shard)]
    for shard, first, last in places[::step]:
        begin, end = int(shard.starts_D[first]), int(shard.ends_D[last - 1])
        starts_D = shard.starts_D[first:last] - begin
        ids_T = shard.ids_T[begin:end].astype(np.int64)
        heads_T = shard.flags_T[begin:end] & CONTINUES_WORD == 0
        heads_T[starts_D[starts_D < len(heads_T)]] = True
        heads_P = np.flatnonzero(heads_T)
        docs_P = np.searchsorted(starts_D, heads_P, side="right")
        yield Portion(ids_T, heads_P, keys_of(ids_T, heads_P), docs_P)


class _Counts:
    """How often each word occurs, by its key, and its ids, in bounded memory."""

    def __init__(self) -> None:
        self.keys, self.counts = np.empty(0, np.uint64), np.empty(0, np.int64)
        self.ids = np.empty((0, LONGEST), np.int32)

    def add(self, portion: Portion) -> None:
        """Count the words of a portion."""
        keys, firsts, counts = np.unique(portion.keys_P, return_index=True, return_counts=True)
        keep = length_of(keys) <= LONGEST
        keys, firsts, counts = keys[keep], firsts[keep], counts[keep]
        places = portion.heads_P[firsts, None] + np.arange(LONGEST)
        inside = np.arange(LONGEST) < length_of(keys)[:, None]
        ids = np.where(inside, portion.ids_T[np.minimum(places, len(portion.ids_T) - 1)], -1).astype(np.int32)
        keys, counts = np.concatenate([self.keys, keys]), np.concatenate([self.counts, counts])
        self.keys, first, place = np.unique(keys, return_index=True, return_inverse=True)
        self.counts = np.bincount(place, weights=counts, minlength=len(self.keys)).astype(np.int64)
        self.ids = np.concatenate([self.ids, ids])[first]
        self._drop(KEYS)

    def _drop(self, limit: int) -> None:
        if len(self.keys) > limit:
            often = self.counts > np.partition(self.counts, len(self.counts) - limit // 2)[-(limit // 2)]
            self.keys, self.counts, self.ids = self.keys[often], self.counts[often], self.ids[often]

    def best(self, config: SimilarConfig, tokenizer: Tokenizer) -> tuple[list[str], Bits, Ints]:
        """Return the most frequent words that can be written and read again, their keys and counts."""
        special = tokenizer.special
        odd = [special.pad, special.unk, special.cls, special.sep, special.mask]
        fit = (self.counts >= config.min_count) & ~np.isin(self.ids, odd).any(axis=1)
        order = np.flatnonzero(fit)
        order = order[np.lexsort((self.keys[order], -self.counts[order]))][: 2 * config.words]
        names = ["".join(_text(tokenizer, row)) for row in self.ids[order]]
        flat = tokenizer.encode_flat(names)
        lengths = np.diff(flat.docs, prepend=0)
        same = lengths == length_of(self.keys[order])
        inside = np.repeat(same, lengths)
        again = keys_of(flat.ids[inside].astype(np.int64), np.cumsum(lengths[same]) - lengths[same])
        same[same] = again == self.keys[order[same]]
        chosen = np.flatnonzero(same)[: config.words]
        if len(chosen) < 2:
            remedy = "lower min_count, or take more text"
            raise DataError("too few words to compare", where=config.shards, remedy=remedy)
        return [names[i] for i in chosen], self.keys[order[chosen]], self.counts[order[chosen]]


def _text(tokenizer: Tokenizer, row: NDArray[np.int32]) -> Iterator[str]:
    """Yield the tokens of a word as they stand in a text."""
    for id_ in row[row >= 0].tolist():
        yield tokenizer.tokens[id_].removeprefix("##")


def pairs(portion: Portion, keys_K: Bits, window: int) -> "sparse.csr_matrix":
    """Return how often each word has each of the most frequent ones near it."""
    order = np.argsort(keys_K)
    found = np.minimum(np.searchsorted(keys_K[order], portion.keys_P), len(keys_K) - 1)
    words_P = np.where(keys_K[order[found]] == portion.keys_P, order[found], -1)
    shape = (len(keys_K), min(CONTEXTS, len(keys_K)))
    total = sparse.csr_matrix(shape, dtype=np.int64)
    for away in range(1, window + 1):
        one, other = words_P[:-away], words_P[away:]
        same = (portion.docs_P[:-away] == portion.docs_P[away:]) & (one >= 0) & (other >= 0)
        for rows, columns in ((one[same], other[same]), (other[same], one[same])):
            near = columns < shape[1]
            ones = np.ones(int(near.sum()), np.int64)
            total = total + sparse.csr_matrix((ones, (rows[near], columns[near])), shape=shape)
    return total


def nearest(
    vectors_KD: Vectors, lengths_K: Ints, *, most: int, least: float
) -> list[list[tuple[int, float]]]:
    """Return for each word the most similar ones of as many tokens, with their cosines, the nearest first.

    >>> rows = np.array([[1, 0], [0.8, 0.6], [0, 1], [1, 0]], np.float32)
    >>> nearest(rows, np.array([2, 2, 2, 1]), most=1, least=0.5)
    [[(1, 0.8)], [(0, 0.8)], [(1, 0.6)], []]
    """
    found: list[list[tuple[int, float]]] = [[] for _ in lengths_K]
    for length in np.unique(lengths_K):
        group = np.flatnonzero(lengths_K == length)
        for begin in range(0, len(group), AT_ONCE):
            here = group[begin : begin + AT_ONCE]
            cosines = vectors_KD[here] @ vectors_KD[group].T
            cosines[np.arange(len(here)), np.arange(begin, begin + len(here))] = -2
            some = np.argpartition(-cosines, min(most, len(group)) - 1, axis=1)[:, :most]
            for k, row, places in zip(here.tolist(), cosines, some, strict=True):
                best = places[np.lexsort((places, -row[places]))]
                found[k] = [(int(group[p]), round(float(row[p]), 3)) for p in best if row[p] >= least]
    return found
