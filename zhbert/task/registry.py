"""The tasks by name; a new task is one file and one line here."""

from dataclasses import replace

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
    heads = TASKS[name].heads
    if setting.head and setting.head not in heads:
        raise ConfigError(
            f'the task "{name}" has no head "{setting.head}"', remedy=nearest(setting.head, heads)
        )
    return TASKS[name](replace(setting, head=setting.head or heads[0]))


def task_of(stored: Stored) -> Task:
    """Return the task that a loaded model was trained for."""
    facts = stored.facts
    setting = Setting(
        tokenizer=stored.tokenizer,
        labels=facts.labels,
        window=facts.window,
        overlap=facts.overlap,
        head=facts.head,
    )
    return make_task(facts.task, setting)
