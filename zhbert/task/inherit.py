"""What a fine-tuning may take over from a model that has been taught before.

The head of such a model is its answers: going on with it is refused where the task, the way of answering or
the labels in their order are others, for then output 3 would go on to mean something else. Its encoder
alone can always be taken.
"""

from pathlib import Path

from zhbert.errors import ModelError
from zhbert.model import store
from zhbert.task.base import Task
from zhbert.task.registry import head_of, shown

_ENDS = {  # how transformers calls what it would load a task's head into
    "classify": "ForSequenceClassification",
    "pair": "ForSequenceClassification",
    "ner": "ForTokenClassification",
    "segment": "ForTokenClassification",
    "reading": "ForQuestionAnswering",
    "choice": "ForMultipleChoice",
}
_REMEDY = "--labels gives their order, --fresh-head takes the encoder only"


def check_head(init: str, task: Task) -> None:
    """Refuse to go on with a model whose answers mean something else."""
    if (Path(init) / store.FACTS).is_file():
        facts = store.read_facts(Path(init))
        if facts.task == store.MASKED:
            return
        old, new = (facts.task, head_of(facts.task, facts.head)), (task.name, task.setting.head)
        labels = (list(facts.labels), list(task.setting.labels))
    else:
        config = store.read_config(init)
        name = (config.architectures or [""])[0]
        end = next((end for end in _ENDS.values() if name.endswith(end)), "")
        if not end:
            return
        old, new = (end, ""), (_ENDS[task.name], "")
        labels = (store.labels_of(config), task.model_labels)
    if old != new:
        raise ModelError(
            f"it has been taught {' '.join(old).strip()}, not {' '.join(new).strip()}",
            where=init,
            remedy="--fresh-head takes the encoder only",
        )
    if task.model_labels and labels[0] != labels[1]:
        raise ModelError(
            f"it has been taught other labels: {shown(labels[0])}; here they are {shown(labels[1])}",
            where=init,
            remedy=_REMEDY,
        )
