"""What model hubs call things: tasks, and licences, which they spell in a way of their own."""

from dataclasses import dataclass

from zhbert.model.heads import model_class
from zhbert.model.store import MASKED
from zhbert.model.tagger import AutoTagger


@dataclass(frozen=True, slots=True)
class Use:
    """What a task is called by hubs and in words, the class that reads its folder, and how one asks it."""

    tag: str
    words: str
    reader: str
    call: str


USES = {
    MASKED: Use(
        "fill-mask",
        "an encoder with its masked-language head: it guesses hidden words",
        "AutoModelForMaskedLM",
        'model.fill("今天天气很@@")',
    ),
    "classify": Use(
        "text-classification",
        "one label for a text",
        "AutoModelForSequenceClassification",
        'model("今天天气很好")',
    ),
    "pair": Use(
        "text-classification",
        "one label for two texts",
        "AutoModelForSequenceClassification",
        'model(("今天天气很好", "今天是晴天"))',
    ),
    "ner": Use(
        "token-classification",
        "the entities of a text",
        "AutoModelForTokenClassification",
        'model("王芳在杭州市图书馆工作")',
    ),
    "segment": Use(
        "token-classification",
        "the words of a text",
        "AutoModelForTokenClassification",
        'model("王芳在杭州市图书馆工作")',
    ),
    "reading": Use(
        "question-answering",
        "the place of a text that answers a question",
        "AutoModelForQuestionAnswering",
        'model(("谁在图书馆工作？", "王芳在杭州市图书馆工作"))',
    ),
}
HUB_LICENCES = """
afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 cc0-1.0
cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0
cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 ecl-2.0 epl-1.0 epl-2.0
eupl-1.1 gpl-2.0 gpl-3.0 isc lgpl-2.1 lgpl-3.0 lppl-1.3c mit mpl-2.0 ms-pl ncsa ofl-1.1 osl-3.0 postgresql
unlicense wtfpl zlib
"""  # SPDX names that hubs know, in their spelling; any other one is "other" to them


def reader_of(task: str, head: str) -> str:
    """Return the class of transformers that reads a folder; of a head that it does not know, the encoder.

    >>> reader_of("ner", "softmax"), reader_of("ner", "pointer")
    ('AutoModelForTokenClassification', 'AutoModel')
    """
    ours = task != MASKED and isinstance(model_class(task, head), AutoTagger)
    return "AutoModel" if ours else USES[task].reader


def licence_lines(licence: str) -> dict[str, str]:
    """Return what the head of a card says of a licence, given its SPDX name.

    >>> licence_lines("GPL-3.0-or-later"), licence_lines("MulanPSL-2.0")
    ({'license': 'gpl-3.0'}, {'license': 'other', 'license_name': 'mulanpsl-2.0'})
    """
    name = licence.lower()
    known = name.removesuffix("-only").removesuffix("-or-later")
    if known in HUB_LICENCES.split():
        return {"license": known}
    return {"license": "other", "license_name": name.replace(" ", "-")}
