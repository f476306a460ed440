"""The page of an evaluation report (`page.py` says what all pages have in common).

- Charts are small SVGs whose coordinates are per cent, so they stretch while their text does not.
- However long a name, a text or a list of the data is, the page shows its beginning; report.json has it all.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from zhbert.score import amounts, marks
from zhbert.score.browse import browser_of
from zhbert.score.cost import SystemCost
from zhbert.score.interval import Interval
from zhbert.score.keptcurve import drawn, lowest_shown
from zhbert.score.page import in_both, render_page
from zhbert.score.sheet import Comparison, Confused, Gap, Report, Section, Spread, SystemSheet
from zhbert.score.sheet_match import Tally
from zhbert.score.splits import label_bars, length_bars
from zhbert.score.summary import headline_of
from zhbert.score.trainings import LIE, MEAN, range_words
from zhbert.score.words import chinese, name_of, p_value, percent, points

if TYPE_CHECKING:
    from markupsafe import Markup

HUES = (205, 28, 145, 330, 265, 52, 178, 5, 95, 290, 230, 75)
HEAT = 15
ROWS = 150  # of a table of labels or of parts of one family
NOISE = "With {} examples, differences of the headline below about {} points are noise."
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)


def render(report: Report, costs: Sequence[SystemCost] = ()) -> str:
    """Return the whole page of a report, and of what it took to make the predictions."""
    return render_page(
        "report.html.j2",
        room="score",
        title=report.title,
        format=report.format,
        styles=["report.css"]
        + ["trainings.css"] * any(section.spreads for section in report.sections)
        + ["match.css"] * any(section.match is not None for section in report.sections),
        functions=_SHOWN,
        report=report,
        costs=costs,
        whole=Axis(0.0, 1.0, ()),
        hues=HUES,
        rows=ROWS,
        buttons=max(browser_of(s, some).used for s in report.sections for some in (s.exhibits, s.contrasts)),
    )


def clean(text: object) -> str:
    """Return the beginning of a text of the data, what cannot be seen spelt out."""
    return marks.clean(marks.short(str(text)))


def visible(text: str) -> str:
    """Return a piece of a text, which is no longer than it may be, what cannot be seen spelt out."""
    return marks.clean(text)


def t(word: str) -> "Markup":
    """Return a word in both languages; one that the table does not know stands once."""
    english = name_of(word)
    known = chinese(english)
    return in_both(english if known else marks.short(english), known)


def filled(sentence: str, *values: object) -> "Markup":
    """Return a sentence with values filled in, in both languages."""
    return in_both(sentence.format(*values), (chinese(sentence) or sentence).format(*values))


def mean_words(spread: Spread) -> "Markup":
    """Return what a figure is the mean of."""
    return filled(MEAN, len(spread.figures), range_words(spread.low, spread.high))


def gap_words(gap: Gap) -> "Markup":
    """Return whether the trainings of two systems overlap."""
    return filled(LIE[gap.overlap], range_words(*gap.first_range), range_words(*gap.second_range))


def noise_words(section: Section) -> "Markup":
    """Return which differences say nothing here: half the widest interval of a headline difference."""
    lead = [c.difference for c in section.comparisons if c.metric == section.headline]
    return filled(NOISE, section.n, percent(max(d.high - d.low for d in lead) / 2))


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of the scale from 0 to 1, and where its ticks stand."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, share: float) -> float:
        """Return where a share stands, in per cent of the width."""
        return round(100 * (min(max(share, self.low), self.high) - self.low) / (self.high - self.low), 2)


def axis(intervals: Iterable[Interval]) -> Axis:
    """Return an axis with round ends around the intervals, at least 10 points wide.

    >>> axis([Interval(0.712, 0.69, 0.734)]).ticks
    (0.66, 0.68, 0.7, 0.72, 0.74, 0.76, 0.78)
    """
    edges = [edge for of in intervals for edge in (of.low, of.value, of.high)]
    middle, width = (min(edges) + max(edges)) / 2, max(max(edges) - min(edges), 0.1)
    low, high = max(0.0, min(middle - width / 2, 1 - width)), min(1.0, max(middle + width / 2, width))
    step = next((step for step in STEPS if (high - low) / step <= 6), STEPS[-1])
    first, last = floor(round(low / step, 6)), ceil(round(high / step, 6))
    ticks = tuple(round(i * step, 4) for i in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def place_of(section: Section, system: str) -> int:
    """Return which of a section's systems one is, which decides its colour."""
    return [one.name for one in section.systems].index(system) % 6


