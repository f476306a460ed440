"""How much the seed matters: the trainings of a system beside each other, and those of two systems.

- The interval of a figure is about other test examples. What stands here is about other trainings: the
  figure of each, the lowest, the highest, and the standard deviation (n - 1).
- Two systems lie apart or overlap by the ranges of their trainings. Where both have two or more, Welch's
  t interval says how far the means of all trainings that could have been may differ.
- Only systems of several trainings are spread; a section without one has nothing to say here.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev, variance

from zhbert.score.counts import Counts, Metric
from zhbert.score.interval import Difference
from zhbert.score.sheet import Gap, Spread
from zhbert.score.words import percent

Figures = tuple[float, ...]
MEAN = "mean of {} trainings, {} %"
LIE = {True: "the trainings overlap: {} against {}", False: "the trainings lie apart: {} against {}"}


def spreads(systems: Mapping[str, Sequence[Counts]], metrics: Sequence[Metric]) -> tuple[Spread, ...]:
    """Return the figures of the trainings of every system that has several, metric by metric."""
    return tuple(
        spread(name, metric.name, _figures(trainings, metric))
        for metric in metrics
        for name, trainings in systems.items()
        if len(trainings) > 1
    )


def spread(system: str, metric: str, figures: Figures) -> Spread:
    """Return how far the trainings of a system lie from each other.

    >>> found = spread("wwm", "accuracy", (0.6, 0.7, 0.8))
    >>> found.low, found.high, round(found.deviation, 3)
    (0.6, 0.8, 0.1)
    """
    return Spread(
        system=system,
        metric=metric,
        figures=figures,
        low=min(figures),
        high=max(figures),
        deviation=stdev(figures),
    )


def gaps(
    systems: Mapping[str, Sequence[Counts]], asked: Sequence[tuple[str, str, Metric]]
) -> tuple[Gap, ...]:
    """Return how the trainings of systems that are compared lie to each other, metric by metric."""
    order = list(dict.fromkeys(metric.name for _, _, metric in asked))
    return tuple(
        gap(
            (first, _figures(systems[first], metric)),
            (second, _figures(systems[second], metric)),
            metric.name,
        )
        for first, second, metric in sorted(asked, key=lambda one: order.index(one[2].name))
        if len(systems[first]) > 1 or len(systems[second]) > 1
    )


def gap(first: tuple[str, Figures], second: tuple[str, Figures], metric: str) -> Gap:
    """Return how the trainings of two systems lie to each other.

    >>> found = gap(("wwm", (0.62, 0.64)), ("char", (0.61, 0.63)), "accuracy")
    >>> found.overlap, gap_words(found)
    (True, 'the trainings overlap: 62.0–64.0 against 61.0–63.0')
    """
    (ours, a), (theirs, b) = first, second
    return Gap(
        first=ours,
        second=theirs,
        metric=metric,
        first_range=(min(a), max(a)),
        second_range=(min(b), max(b)),
        overlap=max(min(a), min(b)) <= min(max(a), max(b)),
        welch=welch(a, b),
    )


def welch(first: Figures, second: Figures) -> Difference | None:
    """Return Welch's t interval and p value of the difference of two means.

    There is none where a system has one training, or where no training differs from the others.

    >>> found = welch((0.62, 0.64, 0.63), (0.61, 0.6, 0.62))
    >>> [round(100 * figure, 2) for figure in (found.value, found.low, found.high)]
    [2.0, -0.27, 4.27]
    """
    if min(len(first), len(second)) < 2:
        return None
    a, b = variance(first) / len(first), variance(second) / len(second)  # exact, so that equals have none
    if not a + b:
        return None
    from scipy.special import stdtr, stdtrit  # 0.3 s, which other reports need not wait for

    freedom = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1))
    value, error = fmean(first) - fmean(second), (a + b) ** 0.5
    room, p = error * float(stdtrit(freedom, 0.975)), 2 * float(stdtr(freedom, -abs(value) / error))
    return Difference(value, value - room, value + room, p)


def range_words(low: float, high: float) -> str:
    """Return a range of figures in per cent.

    >>> range_words(0.612, 0.63), range_words(0.612, 0.612)
    ('61.2–63.0', '61.2')
    """
    return "–".join(dict.fromkeys([percent(low), percent(high)]))


def mean_words(spread: Spread) -> str:
    """Return in words what a figure is the mean of.

    >>> mean_words(spread("wwm", "accuracy", (0.612, 0.63)))
    'mean of 2 trainings, 61.2–63.0 %'
    """
    return MEAN.format(len(spread.figures), range_words(spread.low, spread.high))


def gap_words(gap: Gap) -> str:
    """Return in words whether the trainings of two systems overlap."""
    return LIE[gap.overlap].format(range_words(*gap.first_range), range_words(*gap.second_range))


def _figures(trainings: Sequence[Counts], metric: Metric) -> Figures:
    return tuple(float(metric(counts)) for counts in trainings)
