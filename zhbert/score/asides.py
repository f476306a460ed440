"""What stands beside the figures of a section, of the same examples and predictions.

- Entities by other rules than strict ones, and how far their borders lie off; in reading the best of several
  answers.
- McNemar's exact test, where an example is right or wrong and both systems are one training.
- Parts in which the first two systems differ, p values adjusted over all of them (Benjamini and Hochberg).
- Draws come from a stream of their own: no other figure of the report depends on what is shown here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from zhbert.score.answers import EXACT, F1, count_best
from zhbert.score.counts import Counts, Metric
from zhbert.score.entities import BY_OVERLAP, slips
from zhbert.score.interval import DRAWS, benjamini_hochberg, holm, interval, paired, verdict
from zhbert.score.judge import Judged, answer_text
from zhbert.score.mcnemar import mcnemar
from zhbert.score.sheet import Comparison, Section, SliceRow, SystemSheet
from zhbert.score.sheet_asides import Aside, McNemar, Slip
from zhbert.score.surfaces import SURFACE_F1, count_surfaces

SLIPS, IDS = 12, 5
ROUGH = 2_000  # draws behind a figure by another rule, and behind the difference in one part

Systems = Mapping[str, Sequence[Judged]]


def with_asides(
    section: Section, judged: Systems, *, rng: np.random.Generator, draws: int = DRAWS
) -> Section:
    """Return the section with what stands beside its figures, comparisons and parts."""
    (own,) = rng.spawn(1)
    return replace(
        section,
        systems=tuple(_system(sheet, judged[sheet.name], own, draws) for sheet in section.systems),
        comparisons=_tested(section.comparisons, judged),
        slices=_told_apart(section.slices, judged, own, draws),
    )


def _system(
    sheet: SystemSheet, trainings: Sequence[Judged], rng: np.random.Generator, draws: int
) -> SystemSheet:
    of = partial(interval, rng=rng, draws=min(draws, ROUGH))
    found = _ASIDES[trainings[0].task](trainings) if trainings[0].task in _ASIDES else []
    return replace(
        sheet,
        asides=tuple(Aside(name=m.name, of=of(counts, m), best_of=best) for m, counts, best in found),
        slips=slips_of(trainings[0]) if trainings[0].task == "ner" else (),
    )


Found = list[tuple[Metric, list[Counts], int | None]]


def _entities(trainings: Sequence[Judged]) -> Found:
    found: Found = [(metric, [one.counts for one in trainings], None) for metric in BY_OVERLAP]
    return [*found, (SURFACE_F1, [_surfaces(one.gold, one.predictions) for one in trainings], None)]


def _surfaces(gold: Sequence[Any], said: Sequence[Any]) -> Counts:
    texts = [example.text for example in gold]
    return count_surfaces([g.id for g in gold], texts, [g.entities for g in gold], [p.entities for p in said])


def _answers(trainings: Sequence[Judged]) -> Found:
    """Return what comes of the best of several answers, where a system gave several."""
    most = max(1 + len(p.others) for one in trainings for p in _said(one))
    if most == 1:
        return []
    counts = [_best(one) for one in trainings]
    return [(replace(metric, name=f"best_{metric.name}"), counts, most) for metric in (F1, EXACT)]


def _said(judged: Judged) -> Sequence[Any]:
    return judged.predictions


def _best(judged: Judged) -> Counts:
    given = {
        g.id: [answer_text(g.context, p), *(g.context[c.span.start : c.span.end] for c in p.others)]
        for g, p in zip(_gold(judged), _said(judged), strict=True)
    }
    return count_best(_gold(judged), given)


def _gold(judged: Judged) -> Sequence[Any]:
    return judged.gold


_ASIDES: dict[str, Callable[[Sequence[Judged]], Found]] = {"ner": _entities, "reading": _answers}


def slips_of(judged: Judged) -> tuple[Slip, ...]:
    """Return how far borders lie wrong where the type is right, the commonest ways first."""
    found: dict[tuple[int, int], list[str]] = {}
    wrong_N = judged.counts.pick(["wrong boundary"]).table[:, 0]
    for row in np.flatnonzero(wrong_N).tolist():
        gold, said = _gold(judged)[row], _said(judged)[row]
        for way in slips(gold.entities, said.entities):
            found.setdefault(way, []).append(gold.id)
    ranked = sorted(
        found.items(), key=lambda item: (-len(item[1]), abs(item[0][0]) + abs(item[0][1]), item[0])
    )
    return tuple(
        Slip(start=start, end=end, count=len(ids), ids=tuple(dict.fromkeys(ids))[:IDS])
        for (start, end), ids in ranked[:SLIPS]
    )


def _tested(comparisons: Sequence[Comparison], judged: Systems) -> tuple[Comparison, ...]:
    """Return the comparisons with exact tests, corrected for their number as other p values are (Holm)."""
    tests = [_test(one, judged) for one in comparisons]
    for metric in dict.fromkeys(one.metric for one in comparisons):
        family = [i for i, one in enumerate(comparisons) if one.metric == metric and tests[i]]
        ps = [test.p for i in family if (test := tests[i])]
        for i, p in zip(family, holm(ps), strict=True):
            if test := tests[i]:
                tests[i] = replace(test, p=p)
    return tuple(replace(one, exact=test) for one, test in zip(comparisons, tests, strict=True))


def _test(comparison: Comparison, judged: Systems) -> McNemar | None:
    first, second = judged[comparison.first], judged[comparison.second]
    if len(first) > 1 or len(second) > 1:
        return None
    return mcnemar(first[0].counts, second[0].counts, comparison.metric)


def _told_apart(
    rows: Sequence[SliceRow], judged: Systems, rng: np.random.Generator, draws: int
) -> tuple[SliceRow, ...]:
    """Return the parts with the difference of the first two systems, those that are large enough."""
    if len(judged) < 2:
        return tuple(rows)
    first, second, *_ = judged.values()
    asked = [i for i, row in enumerate(rows) if not row.small]
    enough = min(draws, max(ROUGH, 40 * len(asked)))  # so that one part alone could pass for a difference
    found = {
        i: paired(
            [one.parts[i].counts for one in first],
            [one.parts[i].counts for one in second],
            first[0].headline,
            rng=rng,
            draws=enough,
        )
        for i in asked
    }
    adjusted = benjamini_hochberg([difference.p for difference in found.values()])
    marked = {i: replace(found[i], p=p) for i, p in zip(found, adjusted, strict=True)}
    return tuple(
        replace(row, difference=marked[i], verdict=verdict(marked[i])) if i in marked else row
        for i, row in enumerate(rows)
    )
