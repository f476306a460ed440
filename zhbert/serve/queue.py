"""Many askers, one model: questions that arrive about the same time go through it together.

    with Queue(zhbert.load("runs/quickstart/ner-pretrained")) as queue:
        waiting = [queue.submit(text) for text in texts]       # from any thread
        answers = [future.result() for future in waiting]

- One thread calls the model, so it is never called twice at once; questions are answered in the order in
  which they came. Nobody waits until a batch is full: after a few milliseconds it is closed as it is.
- A batch is full when it has so many characters: those of Chinese are about as many tokens.
- A question that the model refuses fails alone: what was asked with it is asked again, one by one.
- Who cancels a future that still waits has it taken out, and the model is spared.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, fields, is_dataclass, replace
from time import monotonic
from typing import Any, Protocol

from zhbert.errors import BusyError
from zhbert.model.store import Facts
from zhbert.records import Prediction
from zhbert.task.predict import TOKENS, Onlooker

MOST_WAITING = 1024
FEW_MILLISECONDS = 0.004


class Answering(Protocol):
    """What a queue asks of a model: a `zhbert.load(...)` of a task model has it."""

    facts: Facts

    def batch(self, questions: Sequence[Any], *, onlooker: Onlooker = ...) -> list[Prediction]:
        """Return the predictions for many, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What went through the model at once: questions, tokens of all their windows, seconds."""

    questions: int
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Any
    size: int
    future: "Future[Prediction]"
    since: float


class Full(BusyError):
    """More waits than may wait; asked later, it may be taken."""


class Closed(BusyError):
    """Nothing is taken any more."""


class Queue:
    """Questions that wait for a model; safe to share between threads.

    `budget` are the characters that go through the model together (1: no batching), `wait` the seconds for
    which a question may wait for others, `most` how many may wait, `told` is called with every `Batch`.
    """

    def __init__(
        self,
        pipe: Answering,
        *,
        budget: int = TOKENS,
        wait: float = FEW_MILLISECONDS,
        most: int = MOST_WAITING,
        told: Callable[[Batch], None] = lambda batch: None,
    ) -> None:
        self._pipe, self._budget, self._wait, self._most, self._told = pipe, budget, wait, most, told
        self._waiting: deque[_Asked] = deque()
        self._size, self._closed = 0, False
        self._changed = threading.Condition()
        self._worker = threading.Thread(target=self._work, name="zhbert queue", daemon=True)
        self._worker.start()

    def __enter__(self) -> "Queue":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._waiting)

    def submit(self, question: Any) -> "Future[Prediction]":
        """Return what will be the prediction for a question, as the pipeline itself gives it."""
        return self.submit_all([question])[0]

    def submit_all(self, questions: Sequence[Any]) -> "list[Future[Prediction]]":
        """Take several questions, or none of them where there is no room."""
        now = monotonic()
        asked = [_Asked(question, _size(question), Future(), now) for question in questions]
        with self._changed:
            if self._closed:
                raise Closed("the queue is closed")
            self._forget()
            if len(self._waiting) + len(asked) > self._most:
                raise Full(f"{len(self._waiting)} questions wait already", remedy="ask again later")
            self._waiting.extend(asked)
            self._size += sum(one.size for one in asked)
            self._changed.notify()
        return [one.future for one in asked]

    def close(self) -> None:
        """Take nothing more, answer what waits, and return then."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._worker.join()

    def _work(self) -> None:
        while batch := self._next():
            wanted = [one for one in batch if one.future.set_running_or_notify_cancel()]
            if wanted:
                self._answer(wanted)

    def _next(self) -> list[_Asked]:
        """Wait for questions and return those of one batch; none once the queue is closed and empty."""
        with self._changed:
            while self._changed.wait_for(lambda: self._waiting or self._closed) and self._waiting:
                left = self._waiting[0].since + self._wait - monotonic()
                self._changed.wait_for(lambda: self._size >= self._budget or self._closed, max(0, left))
                self._forget()
                if self._waiting:
                    return self._taken()
            return []

    def _taken(self) -> list[_Asked]:
        """Take one batch of those that wait."""
        batch = [self._waiting.popleft()]
        room = self._budget - batch[0].size
        while self._waiting and self._waiting[0].size <= room:
            batch.append(self._waiting.popleft())
            room -= batch[-1].size
        self._size -= self._budget - room
        return batch

    def _forget(self) -> None:
        """Take out what nobody waits for any more."""
        if any(one.future.cancelled() for one in self._waiting):
            self._waiting = deque(one for one in self._waiting if not one.future.cancelled())
            self._size = sum(one.size for one in self._waiting)

    def _answer(self, batch: list[_Asked]) -> None:
        """Ask the model once, or, where it refuses something, for each question by itself."""
        counting, started = _Counting(), monotonic()
        try:
            found = self._pipe.batch([one.question for one in batch], onlooker=counting)
        except Exception as error:  # whatever it is, it is the askers' to know
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for one in batch:
                self._answer([one])
            return
        self._told(Batch(questions=len(batch), tokens=counting.tokens, seconds=monotonic() - started))
        for one, prediction in zip(batch, found, strict=True):
            one.future.set_result(replace(prediction, id=getattr(one.question, "id", "0")))


class _Counting(Onlooker):
    """Counts the tokens that the model reads."""

    tokens = 0

    def ran(self, places: Sequence[int], tokens: Sequence[int], seconds: float) -> None:
        """Hear of a batch of windows."""
        self.tokens += sum(tokens)


def _size(question: Any) -> int:
    """Return the characters of a question, whatever it is, and one more, since an empty one costs too.

    >>> _size(("谁？", "王芳在杭州")), _size(("前文", "问？", ["甲", "乙"]))
    (8, 7)
    """
    return 1 + sum(map(len, texts_in(question)))


def texts_in(question: Any) -> list[str]:
    """Return all texts of a question; what is no question has none, and is refused when its turn comes."""
    if isinstance(question, str):
        return [question]
    if isinstance(question, list | tuple):
        return [text for part in question for text in texts_in(part)]
    if is_dataclass(question) and not isinstance(question, type):
        return [text for field in fields(question) for text in texts_in(getattr(question, field.name))]
    return []
