"""How a system fares when texts are changed: the same metric, on the same examples, before and after.

- Only examples that the change did something to are counted, before and after.
- The difference is paired: the same examples are drawn on both sides.
- An answer flips if what is said of the changed text is not what was said of the old one, spans moved along.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zhbert.records import Prediction
from zhbert.score.changed import Changed, said
from zhbert.score.counts import Counts, Metric, ratio
from zhbert.score.interval import DRAWS, interval, paired, verdict
from zhbert.score.judge import join, rules_of
from zhbert.score.sheet import Robustness

FLIPS = Metric("flips", ("flips", "n"), ratio)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One change: its examples, and what a system says of them after it."""

    name: str
    changed: Sequence[Changed]
    predictions: Sequence[Prediction]


def robustness(
    task: str,
    before: Sequence[Prediction],
    trials: Sequence[Trial],
    *,
    of: int,
    rng: np.random.Generator,
    draws: int = DRAWS,
    head: str = "",
) -> tuple[Robustness, ...]:
    """Return how a system's headline moves with every change; `of` is how many examples there are in all."""
    known = {prediction.id: prediction for prediction in before}
    return tuple(_row(task, head, known, trial, of, rng, draws) for trial in trials)


def _row(
    task: str,
    head: str,
    known: dict[str, Prediction],
    trial: Trial,
    of: int,
    rng: np.random.Generator,
    draws: int,
) -> Robustness:
    old, new = [one.before for one in trial.changed], [one.after for one in trial.changed]
    first, then = join(task, old, [known[e.id] for e in old]), join(task, new, trial.predictions)
    rules = rules_of(task, old, head=head)
    metric = rules.metrics(old)[0]
    counts = rules.count(old, first)
    changed = replace(rules.count(new, then), groups=counts.groups)  # a passage stays one, however changed
    difference = paired(changed, counts, metric, rng=rng, draws=draws)
    flips = [float(one.follow(a) != said(b)) for one, a, b in zip(trial.changed, first, then, strict=True)]
    table = np.column_stack([np.array(flips), np.ones(len(flips))])
    return Robustness(
        name=trial.name,
        n=len(old),
        left_out=of - len(old),
        before=interval(counts, metric, rng=rng, draws=draws),
        after=interval(changed, metric, rng=rng, draws=draws),
        difference=difference,
        verdict=verdict(difference),
        flips=interval(Counts(("flips", "n"), table, counts.ids, counts.groups), FLIPS, rng=rng, draws=draws),
    )
