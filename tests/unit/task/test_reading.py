"""Reading: answers inside the context, from the right window, or none."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zhbert.records import ReadingExample, Span
from zhbert.task.base import Prepared, Setting, collate
from zhbert.task.reading import LONGEST_ANSWER, Reading, best_span

CONTEXT = "王芳在杭州市图书馆工作，李明去了北京。"


@pytest.fixture
def task(setting: Callable[..., Setting]) -> Reading:
    return Reading(setting(window=16, overlap=4))


def asked(context: str, question: str, *answers: tuple[int, int]) -> ReadingExample:
    return ReadingExample(
        id="1", context=context, question=question, answers=tuple(Span.of(context, *a) for a in answers)
    )


def certain(prepared: Prepared) -> list[np.ndarray]:
    """Return scores of a model that is sure of the target of every window."""
    rows = []
    for feature in prepared.features:
        scores = np.full((2, len(feature.ids)), -9.0)
        scores[0, feature.target[0]] = scores[1, feature.target[1]] = -0.01
        rows.append(scores)
    return rows


def test_every_window_has_the_whole_question(task: Reading) -> None:
    (prepared,) = task.prepare([asked(CONTEXT, "谁工作")])
    special = task.setting.tokenizer.special
    question, context = task.setting.tokenizer.encode_batch(["谁工作", CONTEXT])
    assert len(prepared.features) == 3
    for feature in prepared.features:
        assert feature.ids[:5] == [special.cls, *question.ids, special.sep]
        assert feature.ids[5:] == [*context.ids[slice(*feature.span)], special.sep]
        assert feature.segments == [0] * 5 + [1] * (len(feature.ids) - 5)
        assert feature.offset == 5
    assert prepared.features[-1].span[1] == len(context)


def test_targets_are_the_answer_where_it_is_whole_and_cls_elsewhere(task: Reading) -> None:
    (prepared,) = task.prepare([asked(CONTEXT, "谁工作", (12, 14))])
    holding = 0
    for feature in prepared.features:
        first, last = feature.target
        inside = feature.span[0] <= 12 and feature.span[1] >= 14
        holding += inside
        assert (first, last) == ((12 - feature.span[0] + 5, 13 - feature.span[0] + 5) if inside else (0, 0))
    assert 0 < holding < len(prepared.features)


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
    assert {feature.target for feature in prepared.features} == {(0, 0)}
    found = task.decode(prepared, certain(prepared))
    assert found.answer is None
    assert found.null_score > found.score


@pytest.mark.parametrize("context", ["", " \r\n"])
def test_an_empty_context_answers_nothing(task: Reading, context: str) -> None:
    (prepared,) = task.prepare([asked(context, "谁工作")])
    found = task.decode(prepared, [np.log(np.full((2, 6), 1 / 6))])
    assert (found.answer, found.score) == (None, 0.0)


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
        scores = [np.log(rng.dirichlet(np.ones(len(f.ids)), 2)) for f in prepared.features]
        found = task.decode(prepared, scores).answer
        if found is None:
            continue
        answers += 1
        assert context[found.start : found.end] == found.surface != ""
        offsets = prepared.encoded.offsets
        windows = [(offsets[a][0], offsets[b - 1][1]) for a, b in (f.span for f in prepared.features)]
        assert any(start <= found.start and found.end <= end for start, end in windows)
    assert answers > 30


@pytest.mark.parametrize("longest", [1, 2, 5, 100])
def test_best_span_is_that_of_brute_force(longest: int) -> None:
    rng = np.random.default_rng(longest)
    for length in [*range(1, 9)] * 20:
        scores = rng.normal(size=(2, length))
        spans = [(i, j) for i in range(length) for j in range(i, min(length, i + longest))]
        slow = max(spans, key=lambda s: scores[0, s[0]] + scores[1, s[1]])
        first, last, value = best_span(scores, longest=longest)
        assert (first, last) == slow
        assert value == pytest.approx(scores[0, first] + scores[1, last])


def test_an_answer_is_never_longer_than_the_longest(setting: Callable[..., Setting]) -> None:
    task = Reading(setting(window=256, overlap=64))
    (prepared,) = task.prepare([asked(CONTEXT * 8, "谁")])
    scores = np.full((2, len(prepared.features[0].ids)), -50.0)
    scores[0, 5] = scores[1, 120] = 0.0
    scores[1, 5 + LONGEST_ANSWER - 1] = -1.0
    found = task.decode(prepared, [scores]).answer
    assert found is not None
    assert found.end - found.start == LONGEST_ANSWER


def test_the_loss_is_the_mean_of_both_ends(task: Reading) -> None:
    examples = [asked(CONTEXT[:5], "谁", (0, 2)), asked(CONTEXT[:9], "谁在")]
    micro = collate(task, [f for p in task.prepare(examples) for f in p.features])
    assert micro.targets == 2
    rng = torch.Generator().manual_seed(0)
    starts, ends = (torch.randn(micro.tensors["input_ids"].shape, generator=rng) for _ in range(2))
    lengths = micro.tensors["attention_mask"].sum(1).tolist()
    slow = 0.0
    for row, length in enumerate(lengths):
        for logits, name in ((starts, "starts"), (ends, "ends")):
            slow -= float(logits[row, :length].log_softmax(-1)[micro.tensors[name][row]]) / 2
    output = SimpleNamespace(start_logits=starts, end_logits=ends)
    assert float(task.loss(output, micro.tensors)) == pytest.approx(slow, rel=1e-5)
    scores = task.scores(output, 0, lengths[0])
    assert np.exp(scores).sum(1) == pytest.approx([1, 1], abs=1e-5)
