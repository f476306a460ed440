"""Scores on test examples that were met in what a system has read, and on the others."""

from collections.abc import Mapping, Sequence

import numpy as np

from zhbert.errors import DataError
from zhbert.score.counts import Counts, Metric, some
from zhbert.score.interval import DRAWS, interval
from zhbert.score.sheet import Contamination, Meeting

FEWEST = 5  # examples that are worth a figure
SHOWN = 5


def contaminated(
    systems: Mapping[str, Sequence[Counts]],
    metric: Metric,
    meetings: Sequence[Meeting],
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> tuple[Contamination, ...]:
    """Return for every source and field how the systems fare on what was met there, and on the rest."""
    ids = next(iter(systems.values()))[0].ids
    if strange := sorted({meeting.id for meeting in meetings} - set(ids)):
        raise DataError(
            f"contamination is told of examples that are not in the gold data: {some(strange)}",
            remedy="look through again with the same gold",
        )
    rows = []
    for source, field in dict.fromkeys((m.source, m.field) for m in meetings):
        of = [m for m in meetings if (m.source, m.field) == (source, field)]
        hit = np.isin(ids, [m.id for m in of])
        met, clean = (
            tuple(
                interval([one.filter(rows) for one in trainings], metric, rng=rng, draws=draws)
                for trainings in systems.values()
            )
            if rows.sum() >= FEWEST
            else ()
            for rows in (hit, ~hit)
        )
        shown = tuple(of[:SHOWN])
        rows.append(
            Contamination(
                source=source,
                field=field,
                n=int(hit.sum()),
                whole=sum(m.whole for m in of),
                met=met,
                clean=clean,
                shown=shown,
            )
        )
    return tuple(rows)
