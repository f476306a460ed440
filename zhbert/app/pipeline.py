"""`zhbert.load`: a model folder as something to call, typed by what the folder holds.

    pipe = zhbert.load("runs/quickstart/ner-pretrained")
    pipe("王芳在杭州市图书馆工作")        # one prediction, offsets into this very text
    pipe.batch(texts)                      # a list of them
    pipe.stream(lines)                     # one after the other, memory bounded

What is called is a text for classification and entities, a (first, second) pair of texts for
pairs, a (question, context) pair for reading. An encoder has `fill` instead.
"""

import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from zhbert.errors import DataError, ModelError
from zhbert.model import store
from zhbert.model.encoder import most_tokens
from zhbert.records import EntityExample, Example, LabelExample, PairExample, Prediction, ReadingExample
from zhbert.task.predict import CHUNK, predict
from zhbert.task.registry import task_of

Question = str | tuple[str, str] | Example
Beam = tuple[float, list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One way to fill the masked places of a text."""

    text: str
    words: tuple[str, ...]
    score: float


def load(folder: str | Path) -> "Pipeline | Encoder":
    """Return a pipeline for whatever the folder holds: a task model, or an encoder to fill masks with."""
    stored = store.load(Path(folder))
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
        if isinstance(questions, str):
            raise DataError("a list of questions is needed, not one text", remedy="call the pipeline itself")
        return self._predict(enumerate(questions))

    def stream(self, questions: Iterable[Question]) -> Iterator[Prediction]:
        """Yield predictions one after the other; the first batches are small so that the first comes soon."""
        if isinstance(questions, str):
            raise DataError("many questions are needed, not one text", remedy="call the pipeline itself")
        rest, size = enumerate(questions), 16
        while some := list(islice(rest, size)):
            yield from self._predict(some)
            size = min(CHUNK, 2 * size)

    def _predict(self, numbered: Iterable[tuple[int, Question]]) -> list[Prediction]:
        examples = [_example(self.facts.task, question, str(number)) for number, question in numbered]
        with self._lock:
            return list(predict(self._task, self._model, examples))


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
        self._words = torch.from_numpy(stored.tokenizer.ordinary_ids).to(stored.model.device)

    def __repr__(self) -> str:
        return f"<zhbert encoder: {self._tokenizer.size} tokens, on {self._model.device}>"

    @torch.inference_mode()
    def fill(self, text: str, *, top: int = 5) -> list[Guess]:
        """Return the best ways to fill the `[MASK]`s of a text, the places filled from left to right."""
        special = self._tokenizer.special
        encoded = self._tokenizer.encode_batch([text])[0]
        places = [i for i, token in enumerate(encoded.ids.tolist()) if token == special.mask]
        if not places:
            raise DataError("the text has no [MASK] to fill")
        if len(encoded) + 2 > most_tokens(self._model):
            raise DataError(
                f"the text has {len(encoded)} tokens; the encoder takes {most_tokens(self._model) - 2}"
            )
        beams: list[Beam] = [(0.0, [special.cls, *encoded.ids.tolist(), special.sep])]
        for place in places:
            beams = self._widen(beams, place + 1, top)
        gaps = encoded.offsets[places].tolist()
        return [self._guess(score, [row[place + 1] for place in places], gaps, text) for score, row in beams]

    def _widen(self, beams: list[Beam], place: int, top: int) -> list[Beam]:
        """Return the best ways to fill one more place with a token that a text can have."""
        rows = torch.tensor([row for _, row in beams], device=self._model.device)
        logs = self._model(input_ids=rows).logits[:, place].float().log_softmax(-1)[:, self._words]
        values, words = logs.topk(min(top, logs.shape[-1]), dim=-1)
        wider = [
            (score + float(value), [*row[:place], int(self._words[word]), *row[place + 1 :]])
            for (score, row), row_values, row_words in zip(beams, values, words, strict=True)
            for value, word in zip(row_values, row_words, strict=True)
        ]
        return sorted(wider, key=lambda beam: -beam[0])[:top]

    def _guess(self, score: float, tokens: list[int], gaps: list[list[int]], text: str) -> Guess:
        words = tuple(self._tokenizer.decode([token]).removeprefix("##") for token in tokens)
        for word, (start, end) in reversed(list(zip(words, gaps, strict=True))):
            text = text[:start] + word + text[end:]
        return Guess(text=text, words=words, score=math.exp(score))


def fill(folder: str | Path, text: str, *, top: int = 5) -> list[Guess]:
    """Return the best ways to fill the `[MASK]`s of a text with the encoder of a folder."""
    pipe = load(folder)
    if isinstance(pipe, Encoder):
        return pipe.fill(text, top=top)
    raise ModelError(
        "not an encoder but a task model", where=folder, remedy="give the output of zhbert pretrain"
    )
