"""The hash of every run of characters of a text, each as the difference of two sums.

The hash of characters c is the sum of c[i] · F^i, modulo 2^64, F odd: so it is (S[end] - S[start]) / F^start
for the sums S of the text. It is the same on every machine, and that of one string wherever it stands. Two
strings of a text share one by chance only, as 64 random bits would; nobody who means harm is kept out.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from zhbert.text.blob import Codes, Places

Hashes = npt.NDArray[np.uint64]

LONGEST = 1 << 18  # characters of a text at a time: tables of 2 MB
_FACTOR = 0x9E3779B97F4A7C15
_INVERSE = pow(_FACTOR, -1, 1 << 64)


def sums(codes_N: Codes) -> Hashes:
    """Return the sums of a text of up to LONGEST characters, which begin with 0."""
    sums_N1 = np.zeros(len(codes_N) + 1, dtype=np.uint64)
    np.cumsum(codes_N * _powers(_FACTOR)[: len(codes_N)], out=sums_N1[1:])
    return sums_N1


def run_hashes(sums_N1: Hashes, starts: Places, ends: Places) -> Hashes:
    """Return the hashes of runs of characters.

    >>> from zhbert.text.blob import Blob
    >>> text = sums(Blob.of("人民的人民").codes)
    >>> whole, first, last = run_hashes(text, np.array([0, 0, 3]), np.array([5, 2, 5]))
    >>> bool(first == last), bool(first == whole)
    (True, False)
    """
    hashes: Hashes = (sums_N1[ends] - sums_N1[starts]) * _powers(_INVERSE)[starts]
    return hashes


def row_hashes(codes_KL: Codes) -> Hashes:
    """Return the hashes of strings of one length, a row each."""
    hashes: Hashes = (codes_KL * _powers(_FACTOR)[: codes_KL.shape[1]]).sum(axis=1, dtype=np.uint64)
    return hashes


@cache
def _powers(factor: int) -> Hashes:
    powers = np.full(LONGEST, factor, dtype=np.uint64)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint64)
