"""Classification: features, targets, loss, decoding."""

from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zhbert.records import LabelExample
from zhbert.task.base import IGNORED, Setting, collate
from zhbert.task.classify import Classify
from zhbert.task.ways import pooled

LABELS = ("体育", "财经", "科技")


@pytest.fixture
def task(setting: Callable[..., Setting]) -> Classify:
    return Classify(setting(*LABELS))


def example(text: str, *labels: str) -> LabelExample:
    return LabelExample(id="1", text=text, labels=labels)


def test_a_short_text_is_one_feature(task: Classify) -> None:
    (prepared,) = task.prepare([example("王芳在北京", "财经")])
    (feature,) = prepared.features
    special = task.setting.tokenizer.special
    assert list(feature.ids) == [special.cls, *prepared.encoded.ids, special.sep]
    assert (feature.span, feature.offset, feature.target) == ((0, 5), 1, 1)
    assert feature.segments == [0] * 7


def test_a_long_text_is_several_features_that_cover_it(task: Classify) -> None:
    (prepared,) = task.prepare([example("王芳在杭州市图书馆工作，李明" * 4, "体育")])
    ids = prepared.encoded.ids.tolist()
    assert len(prepared.features) == 6
    for feature in prepared.features:
        assert len(feature.ids) == 16
        assert list(feature.ids[1:-1]) == ids[slice(*feature.span)]
        assert feature.target == 0
    spans = [feature.span for feature in prepared.features]
    assert spans[0][0] == 0
    assert spans[-1][1] == len(ids)
    assert all(b[0] <= a[1] - 4 for a, b in pairwise(spans))


def test_an_empty_text_has_one_feature_without_text(task: Classify) -> None:
    (prepared,) = task.prepare([example("")])
    assert [len(f.ids) for f in prepared.features] == [2]
    assert prepared.features[0].target == IGNORED


def test_the_loss_is_the_summed_cross_entropy_of_what_is_labelled(task: Classify) -> None:
    examples = [example("王芳", "体育"), example("在北京"), example("工作", "科技")]
    features = [f for p in task.prepare(examples) for f in p.features]
    micro = collate(task, features)
    assert micro.targets == 2
    logits = torch.randn(3, 3, generator=torch.Generator().manual_seed(0))
    logs = np.log(np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True))
    loss = task.loss(SimpleNamespace(logits=logits), micro.tensors)
    assert float(loss) == pytest.approx(-logs[0, 0] - logs[2, 2], rel=1e-5)


def test_padding_is_masked(task: Classify) -> None:
    features = [
        f for p in task.prepare([example("王芳", "体育"), example("在北京工作", "科技")]) for f in p.features
    ]
    micro = collate(task, features)
    pad = task.setting.tokenizer.special.pad
    assert micro.tensors["input_ids"].shape == (2, 7)
    assert micro.tensors["attention_mask"].sum(1).tolist() == [4, 7]
    assert micro.tensors["input_ids"][0, 4:].tolist() == [pad] * 3
    assert micro.tokens == 11


def test_decoding_averages_the_windows(task: Classify) -> None:
    (prepared,) = task.prepare([example("王芳在杭州市图书馆工作，李明")])
    scores = [np.log([0.7, 0.2, 0.1]), np.log([0.1, 0.8, 0.1]), np.log([0.3, 0.6, 0.1])]
    found = task.decode(prepared, scores)
    mean = np.exp(np.mean(scores, axis=0))
    assert found.labels == ("财经",)
    assert list(found.scores) == list(LABELS)
    assert list(found.scores.values()) == pytest.approx(mean / mean.sum(), abs=1e-6)
    assert sum(found.scores.values()) == pytest.approx(1, abs=1e-5)
    assert found.coverage == 1


def test_pooled_survives_hopeless_classes() -> None:
    assert pooled([np.array([-1e4, 0.0]), np.array([0.0, -1e4])]).tolist() == [0.5, 0.5]
    assert pooled([np.array([-800.0, -900.0])]).tolist() == [1.0, pytest.approx(0)]
