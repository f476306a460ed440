"""How much pairs of texts share, counted: the Jaccard index of their sets of shingles.

Shingles are held against each other as 47 bits: in two texts of 20,000 letters, the chance that any two
different ones are taken for the same is 1 in 180,000.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from zhbert.clean.fold import fold
from zhbert.clean.runs import Numbers, batches, begins, places_of
from zhbert.clean.sketch import Words, shingles

Texts = Callable[[Sequence[int]], Sequence[str]]
Floats = NDArray[np.float64]

_LETTERS = 1 << 22  # of texts that are read at a time
_SHINGLES = 1 << 14  # that are sorted at a time: what fits the processor's cache
_PAIRS = 1 << 16  # what 16 bits can tell apart


def jaccard(left: Numbers, right: Numbers, *, lengths: NDArray[np.uint32], texts_of: Texts) -> Floats:
    """Return the Jaccard index of pairs of texts, given by their numbers.

    `texts_of` is asked for a few million letters at a time, each text once, in order.

    >>> texts = ["我爱北京天安门", "我爱北京天安门！", "我爱北京"]
    >>> lengths = np.array([7, 7, 4], dtype=np.uint32)
    >>> pairs = np.array([0, 0]), np.array([1, 2])
    >>> jaccard(*pairs, lengths=lengths, texts_of=lambda numbers: [texts[n] for n in numbers]).tolist()
    [1.0, 0.0]
    """
    result = np.zeros(len(left))
    sizes = lengths[left].astype(np.int64) + lengths[right]
    for start, end in batches(sizes, size=_LETTERS, count=_LETTERS):
        pairs = np.stack([left[start:end], right[start:end]], axis=1)
        numbers, places = np.unique(pairs, return_inverse=True)
        words, counts = shingles(fold(texts_of(numbers.tolist())).letters())
        result[start:end] = _shared(words, counts, places.reshape(-1, 2))
    return result


def _shared(words: Words, counts: Numbers, pairs: Numbers) -> Floats:
    """Return the Jaccard index of pairs of texts, whose shingles stand on end."""
    result = np.zeros(len(pairs))
    starts = np.cumsum(counts) - counts
    for start, end in batches(counts[pairs].sum(axis=1), size=_SHINGLES, count=_PAIRS):
        texts = pairs[start:end].reshape(-1)
        keys = words[places_of(starts[texts], counts[texts])] >> np.uint64(17) << np.uint64(1)
        sides = np.repeat(np.arange(len(texts), dtype=np.uint64), counts[texts])
        keys |= sides >> np.uint64(1) << np.uint64(48) | sides & np.uint64(1)
        keys.sort()
        keys = keys[begins(keys)]
        both = keys[~begins(keys >> np.uint64(1))]
        held, shared = (
            np.bincount((k >> np.uint64(48)).astype(np.int64), minlength=end - start) for k in (keys, both)
        )
        result[start:end] = shared / np.maximum(held - shared, 1)
    return result
