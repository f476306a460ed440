"""The leaderboard as a page and as Markdown (`page.py` says what all pages have in common)."""

import shlex
from urllib.parse import quote

from zhbert.score.leaderboard import FACTS, Board, Entry, Leaderboard
from zhbert.score.markdown import cell, table
from zhbert.score.page import render_page
from zhbert.score.render import Axis, axis, t
from zhbert.score.summary import figure_cell
from zhbert.score.words import name_of, percent

ONLY_PAIRED = (
    "Intervals say how each system would fare on other examples, each by itself. Systems here answered the "
    "same examples, so one can be better although the intervals overlap: only a paired test decides."
)
DECIDES = "The command for it:"
PAIRED = "paired test: {}"
UNKNOWN = "The report does not say which examples these are; they may be those of another table."


def render_board(found: Leaderboard) -> str:
    """Return the page of a leaderboard."""
    return render_page(
        "leaderboard.html.j2",
        room="score",
        title=found.title,
        format=found.format,
        styles=["report.css"],
        functions=(t, percent, figure_axis, href, command_for, place_of),
        found=found,
        only_paired=ONLY_PAIRED,
        decides=DECIDES,
        unknown=UNKNOWN,
        told=tuple(FACTS),
        hues=(),
        buttons=0,
    )


def figure_axis(board: Board) -> Axis:
    """Return the axis on which all systems of a table fit, with few ticks: it is narrow."""
    wide = axis(entry.figure for entry in board.entries)
    return Axis(wide.low, wide.high, (wide.low, wide.high))


def href(place: str) -> str:
    """Return a relative place as an address.

    >>> href("../新 run/report.html")
    '../%E6%96%B0%20run/report.html'
    """
    return quote(place)


def command_for(board: Board) -> str:
    """Return the command that sets the best system against the next one by a paired test.

    >>> from zhbert.score.interval import Interval
    >>> of = Interval(0.5, 0.4, 0.6)
    >>> entries = tuple(Entry(system=x, figure=of, standing="", reports=()) for x in ("甲 1", "b"))
    >>> command_for(Board(task="ner", data=(), known_by="", headline="", n=9, entries=entries))
    "zhbert compare '甲 1=PREDICTIONS' b=PREDICTIONS -o compared"
    """
    names = [f"{entry.system}=PREDICTIONS" for entry in board.entries[:2]]
    return shlex.join(["zhbert", "compare", *names, "-o", "compared"])


def place_of(entry: Entry, board: Board) -> int:
    """Return the place of a system in its table; those of the same figure share one."""
    return 1 + sum(other.figure.value > entry.figure.value for other in board.entries)


def board_markdown(found: Leaderboard) -> str:
    """Return the text of leaderboard.md."""
    blocks = [f"# {cell(found.title)}", f"{ONLY_PAIRED}"]
    for board in found.boards:
        blocks.append(f"## {cell(', '.join(board.data))}: {cell(name_of(board.headline))}")
        blocks.append(f"{cell(name_of(board.task))}, {board.n:,} test examples{_known_as(board)}")
        head = ("", "system", name_of(board.headline), "trainings", *FACTS, "against the best", "reports")
        blocks.append(table(head, [_row(entry, board) for entry in board.entries]))
        if len(board.entries) > 1:
            blocks.append(f"{DECIDES} `{command_for(board)}`")
    if found.passed_over:
        blocks.append("## Passed over")
        blocks.append("\n".join(f"- {cell(one.file)}: {cell(one.why)}" for one in found.passed_over))
    return "\n\n".join(blocks) + "\n"


def _known_as(board: Board) -> str:
    return f", {cell(board.known_by)}." if board.known_by else f". {UNKNOWN}"


def _row(entry: Entry, board: Board) -> list[str]:
    links = (f"[{number}](<{href(link)}>)" for number, link in enumerate(entry.reports, start=1))
    return [
        str(place_of(entry, board)),
        cell(entry.system),
        figure_cell(entry.figure),
        str(entry.trainings),
        *(cell(entry.facts.get(name, "")) for name in FACTS),
        "; ".join(filter(None, [entry.standing, entry.verdict and PAIRED.format(entry.verdict)])),
        " ".join(links),
    ]
