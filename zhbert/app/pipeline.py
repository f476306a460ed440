"""`zhbert.load`: a model folder as something to call, typed by what the folder holds.

    pipe = zhbert.load("runs/quickstart/ner-pretrained")
    pipe("王芳在杭州市图书馆工作")        # one prediction, offsets into this very text
    pipe.batch(texts)                      # a list of them
    pipe.stream(lines)                     # one after the other, memory bounded

What is called is a text for classification, entities and words, a (first, second) pair of texts for
pairs, a (question, context) pair for reading, (context, question, options) for choice. `pipe.encoder` is
the encoder below the task's head. A folder that is an encoder gives an `Encoder` (`encoder.py`).
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from zhbert.app.encoder import Encoder, Guess, plain_encoder
from zhbert.config import model_named
from zhbert.errors import ConfigError, DataError, ModelError
from zhbert.model import store
from zhbert.model.onnx import Backend, OnnxModel
from zhbert.model.unpadded import in_half
from zhbert.precision import Dtype
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    Prediction,
    ReadingExample,
)
from zhbert.task.predict import CHUNK, NOBODY, Onlooker, predict
from zhbert.task.registry import task_of
from zhbert.task.script import Script

Question = str | tuple[str, str] | tuple[str, str, Sequence[str]] | Example


def load(
    folder: str | Path,
    *,
    script: Script = "kept",
    answers: int = 1,
    backend: Backend = "torch",
    dtype: Dtype = "auto",
) -> "Pipeline | Encoder":
    """Return a pipeline for whatever the folder holds: a task model, or an encoder.

    With `script="simplified"` a task model reads traditional text as simplified. A reader gives so many
    `answers`: the best, and `others`.

    With the `backend` "onnx" or "onnx-int8" a folder of `zhbert onnx` is carried out by ONNX Runtime.
    `dtype`: the encoder computes in bfloat16 on a GPU that can (auto), always (bfloat16), or never (float32).

    An encoder may also be one that transformers has saved, or, given as a text, a name on the hub or
    `bundled`, the encoder that comes with zhbert.
    """
    folder = model_named(folder) if isinstance(folder, str) else folder
    plain = isinstance(folder, str) and store.is_hub_name(folder)
    if plain or ((Path(folder) / "config.json").is_file() and not (Path(folder) / store.FACTS).is_file()):
        if backend != "torch":
            raise ModelError("not a task model, so there is no graph of it", where=folder)
        return plain_encoder(str(folder), dtype=dtype)
    stored = store.load(Path(folder), backend=backend)
    return (
        Encoder(stored, dtype=dtype)
        if stored.facts.task == store.MASKED
        else Pipeline(stored, script=script, answers=answers, dtype=dtype)
    )


class Pipeline:
    """A task model to call; safe to share between threads."""

    def __init__(
        self, stored: store.Stored, *, script: Script = "kept", answers: int = 1, dtype: Dtype = "auto"
    ) -> None:
        self.facts, self._model, self._script = stored.facts, stored.model, script
        self._dtype = dtype
        in_half(stored.model, dtype)  # says now what it could not do later
        self._task = task_of(stored, answers=float(answers))
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return (
            f"<zhbert pipeline: {self.facts.task}, {len(self.facts.labels)} labels, on {self._model.device}>"
        )

    def __call__(self, question: Question) -> Prediction:
        """Return the prediction for one text, pair or question."""
        return self.batch([question])[0]

    def batch(self, questions: Sequence[Question], *, onlooker: Onlooker = NOBODY) -> list[Prediction]:
        """Return the predictions for many, in their order; an `onlooker` is told how it goes on."""
        if isinstance(questions, str):
            raise DataError("a list of questions is needed, not one text", remedy="call the pipeline itself")
        return self._predict(enumerate(questions), onlooker)

    def stream(self, questions: Iterable[Question]) -> Iterator[Prediction]:
        """Yield predictions one after the other; the first batches are small so that the first comes soon."""
        if isinstance(questions, str):
            raise DataError("many questions are needed, not one text", remedy="call the pipeline itself")
        rest, size = enumerate(questions), 16
        while some := list(islice(rest, size)):
            yield from self._predict(some)
            size = min(CHUNK, 2 * size)

    @property
    def encoder(self) -> Encoder:
        """The encoder of this model, to make vectors with."""
        if isinstance(self._model, OnnxModel):
            raise ModelError(
                "a graph says what its head says, and has no encoder of its own",
                where=self._model.path,
                remedy="load the model itself",
            )
        stored = store.Stored(
            model=self._model.base_model, tokenizer=self._task.setting.tokenizer, facts=self.facts
        )
        return Encoder(
            stored,
            headless="a task model has no head that guesses tokens",
            lock=self._lock,
            dtype=self._dtype,
        )

    def _predict(
        self, numbered: Iterable[tuple[int, Question]], onlooker: Onlooker = NOBODY
    ) -> list[Prediction]:
        examples = [_example(self.facts.task, question, str(number)) for number, question in numbered]
        with self._lock:
            said = predict(
                self._task, self._model, examples, script=self._script, dtype=self._dtype, onlooker=onlooker
            )
            return list(said)


def _example(task: str, question: Question, name: str) -> Example:
    """Return what was asked as an example of the task."""
    match task, question:
        case ("classify", str()):
            return LabelExample(id=name, text=question)
        case ("ner" | "segment", str()):
            return EntityExample(id=name, text=question)
        case ("pair", (str() as first, str() as second)):
            return PairExample(id=name, first=first, second=second)
        case ("reading", (str() as asked, str() as context)):
            return ReadingExample(id=name, question=asked, context=context)
        case ("choice", (str() as context, str() as asked, [*options])) if _texts(options):
            return ChoiceExample(id=name, context=context, question=asked, options=tuple(options))
    if isinstance(question, _EXAMPLE_OF[task]):
        return question
    raise DataError(f"a {task} model takes {_TAKES[task]}, not {type(question).__name__}")


def asked(texts: Sequence[str]) -> Question:
    """Return what one ask is by its texts: a text, two, or context, question and options.

    >>> asked(["他在北京。", "他在哪？", "北京", "上海"])
    ('他在北京。', '他在哪？', ['北京', '上海'])
    """
    match texts:
        case [text]:
            return text
        case [first, second]:
            return first, second
        case [context, question, _, _, *_]:
            return context, question, list(texts[2:])
    raise ConfigError(f"{len(texts)} texts are too many", remedy="put each text in quotes, two at most")


def _texts(options: Sequence[object]) -> bool:
    return all(isinstance(option, str) for option in options)


_EXAMPLE_OF: dict[str, type[Example]] = {
    "classify": LabelExample,
    "ner": EntityExample,
    "segment": EntityExample,
    "pair": PairExample,
    "reading": ReadingExample,
    "choice": ChoiceExample,
}
_TAKES = {
    "classify": "a text",
    "ner": "a text",
    "segment": "a text",
    "pair": "(first, second)",
    "reading": "(question, context)",
    "choice": "(context, question, options)",
}


def fill(folder: str | Path, text: str, *, top: int = 5) -> list[Guess]:
    """Return the best ways to fill the `[MASK]`s of a text with the encoder of a folder."""
    return open_encoder(folder).fill(text, top=top)


def open_encoder(folder: str | Path) -> Encoder:
    """Return the encoder of a folder or of a hub name."""
    pipe = load(folder)
    if isinstance(pipe, Encoder):
        return pipe
    raise ModelError(
        "not an encoder but a task model", where=folder, remedy="give the output of zhbert pretrain"
    )
