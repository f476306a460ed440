"""One section of a report: several systems on one data set, judged, compared and cut into parts.

- The first system is the one that is judged; every other is compared with it, and on request each with each
  on the headline (`match.py`).
- All systems of a section answer the same examples, so differences are paired.
- A system is one training or several; then every figure is the mean over them, and what takes one set
  of answers is that of the first.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from zhbert.errors import DataError
from zhbert.records import Example, Prediction
from zhbert.score.asides import with_asides
from zhbert.score.calibration import calibrations
from zhbert.score.contaminated import contaminated
from zhbert.score.counts import Counts, Metric, label_metric
from zhbert.score.coverage import Coverage
from zhbert.score.entities import ERRORS
from zhbert.score.exhibits import exhibits
from zhbert.score.interval import DRAWS, holm, interval, paired, verdict
from zhbert.score.judge import Judged, judge
from zhbert.score.labels import confusion
from zhbert.score.match import asked_of, with_match
from zhbert.score.robust import Trial, robustness
from zhbert.score.sheet import (
    ClassRow,
    Comparison,
    Confused,
    Figure,
    Meeting,
    Note,
    Section,
    SliceRow,
    SystemSheet,
)
from zhbert.score.splits import data_sheet
from zhbert.score.trainings import gaps, spreads


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What one training of a system predicted, free facts about it (size, seed, ...), and what it read."""

    predictions: Sequence[Prediction]
    facts: Mapping[str, object] = field(default_factory=dict)
    read: Coverage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionInput:
    """What one section is made of; the first of `systems` is the one that is judged.

    A system is what it predicted, with or without facts, or a list of `System`s: its trainings. `head` says
    in which way the task is answered, where gold may not show it. `trials` are what the first training of the
    first system says of changed texts, `meetings` the test texts that were met in what the systems have read,
    `notes` what is to be said of what they learnt from. With `every_pair` each system is compared with each,
    and shown is who is right where another is not.
    """

    name: str
    task: str
    gold: Sequence[Example]
    systems: Mapping[str, System | Sequence[System] | Sequence[Prediction]]
    train: Sequence[Example] | None = None
    coverage: Mapping[str, object] = field(default_factory=dict)
    head: str = ""
    trials: Sequence[Trial] = ()
    meetings: Sequence[Meeting] = ()
    every_pair: bool = False
    notes: Sequence[Note] = ()


def build_section(given: SectionInput, *, rng: np.random.Generator, draws: int = DRAWS) -> Section:
    """Return the section of one task on one data set."""
    if not given.systems:
        raise DataError("no system to judge", where=given.name)
    systems = {name: _trainings(system) for name, system in given.systems.items()}
    judged = {name: _judged(given, name, trainings) for name, trainings in systems.items()}
    counts = {name: [one.counts for one in trainings] for name, trainings in judged.items()}
    first = next(iter(judged.values()))[0]
    asked = asked_of(list(counts), first.metrics, every_pair=given.every_pair)
    section = Section(
        name=given.name,
        task=given.task,
        n=len(first.gold),
        headline=first.headline.name,
        definition=first.rules.definition,
        systems=tuple(
            _system(name, trainings, systems[name], rng, draws) for name, trainings in judged.items()
        ),
        comparisons=_comparisons(counts, asked, rng, draws),
        slices=_slices(list(judged.values()), rng, draws),
        exhibits=exhibits({name: trainings[0] for name, trainings in judged.items()}, rng=rng),
        coverage=flat(given.coverage),
        spreads=spreads(counts, first.metrics),
        gaps=gaps(counts, asked),
        robustness=robustness(
            given.task,
            first.predictions,
            given.trials,
            of=len(first.gold),
            rng=rng,
            draws=draws,
            head=first.rules.way,
        ),
        calibration=calibrations({name: trainings[0] for name, trainings in judged.items()}),
        data=data_sheet(given.task, first.gold, given.train),
        notes=tuple(given.notes),
        contamination=contaminated(counts, first.headline, given.meetings, rng=rng, draws=draws),
    )
    section = with_asides(section, judged, rng=rng, draws=draws)
    return with_match(section, judged, rng=rng) if given.every_pair else section


def _trainings(given: System | Sequence[System] | Sequence[Prediction]) -> tuple[System, ...]:
    if isinstance(given, System):
        return (given,)
    if given and isinstance(given[0], System):
        return tuple(cast(Sequence[System], given))
    return (System(predictions=cast(Sequence[Prediction], given)),)


