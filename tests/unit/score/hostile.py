"""Reports in which whatever comes from data or from a user is meant to break out of its place."""

from dataclasses import replace
from typing import Any

import numpy as np

from zhbert.records import (
    ChoiceExample,
    ChoicePrediction,
    EntityExample,
    EntityPrediction,
    LabelExample,
    LabelPrediction,
    PairExample,
    PairPrediction,
    ReadingExample,
    ReadingPrediction,
    Span,
)
from zhbert.score.report import Report, SectionInput, System, build_report
from zhbert.score.sheet import Meeting

WORD = "长" * 100_000
UGLY = (
    "<script>alert(1)</script>",
    "</style></title><b粗>x</b粗>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus='alert(1)",
    "javascript:alert(1)",
    "<img src=http://example.invalid/x.png onerror=alert(1)>",
    "![x](http://example.invalid/y.png) [z](javascript:alert(1))",
    "<http://example.invalid/z>",
    "{{ 7 * 191 }}{% raw %}{# x #}${7*191}",
    "a\n---\nlicense: mit\nmodel-index: []\n---\n# Title",
    "| cell | `code` ~~s~~ *b* _i_ # $x$",
    "- [ ] x\r\n1. y\n\n    z\n> q",
    "主队\u202e赢了\u2066，\u200f",
    "\x00\x07\x1b[31m\x85\u2028\u2029\ufffe",
    "半\ud83d个",
    "&lt;&amp;&#60;script&#62;<!-- ]]> -->",
    "表\U0001f600情",
    WORD,
)


def system_of(predictions: list[Any], mark: str) -> System:
    return System(predictions=predictions, facts={f"{mark} key": mark, "licence": mark, "encoder": mark})


def _labels(ids: list[str]) -> tuple[list[Any], list[Any]]:
    gold = [LabelExample(id=i, text=t, labels=(t,)) for i, t in zip(ids, UGLY, strict=True)]
    said = [LabelPrediction(id=g.id, labels=(UGLY[1],), scores={UGLY[1]: 0.9}) for g in gold]
    return gold, said


def _pairs(ids: list[str]) -> tuple[list[Any], list[Any]]:
    gold = [PairExample(id=i, first=t, second=t[::-1], label=t) for i, t in zip(ids, UGLY, strict=True)]
    return gold, [PairPrediction(id=g.id, label=UGLY[0], scores={UGLY[0]: 0.4}) for g in gold]


def _entities(ids: list[str]) -> tuple[list[Any], list[Any]]:
    gold: list[Any] = []
    for i, t in zip(ids, UGLY, strict=True):
        whole = f"前{t}后"
        gold.append(EntityExample(id=i, text=whole, entities=(Span.of(whole, 1, len(t) + 1, t),)))
    said = [EntityPrediction(id=g.id, entities=(Span(0, 2, UGLY[2]),), scores=(0.7,)) for g in gold]
    return gold, said


def _questions(ids: list[str]) -> tuple[list[Any], list[Any]]:
    gold = [
        ReadingExample(id=i, context=t, question=t, answers=(Span.of(t, 1, min(300, len(t))),))
        for i, t in zip(ids, UGLY, strict=True)
    ]
    said = [
        ReadingPrediction(id=g.id, answer=None, text=g.context[:300], score=0.5, null_score=0.5) for g in gold
    ]
    return gold, said


def _options(ids: list[str]) -> tuple[list[Any], list[Any]]:
    gold = [
        ChoiceExample(id=i, context=t, question=t, options=(t, UGLY[0]), answer=0)
        for i, t in zip(ids, UGLY, strict=True)
    ]
    return gold, [ChoicePrediction(id=g.id, answer=1, scores=(0.4, 0.6)) for g in gold]


TASKS = {
    "classify": _labels,
    "pair": _pairs,
    "ner": _entities,
    "segment": _entities,
    "reading": _questions,
    "choice": _options,
}


def hostile_report(mark: str, *tasks: str) -> Report:
    """Return a report of these tasks; its title, its settings and all its names are the mark."""
    sections = []
    for number, task in enumerate(tasks):
        gold, said = TASKS[task]([f"{text}{i}" for i, text in enumerate(UGLY)])
        right = TASKS[task]([f"{text}{i}" for i, text in enumerate(UGLY)])[1][: len(gold) // 2]
        systems = {
            mark: system_of(said, mark),
            f"{mark} 2": [system_of(said, mark), system_of([*right, *said[len(right) :]], mark)],
        }
        meetings = [
            Meeting(id=example.id, field=mark, source=mark, where=mark, shared=mark, whole=True)
            for example in gold[:4]
        ]
        sections.append(
            SectionInput(
                name=f"{mark} {number}",
                task=task,
                gold=gold,
                train=gold[:3],
                systems=systems,
                coverage={mark: mark},
                meetings=meetings,
                every_pair=True,
            )
        )
    report = build_report(
        mark,
        sections=sections,
        provenance={mark: mark},
        limits=(mark,),
        rng=np.random.default_rng(1),
        draws=100,
    )
    return replace(report, title=mark)
