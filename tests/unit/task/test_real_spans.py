"""Published entities and words: what heads are taught comes back at its characters, the rest is counted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zhbert.config import model_named
from zhbert.encode.tokenizer import Tokenizer
from zhbert.read.examples import labels_in
from zhbert.read.forms import FORMS, How
from zhbert.records import EntityExample
from zhbert.task.base import Prepared, Setting, Task
from zhbert.task.registry import make_task

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

FILES = {
    "cluener": ("cluener/dev.json", "cluener", 600),
    "msra": ("msra-ner/test.txt", "conll", 600),
    "gsdsimp": ("gsdsimp/zh_gsdsimp-ud-test.conllu", "conllu", 500),
}
SETS = [
    ("cluener", "ner", "softmax"),
    ("cluener", "ner", "pointer"),
    ("msra", "ner", "crf"),
    ("gsdsimp", "segment", "softmax"),
]


def certain(task: Any, prepared: Prepared) -> list[np.ndarray]:
    """Return scores of a model that is sure of what it was taught."""
    size, found = len(task.model_labels), []
    for feature in prepared.features:
        if task.setting.head == "pointer":
            rows = [(label, first - 1, last - 1, 9.0) for label, first, last in feature.target[1]]
            found.append(np.array(rows, dtype=np.float64).reshape(-1, 4))
            continue
        tags = feature.target[1:-1]
        scores = np.full((len(tags), size), -20.0)
        scores[np.arange(len(tags)), tags] = 0.0
        found.append(
            np.concatenate([scores, np.zeros((size, size))]) if task.setting.head == "crf" else scores
        )
    return found


@pytest.mark.parametrize(("name", "task", "head"), SETS)
def test_what_is_taught_comes_back(name: str, task: str, head: str, published: Callable[[str], Path]) -> None:
    file, form, count = FILES[name]
    examples = [example for _, example in FORMS[form].read(published(file), How())][:count]
    labels = tuple(sorted({label for example in examples for label in labels_in(example)}))
    tokenizer = Tokenizer.load(model_named("bundled"))
    setting = Setting(tokenizer=tokenizer, labels=labels, window=40, overlap=16, head=head)
    made: Task = make_task(task, setting)
    lost = whole = gold = 0
    for prepared in made.prepare(examples):
        example: Any = prepared.example
        said: Any = made.decode(prepared, certain(made, prepared))
        assert isinstance(example, EntityExample)
        assert all(s.surface == example.text[s.start : s.end] for s in said.entities)
        missing = set(example.entities) - set(said.entities)
        assert len(missing) >= prepared.lost
        assert bool(missing) == bool(prepared.lost)
        assert said.coverage == 1.0
        lost, whole, gold = lost + prepared.lost, whole + (not missing), gold + len(example.entities)
    assert lost <= gold * 0.02, f"{lost} of {gold} out of reach"
    assert whole > 0.95 * len(examples)
