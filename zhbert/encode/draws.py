"""Randomness without a generator: a draw is a hash of what it is for.

    draw = mix(stream + position * GOLDEN)        stream = mix(mix(mix(purpose) ^ seed) ^ epoch) ...

- Nothing is carried from one draw to the next, so the draw for a place is the same in any batch, in
  any order, on any rank, and after any resume.
- The hash is splitmix64 (Steele, Lea and Flood, 2014), written out here and held to its published
  values in a test: numpy keeps its bit generators stable, but not what `Generator.permutation` makes
  of them (NEP 19), and a resumed run must see the order that the killed one saw.
- It is no cryptography and need not be.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11, _32 = (np.uint64(n) for n in (30, 27, 31, 11, 32))
_UNIT = 2.0**-53


def mix(bits: Bits) -> Bits:
    """Return 64 well-stirred bits for each 64 bits: the output step of splitmix64."""
    stirred = bits >> _30
    stirred ^= bits
    stirred *= _FIRST
    shifted = stirred >> _27
    stirred ^= shifted
    stirred *= _SECOND
    np.right_shift(stirred, _31, out=shifted)
    stirred ^= shifted
    return stirred


def stream(purpose: str, *keys: int | Ints) -> Bits:
    """Return a stream for each row of keys; a number stands for a whole column.

    >>> stream("order", 7, np.array([1, 2])).shape
    (2,)
    >>> bool(stream("order", 7, 1) == stream("accept", 7, 1))
    False
    """
    numbers: list[int] = []
    for key in keys:
        if not isinstance(key, int):
            break
        numbers.append(key)
    bits, stirred = (np.array([number], np.uint64) for number in _prefix(purpose, *numbers))
    for key in keys[len(numbers) :]:
        bits = mix(stirred ^ np.atleast_1d(key).astype(np.uint64))
        stirred = bits if key is keys[-1] else mix(bits)
    return bits


@lru_cache(maxsize=64)
def _prefix(purpose: str, *numbers: int) -> tuple[int, int]:
    """Return the stream of a purpose and some numbers, and the same stirred: most streams begin with it."""
    bits = np.frombuffer(purpose.encode().ljust(8)[:8], dtype="<u8").astype(np.uint64)
    for number in numbers:
        bits = mix(mix(bits) ^ np.uint64(number % 2**64))
    return int(bits[0]), int(mix(bits)[0])


def draw(streams: Bits, positions: Ints) -> Bits:
    """Return 64 random bits for each position of its stream, all different within one stream.

    >>> draw(np.zeros(1, np.uint64), np.array([1])) == np.uint64(0xE220A8397B1DCDAF)
    array([ True])
    """
    places = positions.astype(np.uint64)
    places *= GOLDEN
    return mix(places + streams)


def uniform(bits: Bits) -> Floats:
    """Return numbers in [0, 1) from random bits.

    >>> uniform(np.array([0, 2**63], dtype=np.uint64)).tolist()
    [0.0, 0.5]
    """
    numbers: Floats = (bits >> _11).astype(np.float64)
    numbers *= _UNIT
    return numbers


def below(bits: Bits, limit: int | Ints) -> Ints:
    """Return whole numbers in [0, limit) from random bits, `limit` (one, or one each) being under 2**31.

    >>> below(np.array([0, 2**63], dtype=np.uint64), 10).tolist()
    [0, 5]
    """
    numbers: Ints = ((bits >> _32) * np.asarray(limit).astype(np.uint64) >> _32).astype(np.int64)
    return numbers
