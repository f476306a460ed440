"""From gold and predictions of several systems to one report, on disk and in a terminal.

- `rng` decides the bootstrap draws and which examples are shown; the same seed gives the same
  report, byte for byte.
- report.json is the report; report.html shows it and can be made from it again.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from zhbert.plain import from_plain
from zhbert.score import words
from zhbert.score.interval import DRAWS
from zhbert.score.page import write_page
from zhbert.score.sections import SectionInput, System, build_section, flat
from zhbert.score.sheet import Comparison, Report, Section
from zhbert.score.trainings import gap_words, mean_words
from zhbert.score.words import name_of, p_value, percent, points

__all__ = ["Report", "SectionInput", "System", "build_report", "headline", "read_report", "write_report"]


def build_report(
    title: str,
    *,
    sections: Sequence[SectionInput],
    provenance: Mapping[str, object] | None = None,
    limits: Sequence[str] = (),
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> Report:
    """Return the report of all sections; `limits` adds to what every report says of itself."""
    return Report(
        title=title,
        sections=tuple(build_section(section, rng=rng, draws=draws) for section in sections),
        provenance=flat(provenance or {}),
        limits=(*words.limits(), *limits),
    )


def write_report(report: Report, folder: Path) -> None:
    """Write report.json and report.html into a folder."""
    from zhbert.score.render import render  # jinja2 loads only here

    write_page(folder, page=render(report), record=report)


def read_report(path: Path) -> Report:
    """Return the report that a report.json holds."""
    return from_plain(Report, json.loads(path.read_text(encoding="utf-8")))


def headline(report: Report) -> list[str]:
    """Return the verdicts, one line each, for a terminal."""
    return [line for section in report.sections for line in verdict_lines(section)]


def verdict_lines(section: Section) -> list[str]:
    """Return the lines that say how good the first system is and whether that beats the others."""
    first, name = section.systems[0], name_of(section.headline)
    figure = next(figure.of for figure in first.figures if figure.name == section.headline)
    head = f"{section.name} {name} {percent(figure.value)} % [{percent(figure.low)}, {percent(figure.high)}]"
    own = (s for s in section.spreads if (s.system, s.metric) == (first.name, section.headline))
    for spread in own:
        head += f" ({mean_words(spread)})"
    against = [c for c in section.comparisons if c.metric == section.headline]
    return [f"{head}, {_against(section, c)}" for c in against] or [f"{head}, {first.name}"]


def _against(section: Section, comparison: Comparison) -> str:
    """Return one comparison in words, with its verdict and how the trainings lie to each other."""
    d, c = comparison.difference, comparison
    gain = f"{points(d.value)} points [{percent(d.low)}, {percent(d.high)}]"
    said = f"{c.first} − {c.second} = {gain}, p = {p_value(d.p)}: {c.verdict}"
    same = (c.first, c.second, c.metric)
    gaps = [gap_words(gap) for gap in section.gaps if (gap.first, gap.second, gap.metric) == same]
    return "; ".join([said, *gaps])
