"""Texts that are the same but for white space, width, case and traditional characters.

- A text is known by 64 bits of BLAKE2b over its full form: 8 bytes a text. Among 100 million different
  texts, the chance that any two share their hash is 1 in 3,700; among 10 million, 1 in 370,000.
- Of equal texts the first stays, in the order of the documents.
"""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from zhbert.clean.fold import Folded
from zhbert.clean.runs import Numbers

Hashes = NDArray[np.uint64]


def hashes(folded: Folded) -> Hashes:
    """Return the hash of each text.

    >>> from zhbert.clean.fold import fold
    >>> a, b, c = hashes(fold(["Ａ股大漲", "a 股 大 涨", "A股大涨！"])).tolist()
    >>> a == b, a == c
    (True, False)
    """
    data = memoryview(folded.codes.astype("<u4", copy=False).tobytes())
    ranges = zip((4 * folded.starts).tolist(), (4 * folded.ends).tolist(), strict=True)
    digests = b"".join(blake2b(data[start:end], digest_size=8).digest() for start, end in ranges)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64, copy=False)


def first_occurrences(hashes: Hashes) -> Numbers:
    """Return where each hash stands for the first time: at its own place where it is no repeat.

    >>> first_occurrences(np.array([7, 5, 7, 7, 5], dtype=np.uint64)).tolist()
    [0, 1, 0, 0, 1]
    """
    _, firsts, groups = np.unique(hashes, return_index=True, return_inverse=True)
    return firsts.take(groups).astype(np.int64, copy=False)
