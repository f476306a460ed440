"""A report as the card of the system that is judged: README.md, as model hubs read and show it.

- The head names the results (`model-index`), of every section whose first system has the name of the first of
  all: a card is about one model. Nobody but its maker has verified them, and it says so.
- A value of the head is a share, from 0 to 1; what people read is per cent, with its interval.
- What a card claims of a model is what the report knows: a licence where its facts have one, a base model
  where the name can only be one on a hub.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zhbert.score import words
from zhbert.score.hub import METRICS, USES, licence_lines, owned_name, slug
from zhbert.score.markdown import cell, front_matter, plain, table
from zhbert.score.sheet import Report, Section
from zhbert.score.summary import figure_cell, headline_of, worst_first
from zhbert.score.words import name_of, percent

WEAK = 5  # parts that are named as weak ones
LABELS = 30
DIGITS = 4
_BASE = ("base_model", "encoder.init", "encoder", "init")
_LICENCE = ("licence", "license")
_NOT_FOR = (
    "It is not meant for decisions about people that nobody checks, nor for texts of a kind that it was not "
    "tested on."
)


def write_card(report: Report) -> str:
    """Return the text of README.md."""
    name = report.sections[0].systems[0].name
    ours = [section for section in report.sections if section.systems[0].name == name]
    blocks = [
        _head(report, name, ours),
        f"# {cell(name)}",
        "## What it is for",
        "\n".join(f"- {_use(section)}" for section in ours),
        _NOT_FOR,
        "## How good it is",
        f"Figures of the report “{cell(report.title)}” are per cent, with 95 % intervals.",
        *(block for section in ours for block in _figures(section)),
        "## Limits",
        "\n".join(f"- {line}" for line in _limits(report, ours)),
        *_origin(report, ours),
    ]
    return "\n\n".join(blocks) + "\n"


def _head(report: Report, name: str, sections: Sequence[Section]) -> str:
    facts = _facts(sections)
    values: dict[str, Any] = {"language": "zh"}
    if licence := next((facts[key] for key in _LICENCE if key in facts), ""):
        values |= licence_lines(licence)
    if base := base_model(facts):
        values["base_model"] = base
    if facts:  # what other tools predicted comes without
        values |= {"library_name": "transformers", "tags": ["zhbert"]}
    tags = {USES[section.task].tag for section in sections}
    if len(tags) == 1:
        values["pipeline_tag"] = tags.pop()
    results = [_result(section, report.provenance) for section in sections]
    return front_matter(values | {"model-index": [{"name": name, "results": results}]})


def _facts(sections: Sequence[Section]) -> dict[str, str]:
    """Return what is known of the judged system, by the first section that knows it."""
    return {key: value for section in reversed(sections) for key, value in section.systems[0].facts.items()}


def base_model(facts: Mapping[str, str]) -> str:
    """Return the encoder on a hub that a system came of, or nothing where that is not known for sure.

    >>> base_model({"encoder": "hfl/rbt3"}), base_model({"encoder": "random weights"})
    ('hfl/rbt3', '')
    """
    name = next((facts[key] for key in _BASE if key in facts), "")
    return name if owned_name(name) and not Path(name).parent.exists() else ""


def _result(section: Section, provenance: Mapping[str, str]) -> dict[str, Any]:
    figures = section.systems[0].figures
    metrics = [
        {
            "type": METRICS.get(figure.name, figure.name),
            "value": round(figure.of.value, DIGITS),
            "name": name_of(figure.name),
            "verified": False,
        }
        for figure in figures
    ]
    return {
        "task": {"type": USES[section.task].tag, "name": name_of(section.task)},
        "dataset": {"name": section.name, "type": _data_set(section, provenance)},
        "metrics": metrics,
    }


def _data_set(section: Section, provenance: Mapping[str, str]) -> str:
    """Return what a hub would call the data: the corpus that gold is a part of, else the section's name."""
    card, colon, _ = provenance.get(f"data.{section.name}.gold", "").partition(":")
    return slug(card if colon else section.name)


def _use(section: Section) -> str:
    """Return what the model gives for a text, and which answers it knows."""
    words = USES[section.task].words
    if section.headline == "pearson":
        words = words.replace("one label", "a number")
    labels = [row.label for row in section.systems[0].classes if row.label]
    if not labels:
        return f"{words} ({cell(section.name)})"
    more = f" and {len(labels) - LABELS} more" if len(labels) > LABELS else ""
    return f"{words} ({cell(section.name)}): {', '.join(map(cell, labels[:LABELS]))}{more}"


def _figures(section: Section) -> Iterator[str]:
    yield f"### {cell(section.name)}"
    yield f"{section.n:,} test examples; {cell(section.definition)}."
    system = section.systems[0]
    yield table(("metric", "value"), [(name_of(f.name), figure_cell(f.of)) for f in system.figures])
    for c in section.comparisons:
        if (c.first, c.metric) == (system.name, section.headline):
            yield f"Against {cell(c.second)}: {c.verdict} ({name_of(c.metric)})."
    if weak := [row for row in worst_first(section.slices) if not row.small][:WEAK]:
        yield f"Where it is weakest, by {name_of(section.headline)}:"
        rows = [(f"{cell(r.family)}: {cell(r.name)}", f"{r.size:,}", figure_cell(r.figures[0])) for r in weak]
        yield table(("part", "n", "value"), rows)


def _limits(report: Report, sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        system, of = section.systems[0], headline_of(section, section.systems[0])
        yield (
            f"{cell(section.name)}: on other texts of the same kind {name_of(section.headline)} may well lie "
            f"anywhere between {percent(of.low)} and {percent(of.high)}; for another kind nothing is known."
        )
        for note in section.notes:
            if note.system == system.name:
                yield f"{cell(section.name)}: {note.what}."
        if system.cut:
            yield f"{cell(section.name)}: {system.cut:,} examples were not read to their end."
        for row in section.contamination:
            yield (
                f"{cell(section.name)}: {row.n:,} test texts ({cell(row.field)}) were met in what had been "
                f"read before ({cell(row.source)})."
            )
    others = {s.name: s.systems[0].name for s in report.sections if s not in sections}
    if others:
        named = ", ".join(f"{cell(section)} ({cell(first)})" for section, first in others.items())
        yield f"The report judges other models elsewhere, of which this card says nothing: {named}."
    yield "Intervals are about other test examples: another training, with another seed, may do otherwise."
    yield from (plain(line) for line in report.limits if line not in words.limits())


def _origin(report: Report, sections: Sequence[Section]) -> Iterator[str]:
    rows = [(s.name, key, value) for s in sections for key, value in s.systems[0].facts.items()]
    rows += [("the report", key, value) for key, value in report.provenance.items()]
    if rows:
        yield "## Where it comes from"
        yield table(("of", "what", ""), [[cell(part) for part in row] for row in rows])
