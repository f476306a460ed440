"""The tasks by name; a new task is one file and one line here."""

from collections.abc import Sequence
from dataclasses import replace

from zhbert.errors import ConfigError, ModelError, nearest
from zhbert.model import store
from zhbert.model.store import Stored
from zhbert.task.base import Setting, Task
from zhbert.task.choice import Choice
from zhbert.task.classify import Classify
from zhbert.task.ner import Ner
from zhbert.task.pair import Pair
from zhbert.task.reading import Reading
from zhbert.task.segment import Segment

TASKS: dict[str, type[Task]] = {task.name: task for task in (Classify, Pair, Ner, Segment, Reading, Choice)}


def head_of(name: str, head: str = "") -> str:
    """Return the head of a task by its name, the default where none is named.

    >>> head_of("classify"), head_of("pair", "value")
    ('one', 'value')
    """
    if name not in TASKS:
        raise ConfigError(f'no task "{name}"', remedy=nearest(name, TASKS))
    heads = TASKS[name].heads
    if head and head not in heads:
        raise ConfigError(f'the task "{name}" has no head "{head}"', remedy=nearest(head, heads))
    return head or heads[0]


def make_task(name: str, setting: Setting) -> Task:
    """Return the task of that name for a setting."""
    head = head_of(name, setting.head)
    return TASKS[name](replace(setting, head=head))


def task_of(stored: Stored, **decoding: float) -> Task:
    """Return the task that a loaded model was trained for; `decoding` changes numbers of its answer."""
    facts = stored.facts
    setting = Setting(
        tokenizer=stored.tokenizer,
        labels=facts.labels,
        window=facts.window,
        overlap=facts.overlap,
        head=facts.head,
        decoding=facts.decoding | decoding,
    )
    task = make_task(facts.task, setting)
    check_labels(stored, task)
    return task


def check_labels(stored: Stored, task: Task) -> None:
    """Refuse a folder that says two things of the order of its labels: every answer would be another."""
    said = store.labels_of(stored.model.config)
    if task.model_labels and said != task.model_labels:
        raise ModelError(
            f"config.json has the labels {shown(said)}; by zhbert.json they are {shown(task.model_labels)}",
            where=stored.model.name_or_path,
            remedy="one of the files belongs to another model",
        )


def shown(labels: Sequence[str]) -> str:
    """Return labels in order, long lists cut.

    >>> shown(["体育", "财经"]), shown([f"类{i}" for i in range(119)])
    ('2: 体育, 财经', '119: 类0, 类1, 类2, 类3, 类4, 类5, 类6, 类7 …')
    """
    return f"{len(labels)}: {', '.join(labels[:8])}" + (" …" if len(labels) > 8 else "")
