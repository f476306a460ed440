"""Reading: answers inside the context, from the right window, or none."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from zhbert.errors import DataError
from zhbert.model.store import Stored
from zhbert.records import ReadingExample, ReadingPrediction, Span, to_json
from zhbert.task.base import Prepared, Setting, collate
from zhbert.task.reading import Reading
from zhbert.task.registry import task_of

CONTEXT = "王芳在杭州市图书馆工作，李明去了北京。"


@pytest.fixture
def task(setting: Callable[..., Setting]) -> Reading:
    """A reader that may say that there is no answer."""
    return Reading(replace(setting(window=16, overlap=4), decoding={"none": 0.0}))


def asked(context: str, question: str, *answers: tuple[int, int], **more: Any) -> ReadingExample:
    spans = tuple(Span.of(context, *answer) for answer in answers)
    return ReadingExample(id="1", context=context, question=question, answers=spans, **more)


def certain(prepared: Prepared) -> list[np.ndarray]:
    """Return scores of a model that is sure of the target of every window."""
    rows = []
    for feature in prepared.features:
        scores = np.full((2, len(feature.ids)), -9.0)
        for first, last in feature.target or ():
            scores[0, first] = scores[1, last] = -0.01
        rows.append(scores)
    return rows


def test_every_window_has_the_whole_question(task: Reading) -> None:
    (prepared,) = task.prepare([asked(CONTEXT, "谁工作")])
    special = task.setting.tokenizer.special
    question, context = task.setting.tokenizer.encode_batch(["谁工作", CONTEXT])
    assert len(prepared.features) == 3
    for feature in prepared.features:
        assert list(feature.ids[:5]) == [special.cls, *question.ids, special.sep]
        assert list(feature.ids[5:]) == [*context.ids[slice(*feature.span)], special.sep]
        assert feature.segments == [0] * 5 + [1] * (len(feature.ids) - 5)
        assert feature.offset == 5
    assert prepared.features[-1].span[1] == len(context)


def test_targets_are_answers_where_whole_nothing_where_in_part_and_cls_elsewhere(task: Reading) -> None:
    (prepared,) = task.prepare([asked(CONTEXT * 2, "谁工作", (10, 14), (12, 14), (33, 36))])
    kinds = []
    for feature in prepared.features:
        start, end = feature.span
        places = [(a, b) for a, b in ((10, 14), (12, 14), (33, 36)) if start <= a and b <= end]
        if places:
            kinds.append("whole")
            assert feature.target == tuple((a - start + 5, b - 1 - start + 5) for a, b in places)
        elif any(a < end and start < b for a, b in ((10, 14), (12, 14), (33, 36))):
            kinds.append("part")
            assert feature.target is None
        else:
            kinds.append("none")
            assert feature.target == ((0, 0),)
    assert set(kinds) == {"whole", "part", "none"}
    assert prepared.lost == 0


@pytest.mark.parametrize(
    ("answers", "published", "windows"),
    [(((2, 17),), (), [None, None, None]), ((), ("清华大学",), [None, None, None])],
)
def test_an_answer_that_no_window_holds_is_counted_and_teaches_nothing(
    task: Reading, answers: tuple[tuple[int, int], ...], published: tuple[str, ...], windows: list[None]
) -> None:
    (prepared,) = task.prepare([asked(CONTEXT, "谁工作", *answers, published=published)])
    assert [feature.target for feature in prepared.features] == windows
    assert prepared.lost == 1
    (easy,) = task.prepare([asked(CONTEXT, "谁工作", *answers, (0, 2))])
    assert easy.lost == 0


@pytest.mark.parametrize(
    ("context", "span"),
    [
        (CONTEXT, (0, 2)),
        (CONTEXT, (16, 18)),
        (CONTEXT, (18, 19)),
        ("😀 王芳\r\n在ＡＢ市，\u3000" + CONTEXT, (2, 4)),
        ("😀 王芳\r\n在ＡＢ市，\u3000" + CONTEXT, (7, 10)),
        (CONTEXT * 4, (60, 66)),
    ],
)
def test_the_answer_comes_back_at_the_same_characters(
    task: Reading, context: str, span: tuple[int, int]
) -> None:
    (prepared,) = task.prepare([asked(context, "谁工作", span)])
    found = task.decode(prepared, certain(prepared))
    assert found.answer is not None
    assert (found.answer.start, found.answer.end) == span
    assert found.answer.surface == context[slice(*span)]
    assert found.score > found.null_score


def test_no_answer(task: Reading) -> None:
    (prepared,) = task.prepare([asked(CONTEXT, "谁工作")])
    assert {feature.target for feature in prepared.features} == {((0, 0),)}
    found = task.decode(prepared, certain(prepared))
    assert found.answer is None
    assert found.null_score > found.score
    assert [other.score for other in found.others] == [found.score]


def test_who_has_seen_no_question_without_an_answer_always_answers(setting: Callable[..., Setting]) -> None:
    task = Reading(setting())
    (prepared,) = task.prepare([asked(CONTEXT, "谁工作")])
    found = task.decode(prepared, certain(prepared))
    assert found.answer is not None
    assert (found.null_score, found.others) == (0.0, ())


@pytest.mark.parametrize("decoding", [{}, {"none": 0.0}])
@pytest.mark.parametrize("context", ["", " \r\n"])
def test_an_empty_context_answers_nothing(
    setting: Callable[..., Setting], context: str, decoding: dict[str, float]
) -> None:
    task = Reading(replace(setting(), decoding=decoding))
    (prepared,) = task.prepare([asked(context, "谁工作")])
    found = task.decode(prepared, [np.log(np.full((2, 6), 1 / 6))])
    assert (found.answer, found.score, found.null_score, found.others) == (None, 0.0, 1.0, ())


def test_the_threshold_decides(task: Reading) -> None:
    (prepared,) = task.prepare([asked("王芳", "谁")])
    scores = np.array([[3.0, 0, 0, 2.5, 0, 0], [3.0, 0, 0, 0, 2.5, 0]])  # 1 below "none" at best
    for threshold, answer in ((0.9, None), (1.1, "王芳")):
        chosen = Reading(replace(task.setting, decoding={"none": threshold}))
        found = chosen.decode(prepared, [scores]).answer
        assert (found and found.surface) == answer


def test_further_answers_are_given_on_request_and_all_probabilities_add_up(task: Reading) -> None:
    (prepared,) = task.prepare([asked("王芳在京", "谁")])
    scores = np.random.default_rng(2).normal(size=(2, 8))
    scores[:, 0] -= 9
    wide = Reading(replace(task.setting, decoding={"none": 0.0, "answers": 99}))
    found, alone = wide.decode(prepared, [scores]), task.decode(prepared, [scores])
    assert len(found.others) == 4 * 5 / 2 - 1
    assert (found.answer, found.score, alone.others) == (alone.answer, alone.score, ())
    shares = [found.score, *(other.score for other in found.others)]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) + found.null_score == pytest.approx(1, abs=1e-5)


def test_an_overlong_question_loses_its_end_and_coverage_says_so(task: Reading) -> None:
    (prepared,) = task.prepare([asked(CONTEXT, "王芳在杭州市图书馆工作")])
    assert prepared.coverage == pytest.approx(8 / 11)
    assert max(len(feature.ids) for feature in prepared.features) == 16
    assert prepared.features[-1].span[1] == len(CONTEXT)
    assert task.decode(prepared, certain(prepared)).coverage == prepared.coverage


def test_an_empty_question_is_no_reason_to_crash(task: Reading) -> None:
    (prepared,) = task.prepare([asked(CONTEXT, "", (0, 2))])
    assert prepared.coverage == 1.0


def test_whatever_the_scores_an_answer_lies_in_one_window_and_in_the_context(
    task: Reading, ugly: Sequence[str]
) -> None:
    rng = np.random.default_rng(1)
    answers = 0
    for context in [*ugly, CONTEXT * 3] * 10:
        (prepared,) = task.prepare([asked(context, "谁工作")])
        scores = [rng.normal(size=(2, len(f.ids))) for f in prepared.features]
        found = task.decode(prepared, scores).answer
        if found is None:
            continue
        answers += 1
        assert context[found.start : found.end] == found.surface != ""
        offsets = prepared.encoded.offsets
        windows = [(offsets[a][0], offsets[b - 1][1]) for a, b in (f.span for f in prepared.features)]
        assert any(start <= found.start and found.end <= end for start, end in windows)
    assert answers > 30


def test_an_answer_is_never_longer_than_the_longest(setting: Callable[..., Setting]) -> None:
    for longest in (3, 30):
        task = Reading(replace(setting(window=256, overlap=64), decoding={"longest": longest}))
        (prepared,) = task.prepare([asked(CONTEXT * 8, "谁")])
        scores = np.full((2, len(prepared.features[0].ids)), -50.0)
        scores[0, 5] = scores[1, 120] = 0.0
        scores[1, 5 + longest - 1] = -1.0
        found = task.decode(prepared, [scores]).answer
        assert found is not None
        assert found.end - found.start == longest


def test_measures_come_from_train(task: Reading) -> None:
    examples = [asked(CONTEXT, "谁", (0, 2), (3, 6)), asked(CONTEXT, "谁", (4, 5))]
    assert task.measure(list(task.prepare(examples))) == {"longest": 3}
    with_none = [*examples, asked(CONTEXT, "谁")]
    assert task.measure(list(task.prepare(with_none))) == {"longest": 3, "none": 0.0}
    stands_nowhere = [*examples, asked(CONTEXT, "谁", published=("清华",))]
    assert task.measure(list(task.prepare(stands_nowhere))) == {"longest": 3}


def said(answer: tuple[int, int], score: float) -> ReadingPrediction:
    return ReadingPrediction(id="1", answer=Span.of(CONTEXT, *answer), score=score, null_score=1 - score)


def test_the_threshold_is_chosen_by_the_f1_of_dev(task: Reading, setting: Callable[..., Setting]) -> None:
    right, none = asked(CONTEXT, "谁", (0, 2)), asked(CONTEXT, "谁")
    gold, predictions = [right, right, none, none], [said((0, 2), p) for p in (0.9, 0.8, 0.7, 0.6)]
    chosen = task.choose(gold, predictions)["none"]
    assert np.log(0.2 / 0.8) < chosen < np.log(0.3 / 0.7)
    assert task.choose(gold[:2], predictions[:2]) == {}
    assert Reading(setting()).choose(gold, predictions) == {}


def test_the_loss_is_that_of_all_answers_together(task: Reading) -> None:
    examples = [
        asked(CONTEXT[:5], "谁", (0, 2)),
        asked(CONTEXT[:9], "谁在", (0, 2), (3, 5)),
        asked(CONTEXT[:9], "谁"),
        asked(CONTEXT[:9], "谁", published=("清华",)),
    ]
    micro = collate(task, [f for p in task.prepare(examples) for f in p.features])
    assert micro.targets == 3
    rng = torch.Generator().manual_seed(0)
    shape = micro.tensors["input_ids"].shape
    starts, ends = (torch.randn(shape, generator=rng, requires_grad=True) for _ in range(2))
    lengths = micro.tensors["attention_mask"].sum(1).tolist()
    slow = 0.0
    places = [((3,), (4,)), ((4, 7), (5, 8)), ((0,), (0,))]
    for row, wanted in enumerate(places):
        for logits, right in zip((starts, ends), wanted, strict=True):
            slow -= float(logits[row, : lengths[row]].detach().softmax(-1)[list(right)].sum().log()) / 2
    output = SimpleNamespace(start_logits=starts, end_logits=ends)
    loss = task.loss(output, micro.tensors)
    assert loss.item() == pytest.approx(slow, rel=1e-5)
    loss.backward()
    assert starts.grad is not None
    assert bool(starts.grad.isfinite().all())
    assert not bool(starts.grad[3].any())
    with torch.no_grad():
        scores = task.scores(output, 0, lengths[0])
    assert np.array_equal(scores[1], ends[0, : lengths[0]].detach())


def test_what_train_and_dev_decide_is_kept_with_the_model(stored: dict[str, Stored]) -> None:
    decoding = stored["reading"].facts.decoding
    assert decoding.keys() == {"longest", "none"}
    assert 1 < decoding["longest"] < 20
    assert task_of(stored["reading"], answers=2.0).setting.decoding == decoding | {"answers": 2.0}


def test_a_train_set_without_an_answer_to_learn_is_refused(
    tiny_finetune: Callable[..., dict[str, Any]], stage: Callable[..., Path], tmp_path: Path
) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(to_json(asked(CONTEXT, "谁", published=("清华大学",))) + "\n", "utf-8")
    with pytest.raises(DataError, match="no window holds an answer whole"):
        stage("finetune", tmp_path / "out", **tiny_finetune("reading", train=path))
