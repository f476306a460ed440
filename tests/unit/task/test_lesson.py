"""Losses of classifiers against slow ones, thresholds against all that could be, and who may have what."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zhbert.config import parse
from zhbert.errors import ConfigError, DataError
from zhbert.records import LabelExample, PairExample
from zhbert.task.lesson import Lesson, balanced, one_loss, opposed, scale_of, several_loss, value_loss
from zhbert.task.teaching import Teaching
from zhbert.task.thresholds import best_threshold, best_thresholds, threshold_of

LESSONS = [
    Lesson(),
    Lesson(weights=(0.5, 2.0, 1.5)),
    Lesson(focal=2.0),
    Lesson(weights=(0.5, 2.0, 1.5), focal=0.5),
    Lesson(smoothing=0.1),
]
logits = torch.randn(7, 3, generator=torch.Generator().manual_seed(3)) * 2


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_loss_of_one_label_is_what_the_papers_say(lesson: Lesson) -> None:
    places = torch.tensor([0, 1, 2, 0, 1, 2, 1])
    found = one_loss(logits, places, lesson, ignored=-100)
    for row, place, loss in zip(logits.tolist(), places.tolist(), found.tolist(), strict=True):
        whole = sum(math.exp(x) for x in row)
        shares = [math.exp(x) / whole for x in row]
        weight = lesson.weights[place] if lesson.weights else 1
        wanted = [(1 - lesson.smoothing) * (i == place) + lesson.smoothing / 3 for i in range(3)]
        plain = -sum(w * math.log(p) for w, p in zip(wanted, shares, strict=True))
        assert loss == pytest.approx(weight * plain * (1 - shares[place]) ** lesson.focal, rel=1e-4)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_loss_of_several_labels_is_what_the_papers_say(lesson: Lesson) -> None:
    targets = (torch.randn(7, 3, generator=torch.Generator().manual_seed(4)) > 0).float()
    found = several_loss(logits, targets, lesson)
    for row, wanted, loss in zip(logits.tolist(), targets.tolist(), found.tolist(), strict=True):
        total = 0.0
        for place, (x, yes) in enumerate(zip(row, wanted, strict=True)):
            p = 1 / (1 + math.exp(-x))
            share = yes * (1 - lesson.smoothing) + lesson.smoothing / 2
            weight = lesson.weights[place] if lesson.weights else 1
            plain = -weight * share * math.log(p) - (1 - share) * math.log(1 - p)
            total += plain * (1 - (p if yes else 1 - p)) ** lesson.focal
        assert loss == pytest.approx(total / 3, rel=1e-4)


def test_what_is_not_known_has_no_loss() -> None:
    found = one_loss(logits[:2], torch.tensor([-100, 1]), Lesson(focal=1.0), ignored=-100)
    assert found[0] == 0 < found[1]
    known = value_loss(torch.tensor([1.0, 5.0]), torch.tensor([3.0, math.nan]))
    assert known.tolist() == [4.0, 0.0]


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    utils = pytest.importorskip("sklearn.utils.class_weight")
    labels = ["甲", "乙", "丙"]
    answers = ["甲"] * 7 + ["乙"] * 2 + ["丙"]
    theirs = utils.compute_class_weight("balanced", classes=np.array(labels), y=answers)
    found = balanced([(answer,) for answer in answers], labels)
    assert found == pytest.approx(theirs.tolist())
    assert np.mean([found[labels.index(answer)] for answer in answers]) == pytest.approx(1)


def test_labels_that_all_or_none_have_are_not_weighted() -> None:
    answers = [("甲", "乙"), ("甲",), ("甲", "丙"), ("甲",)]
    assert opposed(answers, ["甲", "乙", "丙", "丁"]) == (1.0, 3.0, 3.0, 1.0)


def test_values_that_do_not_vary_teach_nothing() -> None:
    with pytest.raises(DataError, match="all values are 3: there is nothing to learn"):
        scale_of([3.0, 3.0])


@given(st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=12))
def test_no_threshold_is_better_than_the_best(rows: list[tuple[int, bool]]) -> None:
    sure, right = np.array([x / 10 for x, _ in rows]), np.array([r for _, r in rows])

    def f1(threshold: float) -> float:
        said = sure >= threshold
        return float(2 * (said & right).sum() / max(1, said.sum() + right.sum()))

    found = best_threshold(sure, right)
    if right.any():
        assert f1(found) == pytest.approx(max(f1(t) for t in (*sure, 0.0)))
    else:
        assert found == 0.5


def test_of_equally_good_thresholds_the_nearest_to_a_half_is_taken() -> None:
    sure, right = np.array([0.95, 0.9, 0.8, 0.6]), np.array([True, False, False, True])
    assert best_threshold(sure, right) == 0.3  # 0.925 is as good
    assert best_threshold(np.array([0.9, 0.1]), np.array([True, False])) == 0.5


def test_each_label_has_its_own_threshold() -> None:
    said = [{"甲": 0.9, "乙": 0.2}, {"甲": 0.6, "乙": 0.1}, {"甲": 0.5, "乙": 0.05}]
    gold = [("甲", "乙"), (), ()]
    found = best_thresholds(gold, said, ["甲", "乙"], how="each")
    assert found == {"threshold:甲": 0.75, "threshold:乙": pytest.approx(0.15)}
    assert threshold_of(found, "乙") == pytest.approx(0.15)
    assert best_thresholds(gold, said, ["甲", "乙"], how="half") == {}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"task": "ner", "focal": 2.0}, 'focal: has no meaning for the task "ner" with the head "softmax"'),
    ({"task": "classify", "head": "value", "class_weights": "balanced"}, 'class_weights: .*"value"'),
    ({"task": "pair", "head": "value", "smoothing": 0.1}, 'smoothing: .*"pair" with the head "value"'),
    ({"task": "classify", "symmetric": True}, r"symmetric: .* \(it is for pair one, pair value\)"),
    ({"task": "classify", "thresholds": "each"}, "thresholds: .*it is for classify several"),
    ({"task": "choice", "smoothing": 0.1}, 'smoothing: .*"choice"'),
    ({"task": "classify", "focal": 1.0, "smoothing": 0.1}, "focal and smoothing pull in opposite"),
    ({"task": "pair", "head": "several"}, 'the task "pair" has no head "several"'),
]


@pytest.mark.parametrize(("given", "words"), REFUSED)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse(Teaching, given)


def test_a_lesson_is_made_of_train() -> None:
    texts = [LabelExample(id=str(i), text="字", labels=(label,)) for i, label in enumerate("甲甲乙")]
    taught = parse(Teaching, {"task": "classify", "class_weights": "balanced", "focal": 2.0})
    assert taught.lesson(texts, ["甲", "乙"], where="").weights == (0.75, 1.5)
    assert taught.told(Lesson()) == {"class_weights": "balanced", "focal": 2.0}
    several = parse(Teaching, {"task": "classify", "head": "several", "class_weights": "balanced"})
    assert several.lesson(texts, ["甲", "乙"], where="").weights == (0.5, 2.0)
    pairs = [PairExample(id=str(i), first="一", second="二", value=v) for i, v in enumerate((1.0, 5.0))]
    value = parse(Teaching, {"task": "pair", "head": "value", "symmetric": True})
    lesson = value.lesson(pairs, [], where="")
    assert (lesson.mean, lesson.scale) == (3.0, 2.0)
    assert value.decoding() == {"symmetric": 1.0}
    assert value.told(lesson) == {"symmetric": True, "mean of train": 3.0, "deviation of train": 2.0}
