"""How the folder of a task's model is read by transformers, and how one asks the model."""

from dataclasses import dataclass

from zhbert.model.heads import model_class
from zhbert.model.store import MASKED
from zhbert.model.tagger import AutoTagger


@dataclass(frozen=True, slots=True)
class Call:
    """The class that reads a folder, and the line that asks."""

    reader: str
    line: str


CALLS = {
    MASKED: Call("AutoModelForMaskedLM", 'model.fill("今天天气很@@")'),
    "classify": Call("AutoModelForSequenceClassification", 'model("今天天气很好")'),
    "pair": Call("AutoModelForSequenceClassification", 'model(("今天天气很好", "今天是晴天"))'),
    "ner": Call("AutoModelForTokenClassification", 'model("王芳在杭州市图书馆工作")'),
    "segment": Call("AutoModelForTokenClassification", 'model("王芳在杭州市图书馆工作")'),
    "choice": Call(
        "AutoModelForMultipleChoice",
        'model(("王芳在杭州市图书馆工作", "谁在图书馆工作？", ["王芳", "李明"]))',
    ),
    "reading": Call("AutoModelForQuestionAnswering", 'model(("谁在图书馆工作？", "王芳在杭州市图书馆工作"))'),
}


def reader_of(task: str, head: str) -> str:
    """Return the class of transformers that reads a folder; of a head that it does not know, the encoder.

    >>> reader_of("ner", "softmax"), reader_of("ner", "pointer")
    ('AutoModelForTokenClassification', 'AutoModel')
    """
    ours = task != MASKED and isinstance(model_class(task, head), AutoTagger)
    return "AutoModel" if ours else CALLS[task].reader
