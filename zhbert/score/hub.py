"""What model hubs call things: tasks, metrics, data sets and licences, in a spelling of their own."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Use:
    """What a task is called by hubs, and in words what a model of it gives."""

    tag: str
    words: str


USES = {
    "masked": Use("fill-mask", "an encoder with its masked-language head: it guesses hidden words"),
    "classify": Use("text-classification", "one label for a text"),
    "pair": Use("text-classification", "one label for two texts"),
    "ner": Use("token-classification", "the entities of a text"),
    "segment": Use("token-classification", "the words of a text"),
    "reading": Use("question-answering", "the place of a text that answers a question"),
    "choice": Use("multiple-choice", "the best of several answers to a question"),
}
METRICS = {
    "accuracy": "accuracy",
    "subset_accuracy": "accuracy",
    "no_answer_accuracy": "accuracy",
    "mcc": "matthews_correlation",
    "pearson": "pearsonr",
    "spearman": "spearmanr",
    "precision": "precision",
    "word_precision": "precision",
    "recall": "recall",
    "word_recall": "recall",
    "new_word_recall": "recall",
    "exact_match": "exact_match",
    "has_answer_exact_match": "exact_match",
    "f1": "f1",
    "micro_f1": "f1",
    "macro_f1": "f1",
    "word_f1": "f1",
    "tagged_f1": "f1",
    "has_answer_f1": "f1",
}
LICENCES = """
afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 cc0-1.0
cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0
cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 ecl-2.0 epl-1.0 epl-2.0
eupl-1.1 gpl-2.0 gpl-3.0 isc lgpl-2.1 lgpl-3.0 lppl-1.3c mit mpl-2.0 ms-pl ncsa ofl-1.1 osl-3.0 postgresql
unlicense wtfpl zlib
"""  # SPDX names that hubs know, in their spelling; any other one is "other" to them
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


def licence_lines(licence: str) -> dict[str, str]:
    """Return what the head of a card says of a licence, given its SPDX name.

    >>> licence_lines("GPL-3.0-or-later"), licence_lines("MulanPSL-2.0")
    ({'license': 'gpl-3.0'}, {'license': 'other', 'license_name': 'mulanpsl-2.0'})
    """
    name = licence.lower()
    known = name.removesuffix("-only").removesuffix("-or-later")
    if known in LICENCES.split():
        return {"license": known}
    return {"license": "other", "license_name": name.replace(" ", "-")}


def slug(name: str) -> str:
    """Return a name as hubs write those of data sets.

    >>> slug("CLUENER 2020"), slug("新闻标题")
    ('cluener-2020', '新闻标题')
    """
    return re.sub(r"\W+", "-", name.lower()).strip("-") or "unnamed"


def owned_name(name: str) -> bool:
    """Return whether a name has the form of a model on a hub with its owner.

    >>> owned_name("hfl/rbt3"), owned_name("runs/my/encoder"), owned_name("../encoder")
    (True, False, False)
    """
    return _HUB_NAME.fullmatch(name) is not None
