"""One section of a report: several systems on one data set, judged, compared and cut into parts.

- The first system is the one that is judged; every other is compared with it.
- All systems of a section answer the same examples, so differences are paired.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zhbert.errors import DataError
from zhbert.records import Example, Prediction
from zhbert.score.counts import Counts, Metric, label_metric
from zhbert.score.entities import ERRORS
from zhbert.score.exhibits import exhibits
from zhbert.score.interval import DRAWS, interval, paired, verdict
from zhbert.score.judge import RULES, Judged, judge
from zhbert.score.labels import confusion, many
from zhbert.score.sheet import ClassRow, Comparison, Confused, Figure, Section, SliceRow, SystemSheet


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A system's predictions and free facts about it: size, seconds, seed, ..."""

    predictions: Sequence[Prediction]
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionInput:
    """What one section is made of; the first of `systems` is the one that is judged."""

    name: str
    task: str
    gold: Sequence[Example]
    systems: Mapping[str, System | Sequence[Prediction]]
    train: Sequence[Example] | None = None
    coverage: Mapping[str, object] = field(default_factory=dict)


def build_section(given: SectionInput, *, rng: np.random.Generator, draws: int = DRAWS) -> Section:
    """Return the section of one task on one data set."""
    if not given.systems:
        raise DataError("no system to judge", where=given.name)
    systems = {
        name: s if isinstance(s, System) else System(predictions=s) for name, s in given.systems.items()
    }
    judged = {
        name: judge(given.task, given.gold, s.predictions, train=given.train) for name, s in systems.items()
    }
    first = next(iter(judged.values()))
    return Section(
        name=given.name,
        task=given.task,
        n=len(first.gold),
        headline=first.headline.name,
        definition=RULES[given.task].definition,
        systems=tuple(_system(n, j, systems[n].facts, rng, draws) for n, j in judged.items()),
        comparisons=_comparisons(judged, rng, draws),
        slices=_slices(list(judged.values()), rng, draws),
        exhibits=exhibits(judged, rng=rng),
        coverage=flat(given.coverage),
    )


def _system(
    name: str, judged: Judged, facts: Mapping[str, object], rng: np.random.Generator, draws: int
) -> SystemSheet:
    counts = judged.counts
    return SystemSheet(
        name=name,
        figures=tuple(
            Figure(name=m.name, of=interval(counts, m, rng=rng, draws=draws)) for m in judged.metrics
        ),
        classes=_classes(counts, rng, draws),
        mistakes={kind: int(counts.pick([kind]).sum()[0]) for kind in ERRORS} if judged.task == "ner" else {},
        confused=_confused(judged),
        cut=sum(prediction.coverage < 1 for prediction in judged.predictions),
        facts=flat(facts),
    )


def _classes(counts: Counts, rng: np.random.Generator, draws: int) -> tuple[ClassRow, ...]:
    labels = [name[3:] for name in counts.names if name.startswith("tp:")]
    sums = dict(zip(counts.names, counts.sum().astype(int).tolist(), strict=True))
    rows = [
        ClassRow(
            label=label,
            support=sums[f"tp:{label}"] + sums[f"fn:{label}"],
            predicted=sums[f"tp:{label}"] + sums[f"fp:{label}"],
            **{
                kind: interval(counts, label_metric(kind, label), rng=rng, draws=draws)
                for kind in ("precision", "recall", "f1")
            },
        )
        for label in labels
    ]
    return tuple(sorted(rows, key=lambda row: (-row.support, row.label)))


def _confused(judged: Judged) -> tuple[Confused, ...]:
    if judged.task not in ("classify", "pair"):
        return ()
    gold, said = ([_labels(record) for record in records] for records in (judged.gold, judged.predictions))
    if many(gold):
        return ()
    found = confusion(gold, said)
    return tuple(
        Confused(gold=a, predicted=b, count=count)
        for (a, b), count in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    )


def _labels(record: Any) -> tuple[str, ...]:
    return (record.label,) if hasattr(record, "label") else record.labels


def _comparisons(
    judged: Mapping[str, Judged], rng: np.random.Generator, draws: int
) -> tuple[Comparison, ...]:
    (first, best), *others = judged.items()
    return tuple(
        _comparison(first, best.counts, other, system.counts, metric, rng, draws)
        for other, system in others
        for metric in best.metrics
    )


def _comparison(
    first: str, a: Counts, second: str, b: Counts, metric: Metric, rng: np.random.Generator, draws: int
) -> Comparison:
    difference = paired(a, b, metric, rng=rng, draws=draws)
    return Comparison(
        first=first, second=second, metric=metric.name, difference=difference, verdict=verdict(difference)
    )


def _slices(systems: Sequence[Judged], rng: np.random.Generator, draws: int) -> tuple[SliceRow, ...]:
    return tuple(
        SliceRow(
            family=same[0].family,
            name=same[0].name,
            size=same[0].size,
            unit=same[0].unit,
            small=same[0].small,
            figures=tuple(interval(p.counts, systems[0].headline, rng=rng, draws=draws) for p in same),
            ids=same[0].ids,
        )
        for same in zip(*(judged.parts for judged in systems), strict=True)
    )


def flat(facts: Mapping[str, object], *, under: str = "") -> dict[str, str]:
    """Return nested facts as one level of texts.

    >>> flat({"seed": 7, "versions": {"torch": "2.13"}})
    {'seed': '7', 'versions.torch': '2.13'}
    """
    found: dict[str, str] = {}
    for key, value in facts.items():
        if isinstance(value, Mapping):
            found |= flat(value, under=f"{under}{key}.")
        else:
            found[f"{under}{key}"] = (
                value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            )
    return found
