"""The tasks by name; a new task is one file and one line here."""

from zhbert.errors import ConfigError, nearest
from zhbert.model.store import Stored
from zhbert.task.base import Setting, Task
from zhbert.task.classify import Classify
from zhbert.task.ner import Ner
from zhbert.task.pair import Pair
from zhbert.task.reading import Reading

TASKS: dict[str, type[Task]] = {task.name: task for task in (Classify, Pair, Ner, Reading)}


def make_task(name: str, setting: Setting) -> Task:
    """Return the task of that name for a setting."""
    if name not in TASKS:
        raise ConfigError(f'no task "{name}"', remedy=nearest(name, TASKS))
    return TASKS[name](setting)


def task_of(stored: Stored) -> Task:
    """Return the task that a loaded model was trained for."""
    facts = stored.facts
    setting = Setting(
        tokenizer=stored.tokenizer, labels=facts.labels, window=facts.window, overlap=facts.overlap
    )
    return make_task(facts.task, setting)
