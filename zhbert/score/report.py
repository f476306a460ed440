"""From gold and predictions of several systems to one report, on disk and in a terminal.

- `rng` decides the bootstrap draws and which examples are shown; the same seed gives the same
  report, byte for byte.
- report.json is the report and always there. Every other form shows it and can be made from it again: a page,
  Markdown, the card of the system that is judged. `schema` is for programs that read report.json.
- What predicting took is different every time: it lies beside, in logs/cost.json; the page alone shows it.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from zhbert.files import PAGE, write_text
from zhbert.plain import from_plain
from zhbert.score import words
from zhbert.score.cost import SystemCost, write_costs
from zhbert.score.interval import DRAWS
from zhbert.score.modelcard import write_card
from zhbert.score.page import write_record
from zhbert.score.schema import published
from zhbert.score.sections import SectionInput, System, build_section, flat
from zhbert.score.sheet import Report
from zhbert.score.summary import verdict_lines, write_summary

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


Costs = Sequence[SystemCost]


def _page(report: Report, costs: Costs) -> str:
    from zhbert.score.render import render  # jinja2 loads only here

    return render(report, costs)


FORMS: dict[str, tuple[str, Callable[[Report, Costs], str]]] = {
    "html": (PAGE, _page),
    "md": ("report.md", lambda report, _: write_summary(report)),
    "card": ("README.md", lambda report, _: write_card(report)),
    "schema": ("report.schema.json", lambda *_: published()),
}
USUAL = ("html",)


def write_report(report: Report, folder: Path, *, forms: Collection[str] = USUAL, costs: Costs = ()) -> None:
    """Write report.json into a folder, what the predictions took, and the other forms that are wanted."""
    write_record(folder, report)
    if costs:
        write_costs(folder, costs)
    for name, (file, write) in FORMS.items():
        if name in forms:
            write_text(folder / file, write(report, costs))


def shown_at(folder: Path) -> Path:
    """Return the file of a folder in which people read a report: the first form that is there."""
    places = [folder / file for name, (file, _) in FORMS.items() if name != "schema"]
    return next((place for place in places if place.is_file()), folder / "report.json")


def read_report(path: Path) -> Report:
    """Return the report that a report.json holds."""
    return from_plain(Report, json.loads(path.read_text(encoding="utf-8")))


def headline(report: Report) -> list[str]:
    """Return the verdicts, one line each, for a terminal."""
    return [line for section in report.sections for line in verdict_lines(section)]
