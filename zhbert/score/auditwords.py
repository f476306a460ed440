"""What was read and what the data is like, as tables of report.md."""

from collections.abc import Iterator

from zhbert.score.markdown import cell, table
from zhbert.score.sheet import Section, SystemSheet

UNKNOWN = "not known"


def coverage_part(section: Section) -> Iterator[str]:
    """Yield how much of the texts each system saw, and what is to be known of what it learnt from."""
    yield "### What was read"
    head = (
        "system",
        "in several windows",
        "texts cut",
        "characters not read",
        "[UNK]",
        "gold answers out of reach",
    )
    yield table([*head, "left out of training"], [_seen(section, system) for system in section.systems])
    if section.notes:
        yield "\n".join(f"- {cell(note.system)}: {note.what}" for note in section.notes)


def _seen(section: Section, system: SystemSheet) -> list[str]:
    read = system.read
    cut = f"{system.cut:,} of {section.n:,}"
    left_out = cell(system.facts.get("answers out of reach", UNKNOWN))
    if not read:
        return [cell(system.name), UNKNOWN, cut, UNKNOWN, UNKNOWN, UNKNOWN, left_out]
    return [
        cell(system.name),
        f"{read.several:,} of {read.examples:,}",
        cut,
        f"{read.unread:,} of {read.characters:,}",
        f"{read.unknown:,} of {read.tokens:,} tokens",
        f"{sum(read.out_of_reach.values()):,} of {read.answers:,}",
        left_out,
    ]


def data_part(section: Section) -> Iterator[str]:
    """Yield the splits, and how often a text stands in them twice."""
    if not section.data:
        return
    yield "### The data"
    rows = [
        [
            cell(s.name),
            f"{s.n:,}",
            f"{s.characters:,}",
            f"{s.lengths.median:g}",
            f"{s.lengths.p95:g}",
            f"{s.lengths.longest:,}",
        ]
        for s in section.data.splits
    ]
    yield table(["split", "n", "characters", "median", "95 %", "longest"], rows)
    doubles = [[cell(d.where), f"{d.n:,}", f"{d.against:,}"] for d in section.data.doubles]
    yield table(["same text, but for width, case and spaces", "examples", "in contradiction"], doubles)
