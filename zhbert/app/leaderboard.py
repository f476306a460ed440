"""`leaderboard`: every report below a folder in one table for each data set.

It is a stage whose inputs are the reports alone, by the way that leads to them from its output: so it is done
again when a report is new, another, or elsewhere, and the links in it lead somewhere.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from zhbert.config import Config, Input
from zhbert.errors import DataError
from zhbert.files import Work, write_text
from zhbert.plain import to_plain
from zhbert.progress import SILENT, Progress
from zhbert.score.boardpage import board_markdown, render_board
from zhbert.score.leaderboard import PassedOver, check, leaderboard
from zhbert.score.report import Report, read_report, shown_at

REPORT = "report.json"


class LeaderboardConfig(Config):
    """Which reports are listed."""

    title: str = Field(default="Leaderboard", description="title of the page")
    reports: dict[str, Input] = Field(
        min_length=1, description="every report.json, by the way to it from the output folder"
    )


def board(config: LeaderboardConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write leaderboard.json, leaderboard.html and leaderboard.md."""
    reports, passed_over = {}, []
    for place, path in sorted(config.reports.items()):
        found = _read(path)
        if isinstance(found, Report):
            page = shown_at(path.parent).name
            reports[f"{place.removesuffix(REPORT)}{page}"] = found
        else:
            passed_over.append(PassedOver(file=place, why=found))
            progress.say(f"passed over {path}: {found}")
    if not reports:
        one = passed_over[0]
        raise DataError(
            f"no report that can be listed: {one.why}",
            where=config.reports[one.file],
            remedy="zhbert score and compare write them anew",
        )
    record = leaderboard(config.title, reports, passed_over=passed_over)
    text = json.dumps(to_plain(record), ensure_ascii=False, indent=1)
    files = {"json": text + "\n", "html": render_board(record), "md": board_markdown(record)}
    for ending, text in files.items():
        write_text(work.folder / f"leaderboard.{ending}", text)
    work.counts |= {"reports": len(reports), "data sets": len(record.boards), "passed over": len(passed_over)}


def _read(path: Path) -> Report | str:
    """Return a report, or why a file is none that can be listed."""
    try:
        report = read_report(path)
        check(report)
    except DataError as error:
        return str(error)
    except (ValueError, RecursionError) as error:
        return f"not valid JSON: {str(error)[:80]}"
    return report


def reports_below(folder: Path, output: Path) -> dict[str, str]:
    """Return every report below a folder by the way to it from the output; unfinished ones are left alone."""
    if not folder.is_dir():
        raise DataError("no such folder", where=folder, remedy="check the path")
    found = {Path(os.path.relpath(path, output)).as_posix(): str(path) for path in _finished(folder)}
    if not found:
        raise DataError(f"no {REPORT} below it", where=folder, remedy="zhbert score and compare write them")
    return found


def _finished(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob(REPORT)):
        inside = path.relative_to(folder).parts[:-1]
        if path.is_file() and not any(part.endswith(".partial") for part in inside):
            yield path
