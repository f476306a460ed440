"""Scores on what was met and on the rest."""

import numpy as np
import pytest

from zhbert.errors import DataError
from zhbert.score.contaminated import contaminated
from zhbert.score.labels import ACCURACY, count_labels
from zhbert.score.sheet import Meeting

IDS = [str(i) for i in range(100)]
# the first 20 were met: all of them right; of the rest one half
COUNTS = count_labels(IDS, [("甲",)] * 100, [("甲",) if i < 20 or i % 2 else ("乙",) for i in range(100)])


def _met(ids: range, source: str = "train", *, whole: bool = False) -> list[Meeting]:
    return [
        Meeting(id=str(i), field="text", source=source, where="3", shared="某文", whole=whole) for i in ids
    ]


def test_what_was_met_is_judged_apart():
    (row,) = contaminated({"一": [COUNTS]}, ACCURACY, _met(range(20)), rng=np.random.default_rng(1))
    assert (row.n, row.whole, row.met[0].value, row.clean[0].value) == (20, 0, 1.0, 0.5)
    assert len(row.shown) == 5


def test_sources_stand_apart_and_too_few_have_no_figure():
    meetings = _met(range(3), whole=True) + _met(range(20), "shards, train")
    first, second = contaminated(
        {"一": [COUNTS], "二": [COUNTS]}, ACCURACY, meetings, rng=np.random.default_rng(1)
    )
    assert (first.source, first.n, first.whole, first.met, len(first.clean)) == ("train", 3, 3, (), 2)
    assert (second.source, second.n, len(second.met)) == ("shards, train", 20, 2)


def test_meetings_of_other_examples_are_refused():
    with pytest.raises(DataError, match="not in the gold data: 200"):
        contaminated({"一": [COUNTS]}, ACCURACY, _met(range(200, 201)), rng=np.random.default_rng(1))


def test_nothing_met_says_nothing():
    assert contaminated({"一": [COUNTS]}, ACCURACY, [], rng=np.random.default_rng(1)) == ()
