"""One portion through the models: the unit of work of `apply`.

    predictions.jsonl    one prediction a record       (with several models each in a folder NAME/)
    seen.json            what the models saw of the texts, what that took, and on what
    left-out.jsonl       what could not be read, where it is wanted

- Models are loaded once in every process. One of several processes has its share of the cores, and the next
  of several GPUs; alone, torch does as it likes. With another number of threads torch may add up a batch of a
  few tokens in another order, so that a sixth digit differs; nothing else depends on who does what.
- Which texts go through a model together is decided within a portion.
- Models with equal tokenizers get tokens that were made once.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from zhbert.app.formats import FORMATS, Name
from zhbert.app.machine import bytes_of, device_name, forget_peak, peak_memory, peak_of_device
from zhbert.app.portions import Portion, asked
from zhbert.corpus.leftout import LeftOut
from zhbert.encode.tokenizer import Encoded, Tokenizer
from zhbert.engine.run import MOST, cores
from zhbert.engine.unit import Result
from zhbert.engine.worker import WORKER
from zhbert.model import store
from zhbert.model.encoder import count_parameters
from zhbert.model.onnx import Backend, OnnxModel
from zhbert.precision import Dtype
from zhbert.records import from_plain, to_json
from zhbert.task.base import Task
from zhbert.task.predict import predict
from zhbert.task.registry import task_of
from zhbert.task.script import Script
from zhbert.task.watch import Seen, Watch

SEEN, LEFT_OUT = "seen.json", "left-out.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """What a portion leaves behind beside predictions: `on` is what it ran on, by the names of `Cost`."""

    seen: Seen
    on: dict[str, Any] = field(default_factory=dict)


class Once(Tokenizer):
    """A tokenizer that makes the tokens of a text once, until it is told to forget.

    >>> from zhbert.encode.bert import NAMES
    >>> once = Once(Tokenizer.from_vocab([*NAMES.values(), "我"]))
    >>> first, second = once.encode_batch(["我", "我"])
    >>> first is second is once.encode_batch(["我"])[0]
    True
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.__dict__.update(tokenizer.__dict__)
        self._known: dict[str, Encoded] = {}

    def encode_batch(self, texts: Sequence[str]) -> list[Encoded]:
        """Return ids and offsets of every text, without special tokens."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, super().encode_batch(new), strict=True))
        return [self._known[text] for text in texts]

    def forget(self) -> None:
        """Let go of all tokens."""
        self._known.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A model that answers under a name."""

    name: str
    stored: store.Stored
    task: Task
    folder: Path

    def on(self) -> dict[str, Any]:
        """Return what it runs on and how big it is."""
        model = self.stored.model
        graph = model.path if isinstance(model, OnnxModel) else None
        return {
            "memory": peak_memory(),
            "device_memory": peak_of_device(model.device),
            "device": device_name(model.device) + (f", {graph.name}" if graph else ""),
            "threads": torch.get_num_threads(),
            "parameters": count_parameters(model),
            "bytes": graph.stat().st_size if graph else bytes_of(self.folder),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Has a portion answered by every model; so many `workers` share this machine, 0 means one a core."""

    models: tuple[tuple[str, Path], ...]
    script: Script
    answers: int
    backend: Backend
    dtype: Dtype
    format: Name
    workers: int

    def __call__(self, portion: Portion, folder: Path) -> Result:
        """Write what the models say; return how much that was."""
        voices = voices_of(self)
        coverages = {voice.name: self._say(voice, portion, folder / voice.name) for voice in voices}
        for voice in voices:
            if isinstance(voice.stored.tokenizer, Once):
                voice.stored.tokenizer.forget()
        if portion.rejects:
            left_out = LeftOut(folder / LEFT_OUT)
            for reject in portion.rejects:
                left_out.add(reject.at, reject.at, reject.reason, reject.raw, message=reject.what)
            left_out.close()
        return {
            "records": len(portion.records),
            "size": portion.size,
            "left out": len(portion.rejects),
            "coverage": coverages,
        }

    def _say(self, voice: Voice, portion: Portion, place: Path) -> float:
        """Write what one model says; return the sum of its coverages."""
        place.mkdir(exist_ok=True)
        examples = [asked(record, voice.task.name) for record in portion.records]
        watch, format = Watch(voice.task), FORMATS[self.format]
        said = predict(
            voice.task, voice.stored.model, examples, script=self.script, dtype=self.dtype, onlooker=watch
        )
        predictions = list(said)
        format.write(place / format.file, predictions, voice.task.name)
        witness = Witness(seen=watch.seen(), on=voice.on())
        with (place / SEEN).open("w", encoding="utf-8", errors="backslashreplace") as handle:
            handle.write(to_json(witness) + "\n")
        return sum(prediction.coverage for prediction in predictions)


@lru_cache(maxsize=1)
def voices_of(say: Say) -> tuple[Voice, ...]:
    """Return the models, loaded; equal tokenizers are one."""
    take_share(os.environ.get(WORKER, ""), workers=say.workers)
    tokenizers: dict[str, Once] = {}
    voices = []
    for name, folder in say.models:
        stored = store.load(folder, backend=say.backend)
        tokenizer = tokenizers.setdefault(stored.tokenizer.fingerprint, Once(stored.tokenizer))
        stored = replace(stored, tokenizer=tokenizer)
        task = task_of(stored, answers=float(say.answers))
        voices.append(Voice(name=name, stored=stored, task=task, folder=folder))
        forget_peak(stored.model.device)
    return tuple(voices)


def take_share(worker: str, *, workers: int) -> None:
    """Give one of several processes its share of the cores, and the GPU whose turn it is."""
    if not worker:
        return
    torch.set_num_threads(max(1, cores() // (workers or min(cores(), MOST))))
    if torch.cuda.is_available():
        torch.cuda.set_device(int(worker) % torch.cuda.device_count())


def witness_in(folder: Path) -> Witness:
    """Return what a portion left behind."""
    return from_plain(Witness, json.loads((folder / SEEN).read_text(encoding="utf-8")))
