"""`zhbert.load`: a model folder as something to call, typed by what the folder holds.

    pipe = zhbert.load("runs/quickstart/ner-pretrained")
    pipe("王芳在杭州市图书馆工作")        # one prediction, offsets into this very text
    pipe.batch(texts)                      # a list of them
    pipe.stream(lines)                     # one after the other, memory bounded

What is called is a text for classification and entities, a (first, second) pair of texts for
pairs, a (question, context) pair for reading. An encoder has `fill` instead.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from zhbert.errors import DataError, ModelError
from zhbert.model import store
from zhbert.records import EntityExample, Example, LabelExample, PairExample, Prediction, ReadingExample
from zhbert.task.predict import CHUNK, predict
from zhbert.task.registry import task_of

Question = str | tuple[str, str] | Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One way to fill the masked places of a text."""

    text: str
    words: tuple[str, ...]
    score: float


def best_device() -> torch.device:
    """Return the device that models run on: CUDA where there is one, else Apple's, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def load(folder: str | Path) -> "Pipeline | Encoder":
    """Return a pipeline for whatever the folder holds: a task model, or an encoder to fill masks with."""
    stored = store.load(Path(folder))
    stored.model.to(best_device()).eval()
    return Encoder(stored) if stored.facts.task == store.MASKED else Pipeline(stored)


class Pipeline:
    """A task model to call; safe to share between threads."""

    def __init__(self, stored: store.Stored) -> None:
        self.facts, self._model = stored.facts, stored.model
        self._task = task_of(stored)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return (
            f"<zhbert pipeline: {self.facts.task}, {len(self.facts.labels)} labels, on {self._model.device}>"
        )

    def __call__(self, question: Question) -> Prediction:
        """Return the prediction for one text, pair or question."""
        return self.batch([question])[0]

    def batch(self, questions: Sequence[Question]) -> list[Prediction]:
        """Return the predictions for many, in their order."""
        examples = [_example(self.facts.task, q, str(i)) for i, q in enumerate(questions)]
        with self._lock:
            return list(predict(self._task, self._model, examples))

    def stream(self, questions: Iterable[Question]) -> Iterator[Prediction]:
        """Yield predictions one after the other; the first batches are small so that the first comes soon."""
        rest, size = iter(questions), 16
        while some := list(islice(rest, size)):
            yield from self.batch(some)
            size = min(CHUNK, 2 * size)


def _example(task: str, question: Question, name: str) -> Example:
    """Return what was asked as an example of the task."""
    match task, question:
        case ("classify", str()):
            return LabelExample(id=name, text=question)
        case ("ner", str()):
            return EntityExample(id=name, text=question)
        case ("pair", (str() as first, str() as second)):
            return PairExample(id=name, first=first, second=second)
        case ("reading", (str() as asked, str() as context)):
            return ReadingExample(id=name, question=asked, context=context)
    if isinstance(question, _EXAMPLE_OF[task]):
        return question
    raise DataError(f"a {task} model takes {_TAKES[task]}, not {type(question).__name__}")


_EXAMPLE_OF: dict[str, type[Example]] = {
    "classify": LabelExample,
    "ner": EntityExample,
    "pair": PairExample,
    "reading": ReadingExample,
}
_TAKES = {"classify": "a text", "ner": "a text", "pair": "(first, second)", "reading": "(question, context)"}


class Encoder:
    """A masked-language model to play with."""

    def __init__(self, stored: store.Stored) -> None:
        self.facts, self._model, self._tokenizer = stored.facts, stored.model, stored.tokenizer

    def __repr__(self) -> str:
        return f"<zhbert encoder: {self._tokenizer.size} tokens, on {self._model.device}>"

    @torch.inference_mode()
    def fill(self, text: str, *, top: int = 5) -> list[Guess]:
        """Return the best ways to fill the `[MASK]`s of a text, the places filled from left to right."""
        tokenizer = self._tokenizer
        ids = tokenizer.encode_batch([text])[0].ids.tolist()
        places = [i + 1 for i, token in enumerate(ids) if token == tokenizer.special.mask]
        if not places:
            raise DataError("the text has no [MASK] to fill")
        beams: list[tuple[float, list[int]]] = [(0.0, [tokenizer.special.cls, *ids, tokenizer.special.sep])]
        for place in places:
            beams = self._widen(beams, place, top)
        return [self._guess(score, row, places, text) for score, row in beams]

    def _widen(
        self, beams: list[tuple[float, list[int]]], place: int, top: int
    ) -> list[tuple[float, list[int]]]:
        rows = torch.tensor([row for _, row in beams], device=self._model.device)
        logs = self._model(input_ids=rows).logits[:, place].float().log_softmax(-1)
        values, tokens = logs.topk(min(top, logs.shape[-1]), dim=-1)
        wider = [
            (score + float(value), [*row[:place], int(token), *row[place + 1 :]])
            for (score, row), row_values, row_tokens in zip(beams, values, tokens, strict=True)
            for value, token in zip(row_values, row_tokens, strict=True)
        ]
        return sorted(wider, key=lambda beam: -beam[0])[:top]

    def _guess(self, score: float, row: list[int], places: list[int], text: str) -> Guess:
        words = tuple(self._tokenizer.decode([row[place]]) for place in places)
        for word in words:
            text = text.replace("[MASK]", word, 1)
        return Guess(text=text, words=words, score=float(torch.tensor(score).exp()))


def fill(folder: str | Path, text: str, *, top: int = 5) -> list[Guess]:
    """Return the best ways to fill the `[MASK]`s of a text with the encoder of a folder."""
    pipe = load(folder)
    if isinstance(pipe, Encoder):
        return pipe.fill(text, top=top)
    raise ModelError(
        "not an encoder but a task model", where=folder, remedy="give the output of zhbert pretrain"
    )
