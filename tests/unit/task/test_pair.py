"""Pairs: what is cut, what is said of it."""

from collections.abc import Callable

import numpy as np
import pytest

from zhbert.records import PairExample
from zhbert.task.base import Setting
from zhbert.task.pair import Pair, fit


@pytest.fixture
def task(setting: Callable[..., Setting]) -> Pair:
    return Pair(setting("同义", "不同义"))


def pair(first: str, second: str, label: str = "") -> PairExample:
    return PairExample(id="1", first=first, second=second, label=label)


def test_both_texts_stand_side_by_side(task: Pair) -> None:
    (prepared,) = task.prepare([pair("王芳", "在北京", "不同义")])
    (feature,) = prepared.features
    special = task.setting.tokenizer.special
    first, second = task.setting.tokenizer.encode_batch(["王芳", "在北京"])
    assert list(feature.ids) == [special.cls, *first.ids, special.sep, *second.ids, special.sep]
    assert feature.segments == [0, 0, 0, 0, 1, 1, 1, 1]
    assert (feature.target, prepared.coverage) == (1, 1.0)


def test_the_longer_text_loses_its_end_and_coverage_says_so(task: Pair) -> None:
    (prepared,) = task.prepare([pair("王芳在杭州市图书馆工作李明去了北京", "在北京")])
    (feature,) = prepared.features
    assert len(feature.ids) == 16
    first, second = task.setting.tokenizer.encode_batch(["王芳在杭州市图书馆工作李明去了北京", "在北京"])
    assert list(feature.ids[1:11]) == first.ids[:10].tolist()
    assert list(feature.ids[12:15]) == second.ids.tolist()
    assert prepared.coverage == pytest.approx(13 / 20)
    found = task.decode(prepared, [np.log([0.25, 0.75])])
    assert (found.label, found.coverage) == ("不同义", prepared.coverage)
    assert found.scores == {"同义": 0.25, "不同义": 0.75}


@pytest.mark.parametrize(("first", "second"), [("", ""), ("", "王芳"), ("王芳", "")])
def test_empty_texts(task: Pair, first: str, second: str) -> None:
    (prepared,) = task.prepare([pair(first, second)])
    assert len(prepared.features[0].ids) == 3 + len(first) + len(second)
    assert prepared.coverage == 1.0


def test_fit_leaves_the_shorter_text_whole_where_it_can() -> None:
    for first in range(12):
        for second in range(12):
            for room in range(1, 20):
                a, b = fit(first, second, room=room)
                assert 0 <= a <= first
                assert 0 <= b <= second
                assert a + b == min(room, first + second)
                assert a == first or a >= b - 1
                assert b == second or b >= a - 1
