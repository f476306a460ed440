"""The queue: batches, order, and that one bad question harms no other."""

import random
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from asking import Slow

from zhbert.app.pipeline import Pipeline, load
from zhbert.errors import DataError
from zhbert.records import LabelExample, LabelPrediction, to_plain
from zhbert.serve.queue import Batch, Closed, Full, Queue

TEXT = "王芳在杭州市图书馆工作，李明去了北京。"


def held(pipe: Slow, queue: Queue) -> Any:
    """Have the model busy with a first text, so that others must wait."""
    pipe.gate.clear()
    pipe.called.clear()
    first = queue.submit("一")
    assert pipe.called.wait(20)
    return first


def said(future: Any) -> str:
    found = future.result(20)
    assert isinstance(found, LabelPrediction)
    return found.labels[0]


def test_what_waits_is_read_together_and_in_order() -> None:
    pipe, told = Slow(), list[Batch]()
    with Queue(pipe, told=told.append) as queue:
        first = held(pipe, queue)
        rest = [queue.submit("字" * n) for n in range(5)]
        assert len(queue) == 5
        pipe.gate.set()
        assert [said(one) for one in [first, *rest]] == ["1", "0", "1", "2", "3", "4"]
    assert pipe.batches == [["一"], ["字" * n for n in range(5)]]
    assert [(batch.questions, batch.tokens) for batch in told] == [(1, 1), (5, 10)]


@pytest.mark.parametrize(("budget", "sizes"), [(1, [1, 1, 1, 1]), (6, [2, 2]), (7, [2, 2]), (9, [3, 1])])
def test_a_batch_has_so_many_characters_at_most(budget: int, sizes: list[int]) -> None:
    pipe = Slow()
    with Queue(pipe, budget=budget) as queue:
        held(pipe, queue)
        rest = [queue.submit("两字") for _ in range(4)]
        pipe.gate.set()
        assert [said(one) for one in rest] == ["2"] * 4
    assert [len(batch) for batch in pipe.batches[1:]] == sizes


def test_a_text_that_is_longer_than_a_batch_goes_alone() -> None:
    pipe = Slow()
    with Queue(pipe, budget=4) as queue:
        assert said(queue.submit("字" * 100)) == "100"


def test_a_question_waits_for_others_but_not_for_long() -> None:
    pipe = Slow()
    with Queue(pipe, wait=0.3) as queue:
        futures = [queue.submit("一"), queue.submit("二二")]
        assert [said(one) for one in futures] == ["1", "2"]
    assert pipe.batches == [["一", "二二"]]


def test_a_bad_question_fails_alone() -> None:
    pipe = Slow()
    with Queue(pipe) as queue:
        held(pipe, queue)
        good, bad, broken, last = queue.submit_all(["好", 5, "break", "好好"])
        pipe.gate.set()
        assert [said(good), said(last)] == ["1", "2"]
        with pytest.raises(DataError, match="takes a text"):
            bad.result(20)
        with pytest.raises(RuntimeError, match="secret"):
            broken.result(20)
        assert said(queue.submit("三字文")) == "3"


def test_who_gives_up_is_not_waited_for() -> None:
    pipe = Slow()
    with Queue(pipe, most=2) as queue:
        held(pipe, queue)
        gone, also = queue.submit("走"), queue.submit("也走")
        assert gone.cancel()
        assert also.cancel()
        stays = queue.submit("留下")
        assert len(queue) == 1, "there is room again"
        pipe.gate.set()
        assert said(stays) == "2"
    assert pipe.batches[1] == ["留下"]
    with pytest.raises(CancelledError):
        gone.result()


def test_the_queue_goes_on_when_all_who_waited_have_given_up() -> None:
    pipe = Slow()
    with Queue(pipe) as queue:
        held(pipe, queue)
        assert all(queue.submit("走").cancel() for _ in range(3))
        pipe.gate.set()
        time.sleep(0.05)
        assert queue.submit("留下").result(5)
    assert pipe.batches == [["一"], ["留下"]]


def test_where_there_is_no_room_nothing_is_taken() -> None:
    pipe = Slow()
    with Queue(pipe, most=3) as queue:
        held(pipe, queue)
        taken = queue.submit_all(["一", "二"])
        with pytest.raises(Full, match="2 questions wait already"):
            queue.submit_all(["三", "四"])
        taken.append(queue.submit("三"))
        pipe.gate.set()
        assert [said(one) for one in taken] == ["1"] * 3


def test_a_closed_queue_answers_what_it_took_and_takes_no_more() -> None:
    pipe = Slow()
    queue = Queue(pipe)
    held(pipe, queue)
    taken = [queue.submit("字" * n) for n in range(3)]
    closing = threading.Thread(target=queue.close)
    closing.start()
    pipe.gate.set()
    closing.join(20)
    assert all(one.done() for one in taken)
    with pytest.raises(Closed, match="closed"):
        queue.submit("一")


def test_an_example_keeps_its_id_and_others_have_that_of_one_call() -> None:
    class Labels(Slow):
        def batch(self, questions: Any, **more: Any) -> Any:
            return super().batch([getattr(one, "text", one) for one in questions], **more)

    with Queue(Labels(), wait=0.2) as queue:
        asked = [LabelExample(id="甲", text="一"), "二"]
        assert [one.result(20).id for one in queue.submit_all(asked)] == ["甲", "0"]


@pytest.mark.slow
@pytest.mark.parametrize("task", ["ner", "classify", "pair", "reading"])
def test_eight_threads_get_the_answers_of_one(task: str, tiny_models: dict[str, Path]) -> None:
    pipe = load(tiny_models[task])
    assert isinstance(pipe, Pipeline)
    rng = random.Random(task)
    cut = [TEXT[: rng.randrange(len(TEXT))] * rng.randrange(1, 9) for _ in range(60)]
    cut += ["", "  ", "\u200b", "a\0b", "\ud800王芳", "😀"]
    asked: list[Any] = list(cut)
    if task in ("pair", "reading"):
        asked = [("谁？" if task == "reading" else rng.choice(cut), one) for one in cut]
    expected = [pipe(one) for one in asked]
    with Queue(pipe) as queue, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda one: queue.submit(one).result(60), asked))
    for one, other in zip(found, expected, strict=True):
        assert close(to_plain(one), to_plain(other)), (one, other)


def close(one: Any, other: Any) -> bool:
    """Tell whether two records say the same, but for the last digits of a sum in another order."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    return bool(one == (pytest.approx(other, abs=2e-5) if isinstance(one, float) else other))
