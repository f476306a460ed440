"""What is still to be done when the best epoch is found: dev decides what it has to, and units are restored.

Nothing here looks at any other set than dev, and nothing is decided twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from transformers import PreTrainedModel

from zhbert.model import store
from zhbert.model.rescale import rescale, unscale
from zhbert.records import Example
from zhbert.score.judge import judge
from zhbert.task.base import Task
from zhbert.task.lesson import Lesson
from zhbert.task.predict import predict
from zhbert.task.registry import make_task
from zhbert.task.ways import VALUE


def finish(
    task: Task, model: PreTrainedModel, dev: Sequence[Example], score: float | None
) -> tuple[Task, float | None]:
    """Return the task as its model will be used, and the score on dev that it then has."""
    setting = task.setting
    if setting.head == VALUE:
        rescale(model, mean=setting.lesson.mean, scale=setting.lesson.scale)
    decoding = dict(setting.decoding)
    if task.undecided:
        decoding |= task.choose(dev, list(predict(task, model, dev)))
    done = make_task(task.name, replace(setting, decoding=decoding, lesson=Lesson()))
    if task.undecided:
        judged = judge(task.name, dev, list(predict(done, model, dev)), head=setting.head)
        score = float(judged.headline(judged.counts))
    return done, score


def take_over(task: Task, model: PreTrainedModel, init: str) -> None:
    """Bring a head that answers in the unit of the data to the scale on which it goes on learning."""
    given = Path(init) / store.FACTS
    if task.setting.head == VALUE and given.is_file() and store.read_facts(Path(init)).head == VALUE:
        unscale(model, mean=task.setting.lesson.mean, scale=task.setting.lesson.scale)
