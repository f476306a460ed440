"""The best answers in the windows of a context, and from when on there is none.

What is peculiar:

- The loss cannot see a constant that is added to all scores of a window, so neither scores nor sums of them
  can be compared from window to window. What can is how far a span is above [CLS], the answer "none", of the
  same window: if each window is asked for itself, the odds that the answer is this span and nowhere else,
  against nowhere at all, are the exponential of just that.
- Windows overlap, and a span may stand in several. It is judged in one: where its nearer border is farthest,
  as single tokens are in `encode/windows.py`. All windows are equally long, so that is the window whose
  middle is nearest. All spans of all windows are then different, and their probabilities add up to 1.
- Only spans of at most `longest` tokens are looked at: a band along the diagonal, not the square.

Shapes: T tokens of a window, R lengths of a span, 2 for start and end.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from zhbert.encode.windows import Window
from zhbert.task.base import Scores
from zhbert.task.temperature import Ballot

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """A span of tokens of the context, half-open, and the logarithm of its odds against no answer."""

    first: int
    stop: int
    value: float


def best_answers(
    scores: Sequence[Scores],
    windows: Sequence[Window],
    *,
    offset: int,
    longest: int,
    count: int,
    temperature: float = 1.0,
) -> tuple[list[Found], float]:
    """Return the best `count` spans of a context, best first, and the logarithm of the odds of all together.

    A window's scores (2, …) begin with [CLS]; its tokens stand from `offset` on, one [SEP] after them. The
    logarithms of all odds are divided by the temperature.

    >>> scores = np.log([[[1, 1, 2, 8, 1], [1, 1, 4, 2, 1]]])
    >>> found, total = best_answers(scores, [(0, 2)], offset=2, longest=2, count=2)
    >>> [(one.first, one.stop, round(float(np.exp(one.value)))) for one in found], round(float(np.exp(total)))
    ([(1, 2, 16), (0, 1, 8)], 28)
    """
    best: list[Found] = []
    totals = [-np.inf]
    for start, odds_TR in odds(scores, windows, offset=offset, longest=longest):
        if np.isfinite(odds_TR).any():
            tempered_TR = odds_TR / temperature
            totals.append(float(np.logaddexp.reduce(tempered_TR, axis=None)))
            best += _top(tempered_TR, start, count)
    best.sort(key=lambda found: (-found.value, found.first, found.stop))
    return best[:count], float(np.logaddexp.reduce(totals))


def odds(
    scores: Sequence[Scores], windows: Sequence[Window], *, offset: int, longest: int
) -> Iterator[tuple[int, Numbers]]:
    """Yield where each window begins, and the logarithms of the odds of the spans that are judged in it."""
    for score, window, (low, high) in zip(scores, windows, _middles(windows), strict=True):
        null = float(score[0, 0] + score[1, 0])
        odds_TR = band(score[:, offset:-1].astype(np.float64), longest=longest) - null
        _mask(odds_TR, window[0], low, high)
        yield window[0], odds_TR


def ballot_of(
    found: Iterable[tuple[int, Numbers]], right: Collection[tuple[int, int]], *, null: bool
) -> Ballot:
    """Return all spans, and "none" where that can be said, as one choice; right is "none" where no span is.

    >>> found = ballot_of([(3, np.array([[2.0, 5.0], [4.0, -np.inf]]))], {(3, 5)}, null=True)
    >>> found.logs.tolist(), found.right.tolist()
    ([[0.0, 2.0, 5.0, 4.0]], [[False, False, True, False]])
    """
    logs, marks = [np.zeros(int(null))], [np.full(int(null), not right)]
    for start, odds_TR in found:
        right_TR = np.zeros(odds_TR.shape, dtype=np.bool_)
        for first, stop in right:
            if 0 <= first - start < len(odds_TR) and stop - first <= odds_TR.shape[1]:
                right_TR[first - start, stop - first - 1] = True
        there_TR = np.isfinite(odds_TR)
        logs.append(odds_TR[there_TR])
        marks.append(right_TR[there_TR])
    return Ballot(np.concatenate(logs)[None], np.concatenate(marks)[None])


def band(scores_2T: Numbers, *, longest: int) -> Numbers:
    """Return start + end for every span: row t, column r is the span from t to t + r.

    >>> band(np.array([[1.0, 2.0], [10.0, 20.0]]), longest=5).tolist()
    [[11.0, 21.0], [22.0, -inf]]
    """
    length = scores_2T.shape[1]
    if not length:
        return np.empty((0, 1))
    reach = min(longest, length)
    ends = np.concatenate([scores_2T[1], np.full(reach - 1, -np.inf)])
    sums: Numbers = scores_2T[0][:, None] + np.lib.stride_tricks.sliding_window_view(ends, reach)
    return sums


def _middles(windows: Sequence[Window]) -> Iterator[tuple[float, float]]:
    """Yield for each window the range, open below, of first + last of the spans that are judged in it."""
    centres = [start + end - 1 for start, end in windows]
    borders = [-np.inf, *((a + b) / 2 for a, b in pairwise(centres)), np.inf]
    return pairwise(borders)


def _mask(odds_TR: Numbers, start: int, low: float, high: float) -> None:
    """Take out the spans that are judged in another window."""
    if np.isinf(low) and np.isinf(high):
        return
    tokens, reach = odds_TR.shape
    middles_TR = 2 * (start + np.arange(tokens))[:, None] + np.arange(reach)
    odds_TR[(middles_TR <= low) | (middles_TR > high)] = -np.inf


def _top(odds_TR: Numbers, start: int, count: int) -> Iterator[Found]:
    flat = odds_TR.ravel()
    kept = [int(flat.argmax())] if count == 1 else np.argsort(-flat, kind="stable")[:count].tolist()
    for place in kept:
        first, more = divmod(place, odds_TR.shape[1])
        if np.isfinite(flat[place]):
            yield Found(start + first, start + first + more + 1, float(flat[place]))


def silence_above(margins: Sequence[float], answered: Sequence[float], silent: Sequence[float]) -> float:
    """Return the threshold that gains most, where a question gets no answer if its margin is above it.

    `answered` and `silent` say what each question is worth with and without an answer. Of equally good
    thresholds it is the one nearest to 0.

    >>> silence_above([-3.0, 1.0, 2.0, 4.0], answered=[1, 1, 1, 0], silent=[0, 0, 0, 1])
    3.0
    """
    order = np.argsort(margins, kind="stable")
    sorted_ = np.asarray(margins, dtype=np.float64)[order]
    gains = np.asarray(answered, dtype=np.float64)[order] - np.asarray(silent, dtype=np.float64)[order]
    worth = np.concatenate([[0.0], np.cumsum(gains)])
    borders = [-np.inf, *sorted_.tolist(), np.inf]
    places = [
        (-round(float(worth[i]), 9), abs(place), place)
        for i, (low, high) in enumerate(pairwise(borders))
        if low < high
        for place in [_between(low, high)]
    ]
    return min(places)[2]


def _between(low: float, high: float) -> float:
    """Return 0 where it lies between two borders, else their middle, or a number 1 beyond the last of all."""
    if low <= 0 < high:
        return 0.0
    return high - 1 if np.isinf(low) else low + 1 if np.isinf(high) else (low + high) / 2
