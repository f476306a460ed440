"""A match of systems in plain text: lines for a terminal, tables for report.md."""

from collections.abc import Callable, Iterator

from zhbert.score.markdown import cell, one_line, table
from zhbert.score.sheet import Section
from zhbert.score.sheet_match import BEST, Match
from zhbert.score.words import percent


def match_lines(found: Match, *, shown: Callable[[str], str] = one_line) -> list[str]:
    """Return who is best and who may be, and how often only one of two systems is right.

    >>> from zhbert.score.sheet_match import Standing, Tally
    >>> best = Standing(system="甲", value=0.8, verdict="best")
    >>> other = Standing(system="乙", value=0.7, verdict="worse")
    >>> tally = Tally(first="甲", second="乙", both=6, only_first=2, only_second=1, neither=1)
    >>> match_lines(Match(standings=(best, other), tallies=(tally,)))
    ['best: 甲 80.0 %; worse: 乙 70.0 %', '甲, 乙: both right 6, only 甲 2, only 乙 1, neither 1']
    """
    groups: dict[str, list[str]] = {BEST: []}
    for one in found.standings:
        groups.setdefault(one.verdict, []).append(f"{shown(one.system)} {percent(one.value)} %")
    lines = ["; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in groups.items())]
    for tally in found.tallies:
        a, b = shown(tally.first), shown(tally.second)
        right = f"both right {tally.both:,}, only {a} {tally.only_first:,}, only {b} {tally.only_second:,}"
        lines.append(f"{a}, {b}: {right}, neither {tally.neither:,}")
    return lines


def match_tables(section: Section) -> Iterator[str]:
    """Yield what report.md says of a match, where there is one."""
    if section.match is None:
        return
    yield "### Example by example"
    head = ("first", "second", "both right", "only the first", "only the second", "neither")
    counts = ((t, (t.both, t.only_first, t.only_second, t.neither)) for t in section.match.tallies)
    yield table(head, [[cell(t.first), cell(t.second), *(f"{n:,}" for n in each)] for t, each in counts])
    if section.match.parts:
        first, second = (cell(system.name) for system in section.systems[:2])
        rows = [
            [
                f"{cell(part.family)}: {cell(part.name)}" + (" (few)" if part.small else ""),
                f"{part.size:,}",
                f"{part.only_first:,}",
                f"{part.only_second:,}",
            ]
            for part in section.match.parts
        ]
        yield "### Won and lost, part by part"
        yield table(("part", "n", f"only {first} is right", f"only {second} is right"), rows)