def spread_of(section: Section, system: str, metric: str) -> Spread | None:
    """Return how far the trainings of a system lie from each other, or None where it has one."""
    return next((s for s in section.spreads if (s.system, s.metric) == (system, metric)), None)


def gap_of(section: Section, comparison: Comparison) -> Gap | None:
    """Return how the trainings of two systems lie to each other, or None where both have one."""
    c = comparison
    same = (c.first, c.second, c.metric)
    return next((gap for gap in section.gaps if (gap.first, gap.second, gap.metric) == same), None)


def spread_axis(section: Section, metric: str) -> Axis:
    """Return an axis on which the trainings of a metric fit, and the intervals of their means."""
    spreads = {s.system: s for s in section.spreads if s.metric == metric}
    rows = [(f, spreads[s.name]) for s in section.systems if s.name in spreads for f in s.figures]
    means = [figure.of for figure, _ in rows if figure.name == metric]
    return axis([*means, *(Interval(s.low, s.low, s.high) for s in spreads.values())])


def axis_of(section: Section) -> Axis:
    """Return the axis on which all systems of a section fit."""
    return axis(headline_of(section, system) for system in section.systems)


def slice_axis_of(section: Section) -> Axis:
    """Return one axis for all slices, with few ticks: it is narrow."""
    wide = axis(of for row in section.slices for of in row.figures)
    return Axis(wide.low, wide.high, (wide.low, wide.high))


def shares_of(section: Section, tally: Tally) -> list[tuple[float, float, str]]:
    """Return the stretches of a bar: where each begins, how wide it is, both in per cent, and its colour."""
    one, other = (f"s{place_of(section, name)}" for name in (tally.first, tally.second))
    counts = (tally.only_first, tally.both, tally.only_second, tally.neither)
    widths = [round(100 * count / section.n, 2) for count in counts]
    return list(zip(accumulate([0.0, *widths]), widths, (one, "both", other, "neither"), strict=False))


def confused_of(system: SystemSheet) -> list[Confused]:
    """Return the ten most frequent confusions."""
    return [pair for pair in system.confused if pair.gold != pair.predicted][:10]


@dataclass(frozen=True, slots=True)
class Heat:
    """A confusion matrix: per gold label the count and the share of every prediction."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[int, float], ...]], ...]


def heat_of(system: SystemSheet) -> Heat | None:
    """Return the confusion matrix, or None where it would be too large to read."""
    counts = {(pair.gold, pair.predicted): pair.count for pair in system.confused}
    total = Counter[str]()
    for (gold, _), count in counts.items():
        total[gold] += count
    columns = tuple(
        dict.fromkeys([*(label for label, _ in total.most_common()), *sorted(p for _, p in counts)])
    )
    if not 0 < len(columns) <= HEAT:
        return None
    cells = {gold: [counts.get((gold, column), 0) for column in columns] for gold in columns if total[gold]}
    return Heat(
        columns, tuple((gold, tuple((n, n / total[gold]) for n in row)) for gold, row in cells.items())
    )


def colours_of(section: Section) -> dict[str, int]:
    """Return a colour per entity type, the most frequent first."""
    labels = [row.label for row in section.systems[0].classes]
    return {label: i % len(HUES) for i, label in enumerate(labels)}


def groupby_kept(rows: Sequence[Any], field: str) -> list[tuple[str, list[Any]]]:
    """Return runs of rows with one value of a field, in the order they come."""
    return [(str(name), list(run)) for name, run in groupby(rows, key=lambda row: getattr(row, field))]


def numbered(figures: Sequence[Interval]) -> list[tuple[Interval, int]]:
    """Return figures with the colour of their system."""
    return [(of, i % 6) for i, of in enumerate(figures)]


_SHOWN = (
    t,
    clean,
    visible,
    percent,
    points,
    p_value,
    range_words,
    mean_words,
    gap_words,
    noise_words,
    headline_of,
    place_of,
    spread_of,
    gap_of,
    spread_axis,
    axis_of,
    slice_axis_of,
    shares_of,
    confused_of,
    heat_of,
    browser_of,
    colours_of,
    groupby_kept,
    numbered,
    label_bars,
    length_bars,
    amounts.size,
    amounts.duration,
    amounts.many,
    lowest_shown,
    drawn,
    marks.said,
    marks.entity_pieces,
    marks.answer_pieces,
)
