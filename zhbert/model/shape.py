"""Batches of one shape, for code that is compiled: any other shape would be compiled again.

A flat batch is filled up to a fixed number of tokens, of masked tokens and of sequences. The filling is
sequences of its own, no longer than the longest allowed, so no token of the text sees it. Filled targets are
IGNORED, which cross-entropy leaves out; the number of targets to divide by is the one before.

A batch that is larger than the shape gets the next multiple of it, and is compiled for once more: nothing is
ever left out.

Shapes: T tokens, M masked tokens.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import pad

from zhbert.model.attention import Sequences

IGNORED = -100  # what cross_entropy leaves out unless told otherwise
_STEP = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many tokens, masked tokens and sequences a batch has, and how long its longest may be."""

    tokens: int
    masked: int
    longest: int
    slots: int = 1

    @classmethod
    def of(cls, *, tokens: int, rate: float, longest: int, mean: float) -> "Shape":
        """Return a shape with room for what masking at this rate chooses, chance and whole words included.

        There are slots for more sequences than there are likely to be when they are `mean` tokens long; an
        empty one costs some memory.

        >>> Shape.of(tokens=8192, rate=0.15, longest=128, mean=100)
        Shape(tokens=8192, masked=1536, longest=128, slots=192)
        """
        masked, sequences = tokens * rate, tokens / mean
        return cls(
            tokens=tokens,
            masked=_up(masked + 8 * masked**0.5, _STEP),
            longest=longest,
            slots=_up(1.25 * sequences + 8 * sequences**0.5, _STEP),
        )

    def sequences(self, lengths: list[int]) -> Sequences:
        """Return the sequences of a filled batch; what is empty at the end makes them as many as always.

        >>> Shape(tokens=6, masked=1, longest=4, slots=3).sequences([3, 3]).bounds_S1.tolist()
        [0, 3, 6, 6]
        """
        return Sequences.of(lengths, longest=self.longest, slots=_up(len(lengths), self.slots))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filled:
    """A batch of one shape."""

    ids_T: Tensor
    positions_M: Tensor
    targets_M: Tensor
    lengths: list[int]


def fill(
    ids_T: Tensor,
    positions_M: Tensor,
    targets_M: Tensor,
    *,
    lengths: list[int],
    shape: Shape,
    padding: int,
) -> Filled:
    """Return a batch with as much filling as its shape asks for; `padding` is the id of [PAD].

    >>> import torch
    >>> shape, one = Shape(tokens=8, masked=2, longest=4), torch.tensor([1])
    >>> filled = fill(torch.tensor([2, 7, 3]), one, one, lengths=[3], shape=shape, padding=0)
    >>> filled.ids_T.tolist(), filled.targets_M.tolist(), filled.lengths
    ([2, 7, 3, 0, 0, 0, 0, 0], [1, -100], [3, 4, 1])
    """
    tokens, masked = _up(len(ids_T), shape.tokens), _up(len(positions_M), shape.masked)
    room = tokens - len(ids_T)
    more = [min(shape.longest, room - at) for at in range(0, room, shape.longest)]
    return Filled(
        ids_T=pad(ids_T, (0, room), value=padding),
        positions_M=pad(positions_M, (0, masked - len(positions_M))),
        targets_M=pad(targets_M, (0, masked - len(targets_M)), value=IGNORED),
        lengths=[*lengths, *more],
    )


def _up(number: float, step: int) -> int:
    """Return the next multiple, one at least.

    >>> _up(0, 64), _up(64, 64), _up(64.5, 64)
    (64, 64, 128)
    """
    return max(1, -int(-number // step)) * step
