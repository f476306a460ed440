"""What is still to be done when the best epoch is found: dev decides what it has to, and units are restored.

Nothing here looks at any other set than dev, and nothing is decided twice. The temperature comes first, so
that thresholds are chosen on the probabilities that the model will give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from zhbert.model import store
from zhbert.model.rescale import rescale, unscale
from zhbert.records import Example, Prediction
from zhbert.score.judge import judge
from zhbert.task.base import Prepared, Scores, Task
from zhbert.task.lesson import Lesson
from zhbert.task.predict import heard
from zhbert.task.registry import make_task
from zhbert.task.temperature import TEMPERATURE, Ballot, decide
from zhbert.task.ways import VALUE

LOGITS = 10_000_000  # of dev that are in memory at once: some answers of readers have ten thousand
Heard = Sequence[tuple[Example, Prepared, list[Scores]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The task as its model will be used, its score on dev, and what dev has decided, from how much."""

    task: Task
    score: float | None
    decided: dict[str, Any]


def finish(task: Task, model: PreTrainedModel, dev: Sequence[Example], score: float | None) -> Finished:
    """Return what is to be kept of a training; `score` is that of its best epoch."""
    lesson = task.setting.lesson
    if task.setting.head == VALUE:
        rescale(model, mean=lesson.mean, scale=lesson.scale)
    said = list(heard(task, model, dev)) if task.tempers or task.undecided else []
    decided: dict[str, Any] = {}
    if task.tempers:
        decided[TEMPERATURE] = told = decide(_ballots(task, said))
        task = _with(task, {TEMPERATURE: told["value"]} if told["value"] != 1 else {})
    if task.undecided:
        chosen = task.choose(dev, _answers(task, said))
        decided |= {"threshold": _threshold(chosen, len(dev))} if chosen else {}
        task = _with(task, chosen)
        judged = judge(task.name, dev, _answers(task, said), head=task.setting.head)
        score = float(judged.headline(judged.counts))
    done = make_task(task.name, replace(task.setting, lesson=Lesson()))
    return Finished(task=done, score=score, decided=decided)


def _with(task: Task, more: Mapping[str, float]) -> Task:
    return make_task(task.name, replace(task.setting, decoding={**task.setting.decoding, **more}))


def _answers(task: Task, said: Heard) -> list[Prediction]:
    return [task.decode(prepared, scores) for _, prepared, scores in said]


def _ballots(task: Task, said: Heard) -> list[Ballot]:
    """Return what is known of the answers of dev: of all, or evenly of so many as LOGITS allow."""
    found: list[Ballot] = []
    size, step = 0, 1
    for place, one in enumerate(said):
        ballot = task.ballot(*one) if place % step == 0 else None
        if ballot and ballot.right.any():
            found.append(ballot)
            size += ballot.logs.size
        if size > LOGITS:
            found, step = found[::2], 2 * step
            size = sum(kept.logs.size for kept in found)
    return found


def _threshold(chosen: Mapping[str, float], examples: int) -> dict[str, Any]:
    """Return what dev says on the question from which probability, or odds, on an answer is given.

    >>> _threshold({"threshold:体育": 0.25, "threshold:财经": 0.625}, 80)
    {'value': '0.25 to 0.625, one for each of 2 labels', 'examples of dev': 80}
    """
    low, high = (f"{end(chosen.values()):.4g}" for end in (min, max))
    value = low if len(chosen) == 1 else f"{low} to {high}, one for each of {len(chosen)} labels"
    return {"value": value, "examples of dev": examples}


def take_over(task: Task, model: PreTrainedModel, init: str) -> None:
    """Bring a head that answers in the unit of the data to the scale on which it goes on learning."""
    given = Path(init) / store.FACTS
    if task.setting.head == VALUE and given.is_file() and store.read_facts(Path(init)).head == VALUE:
        unscale(model, mean=task.setting.lesson.mean, scale=task.setting.lesson.scale)
