"""Who looks on while a model predicts: what is counted, and whose time goes where."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from zhbert.encode.tokenizer import Tokenizer
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    ReadingExample,
    Span,
)
from zhbert.score.coverage import Coverage
from zhbert.task import predict as room
from zhbert.task.base import Feature, Setting, Task
from zhbert.task.predict import predict
from zhbert.task.reach import BORDER, SILENCE
from zhbert.task.registry import make_task
from zhbert.task.script import Script
from zhbert.task.watch import Watch

VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"他在北京台湾大学", "iphone"]
MODEL = cast(Any, SimpleNamespace(eval=lambda: None, device=SimpleNamespace(type="cpu")))


def task_of(name: str, **options: Any) -> Task:
    setting = {"tokenizer": Tokenizer.from_vocab(VOCAB), "labels": ("甲", "乙"), "window": 16, "overlap": 4}
    return make_task(name, Setting(**setting | options))


def watched(
    task: Task, examples: Sequence[Example], monkeypatch: pytest.MonkeyPatch, script: Script = "kept"
) -> Watch:
    """What is seen of predicting with a model that says the same of every window, after some time."""

    def run(task: Task, _: object, features: Sequence[Feature], *__: object) -> list[Any]:
        clock.now += sum(len(feature.ids) for feature in features)
        return [np.zeros(len(task.setting.labels)) for _ in features]

    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(room, "_run", run)
    monkeypatch.setattr(room, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(type(task), "decode", lambda *_: object())
    watch = Watch(task)
    assert len(list(predict(task, MODEL, examples, onlooker=watch, script=script))) == len(examples)
    return watch


def coverage(task: Task, examples: Sequence[Example], monkeypatch: pytest.MonkeyPatch) -> Coverage:
    return watched(task, examples, monkeypatch).seen().coverage()


@pytest.mark.parametrize("chunk", [2, 100])
def test_long_texts_take_windows_and_unknown_signs_are_named(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "CHUNK", chunk)
    texts = ["他在北京" * 5, "他在😀", "他\u200b在 𠮷", "他在😀"]
    labels = [("甲",), ("丙",), (), ("乙",)]
    found = coverage(
        task_of("classify"),
        [
            LabelExample(id=str(i), text=t, labels=n)
            for i, (t, n) in enumerate(zip(texts, labels, strict=True))
        ],
        monkeypatch,
    )
    assert (found.examples, found.characters, found.windows, found.several) == (4, 31, 5, 1)
    assert (found.tokens, found.unknown, found.cut, found.unread) == (29, 3, 0, 0)
    assert found.unknown_surfaces == {"😀": 2, "𠮷": 1}
    assert found.dropped == {"U+200B": 1}
    assert (found.answers, sum(found.out_of_reach.values()), found.shown) == (3, 1, ("1: 丙",))


def test_what_is_cut_is_counted_in_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    long, short = "他在 北京" * 4, "大学"
    pair = coverage(task_of("pair"), [PairExample(id="1", first=long, second=short)], monkeypatch)
    assert (pair.cut, pair.unread, pair.windows) == (1, len(long) - len("他在 北京" * 2 + "他在 北"), 1)
    asked = coverage(
        task_of("reading"), [ReadingExample(id="1", context="他" * 30, question="他在 北京" * 3)], monkeypatch
    )
    assert (asked.cut, asked.unread) == (1, len("他在 北京"))
    assert asked.several == 1
    assert asked.out_of_reach == {SILENCE: 1}


def test_of_a_choice_each_option_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    question, options = "在 大学在大学", ("北京" * 2, "北京" * 5)
    example = ChoiceExample(id="1", context="他" * 9, question=question, options=options, answer=0)
    found = coverage(task_of("choice"), [example], monkeypatch)
    first = len("在 大")  # of eight places the option takes four, and the end of the question the others
    second = len(question) + 2  # no place is left beside the option, which loses its end
    assert (found.cut, found.unread, found.answers) == (1, first + second, 1)


def test_a_pair_that_is_read_both_ways_has_one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_of("pair", decoding={"symmetric": 1.0})
    found = coverage(task, [PairExample(id="1", first="他", second="在")], monkeypatch)
    assert (found.windows, found.several) == (1, 0)


def test_gold_is_compared_though_the_model_does_not_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "他在臺灣iphone"
    gold = EntityExample(id="句", text=text, entities=(Span.of(text, 2, 4, "甲"), Span.of(text, 4, 6, "乙")))
    watch = watched(task_of("ner"), [gold], monkeypatch, script="simplified")
    found = watch.seen().coverage()
    assert (found.answers, found.out_of_reach, found.shown) == (2, {BORDER: 1}, ("句: ip 乙",))
    assert found.unknown == 0  # it is read as 台湾
    assert watched(task_of("ner"), [gold], monkeypatch).seen().coverage().unknown == 2


@pytest.mark.parametrize("tokens", [20, 4096])
def test_each_text_has_the_share_of_its_tokens(tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["他", "他" * 9, "他" * 20]  # of one window, one, and two; each with two special tokens
    monkeypatch.setattr(room, "TOKENS", tokens)
    examples = [LabelExample(id=str(i), text=text) for i, text in enumerate(texts)]
    watch = watched(task_of("classify"), examples, monkeypatch)
    assert watch._spent.tolist() == pytest.approx([3, 11, 32])
    cost = watch.seen().cost(threads=2)
    assert (cost.model, cost.seconds, cost.threads, cost.examples, cost.characters) == (46, 46, 2, 3, 30)
    assert [(band.characters, band.n, band.median) for band in cost.bands] == [
        ("0–16", 2, 7.0),
        ("17–32", 1, 32.0),
    ]
    assert cost.rate[0] == pytest.approx(3 / 46)
