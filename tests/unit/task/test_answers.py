"""The best answers over all windows are those of a slow search; the threshold is that of trying all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhbert.encode.windows import windows
from zhbert.task.answers import band, best_answers, silence_above


def slow_spans(
    scores: list[np.ndarray], cuts: list[tuple[int, int]], longest: int
) -> dict[tuple[int, int], float]:
    """Return the log odds of every span, each from the window in which its nearer border is farthest."""
    found: dict[tuple[int, int], tuple[int, float]] = {}
    for score, (start, end) in zip(scores, cuts, strict=True):
        null = score[0, 0] + score[1, 0]
        for first in range(start, end):
            for last in range(first, min(end, first + longest)):
                room = min(first - start, end - 1 - last)
                value = score[0, 3 + first - start] + score[1, 3 + last - start] - null
                if room > found.get((first, last + 1), (-1, 0.0))[0]:
                    found[first, last + 1] = (room, value)
    return {span: value for span, (_, value) in found.items()}


@given(st.integers(0, 30), st.integers(1, 9), st.integers(1, 9), st.integers(1, 7), st.integers(0, 2**32))
def test_the_best_answers_are_those_of_a_slow_search(
    length: int, size: int, stride: int, longest: int, seed: int
) -> None:
    cuts = windows(length, size=size, stride=min(stride, size))
    rng = np.random.default_rng(seed)
    scores = [rng.normal(size=(2, 3 + b - a + 1)) for a, b in cuts]
    slow = slow_spans(scores, cuts, longest)
    found, total = best_answers(scores, cuts, offset=3, longest=longest, count=4)
    right = sorted(slow.items(), key=lambda item: -item[1])[:4]
    assert [(one.first, one.stop) for one in found] == [span for span, _ in right]
    assert [one.value for one in found] == pytest.approx([value for _, value in right])
    assert np.exp(total) == pytest.approx(sum(np.exp(value) for value in slow.values()))


@given(st.integers(0, 2**32), st.lists(st.floats(-20, 20), min_size=3, max_size=3))
def test_what_is_added_to_all_scores_of_a_window_changes_nothing(seed: int, more: list[float]) -> None:
    cuts = windows(12, size=6, stride=3)
    scores = list(np.random.default_rng(seed).normal(size=(3, 2, 10)))
    shifted = [score + extra for score, extra in zip(scores, more, strict=True)]
    (one, one_total), (other, other_total) = (
        best_answers(given_, cuts, offset=3, longest=4, count=3) for given_ in (scores, shifted)
    )
    assert [(a.first, a.stop) for a in one] == [(b.first, b.stop) for b in other]
    assert [a.value for a in one] == pytest.approx([b.value for b in other], abs=1e-9)
    assert one_total == pytest.approx(other_total)


@pytest.mark.parametrize("longest", [1, 3, 100])
def test_the_band_is_the_square_without_what_is_too_long(longest: int) -> None:
    scores = np.random.default_rng(longest).normal(size=(2, 7))
    for t, row in enumerate(band(scores, longest=longest)):
        spans = [scores[0, t] + scores[1, t + r] for r in range(min(longest, 7 - t))]
        assert row.tolist() == spans + [-np.inf] * (min(longest, 7) - len(spans))


questions = st.lists(
    st.tuples(st.integers(-4, 4), st.floats(0, 1), st.sampled_from([0.0, 1.0])), min_size=1, max_size=9
)


@given(questions)
def test_no_threshold_gains_more(asked: list[tuple[int, float, float]]) -> None:
    margins, answered, silent = (list(column) for column in zip(*asked, strict=True))

    def gain(threshold: float) -> float:
        return sum(s if m > threshold else a for m, a, s in asked)

    chosen = silence_above(margins, answered, silent)
    tried = [place / 2 for place in range(-13, 14)]
    best = max(map(gain, tried))
    assert gain(chosen) == pytest.approx(best)
    if gain(0.0) == best:
        assert chosen == 0.0
