"""Systems set against each other: who stands where, and who is right where another is wrong.

This is what `zhbert compare` adds to a section, which is otherwise that of any report: so parts, trainings,
mistakes, report.json and all forms of it hold here too, and there is one kind of report to read and to list.

- The best system is the one with the highest headline. Beside it stands every one that the paired test cannot
  tell from it, the p values corrected for all pairs (Holm).
- An example is right as everywhere on the page (`exhibits.py`): every entity of it, the exact answer, a
  number that is near. In a part that counts entities it is right where nothing of that part is wrong.
- Of a system of several trainings the first one answers, where single examples are counted or shown.
- Part by part, and in examples, it is the first two systems that are set against each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from zhbert.errors import DataError
from zhbert.score.counts import Metric
from zhbert.score.exhibits import RIGHT, choose, exhibit_of, outcomes
from zhbert.score.interval import mean_of
from zhbert.score.judge import Judged
from zhbert.score.sheet import Comparison, Exhibit, Section
from zhbert.score.sheet_match import BEST, Match, PartTally, Standing, Tally
from zhbert.score.slices import Part

ONLY_FIRST, ONLY_SECOND = "only the first is right", "only the second is right"
SHOWN = 30  # examples of each kind
Systems = Mapping[str, Sequence[Judged]]  # trainings by name
Rows = NDArray[np.bool_]


def asked_of(
    names: Sequence[str], metrics: Sequence[Metric], *, every_pair: bool
) -> list[tuple[str, str, Metric]]:
    """Return who is compared with whom by what: the first with the others, or on the headline each with each.

    >>> metrics = [Metric("f1", (), np.add), Metric("recall", (), np.add)]
    >>> [(a, b, metric.name) for a, b, metric in asked_of(["甲", "乙", "丙"], metrics, every_pair=True)][2:]
    [('甲', '丙', 'f1'), ('甲', '丙', 'recall'), ('乙', '丙', 'f1')]
    """
    first, *others = names
    asked = [(first, second, metric) for second in others for metric in metrics]
    more = combinations(others, 2) if every_pair else ()
    return asked + [(a, b, metrics[0]) for a, b in more]


def with_match(section: Section, systems: Systems, *, rng: np.random.Generator) -> Section:
    """Return a section, in which each system is compared with each, with what every pair shows."""
    if len(systems) < 2:
        raise DataError("one system alone: there is nothing to compare", where=section.name)
    right = {name: right_rows(trainings[0]) for name, trainings in systems.items()}
    pair = {name: systems[name][0] for name in list(systems)[:2]}
    found = Match(
        standings=standings(systems, section.comparisons),
        tallies=tuple(tally(pair, right) for pair in combinations(right, 2)),
        parts=_part_tallies(*pair.values()),
    )
    return replace(section, match=found, contrasts=contrasts(pair, rng=rng))


def standings(systems: Systems, comparisons: Iterable[Comparison]) -> tuple[Standing, ...]:
    """Return the systems, the best one first, and which of them can be told from it."""
    metric = next(iter(systems.values()))[0].headline
    values = {name: mean_of([one.counts for one in every], metric) for name, every in systems.items()}
    order = sorted(values, key=lambda name: -values[name])
    found = {frozenset((c.first, c.second)): c for c in comparisons if c.metric == metric.name}
    return tuple(
        Standing(
            system=name,
            value=values[name],
            verdict=_against_best(found[frozenset((order[0], name))]) if name != order[0] else BEST,
        )
        for name in order
    )


def _against_best(comparison: Comparison) -> str:
    """Return the verdict on the lower one of two systems, whichever of them was named first."""
    return "worse" if comparison.verdict in ("better", "worse") else comparison.verdict


def right_rows(judged: Judged) -> Rows:
    """Return which examples a training answers right."""
    return np.array([outcomes(judged, row)[0] == RIGHT for row in range(len(judged.gold))])


def tally(pair: tuple[str, str], right: Mapping[str, Rows]) -> Tally:
    """Return how often both of two systems are right, only one of them, or neither.

    >>> tally(("甲", "乙"), {"甲": np.array([True, True, False]), "乙": np.array([True, False, False])})
    Tally(first='甲', second='乙', both=1, only_first=1, only_second=0, neither=1)
    """
    a, b = (right[name] for name in pair)
    both, only_first, only_second, neither = (int(rows.sum()) for rows in (a & b, a & ~b, b & ~a, ~(a | b)))
    return Tally(
        first=pair[0],
        second=pair[1],
        both=both,
        only_first=only_first,
        only_second=only_second,
        neither=neither,
    )


def _part_tallies(first: Judged, second: Judged) -> tuple[PartTally, ...]:
    """Return the parts of two systems; they are cut by gold and thus the same."""
    found = []
    for part, other in zip(first.parts, second.parts, strict=True):
        a, b = _right_in(first, part), _right_in(second, other)
        found.append(
            PartTally(
                family=part.family,
                name=part.name,
                size=part.size,
                unit=part.unit,
                small=part.small,
                only_first=int((a & ~b).sum()),
                only_second=int((b & ~a).sum()),
            )
        )
    return tuple(found)


def _right_in(judged: Judged, part: Part) -> Rows:
    """Return which examples of a part are right; of one that counts entities, as far as that part goes."""
    if part.unit != "examples":
        wrong = part.counts.pick(["fp", "fn"]).table.any(axis=1)
        return np.asarray(~wrong, dtype=np.bool_)
    wanted = set(part.ids)
    rows = [row for row, example in enumerate(judged.gold) if example.id in wanted]
    return np.array([outcomes(judged, row)[0] == RIGHT for row in rows])


def contrasts(
    systems: Mapping[str, Judged], *, rng: np.random.Generator, most: int = SHOWN
) -> tuple[Exhibit, ...]:
    """Return examples that only the first of two systems answers right, then those that only the second does.

    What the other one does wrong takes turns, so that one frequent mistake does not hide the rest.
    """
    first, second = systems.values()
    a, b = right_rows(first), right_rows(second)
    found: list[Exhibit] = []
    for kind, loser, rows in ((ONLY_FIRST, second, a & ~b), (ONLY_SECOND, first, b & ~a)):
        at = np.flatnonzero(rows).tolist()
        chosen = choose([outcomes(loser, row) for row in at], rng=rng, most=most)
        found += [exhibit_of(dict(systems), at[i], (kind, outcomes(loser, at[i])[0])) for i in chosen]
    return tuple(found)
