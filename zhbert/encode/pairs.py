"""Samples of two segments, and whether the second follows the first: what NSP and SOP learn from.

    [CLS] first [SEP] second [SEP]

- A sample is cut in two at the sentence that begins nearest to its middle, else at such a word, else in the
  middle. A sample of one token stays whole and has no label.
- `nsp` (BERT): half of the samples get the second segment of a sample of another document, as long as their
  own or shorter: it ends at its last sentence that fits, else at a word. Where a few draws find no other
  document, nothing is exchanged.
- `sop` (ALBERT): half of the samples have their segments swapped.
- Labels are those of transformers' heads: 0, the second segment follows the first; 1, it does not.
- What happens to a sample is a hash of (seed, epoch, sample), as all draws are: it depends on no batch.

Shapes: S samples, N those with another's segment, P tokens that segments are taken from, T tokens of the
batch; `_S2` has a value for each segment.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from zhbert.encode.draws import Ints, below, draw, stream, uniform
from zhbert.encode.pack import SPECIAL, FlatBatch, SampleTable, last_before, ranges
from zhbert.encode.shards import CONTINUES_WORD, SENTENCE
from zhbert.encode.tokenizer import Special

PairName = Literal["nsp", "sop"]
PAIRS: tuple[PairName, ...] = get_args(PairName)
SPECIALS = 3  # a sample
NO_LABEL = -100
_TRIES = 4
Flags = NDArray[np.uint8]


def flatten_pairs(
    table: SampleTable, samples_S: Ints, *, specials: Special, epoch: int, pairs: PairName, seed: int
) -> FlatBatch:
    """Return samples as one flat batch of pairs, with the segment of every token and a label a sample."""
    ids_P, flags_P, lengths_S = table.read(samples_S)
    ends_S = np.cumsum(lengths_S)
    begins_S = ends_S - lengths_S
    cuts_S = _cuts(flags_P, begins_S, ends_S)
    begins_S2, ends_S2 = np.stack([begins_S, cuts_S], axis=1), np.stack([cuts_S, ends_S], axis=1)
    draws_S = draw(stream("pair", seed, epoch, samples_S), np.zeros_like(samples_S))
    changed_S = (uniform(draws_S) < 0.5) & (lengths_S > 1)
    if pairs == "sop":
        for sides_S2 in (begins_S2, ends_S2):
            sides_S2[changed_S] = sides_S2[changed_S, ::-1]
    else:
        donors_S = np.full_like(samples_S, -1)
        donors_S[changed_S] = _donors(table, samples_S[changed_S], seed=seed, epoch=epoch)
        changed_S = donors_S >= 0
        room_N = (ends_S - cuts_S)[changed_S]
        ids, flags, begins_N, ends_N = _second_segments(table, donors_S[changed_S], room_N)
        begins_S2[changed_S, 1], ends_S2[changed_S, 1] = begins_N + len(ids_P), ends_N + len(ids_P)
        ids_P, flags_P = np.concatenate([ids_P, ids]), np.concatenate([flags_P, flags])
    labels_S = np.where(lengths_S > 1, changed_S.astype(np.int64), NO_LABEL)
    return _laid_out(ids_P, flags_P, begins_S2, ends_S2, samples_S, labels_S, specials=specials, epoch=epoch)


def _laid_out(
    ids_P: Ints,
    flags_P: Flags,
    begins_S2: Ints,
    ends_S2: Ints,
    samples_S: Ints,
    labels_S: Ints,
    *,
    specials: Special,
    epoch: int,
) -> FlatBatch:
    """Return the segments with their special tokens on end."""
    lengths_S2 = ends_S2 - begins_S2
    sizes_S = lengths_S2.sum(axis=1) + 2 + (lengths_S2[:, 1] > 0)
    starts_S1 = np.concatenate([[0], np.cumsum(sizes_S)]).astype(np.int64)
    first_S, middle_S = starts_S1[:-1] + 1, starts_S1[:-1] + 1 + lengths_S2[:, 0]
    places_S2 = np.stack([first_S, middle_S + 1], axis=1)
    body, source = (ranges(begins.ravel(), lengths_S2.ravel()) for begins in (places_S2, begins_S2))
    ids_T, flags_T = np.full(starts_S1[-1], specials.sep), np.full(starts_S1[-1], SPECIAL)
    ids_T[body], flags_T[body] = ids_P[source], flags_P[source]
    ids_T[starts_S1[:-1]] = specials.cls
    heads = places_S2[lengths_S2 > 0]
    flags_T[heads] &= SENTENCE  # a segment that begins inside a word, a phrase, an entity begins one
    segments_T = np.zeros(starts_S1[-1], np.int64)
    segments_T[ranges(middle_S + 1, starts_S1[1:] - middle_S - 1)] = 1
    return FlatBatch(
        ids_T=ids_T,
        flags_T=flags_T,
        starts_S1=starts_S1,
        samples_S=samples_S,
        epoch=epoch,
        segments_T=segments_T,
        labels_S=labels_S,
    )


def _cuts(flags_P: Flags, begins_S: Ints, ends_S: Ints) -> Ints:
    """Return where second segments begin: at the end of a sample that cannot be cut."""
    middles_S = (begins_S + ends_S + 1) // 2
    cuts_S = middles_S
    for starts_P in (flags_P & CONTINUES_WORD == 0, flags_P & SENTENCE > 0):  # the latter where there is one
        places = np.flatnonzero(starts_P)
        before_S = last_before(places, middles_S)
        behind_S = np.append(places, len(flags_P))[np.searchsorted(places, middles_S)]
        nearer_S = (behind_S >= ends_S) | (middles_S - before_S <= behind_S - middles_S)
        nearest_S = np.where((before_S > begins_S) & nearer_S, before_S, behind_S)
        cuts_S = np.where((nearest_S > begins_S) & (nearest_S < ends_S), nearest_S, cuts_S)
    return cuts_S


def _donors(table: SampleTable, samples_N: Ints, *, seed: int, epoch: int) -> Ints:
    """Return for each sample one of another document that can be cut, -1 where none was found."""
    donors_N, own_N = np.full_like(samples_N, -1), table.documents(samples_N)
    streams_N = stream("donor", seed, epoch, samples_N)
    for attempt in range(_TRIES):
        found_N = below(draw(streams_N, np.full_like(samples_N, attempt)), len(table))
        fits_N = (table.documents(found_N) != own_N) & (table.lengths(found_N) > 1)
        donors_N = np.where((donors_N < 0) & fits_N, found_N, donors_N)
    return donors_N


def _second_segments(table: SampleTable, samples_N: Ints, room_N: Ints) -> tuple[Ints, Flags, Ints, Ints]:
    """Return the ids and flags of samples, and where their second segments begin and end in these."""
    ids_P, flags_P, lengths_N = table.read(samples_N)
    ends_N = np.cumsum(lengths_N)
    cuts_N = _cuts(flags_P, ends_N - lengths_N, ends_N)
    limits_N = np.minimum(cuts_N + room_N, ends_N)
    stops_N = limits_N
    for starts in (flags_P & CONTINUES_WORD == 0, flags_P & SENTENCE > 0):
        at_N = last_before(np.flatnonzero(starts), limits_N)
        stops_N = np.where(at_N > cuts_N, at_N, stops_N)
    return ids_P, flags_P, cuts_N, np.where(limits_N == ends_N, ends_N, stops_N)
