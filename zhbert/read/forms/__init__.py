"""Labelled data as its publishers and tools write it: the forms by name."""

from zhbert.read.forms.base import Form, Placed
from zhbert.read.forms.brat import BRAT
from zhbert.read.forms.c3 import C3
from zhbert.read.forms.clue import CLUE
from zhbert.read.forms.cluener import CLUENER
from zhbert.read.forms.conllu import CONLLU
from zhbert.read.forms.doccano import DOCCANO
from zhbert.read.forms.faq import FAQ
from zhbert.read.forms.how import How, Misplaced, Offsets
from zhbert.read.forms.labelstudio import LABELSTUDIO
from zhbert.read.forms.own import ZHBERT
from zhbert.read.forms.saved import DATASETS
from zhbert.read.forms.squad import SQUAD
from zhbert.read.forms.tables import CSV, JSONL, TSV
from zhbert.read.forms.tagged import CONLL

_ALL = (
    ZHBERT,
    CSV,
    TSV,
    JSONL,
    CLUE,
    CONLL,
    CONLLU,
    CLUENER,
    SQUAD,
    FAQ,
    C3,
    DOCCANO,
    LABELSTUDIO,
    BRAT,
    DATASETS,
)
FORMS: dict[str, Form] = {form.name: form for form in _ALL}

__all__ = ["FORMS", "Form", "How", "Misplaced", "Offsets", "Placed"]
