"""What commands say: stages that were typed, and the verdicts of reports."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from zhbert.config import parse

console = Console(stderr=False, quiet=os.environ.get("RANK", "0") != "0")  # of processes the first speaks


def print_report(folder: Path) -> None:
    """Print the verdicts of a report, and where it is."""
    from zhbert.score.report import headline, read_report, shown_at

    for line in headline(read_report(folder / "report.json")):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"Report: {shown_at(folder).resolve()}", highlight=False, soft_wrap=True)


def run_stage(name: str, values: dict[str, Any], output: Path) -> None:
    """Carry out a stage whose options were typed, and say what came of it."""
    from zhbert.app.recipe import resolve
    from zhbert.app.show import RichProgress
    from zhbert.app.stages import execute, find_stage

    stage = find_stage(name)
    values = _spooled(values, output)
    config = parse(stage.config_type(), resolve(values, Path()), where=f"zhbert {name}")
    outcome = execute(stage, config, output, RichProgress(console))
    shutil.rmtree(_spool_of(output), ignore_errors=True)
    console.print(
        f"{output}: {'done' if outcome.fresh else 'nothing to do'}", highlight=False, soft_wrap=True
    )
    if name == "data check":
        typer.echo((output / "check.txt").read_text(encoding="utf-8"), nl=False)
        return
    for key, value in outcome.manifest.counts.items():
        console.print(f"  {key}: {value}", markup=False, highlight=False, soft_wrap=True)
    if page := {"corpus report": "Data card", "probe": "Report", "cluster": "Groups"}.get(name):
        console.print(f"{page}: {(output / 'report.html').resolve()}", highlight=False, soft_wrap=True)


def _spooled(values: dict[str, Any], output: Path) -> dict[str, Any]:
    """Return the options with a file for standard input, which can be read but once, in the place of `-`."""
    sources = values.get("source")
    if sources != "-" and not (isinstance(sources, list) and "-" in sources):
        return values
    from zhbert.read.spool import spool

    folder = _spool_of(output)
    found = str(spool(sys.stdin.buffer, folder))
    if sources == "-":
        return values | {"source": found}
    return values | {"source": [found if source == "-" else source for source in sources]}


def _spool_of(output: Path) -> Path:
    return output.with_name(output.name + ".stdin")
