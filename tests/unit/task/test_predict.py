"""Predictions do not depend on their neighbours, on the order, or on known answers."""

import math
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from zhbert.model.store import Stored
from zhbert.read.examples import read_examples
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    LabelExample,
    PairExample,
    ReadingExample,
    Span,
    to_plain,
)
from zhbert.task import predict as room
from zhbert.task.predict import predict
from zhbert.task.registry import task_of

TASKS = ("classify", "pair", "ner", "reading")


def odd(task: str, texts: Sequence[str]) -> list[Any]:
    make: dict[str, Callable[[str, str], Any]] = {
        "classify": lambda name, text: LabelExample(id=name, text=text),
        "ner": lambda name, text: EntityExample(id=name, text=text),
        "pair": lambda name, text: PairExample(id=name, first=text, second=text[::-1]),
        "reading": lambda name, text: ReadingExample(id=name, context=text, question=text[:5]),
    }
    return [make[task](f"odd-{i}", text) for i, text in enumerate(texts)]


def run(stored: Stored, examples: Sequence[Any]) -> list[Any]:
    return list(predict(task_of(stored), stored.model, examples))


def alike(one: Any, other: Any) -> bool:
    """Tell whether two predictions are the same but for the last digits of their scores."""
    if isinstance(one, float):
        return math.isclose(one, other, abs_tol=1e-5)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_neighbours_and_order_change_nothing(
    task: str,
    stored: dict[str, Stored],
    tiny_sets: dict[str, tuple[Path, Path]],
    ugly: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    examples = read_examples(tiny_sets[task][1], task) + odd(task, ugly)
    together = run(stored[task], examples)
    assert [p.id for p in together] == [e.id for e in examples]
    backwards = run(stored[task], examples[::-1])[::-1]
    alone = [run(stored[task], [example])[0] for example in examples]
    monkeypatch.setattr(room, "TOKENS", 100)
    monkeypatch.setattr(room, "CHUNK", 5)
    monkeypatch.setattr(room, "CHARACTERS", 100)
    small = run(stored[task], examples)
    for others in (backwards, alone, small):
        for one, other in zip(together, others, strict=True):
            assert alike(to_plain(one), to_plain(other)), (one, other)


@pytest.mark.parametrize("task", TASKS)
def test_scores_are_finite_and_spans_are_in_the_text(
    task: str, stored: dict[str, Stored], ugly: list[str]
) -> None:
    examples = odd(task, ugly)
    for example, found in zip(examples, run(stored[task], examples), strict=True):
        numbers = [v for v in to_plain(found).values() if isinstance(v, float)]
        assert all(0 <= x <= 1 for x in numbers)
        spans = found.entities if task == "ner" else (found.answer,) if task == "reading" else ()
        for span in filter(None, spans):
            span.check(example.text if task == "ner" else example.context)
            assert span.surface


def test_answers_do_not_leak_and_unknown_labels_do_no_harm(stored: dict[str, Stored]) -> None:
    text = "王芳在杭州市图书馆工作"
    known = {
        "classify": LabelExample(id="1", text=text, labels=("从未见过", "体育")),
        "pair": PairExample(id="1", first=text, second=text, label="从未见过"),
        "ner": EntityExample(
            id="1", text=text, entities=(Span.of(text, 0, 4, "从未见过"), Span.of(text, 2, 5, "人名"))
        ),
        "reading": ReadingExample(id="1", context=text, question="谁", answers=(Span.of(text, 0, 2),)),
    }
    for task, example in known.items():
        blank = {"labels": (), "label": "", "entities": (), "answers": ()}
        unknown = replace(example, **{f.name: blank[f.name] for f in fields(example) if f.name in blank})
        assert run(stored[task], [example]) == run(stored[task], [unknown])


def test_no_examples_no_predictions(stored: dict[str, Stored]) -> None:
    assert run(stored["ner"], []) == []


def test_groups_keep_to_the_budget_and_lose_nothing() -> None:
    lengths = [512] * 9 + [300] * 20 + [40] * 300 + [2]
    places = [(i, 0) for i in range(len(lengths))]
    groups = list(room._groups(places, lengths, most=room.TOKENS))
    assert [place for group in groups for place in group] == places
    assert all(len(g) * lengths[g[0][0]] <= room.TOKENS for g in groups)
    assert len(list(room._groups([(0, 0)], [10 * room.TOKENS], most=room.TOKENS))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("task", ["classify", "reading", "ner"])
def test_a_long_document_takes_its_tokens_and_no_more(
    task: str, stored: dict[str, Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    """20,000 characters: all are seen, batches stay small, and each more of them costs some 100 bytes."""
    batches: list[int] = []

    def run_model(model: Any, tensors: dict[str, Any], **how: Any) -> Any:
        batches.append(tensors["input_ids"].numel())
        return model_run(model, tensors, **how)

    model_run = room.run_model
    monkeypatch.setattr(room, "run_model", run_model)
    text, peaks = "王芳在杭州市图书馆工作，李明去了北京。" * 1060, []
    run(stored[task], odd(task, [text[:100]]))
    for length in (5_000, 20_000):
        example = odd(task, [text[:length]])[0]
        tracemalloc.start()
        (found,) = run(stored[task], [example])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (found.id, found.coverage) == (example.id, 1.0)
        assert sum(batches) >= length
        batches.clear()
    assert (peaks[1] - peaks[0]) / 15_000 < 500
    many = odd(task, [text[:300]] * 30)
    monkeypatch.setattr(room, "CHARACTERS", 1000)
    assert [p.id for p in run(stored[task], many)] == [e.id for e in many]
    assert max(batches) <= room.TOKENS


def test_the_model_is_judged_without_dropout(stored: dict[str, Stored]) -> None:
    stored["ner"].model.train()
    example = EntityExample(id="1", text="王芳在杭州市图书馆工作")
    assert run(stored["ner"], [example]) == run(stored["ner"], [example])
    assert not stored["ner"].model.training


def test_the_options_of_a_choice_count_when_chunks_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "CHARACTERS", 100)
    asked = [
        ChoiceExample(id=str(i), context="字", question="？", options=("长" * 40, "短" * 38))
        for i in range(3)
    ]
    assert [len(chunk) for chunk in room.chunks(asked)] == [1, 1, 1]
