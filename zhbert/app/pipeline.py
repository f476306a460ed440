"""`zhbert.load`: a model folder as something to call, typed by what the folder holds.

    pipe = zhbert.load("runs/quickstart/ner-pretrained")
    pipe("王芳在杭州市图书馆工作")        # one prediction, offsets into this very text
    pipe.batch(texts)                      # a list of them
    pipe.stream(lines)                     # one after the other, memory bounded

What is called is a text for classification, entities and words, a (first, second) pair of texts for
pairs, a (question, context) pair for reading, (context, question, options) for choice. An encoder, ours
or any that transformers has saved with its masked-language head, has `fill` instead
(`zhbert.load("bundled")` is one that is always there):

    encoder.fill("我在[MASK][MASK]大学读书")    # the best ways to fill all places together
    encoder.places("我在[MASK][MASK]大学读书")  # the best guesses for each place by itself
"""

import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from zhbert.config import model_named
from zhbert.errors import ConfigError, DataError, ModelError
from zhbert.model import store
from zhbert.model.encoder import most_tokens
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    Prediction,
    ReadingExample,
)
from zhbert.task.guessing import load_with_head
from zhbert.task.predict import CHUNK, predict
from zhbert.task.registry import task_of
from zhbert.task.script import Script

Question = str | tuple[str, str] | tuple[str, str, Sequence[str]] | Example
Beam = tuple[float, list[int]]
WIDTH = 16  # ways that are followed up from place to place, where no more are asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One way to fill the masked places of a text; `score` is its probability."""

    text: str
    words: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One token for one place, and its probability while the other places are masked."""

    word: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A text with masked places: the best ways to fill them together, and the best tokens for each."""

    text: str
    guesses: tuple[Guess, ...]
    places: tuple[tuple[Choice, ...], ...]


def load(folder: str | Path, *, script: Script = "kept", answers: int = 1) -> "Pipeline | Encoder":
    """Return a pipeline for whatever the folder holds: a task model, or an encoder to fill masks with.

    With `script="simplified"` a task model reads traditional text as simplified. A reader gives so many
    `answers`: the best, and `others`.

    An encoder may also be one that transformers has saved, or, given as a text, a name on the hub or
    `bundled`, the encoder that comes with zhbert.
    """
    folder = model_named(folder) if isinstance(folder, str) else folder
    plain = isinstance(folder, str) and store.is_hub_name(folder)
    if plain or ((Path(folder) / "config.json").is_file() and not (Path(folder) / store.FACTS).is_file()):
        model, tokenizer = load_with_head(str(folder))
        facts = store.Facts(task=store.MASKED, window=most_tokens(model))
        return Encoder(store.Stored(model=model, tokenizer=tokenizer, facts=facts))
    stored = store.load(Path(folder))
    return (
        Encoder(stored)
        if stored.facts.task == store.MASKED
        else Pipeline(stored, script=script, answers=answers)
    )


class Pipeline:
    """A task model to call; safe to share between threads."""

    def __init__(self, stored: store.Stored, *, script: Script = "kept", answers: int = 1) -> None:
        self.facts, self._model, self._script = stored.facts, stored.model, script
        self._task = task_of(stored, answers=float(answers))
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
            return list(predict(self._task, self._model, examples, script=self._script))


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


class Encoder:
    """A masked-language model to play with."""

    def __init__(self, stored: store.Stored) -> None:
        self.facts, self._model, self._tokenizer = stored.facts, stored.model, stored.tokenizer
        self._words = torch.from_numpy(stored.tokenizer.ordinary_ids).to(stored.model.device)

    def __repr__(self) -> str:
        return f"<zhbert encoder: {self._tokenizer.size} tokens, on {self._model.device}>"

    @torch.inference_mode()
    def fill(self, text: str, *, top: int = 5) -> list[Guess]:
        """Return the best ways to fill the `[MASK]`s of a text together.

        The places are filled from left to right: the score is the probability of the first word, times that
        of the second where the first stands in its place, and so on. A beam of at least WIDTH ways is kept.
        """
        ids, places, offsets = self._read(text)
        beams: list[Beam] = [(0.0, ids)]
        for place in places:
            beams = self._widen(beams, place, max(top, WIDTH))
        return [
            self._guess(score, [row[place] for place in places], offsets, text) for score, row in beams[:top]
        ]

    @torch.inference_mode()
    def places(self, text: str, *, top: int = 5) -> list[tuple[Choice, ...]]:
        """Return the best tokens for each `[MASK]` of a text while all others are masked."""
        ids, places, _ = self._read(text)
        values, words = self._logs([ids], places).exp().topk(min(top, len(self._words)), dim=-1)
        return [
            tuple(
                Choice(word=self._name(int(self._words[word])), score=float(value))
                for value, word in zip(row_values, row_words, strict=True)
            )
            for row_values, row_words in zip(values[0], words[0], strict=True)
        ]

    def filled(self, text: str, *, top: int = 5) -> Filled:
        """Return both of a text: the best ways to fill its places together, and each by itself."""
        return Filled(
            text=text, guesses=tuple(self.fill(text, top=top)), places=tuple(self.places(text, top=top))
        )

    def _read(self, text: str) -> tuple[list[int], list[int], list[list[int]]]:
        """Return the ids of a text with its special tokens, the masked places, and their characters."""
        special = self._tokenizer.special
        encoded = self._tokenizer.encode_batch([text])[0]
        places = [i for i, token in enumerate(encoded.ids.tolist()) if token == special.mask]
        if not places:
            raise DataError("the text has no [MASK] to fill")
        if len(encoded) + 2 > most_tokens(self._model):
            raise DataError(
                f"the text has {len(encoded)} tokens; the encoder takes {most_tokens(self._model) - 2}"
            )
        ids = [special.cls, *encoded.ids.tolist(), special.sep]
        return ids, [place + 1 for place in places], encoded.offsets[places].tolist()

    def _logs(self, rows: list[list[int]], places: list[int]) -> torch.Tensor:
        """Return the log-probabilities (rows, places, words) of the tokens that a text can have."""
        ids = torch.tensor(rows, device=self._model.device)
        logs: torch.Tensor = self._model(input_ids=ids).logits[:, places].float().log_softmax(-1)
        return logs[..., self._words]

    def _name(self, token: int) -> str:
        return self._tokenizer.decode([token]).removeprefix("##")

    def _widen(self, beams: list[Beam], place: int, top: int) -> list[Beam]:
        """Return the best ways to fill one more place with a token that a text can have."""
        logs = self._logs([row for _, row in beams], [place])[:, 0]
        values, words = logs.topk(min(top, logs.shape[-1]), dim=-1)
        wider = [
            (score + float(value), [*row[:place], int(self._words[word]), *row[place + 1 :]])
            for (score, row), row_values, row_words in zip(beams, values, words, strict=True)
            for value, word in zip(row_values, row_words, strict=True)
        ]
        return sorted(wider, key=lambda beam: -beam[0])[:top]

    def _guess(self, score: float, tokens: list[int], gaps: list[list[int]], text: str) -> Guess:
        words = tuple(map(self._name, tokens))
        for word, (start, end) in reversed(list(zip(words, gaps, strict=True))):
            text = text[:start] + word + text[end:]
        return Guess(text=text, words=words, score=math.exp(score))


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
