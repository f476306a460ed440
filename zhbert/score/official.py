"""The rules that are official for well-known data, as figures in per cent, unrounded.

A rule is for a task: it takes gold examples and predictions in the same order, `None` where a system said
nothing. In reading that counts as wrong, as the official scripts have it; elsewhere there is no rule for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zhbert.score import entities, segmentation, surfaces
from zhbert.score.answers import EXACT, F1, count_answers
from zhbert.score.counts import Counts, Metric
from zhbert.score.judge import answer_text, rules_of
from zhbert.score.squad import judge_drcd, judge_squad

Figures = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """A rule: what it is, the task that it is for, and its figures for gold and predictions."""

    about: str
    task: str
    figures: Callable[[Sequence[Any], Sequence[Any]], Figures]


def _percent(counts: Counts, **metrics: Metric) -> Figures:
    return {name: 100 * float(metric(counts)) for name, metric in metrics.items()}


def _reading(gold: Sequence[Any], said: Sequence[Any], **rule: Any) -> Figures:
    texts = {g.id: answer_text(g.context, p) for g, p in zip(gold, said, strict=True) if p}
    figures = _percent(count_answers(gold, texts, **rule), f1=F1, em=EXACT)
    return figures | {"average": (figures["em"] + figures["f1"]) * 0.5}


def _entities(gold: Sequence[Any], said: Sequence[Any]) -> Figures:
    ids, right, found = _columns(gold, said)
    strict = _percent(
        entities.count_entities(ids, right, found),
        precision=entities.PRECISION,
        recall=entities.RECALL,
        micro_f1=entities.MICRO_F1,
        macro_f1=entities.MACRO_F1,
    )
    by_surface = surfaces.count_surfaces(ids, [g.text for g in gold], right, found)
    return strict | _percent(by_surface, surface_macro_f1=surfaces.SURFACE_F1)


def _segmentation(gold: Sequence[Any], said: Sequence[Any]) -> Figures:
    counts = segmentation.count_words(*_columns(gold, said))
    return _percent(counts, **{metric.name: metric for metric in segmentation.metrics(gold)})


def _columns(gold: Sequence[Any], said: Sequence[Any]) -> tuple[list[str], list[Any], list[Any]]:
    return [g.id for g in gold], [g.entities for g in gold], [p.entities for p in said]


def _by_the_rules_of(task: str) -> Callable[[Sequence[Any], Sequence[Any]], Figures]:
    def figures(gold: Sequence[Any], said: Sequence[Any]) -> Figures:
        rules = rules_of(task, gold)
        return _percent(rules.count(gold, said), **{metric.name: metric for metric in rules.metrics(gold)})

    return figures


OFFICIAL = {
    "cmrc2018": Official(about="CMRC 2018, script version 6", task="reading", figures=_reading),
    "drcd": Official(
        about="SQuAD 1.1 over characters, as DRCD's authors have it",
        task="reading",
        figures=lambda gold, said: _reading(gold, said, judge=judge_drcd),
    ),
    "squad": Official(
        about="SQuAD over characters, only ASCII punctuation dropped",
        task="reading",
        figures=lambda gold, said: _reading(gold, said, judge=judge_squad),
    ),
    "entities": Official(about="strict entities, and CLUENER's surfaces", task="ner", figures=_entities),
    "segmentation": Official(about="words, as in SIGHAN", task="segment", figures=_segmentation),
    "labels": Official(
        about="accuracy, macro F1, Matthews", task="classify", figures=_by_the_rules_of("classify")
    ),
    "pairs": Official(about="the same for pairs of texts", task="pair", figures=_by_the_rules_of("pair")),
    "choice": Official(about="accuracy over questions", task="choice", figures=_by_the_rules_of("choice")),
}
