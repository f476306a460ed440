"""Losses of all heads: what a text weighs in them, and in which numbers they are computed."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.nn.functional import one_hot

from zhbert.encode.tokenizer import Tokenizer
from zhbert.model.pointer import outputs
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    ReadingExample,
    Span,
)
from zhbert.task import fitting, pupil
from zhbert.task.base import Setting, Task, collate, evened
from zhbert.task.doubt import COMPARED, departure, disagreement
from zhbert.task.registry import make_task
from zhbert.train.job import Micro

LONG, SHORT = "他在北京他在北京他在", "他在"
OPTIONS = ("北", "京", "他")
ASKED: dict[tuple[str, str], tuple[Example, ...]] = {
    ("classify", "one"): (
        LabelExample(id="1", text=LONG, labels=("甲",)),
        LabelExample(id="2", text=SHORT, labels=("丙",)),
        LabelExample(id="3", text=SHORT),
    ),
    ("classify", "several"): (
        LabelExample(id="1", text=LONG, labels=("甲", "乙")),
        LabelExample(id="2", text=SHORT),
    ),
    ("classify", "value"): (
        LabelExample(id="1", text=LONG, value=2.0),
        LabelExample(id="2", text=SHORT, value=-1.0),
        LabelExample(id="3", text=SHORT),
    ),
    ("pair", "one"): (
        PairExample(id="1", first=LONG, second=SHORT, label="乙"),
        PairExample(id="2", first=SHORT, second=SHORT, label="甲"),
    ),
    ("ner", "softmax"): (
        EntityExample(id="1", text=LONG, entities=(Span.of(LONG, 2, 4, "甲"),)),
        EntityExample(id="2", text=SHORT, entities=(Span.of(SHORT, 0, 1, "乙"),)),
    ),
    ("reading", "span"): (
        ReadingExample(id="1", context=LONG, question="他", answers=(Span.of(LONG, 2, 4),)),
        ReadingExample(id="2", context=SHORT, question="他"),
    ),
    ("choice", "options"): (
        ChoiceExample(id="1", context=LONG, question="他", options=OPTIONS, answer=1),
        ChoiceExample(id="2", context=SHORT, question="他", options=OPTIONS[:2], answer=0),
    ),
}
LOSSES = {**ASKED, ("ner", "crf"): ASKED["ner", "softmax"], ("ner", "pointer"): ASKED["ner", "softmax"]}


class Output(SimpleNamespace):
    def __contains__(self, name: str) -> bool:
        return hasattr(self, name)


def made(name: str, head: str) -> tuple[Task, Micro]:
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"他在北京"]
    labels = ("甲", "乙", "丙") if name != "reading" else ()
    setting = Setting(tokenizer=Tokenizer.from_vocab(vocab), labels=labels, window=8, overlap=2, head=head)
    task = make_task(name, setting)
    features = evened(task.prepare(LOSSES[name, head]))
    assert len({feature.weight for feature in features}) > 1 or name == "pair"
    return task, collate(task, [feature for feature in features if feature.target is not None])


def said(task: Task, micro: Micro, seed: int) -> Output:
    """Return what a model might say, in numbers that bfloat16 has too."""
    rng, (rows, length) = torch.Generator().manual_seed(seed), micro.tensors["input_ids"].shape

    def drawn(*shape: int) -> torch.Tensor:
        return (2 * torch.randn(shape, generator=rng)).bfloat16().float()

    if task.name == "reading":
        return Output(start_logits=drawn(rows, length), end_logits=drawn(rows, length))
    count = len(task.model_labels)
    if task.setting.head == "pointer":
        return Output(logits=drawn(rows, length, outputs(count)))
    if task.name == "ner":
        return Output(logits=drawn(rows, length, count), transitions=drawn(count, count))
    return Output(logits=drawn(rows, count or 1))


def certain(task: Task, tensors: dict[str, torch.Tensor]) -> Output:
    """Return what a model says that is sure of what is right."""
    if task.name == "reading":
        return Output(start_logits=60.0 * tensors["starts"], end_logits=60.0 * tensors["ends"])
    labels = tensors["labels"]
    if task.setting.head == "several":
        return Output(logits=60 * (2 * labels - 1))
    if task.setting.head == "value":
        return Output(logits=labels.nan_to_num()[:, None])
    if task.name == "choice":
        sizes = tensors["options"].tolist()
        rows = [one_hot(label, size) for label, size in zip(labels, sizes, strict=True)]
        return Output(logits=60.0 * torch.cat(rows)[:, None])
    return Output(logits=60.0 * one_hot(labels.clamp(min=0), len(task.model_labels)))


@pytest.mark.parametrize(("name", "head"), ASKED)
def test_a_certain_teacher_says_what_the_task_does(name: str, head: str) -> None:
    task, micro = made(name, head)
    own = said(task, micro, 1)
    found = departure(certain(task, micro.tensors), own, micro.tensors, softness=1.0)
    assert float(found) == pytest.approx(float(task.loss(own, micro.tensors)), rel=1e-5)
    assert float(found) > 0.1


def test_every_head_that_is_compared_has_its_case() -> None:
    assert {head for _, head in ASKED} == set(COMPARED)


@pytest.mark.parametrize(("name", "head"), [key for key in ASKED if key[0] in ("classify", "choice")])
def test_looks_at_a_text_that_counts_twice_disagree_twice_as_much(name: str, head: str) -> None:
    task, micro = made(name, head)
    looks = said(task, micro, 1), said(task, micro, 2)
    twice = micro.tensors | {"weights": 2 * micro.tensors["weights"]}
    found, more = (float(disagreement(*looks, tensors)) for tensors in (micro.tensors, twice))
    assert more == pytest.approx(2 * found, rel=1e-5)


def in_and_out(loss: Any) -> tuple[float, float]:
    """Return a loss by itself, and where the encoder computes in bfloat16."""
    with torch.autocast("cpu", torch.bfloat16):
        halved = float(loss())
    return float(loss()), halved


@pytest.mark.parametrize(
    ("name", "head", "rdrop"), [(*key, 0.0) for key in LOSSES] + [(*key, 0.5) for key in ASKED]
)
def test_a_loss_is_exact_whatever_the_encoder_computes_in(
    name: str, head: str, rdrop: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, micro = made(name, head)
    own = said(task, micro, 1)
    monkeypatch.setattr(fitting, "run_model", lambda *_: own)
    job: Any = SimpleNamespace(task=task, config=SimpleNamespace(rdrop=rdrop), teacher=None)
    whole, halved = in_and_out(lambda: fitting.FinetuneJob.loss(job, SimpleNamespace(), micro))  # type: ignore[arg-type]
    assert halved == pytest.approx(whole, rel=1e-6)


def test_a_teacher_is_compared_exactly_too(monkeypatch: pytest.MonkeyPatch) -> None:
    task, micro = made("ner", "softmax")
    rng = torch.Generator().manual_seed(3)
    shape = (*micro.tensors["input_ids"].shape, 24)
    hidden = [torch.randn(shape, generator=rng).bfloat16().float() for _ in range(2)]
    own, other = said(task, micro, 1), said(task, micro, 2)

    class Listener:
        layers = hidden[:1]

        def __enter__(self) -> "Listener":
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(pupil, "run_model", lambda *_: other)
    monkeypatch.setattr(pupil, "Listener", lambda *_, **__: Listener())
    model = SimpleNamespace(to=lambda _: None)
    teacher: Any = SimpleNamespace(model=model, numbers=False, softness=2.0, weight=0.5, relations=9.0)
    heard: Any = SimpleNamespace(layers=hidden[1:])
    loss = torch.zeros(())
    whole, halved = in_and_out(lambda: pupil.Teacher.mixed(teacher, loss, own, micro, heard))
    assert halved == pytest.approx(whole, rel=1e-6)
