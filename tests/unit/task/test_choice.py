"""Choice: what an option's row looks like, what is cut, and that missing options change nothing."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zhbert.records import ChoiceExample, ChoicePrediction
from zhbert.task.base import Setting, collate, evened, together
from zhbert.task.choice import Choice, grouped, tail

SHORT = ("北京", "杭州市", "图书馆")


@pytest.fixture
def task(setting: Callable[..., Setting]) -> Choice:
    return Choice(setting(window=20))


def example(context: str, *options: str, answer: int | None = None, question: str = "在哪") -> ChoiceExample:
    return ChoiceExample(id="1", context=context, question=question, options=options, answer=answer)


def test_every_option_stands_behind_context_and_question(task: Choice) -> None:
    (prepared,) = task.prepare([example("王芳工作", *SHORT, answer=2)])
    special = task.setting.tokenizer.special
    for feature, option in zip(prepared.features, SHORT, strict=True):
        context, tail_of = task.setting.tokenizer.encode_batch(["王芳工作", "在哪" + option])
        assert list(feature.ids) == [special.cls, *context.ids, special.sep, *tail_of.ids, special.sep]
        assert feature.segments == [0] * (len(context.ids) + 2) + [1] * (len(tail_of.ids) + 1)
        assert feature.target == 2
    assert [feature.follows for feature in prepared.features] == [False, True, True]
    assert prepared.coverage == 1


def test_a_long_context_has_the_same_windows_for_every_option(task: Choice) -> None:
    (prepared,) = task.prepare([example("王芳在杭州市图书馆工作，李明去了北京" * 3, *SHORT)])
    groups = [[prepared.features[i] for i in group] for group in together(prepared.features)]
    assert len(groups) > 3
    assert all(len(group) == 3 and len({f.span for f in group}) == 1 for group in groups)
    assert all(len(f.ids) <= 20 for f in prepared.features)
    seen = {i for f in prepared.features for i in range(*f.span)}
    assert seen == set(range(len(prepared.encoded.ids)))
    assert prepared.coverage == 1


def test_what_is_cut_of_question_and_option_lowers_the_coverage(task: Choice) -> None:
    (prepared,) = task.prepare([example("王芳", "北京", "王芳在杭州市图书馆工作李明", question="在哪在哪")])
    assert [len(f.ids) - 3 - 2 for f in prepared.features] == [6, 10]
    assert prepared.coverage == pytest.approx(16 / (4 + 2 + 4 + 13))
    assert tail([1, 2, 3], [4, 5, 6], room=2) == [4, 5]


def test_no_context_is_fine(task: Choice) -> None:
    (prepared,) = task.prepare([example("", *SHORT)])
    assert len(prepared.features) == 3


def test_the_loss_compares_the_options_of_each_question(task: Choice) -> None:
    asked = [
        example("王芳", *SHORT, answer=1),
        example("王芳", "北京", "杭州", answer=0),
        example("李", *SHORT),
    ]
    features = evened(task.prepare(asked))
    micro = collate(task, features)
    assert micro.targets == 2
    logits = torch.randn(8, 1, generator=torch.Generator().manual_seed(1))
    loss = float(task.loss(SimpleNamespace(logits=logits), micro.tensors))
    values = logits[:, 0].tolist()
    expected = 0.0
    for rows, place in (((0, 1, 2), 1), ((3, 4), 0)):
        shares = np.exp([values[row] for row in rows])
        expected -= np.log(shares[place] / shares.sum())
    assert loss == pytest.approx(expected, rel=1e-5)


def test_an_option_that_is_not_there_is_never_chosen() -> None:
    rows = grouped(torch.tensor([-50.0, -60.0, 1.0, 2.0, 3.0]), [2, 3])
    assert rows.softmax(-1)[0].tolist() == [pytest.approx(1, abs=1e-4), pytest.approx(0, abs=1e-4), 0]


def test_questions_count_alike_however_many_windows_and_options(task: Choice) -> None:
    asked = [example("王芳" * 30, *SHORT, answer=1), example("王芳", "北京", "杭州", answer=0)]
    prepared = list(task.prepare(asked))
    features = evened(prepared)
    groups = [features[group[0]].weight for group in together(features)]
    first = len(together(prepared[0].features))
    assert sum(groups[:first]) == pytest.approx(sum(groups[first:]))
    assert np.mean(groups) == pytest.approx(1)


def test_windows_are_pooled(task: Choice) -> None:
    (prepared,) = task.prepare([example("王芳在杭州市图书馆工作，李明", *SHORT)])
    assert len(prepared.features) == 6
    rows = np.array([[3.0, 1.0, 0.0], [0.0, 1.5, 0.5]])
    found = task.decode(prepared, [np.array([x]) for x in rows.ravel()])
    assert isinstance(found, ChoicePrediction)
    logs = rows - np.log(np.exp(rows).sum(1, keepdims=True))
    mean = np.exp(logs.mean(0))
    assert found.answer == 0
    assert found.scores == pytest.approx(tuple(mean / mean.sum()), abs=1e-6)
