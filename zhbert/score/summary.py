"""A report in plain text: its verdicts, a line each, and report.md, its figures as tables.

Parts come worst first, those that are too small to conclude anything from last. Examples are left to the page
and to the files of predictions; a long list ends with the number of rows that report.json has beyond it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from zhbert.score.auditwords import coverage_part, data_part
from zhbert.score.interval import Difference, Interval
from zhbert.score.markdown import cell, one_line, plain, table
from zhbert.score.matchtext import match_lines, match_tables
from zhbert.score.sheet import Comparison, Report, Section, SliceRow, SystemSheet
from zhbert.score.trainings import gap_words, mean_words, range_words
from zhbert.score.words import name_of, p_value, percent, points

MOST = 40  # rows of a table
CONFUSED = 10
Shown = Callable[[str], str]


def verdict_lines(section: Section, *, shown: Shown = one_line) -> list[str]:
    """Return the lines that say how good the first system is and whether that beats the others."""
    first, name = section.systems[0], name_of(section.headline)
    figure = headline_of(section, first)
    head = f"{shown(section.name)} {name} {percent(figure.value)} % {_edges(figure)}"
    own = (s for s in section.spreads if (s.system, s.metric) == (first.name, section.headline))
    for spread in own:
        head += f" ({mean_words(spread)})"
    against = [c for c in section.comparisons if (c.first, c.metric) == (first.name, section.headline)]
    lines = [f"{head}, {_against(section, c, shown)}" for c in against] or [f"{head}, {shown(first.name)}"]
    return lines + (match_lines(section.match, shown=shown) if section.match else [])


def _against(section: Section, c: Comparison, shown: Shown) -> str:
    """Return one comparison in words, with its verdict and how the trainings lie to each other."""
    gain = f"{points(c.difference.value)} points {_edges(c.difference)}"
    said = f"{shown(c.first)} − {shown(c.second)} = {gain}, p = {p_value(c.difference.p)}: {c.verdict}"
    return "; ".join([said, *_gaps(section, c)])


def _gaps(section: Section, c: Comparison) -> list[str]:
    same = (c.first, c.second, c.metric)
    return [gap_words(gap) for gap in section.gaps if (gap.first, gap.second, gap.metric) == same]


def headline_of(section: Section, system: SystemSheet) -> Interval:
    """Return the headline figure of a system."""
    return next(figure.of for figure in system.figures if figure.name == section.headline)


def worst_first(rows: Iterable[SliceRow]) -> list[SliceRow]:
    """Return parts with the worst of the first system first, small ones behind all others."""
    return sorted(rows, key=lambda row: (row.small, row.figures[0].value))


def figure_cell(of: Interval) -> str:
    """Return a share in per cent with its interval.

    >>> figure_cell(Interval(0.712, 0.69, 0.734))
    '71.2 [69.0, 73.4]'
    """
    return f"{percent(of.value)} {_edges(of)}"


def _edges(of: Interval | Difference) -> str:
    return f"[{percent(of.low)}, {percent(of.high)}]"


def write_summary(report: Report) -> str:
    """Return the text of report.md."""
    blocks = [f"# {cell(report.title)}", _list(_verdicts(report))]
    for section in report.sections:
        blocks.append(f"## {cell(section.name)}")
        about = f"{cell(name_of(section.task))}, {section.n:,} test examples; {cell(section.definition)}."
        blocks.append(f"{about} Figures are per cent, with 95 % intervals.")
        for part in _PARTS:
            blocks += part(section)
    blocks += ["## How to read this", _list(map(plain, report.limits))]
    return "\n\n".join([*blocks, *_origin(report)]) + "\n"


def _verdicts(report: Report) -> Iterator[str]:
    for section in report.sections:
        yield from verdict_lines(section, shown=cell)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _long(head: Sequence[str], rows: Sequence[Sequence[str]], *, most: int = MOST) -> Iterator[str]:
    yield table(head, rows[:most])
    if len(rows) > most:
        yield f"And {len(rows) - most:,} more in report.json."


def _systems(section: Section) -> list[str]:
    return [cell(system.name) for system in section.systems]


def _figures(section: Section) -> Iterator[str]:
    names = [figure.name for figure in section.systems[0].figures]
    rows = [[cell(s.name), *(figure_cell(f.of) for f in s.figures)] for s in section.systems]
    yield table(["system", *map(name_of, names)], rows)


def _asides(section: Section) -> Iterator[str]:
    if names := dict.fromkeys(aside.name for system in section.systems for aside in system.asides):
        yield "### By other rules"
        said = [{aside.name: figure_cell(aside.of) for aside in system.asides} for system in section.systems]
        rows = [[name_of(name), *(one.get(name, "–") for one in said)] for name in names]
        yield table(["metric", *_systems(section)], rows)


def _comparisons(section: Section) -> Iterator[str]:
    if section.comparisons:
        yield "### Comparison"
        head = ("systems", "metric", "difference in points", "p", "verdict")
        yield table(head, [_compared(section, c) for c in section.comparisons])


def _compared(section: Section, c: Comparison) -> list[str]:
    d = c.difference
    verdict = "; ".join([c.verdict, *_gaps(section, c)])
    return [
        f"{cell(c.first)} − {cell(c.second)}",
        name_of(c.metric),
        f"{points(d.value)} {_edges(d)}",
        p_value(d.p),
        verdict,
    ]


def _trainings(section: Section) -> Iterator[str]:
    if section.spreads:
        yield "### Trainings"
        head = ("system", "metric", "each training", "lowest – highest", "standard deviation")
        rows = (
            (
                cell(s.system),
                name_of(s.metric),
                ", ".join(map(percent, s.figures)),
                range_words(s.low, s.high),
                f"{100 * s.deviation:.2f}",
            )
            for s in section.spreads
        )
        yield table(head, list(rows))


def _slices(section: Section) -> Iterator[str]:
    if section.slices:
        yield f"### Where it is good and where not, worst first: {name_of(section.headline)}"
        rows = [
            [
                f"{cell(row.family)}: {cell(row.name)}" + (" (few)" if row.small else ""),
                f"{row.size:,}",
                *map(figure_cell, row.figures),
            ]
            for row in worst_first(section.slices)
        ]
        yield from _long(["part", "n", *_systems(section)], rows)


def _classes(section: Section) -> Iterator[str]:
    if classes := section.systems[0].classes:
        yield f"### Label by label: {cell(section.systems[0].name)}"
        rows = [
            [
                cell(row.label),
                f"{row.support:,}",
                f"{row.predicted:,}",
                percent(row.precision.value),
                percent(row.recall.value),
                figure_cell(row.f1),
            ]
            for row in classes
        ]
        yield from _long(("label", "gold", "predicted", "precision", "recall", "F1"), rows)


def _mistakes(section: Section) -> Iterator[str]:
    if kinds := section.systems[0].mistakes:
        yield "### Kinds of mistakes"
        rows = [[kind, *(f"{s.mistakes.get(kind, 0):,}" for s in section.systems)] for kind in kinds]
        yield table(["kind", *_systems(section)], rows)
    if pairs := [c for c in section.systems[0].confused if c.gold != c.predicted]:
        yield f"### Most confused: {cell(section.systems[0].name)}"
        rows = [[cell(c.gold), cell(c.predicted) or "∅", f"{c.count:,}"] for c in pairs[:CONFUSED]]
        yield table(("gold", "predicted", "count"), rows)


def _calibration(section: Section) -> Iterator[str]:
    if section.calibration:
        yield "### As sure as right?"
        rows = [[cell(c.system), f"{c.n:,}", percent(c.error), f"{c.brier:.3f}"] for c in section.calibration]
        yield table(("system", "answers", "calibration error", "Brier score"), rows)


def _robustness(section: Section) -> Iterator[str]:
    if section.robustness:
        yield f"### When texts are changed: {name_of(section.headline)}"
        rows = [
            [
                cell(r.name),
                f"{r.n:,}",
                figure_cell(r.before),
                figure_cell(r.after),
                f"{points(r.difference.value)} {_edges(r.difference)}",
                r.verdict,
                percent(r.flips.value),
            ]
            for r in section.robustness
        ]
        head = ("change", "n", "before", "after", "difference in points", "verdict", "answers that flip")
        yield table(head, rows)


def _contamination(section: Section) -> Iterator[str]:
    if section.contamination:
        yield f"### Test texts that were read before: {name_of(section.headline)}"
        rows = []
        for row in section.contamination:
            place = f"{cell(row.source)}, {cell(row.field)}"
            for words, n, figures in (("met", row.n, row.met), ("not met", section.n - row.n, row.clean)):
                shown = [figure_cell(of) for of in figures] or ["–"] * len(section.systems)
                rows.append([place, words, f"{n:,}", *shown])
        yield table(["met in", "", "n", *_systems(section)], rows)


_PARTS: tuple[Callable[[Section], Iterator[str]], ...] = (
    coverage_part,
    data_part,
    _figures,
    _asides,
    _comparisons,
    match_tables,
    _trainings,
    _slices,
    _classes,
    _mistakes,
    _calibration,
    _robustness,
    _contamination,
)


def _origin(report: Report) -> Iterator[str]:
    rows = [
        (section.name, key, value) for section in report.sections for key, value in section.coverage.items()
    ]
    for section in report.sections:
        for system in section.systems:
            facts = {"examples not read to the end": str(system.cut)} | system.facts
            rows += [(f"{section.name}, {system.name}", key, value) for key, value in facts.items()]
    rows += [("the run", key, value) for key, value in report.provenance.items()]
    yield "## Where it comes from"
    yield table(("of", "what", ""), [[cell(part) for part in row] for row in rows])
