"""Every way of answering, from labelled examples to a folder that transformers loads too."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
import transformers

from zhbert.app.pipeline import Pipeline, load
from zhbert.errors import ConfigError, DataError, ModelError
from zhbert.model import store
from zhbert.read.examples import read_examples
from zhbert.records import (
    ChoiceExample,
    ChoicePrediction,
    LabelExample,
    LabelPrediction,
    PairExample,
    PairPrediction,
    ReadingExample,
    to_json,
)
from zhbert.score.judge import judge
from zhbert.task import predict as room
from zhbert.task.base import run_model
from zhbert.task.predict import predict
from zhbert.task.registry import task_of

pytestmark = pytest.mark.slow
Run = Callable[..., Path]


def write(path: Path, examples: Sequence[object]) -> Path:
    path.write_text("".join(to_json(example) + "\n" for example in examples), "utf-8")
    return path


def several(example: LabelExample) -> LabelExample:
    """Labels that stand in the text itself: each, some or none of them may."""
    labels = tuple(label for label in ("的", "在", "了") if label in example.text)
    return LabelExample(id=example.id, text=example.text, labels=labels)


def valued(example: LabelExample) -> LabelExample:
    return LabelExample(id=example.id, text=example.text, value=100 + 20.0 * len(example.text))


def alike(example: PairExample) -> PairExample:
    share = len(set(example.first) & set(example.second)) / max(1, len(set(example.first)))
    return PairExample(id=example.id, first=example.first, second=example.second, value=round(5 * share, 2))


def chosen(example: ReadingExample) -> ChoiceExample:
    """The answer among two or three other pieces of the context."""
    right, text = example.answers[0].surface if example.answers else "无", example.context
    number = len(text) % 2 + 2
    others = [text[i * 5 : i * 5 + 4] for i in range(number)]
    place = len(text) % (number + 1)
    return ChoiceExample(
        id=example.id,
        context=text,
        question=example.question,
        options=(*others[:place], right, *others[place:]),
        answer=place,
    )


MADE: dict[str, tuple[str, str, str, Callable[[Any], object]]] = {
    "several": ("classify", "several", "classify", several),
    "number": ("classify", "value", "classify", valued),
    "alike": ("pair", "value", "pair", alike),
    "choice": ("choice", "", "reading", chosen),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("taught")


@pytest.fixture(scope="module")
def sets(folder: Path, tiny_sets: dict[str, tuple[Path, Path]]) -> dict[str, tuple[Path, Path]]:
    found = {}
    for name, (_, _, source, change) in MADE.items():
        train, dev = (
            write(folder / f"{name}-{i}.jsonl", list(map(change, read_examples(path, source))))
            for i, path in enumerate(tiny_sets[source])
        )
        found[name] = (train, dev)
    return found


@pytest.fixture(scope="module")
def settings(sets: dict[str, tuple[Path, Path]], tiny_encoder: Path) -> Callable[..., dict[str, Any]]:
    def make(name: str, **more: Any) -> dict[str, Any]:
        task, head, _, _ = MADE[name]
        train, dev = sets[name]
        return {
            "task": task,
            "head": head,
            "init": tiny_encoder,
            "train": train,
            "dev": dev,
            "epochs": 2,
            "batch": 8,
            "window": 48,
            "overlap": 12,
        } | more

    return make


@pytest.fixture(scope="module")
def taught(folder: Path, settings: Callable[..., dict[str, Any]], stage: Run) -> dict[str, Path]:
    return {name: stage("finetune", folder / name, **settings(name)) for name in MADE}


def said(path: Path, dev: Path) -> list[Any]:
    stored = store.load(path)
    task = task_of(stored)
    return list(predict(task, stored.model, read_examples(dev, task.name)))


@pytest.mark.parametrize("name", MADE)
def test_the_folder_has_the_score_that_it_tells(
    name: str, taught: dict[str, Path], sets: dict[str, tuple[Path, Path]]
) -> None:
    task, head, _, _ = MADE[name]
    facts = store.read_facts(taught[name])
    gold = read_examples(sets[name][1], task)
    judged = judge(task, gold, said(taught[name], sets[name][1]), head=head)
    assert facts.score == pytest.approx(float(judged.headline(judged.counts)), abs=1e-4)
    assert facts.head == (head or "options")


PROBLEMS = {
    "several": ("multi_label_classification", ["了", "在", "的"]),
    "number": ("regression", ["value"]),
    "alike": ("regression", ["value"]),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_transformers_answers_the_same(name: str, taught: dict[str, Path]) -> None:
    problem, labels = PROBLEMS[name]
    config = transformers.AutoConfig.from_pretrained(taught[name])
    assert config.problem_type == problem
    assert [config.id2label[i] for i in range(config.num_labels)] == labels
    plain: Any = transformers.pipeline("text-classification", model=str(taught[name]), top_k=None)
    ours = cast(Pipeline, load(taught[name]))
    text, other = "王芳在杭州市图书馆工作了", "李明去了北京"
    asked: Any = {"text": text, "text_pair": other} if name == "alike" else text
    rows = plain(asked) if name == "alike" else plain([asked])[0]
    found: Any = ours((text, other) if name == "alike" else text)
    scores = {row["label"]: row["score"] for row in rows}
    assert (found.scores or {"value": found.value}) == pytest.approx(scores, rel=1e-4, abs=1e-5)


def test_transformers_chooses_the_same(taught: dict[str, Path]) -> None:
    model, report = transformers.AutoModelForMultipleChoice.from_pretrained(
        taught["choice"], output_loading_info=True
    )
    assert not any(report.values())
    tokenizer = transformers.AutoTokenizer.from_pretrained(taught["choice"])
    context, question, options = (
        "王芳在杭州市图书馆工作",
        "她在哪里",
        ["北京", "杭州市", "图书馆工作", "学校"],
    )
    rows = tokenizer([context] * 4, [question + o for o in options], padding=True, return_tensors="pt")
    with torch.inference_mode():
        logits = model.eval()(**{key: value[None] for key, value in rows.items()}).logits[0]
    found = cast(Pipeline, load(taught["choice"]))((context, question, options))
    assert isinstance(found, ChoicePrediction)
    assert found.scores == pytest.approx(tuple(logits.softmax(-1).tolist()), abs=1e-5)


def test_thresholds_are_kept_and_used(taught: dict[str, Path]) -> None:
    facts = store.read_facts(taught["several"])
    (threshold,) = facts.decoding.values()
    assert facts.decoding == {"threshold": threshold}
    for found in said(taught["several"], taught["several"].parent / "several-1.jsonl"):
        assert isinstance(found, LabelPrediction)
        assert set(found.labels) == {label for label, p in found.scores.items() if p >= threshold}
        assert [found.scores[label] for label in found.labels] == sorted(
            (p for p in found.scores.values() if p >= threshold), reverse=True
        )


def test_a_number_is_in_the_unit_of_the_data(taught: dict[str, Path]) -> None:
    facts = store.read_facts(taught["number"])
    middle, spread = facts.provenance["mean of train"], facts.provenance["deviation of train"]
    values = [found.value for found in said(taught["number"], taught["number"].parent / "number-1.jsonl")]
    assert abs(np.mean(values) - middle) < 2 * spread
    assert middle > 300


def test_both_orders_of_a_pair_are_read(folder: Path, settings: Callable[..., Any], stage: Run) -> None:
    done = stage("finetune", folder / "both", **settings("alike", symmetric=True, epochs=1))
    ours = cast(Pipeline, load(done))
    one, other = (ours(pair) for pair in (("王芳在北京", "李明"), ("李明", "王芳在北京")))
    assert isinstance(one, PairPrediction)
    assert isinstance(other, PairPrediction)
    assert one.value == pytest.approx(other.value, abs=1e-5)
    assert ours.facts.decoding == {"symmetric": 1.0}
    assert ours.facts.provenance["windows"] == 48


def test_a_model_goes_on_only_with_the_same_labels(
    folder: Path, taught: dict[str, Path], settings: Callable[..., Any], stage: Run
) -> None:
    more = {"init": taught["several"], "epochs": 1}
    with pytest.raises(ModelError, match="taught other labels: 3: 了, 在, 的; here they are 3: 的, 在, 了"):
        stage("finetune", folder / "refused", **settings("several", labels=["的", "在", "了"], **more))
    with pytest.raises(ModelError, match="it has been taught classify several, not classify value"):
        stage("finetune", folder / "refused", **settings("number", init=taught["several"]))
    went_on = stage("finetune", folder / "on", **settings("several", **more, lr=1e-9, thresholds="half"))
    fresh = stage("finetune", folder / "fresh", **settings("several", **more, lr=1e-9, fresh_head=True))
    heads = [store.load(f).model.classifier.weight for f in (taught["several"], went_on, fresh)]
    bodies = [
        store.load(f).model.bert.encoder.layer[0].output.dense.weight for f in (taught["several"], fresh)
    ]
    assert torch.allclose(heads[0], heads[1], atol=1e-6)
    assert not torch.allclose(heads[0], heads[2], atol=1e-3)
    assert torch.allclose(bodies[0], bodies[1], atol=1e-6)


def test_a_number_goes_on_where_it_was(
    folder: Path, taught: dict[str, Path], settings: Callable[..., Any], stage: Run
) -> None:
    again = stage(
        "finetune", folder / "again", **settings("number", init=taught["number"], epochs=1, lr=1e-9)
    )
    dev = folder / "number-1.jsonl"
    values = [[found.value for found in said(path, dev)] for path in (taught["number"], again)]
    assert values[0] == pytest.approx(values[1], rel=1e-4)
    other = stage("finetune", folder / "other", **settings("choice", init=again, fresh_head=True, epochs=1))
    assert store.read_facts(other).task == "choice"


def test_two_orders_of_labels_in_one_folder_are_refused(taught: dict[str, Path], tmp_path: Path) -> None:
    for name in taught["several"].iterdir():
        (tmp_path / name.name).write_bytes(name.read_bytes()) if name.is_file() else None
    facts = json.loads((tmp_path / "zhbert.json").read_text("utf-8"))
    facts["labels"].reverse()
    (tmp_path / "zhbert.json").write_text(json.dumps(facts), "utf-8")
    words = "config.json has the labels 3: 了, 在, 的; by zhbert.json they are 3: 的, 在, 了"
    with pytest.raises(ModelError, match=words):
        load(tmp_path)


@pytest.mark.parametrize("name", ["several", "number", "choice"])
def test_a_book_is_read_to_the_end_some_windows_at_a_time(
    name: str, taught: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    book = "王芳在杭州市图书馆工作了，李明去了北京。" * 1000
    ours, sizes = cast(Pipeline, load(taught[name])), []
    monkeypatch.setattr(
        room,
        "run_model",
        lambda m, tensors, **how: sizes.append(tensors["input_ids"].numel()) or run_model(m, tensors, **how),
    )
    found: Any = ours((book, "她在哪里", ("北京", "杭州")) if name == "choice" else book)
    assert len(book) == 20_000
    assert found.coverage == 1
    assert len(sizes) > 5
    assert max(sizes) <= room.TOKENS


BAD: list[tuple[str, object, str]] = [
    ("several", LabelExample(id="9", text=" ", labels=("的",)), '"9" has no text'),
    ("several", LabelExample(id="9", text="字", value=1.0), '"9" has a value where labels are learnt'),
    ("number", LabelExample(id="9", text="字", labels=("的",)), '"9" has no value but a label'),
    ("alike", PairExample(id="9", first="字", second="", value=1.0), '"9" has no text on one of its sides'),
    ("choice", ChoiceExample(id="9", context="字", question="", options=("一", "二")), '"9" has no answer'),
]


@pytest.mark.parametrize(("name", "example", "words"), BAD)
def test_what_cannot_be_learnt_is_named(
    name: str, example: object, words: str, tmp_path: Path, settings: Callable[..., Any], stage: Run
) -> None:
    values = settings(name)
    lines = values["train"].read_text("utf-8")
    values["train"] = tmp_path / "train.jsonl"
    values["train"].write_text(lines + to_json(example) + "\n", "utf-8")
    with pytest.raises(DataError, match=words):
        stage("finetune", tmp_path / "out", **values)


def test_several_labels_where_one_is_meant(tmp_path: Path, settings: Callable[..., Any], stage: Run) -> None:
    with pytest.raises(DataError, match=r"labels \(every example must have exactly one; --head several"):
        stage("finetune", tmp_path / "out", **settings("several", head="one"))
    with pytest.raises(ConfigError, match='the task "classify" has no head "many"'):
        stage("finetune", tmp_path / "out", **settings("several", head="many"))
