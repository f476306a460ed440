"""All systems that reports have judged, data set by data set, the best first.

- Two sections are about the same data where task, checksum of the gold examples, headline and number of
  examples agree. A report that does not say which examples it is about has a table of its own.
- A system that several reports judge alike (same name, headline, facts) stands once, with all of them.
- Intervals that overlap, or do not, are a rough sign: systems that answered the same examples may differ all
  the same. Where a report has set a system against the best one in a paired test, its verdict is shown.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from zhbert.errors import DataError
from zhbert.plain import RARE
from zhbert.score.interval import Interval
from zhbert.score.sheet import FORMAT as REPORT
from zhbert.score.sheet import Report, Section, SystemSheet
from zhbert.score.sheet_match import BEST
from zhbert.score.summary import headline_of

FORMAT = 1
OVERLAP, APART = "intervals overlap", "intervals apart"
_GOLD = re.compile(r"(?P<name>.*?)( (?P<sum>sha256 [0-9a-f]+))?(, [\d,]+ examples, .*)?", re.DOTALL)
FACTS = {  # what is told of a system, and under which keys a report may have it
    "encoder": ("encoder", "encoder.init", "encoder.strategy"),
    "size": ("size",),
    "lr": ("lr",),
    "seconds": ("seconds",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One system: its headline, how it stands to the best by intervals, and in which reports it is judged.

    `verdict` is that of a paired test with the best system, where a report has made one.
    """

    system: str
    figure: Interval
    standing: str
    reports: tuple[str, ...]
    trainings: int = 1
    facts: dict[str, str] = field(default_factory=dict)
    verdict: str = field(default="", metadata=RARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All systems on one data set; `known_by` is a checksum or a name on the hub, or empty: not known."""

    task: str
    data: tuple[str, ...]
    known_by: str
    headline: str
    n: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A file that looks like a report and is none, and why."""

    file: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """The whole of leaderboard.json."""

    title: str
    boards: tuple[Board, ...]
    passed_over: tuple[PassedOver, ...] = ()
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class _Part:
    """A section and the report that it is of."""

    link: str
    section: Section
    data: str
    known_by: str


def leaderboard(
    title: str, reports: Mapping[str, Report], *, passed_over: Iterable[PassedOver] = ()
) -> Leaderboard:
    """Return the tables of all reports, which go by what leads to them."""
    groups: dict[tuple[object, ...], list[_Part]] = {}
    for link, report in reports.items():
        for section in report.sections:
            data, known_by = gold_of(report, section)
            same = known_by or (link, section.name)  # unknown data are nobody else's
            key = (section.task, same, section.headline, section.n)
            groups.setdefault(key, []).append(_Part(link, section, data, known_by))
    boards = sorted(map(_board, groups.values()), key=lambda board: (board.task, board.data, board.n))
    return Leaderboard(title=title, boards=tuple(boards), passed_over=tuple(passed_over))


def check(report: Report) -> None:
    """Refuse a report of another format, or one in which a headline is missing."""
    if report.format != REPORT:
        raise DataError(f"format {report.format}, where {REPORT} is known")
    for section in report.sections:
        for system in section.systems:
            if section.headline not in [figure.name for figure in system.figures]:
                raise DataError(f'no {section.headline} of "{system.name}" in "{section.name}"')


def gold_of(report: Report, section: Section) -> tuple[str, str]:
    """Return the name of the gold examples of a section, and what they are known by, as the report has it.

    >>> from zhbert.score.sheet import Section
    >>> section = Section(name="News", task="ner", n=9, headline="micro_f1", definition="", systems=())
    >>> said = {"data.News.gold": "mini:ner/test sha256 58a13a3d24b90888, 9 examples, 210 characters"}
    >>> gold_of(Report(title="", sections=(section,), provenance=said), section)
    ('mini:ner/test', 'sha256 58a13a3d24b90888')
    """
    said = report.provenance.get(f"data.{section.name}.gold", "")
    found = _GOLD.fullmatch(said)
    assert found, "every part of it may be absent"
    return found["name"] or section.name, found["sum"] or found["name"]


def _board(parts: list[_Part]) -> Board:
    found: dict[object, Entry] = {}
    for part in parts:
        for system in part.section.systems:
            entry = _entry(part, system)
            key = (entry.system, entry.trainings, entry.figure.value, tuple(system.facts.items()))
            same = found.get(key)
            found[key] = _also(same, part.link) if same else entry
    order = sorted(found.values(), key=lambda entry: (-entry.figure.value, entry.system))
    first = parts[0]
    return Board(
        task=first.section.task,
        data=tuple(sorted({part.data for part in parts})),
        known_by=first.known_by,
        headline=first.section.headline,
        n=first.section.n,
        entries=tuple(_placed(entry, order[0], parts) for entry in order),
    )


def _also(entry: Entry, link: str) -> Entry:
    return replace(entry, reports=tuple(dict.fromkeys([*entry.reports, link])))


def _entry(part: _Part, system: SystemSheet) -> Entry:
    section = part.section
    many = next((len(s.figures) for s in section.spreads if s.system == system.name), 1)
    facts = {
        name: next((system.facts[key] for key in keys if key in system.facts), "")
        for name, keys in FACTS.items()
    }
    return Entry(
        system=system.name,
        figure=headline_of(section, system),
        standing="",
        reports=(part.link,),
        trainings=many,
        facts={name: text for name, text in facts.items() if text},
    )


def _placed(entry: Entry, best: Entry, parts: Iterable[_Part]) -> Entry:
    """Return an entry with how it stands to the best one."""
    if entry.figure.value == best.figure.value:
        return replace(entry, standing=BEST)
    overlap = entry.figure.high >= best.figure.low
    return replace(entry, standing=OVERLAP if overlap else APART, verdict=_verdict(entry, best, parts))


def _verdict(entry: Entry, best: Entry, parts: Iterable[_Part]) -> str:
    """Return what a report says of an entry against the best one, where one has compared them."""
    for part in parts:
        if part.link not in entry.reports or part.link not in best.reports:
            continue
        for c in part.section.comparisons:
            if {c.first, c.second} == {entry.system, best.system} and c.metric == part.section.headline:
                return "worse" if c.verdict in ("better", "worse") else c.verdict
    return ""
