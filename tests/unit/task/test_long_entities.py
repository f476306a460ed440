"""A text of 20,000 characters: every entity at its place, wherever windows end, in batches of one size.

The model is a stand-in that knows the entities by heart, but only where it also sees three tokens on either
side: what is cut by a border, or stands close to one, it cannot find.
"""

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from zhbert.encode.tokenizer import Tokenizer
from zhbert.model.pointer import WIDTH, outputs, turned
from zhbert.records import EntityExample, EntityPrediction, Span
from zhbert.task import predict as room
from zhbert.task.base import Setting
from zhbert.task.ner import Ner
from zhbert.task.predict import predict

LABELS = ("人名", "地点", "机构")
KNOWN = {"王芳": "人名", "杭州市": "地点", "杭州市图书馆": "机构", "李明": "人名", "北京": "地点"}
SENTENCE = "昨天上午，王芳在杭州市图书馆工作，后来李明一个人去了北京，😀真好。\n"
CONTEXT = 3


class Knowing:
    """Answers for `KNOWN` as a model with some head would, and remembers what it was asked."""

    config = SimpleNamespace(type_vocab_size=2, model_type="stand-in")
    base_model = None
    device = torch.device("cpu")

    def __init__(self, tokenizer: Tokenizer, task: Ner, head: str) -> None:
        self.task, self.head, self.asked = task, head, list[int]()
        known = KNOWN.items() if head == "pointer" else [p for p in KNOWN.items() if p[0] != "杭州市"]
        self.names = [(tokenizer.encode_batch([name])[0].ids.tolist(), label) for name, label in known]

    def eval(self) -> None:
        """Be as it is."""

    def __call__(self, *, input_ids: torch.Tensor, **_: Any) -> Any:
        self.asked.append(input_ids.numel())
        rows = [self._row(ids) for ids in input_ids.tolist()]
        size = len(self.task.model_labels)
        return SimpleNamespace(logits=torch.stack(rows), transitions=torch.zeros(size, size))

    def _row(self, ids: list[int]) -> torch.Tensor:
        found = [
            (at, at + len(name), label)
            for name, label in self.names
            for at in range(CONTEXT, len(ids) - len(name) - CONTEXT + 1)
            if ids[at : at + len(name)] == name
        ]
        return self._pointed(found, len(ids)) if self.head == "pointer" else self._tagged(found, len(ids))

    def _tagged(self, found: list[tuple[int, int, str]], length: int) -> torch.Tensor:
        names = self.task.model_labels
        logits = torch.zeros(length, len(names))
        logits[:, 0] = 4.0
        for start, end, label in found:
            for at in range(start, end):
                logits[at, names.index(f"{'B' if at == start else 'I'}-{label}")] = 9.0
        return logits

    def _pointed(self, found: list[tuple[int, int, str]], length: int) -> torch.Tensor:
        said = torch.zeros(length, outputs(len(LABELS)))
        said[:, 2 * WIDTH :] = -15.0
        for number, (start, end, label) in enumerate(found):
            kind = LABELS.index(label)
            for part, at in ((0, start), (1, end - 1)):
                code = torch.zeros(WIDTH)
                code[number] = (20 * WIDTH**0.5) ** 0.5
                said[at, part * WIDTH : (part + 1) * WIDTH] += turns(at) @ code
                said[at, 2 * WIDTH + part * len(LABELS) + kind] = -8.0
        return said


@cache
def turns(at: int) -> torch.Tensor:
    """Return what undoes the turn of a place: turning keeps lengths, so its transpose does."""
    return turned(torch.eye(WIDTH)[:, None].expand(WIDTH, at + 1, WIDTH))[:, at]


def read(text: str, head: str, tokenizer: Tokenizer) -> tuple[EntityPrediction, Knowing]:
    task = Ner(Setting(tokenizer=tokenizer, labels=LABELS, window=48, overlap=18, head=head))
    model = Knowing(tokenizer, task, head)
    (said,) = predict(task, model, [EntityExample(id="1", text=text)])  # type: ignore[arg-type]
    assert isinstance(said, EntityPrediction)
    return said, model


def truth(text: str, head: str) -> tuple[Span, ...]:
    spans = []
    for name, label in KNOWN.items():
        at = text.find(name)
        while at >= 0:
            if head == "pointer" or name != "杭州市":
                spans.append(Span.of(text, at, at + len(name), label))
            at = text.find(name, at + 1)
    return tuple(sorted(spans))


@pytest.mark.slow
@pytest.mark.parametrize("head", Ner.heads)
def test_a_long_text_is_read_whole_in_bounded_batches(head: str, tiny_tokenizer: Tokenizer) -> None:
    long = SENTENCE * (20_000 // len(SENTENCE))
    found, model = read(long, head, tiny_tokenizer)
    assert found.entities == truth(long, head)
    assert len(found.entities) > 2000
    assert found.coverage == 1.0
    assert [s.surface for s in found.entities] == [long[s.start : s.end] for s in found.entities]
    assert min(found.scores) > 0.9
    shorter, quarter = read(long[:5_000], head, tiny_tokenizer)
    assert max(model.asked) == max(quarter.asked) <= room.TOKENS
    assert len(shorter.entities) < len(found.entities)


@pytest.mark.parametrize("head", Ner.heads)
def test_moving_the_borders_moves_nothing(head: str, tiny_tokenizer: Tokenizer) -> None:
    text = SENTENCE * 4
    whole = truth(text, head)
    for moved in (*range(0, 30, 4), 31):
        found, _ = read("在" * moved + text, head, tiny_tokenizer)
        assert [(s.start - moved, s.end - moved, s.label) for s in found.entities] == [
            (s.start, s.end, s.label) for s in whole
        ]


@pytest.mark.parametrize("head", Ner.heads)
def test_what_windows_keep_is_small(head: str, setting: Callable[..., Setting]) -> None:
    task = Ner(setting(*LABELS, window=48, overlap=18))
    task = Ner(Setting(tokenizer=task.setting.tokenizer, labels=LABELS, window=48, overlap=18, head=head))
    model = Knowing(task.setting.tokenizer, task, head)
    (prepared,) = task.prepare([EntityExample(id="1", text=SENTENCE)])
    ids = torch.tensor([list(prepared.features[0].ids)])
    kept = task.scores(model(input_ids=ids), 0, ids.shape[1])
    assert kept.nbytes < 2_000
    assert np.isfinite(kept).all()


def test_spans_that_no_window_holds_are_counted(tiny_tokenizer: Tokenizer) -> None:
    text = "在北京市杭州市图书馆工作，" * 8
    spans = tuple(Span.of(text, i * 13 + 1, i * 13 + 10, "机构") for i in range(8))
    setting = Setting(tokenizer=tiny_tokenizer, labels=LABELS, window=22, overlap=4, head="pointer")
    (prepared,) = Ner(setting).prepare([EntityExample(id="1", text=text, entities=spans)])
    held = {
        (start, label)
        for f in prepared.features
        for label, start, _ in [(f.span[0] + p[1], *p[:2]) for p in f.target[1]]
    }
    assert prepared.lost == 8 - len(held) > 0
    wide = Setting(tokenizer=tiny_tokenizer, labels=LABELS, window=22, overlap=9, head="pointer")
    (prepared,) = Ner(wide).prepare([EntityExample(id="1", text=text, entities=spans)])
    assert prepared.lost == 0