def _judged(given: SectionInput, name: str, trainings: Sequence[System]) -> list[Judged]:
    found = []
    for number, one in enumerate(trainings, start=1):
        try:
            found.append(judge(given.task, given.gold, one.predictions, train=given.train, head=given.head))
        except DataError as error:
            place = name if len(trainings) == 1 else f"{name}, training {number}"
            place += f": {error.where}" if error.where else ""
            raise DataError(error.what, where=place, remedy=error.remedy) from error
    return found


def _system(
    name: str, trainings: Sequence[Judged], known: Sequence[System], rng: np.random.Generator, draws: int
) -> SystemSheet:
    first, counts = trainings[0], [one.counts for one in trainings]
    unread = [[prediction.coverage < 1 for prediction in one.predictions] for one in trainings]
    return SystemSheet(
        name=name,
        figures=tuple(
            Figure(name=m.name, of=interval(counts, m, rng=rng, draws=draws)) for m in first.metrics
        ),
        classes=_classes(counts, rng, draws),
        mistakes={kind: _mean_count(counts, kind) for kind in ERRORS} if first.task == "ner" else {},
        confused=_confused(first),
        cut=sum(map(any, zip(*unread, strict=True))),
        facts=merged([one.facts for one in known]),
        read=known[0].read,
    )


def _classes(counts: Sequence[Counts], rng: np.random.Generator, draws: int) -> tuple[ClassRow, ...]:
    labels = dict.fromkeys(name[3:] for one in counts for name in one.names if name.startswith("tp:"))
    rows = [
        ClassRow(
            label=label,
            support=_mean_count(counts, f"tp:{label}", f"fn:{label}"),
            predicted=_mean_count(counts, f"tp:{label}", f"fp:{label}"),
            **{
                kind: interval(counts, label_metric(kind, label), rng=rng, draws=draws)
                for kind in ("precision", "recall", "f1")
            },
        )
        for label in labels
    ]
    return tuple(sorted(rows, key=lambda row: (-row.support, row.label)))


def _mean_count(counts: Sequence[Counts], *names: str) -> int:
    """Return the sum of some columns, of several trainings the rounded mean."""
    return round(float(np.mean([one.pick(names).table.sum() for one in counts])))


def _confused(judged: Judged) -> tuple[Confused, ...]:
    if judged.rules.way != "one":
        return ()
    gold, said = ([_labels(record) for record in records] for records in (judged.gold, judged.predictions))
    found = confusion(gold, said)
    return tuple(
        Confused(gold=a, predicted=b, count=count)
        for (a, b), count in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    )


def _labels(record: Any) -> tuple[str, ...]:
    return (record.label,) if hasattr(record, "label") else record.labels


def _comparisons(
    counts: Mapping[str, Sequence[Counts]],
    asked: Sequence[tuple[str, str, Metric]],
    rng: np.random.Generator,
    draws: int,
) -> tuple[Comparison, ...]:
    """Return every comparison that is asked for; the more by one metric, the stricter each p value (Holm)."""
    found = {
        (first, second, metric.name): paired(counts[first], counts[second], metric, rng=rng, draws=draws)
        for first, second, metric in asked
    }
    for metric in dict.fromkeys(name for _, _, name in found):
        family = [key for key in found if key[2] == metric]
        for key, p in zip(family, holm([found[key].p for key in family]), strict=True):
            found[key] = replace(found[key], p=p)
    return tuple(
        Comparison(first=first, second=second, metric=name, difference=of, verdict=verdict(of))
        for (first, second, name), of in found.items()
    )


def _slices(
    systems: Sequence[Sequence[Judged]], rng: np.random.Generator, draws: int
) -> tuple[SliceRow, ...]:
    """Return the parts, with the ids of the first system's first training."""
    headline = systems[0][0].headline
    cut = [list(zip(*(one.parts for one in trainings), strict=True)) for trainings in systems]
    return tuple(
        SliceRow(
            family=(part := same[0][0]).family,
            name=part.name,
            size=part.size,
            unit=part.unit,
            small=part.small,
            figures=tuple(
                interval([one.counts for one in trainings], headline, rng=rng, draws=draws)
                for trainings in same
            ),
            ids=part.ids,
        )
        for same in zip(*cut, strict=True)
    )


def merged(facts: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Return as texts what trainings have in common, and what differs as a list in their order.

    >>> merged([{"size": "4 x 312", "seed": 1}, {"size": "4 x 312", "seed": 2}])
    {'size': '4 x 312', 'seed': '1, 2'}
    """
    every = [flat(one) for one in facts]
    found = {key: [one.get(key, "–") for one in every] for one in every for key in one}
    return {key: texts[0] if len(set(texts)) == 1 else ", ".join(texts) for key, texts in found.items()}


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
