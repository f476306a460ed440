"""The commands `compare` and `leaderboard`: systems set against each other, and all reports in one table.

`compare` is `score` with each system compared with each: it finds out what was answered, and the report has
one more part (`score/match.py`). In a recipe the same is `every_pair = true` in a section.
"""

from pathlib import Path
from typing import Annotated

import typer

from zhbert.app.console import console, print_report, run_stage
from zhbert.app.options import forms_of, systems_of
from zhbert.errors import ConfigError, nearest
from zhbert.records import EXAMPLES


def compare(
    predictions: Annotated[
        list[str],
        typer.Argument(
            help="what zhbert apply or baseline wrote, or files of predictions: PATH or NAME=PATH; "
            "NAME again: a further training"
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder of the report")],
    gold: Annotated[
        str, typer.Option(help="the right answers: JSONL or a reference; default: what the folders answered")
    ] = "",
    task: Annotated[
        str,
        typer.Option(
            help="classify, pair, ner, segment, reading or choice; default: what the folders answered"
        ),
    ] = "",
    head: Annotated[
        str, typer.Option(help="one label, several or a value; default: as the models do, or as gold shows")
    ] = "",
    train: Annotated[str, typer.Option(help="what the systems learnt from, for seen and unseen slices")] = "",
    title: Annotated[str, typer.Option(help="title of the report")] = "Comparison",
    format: Annotated[
        str, typer.Option(help="forms of the report, with commas, as for zhbert score")
    ] = "json,html",
) -> None:
    """Systems against each other: every pair, who may be best, where only one of two is right."""
    systems = systems_of(predictions)
    section = {"name": title, "systems": systems, "every_pair": True}
    section |= {key: found for key, found in _asked(systems, gold, task, head).items() if found}
    section |= {"train": train} if train else {}
    run_stage("score", {"title": title, "sections": [section], "format": forms_of(format)}, output)
    print_report(output)


def _asked(systems: dict[str, list[str]], gold: str, task: str, head: str) -> dict[str, str]:
    """Return what the systems answered, as it was typed or as their folders say it."""
    from zhbert.app.answered import answered, gold_of, head_of, strangers, task_of

    _check(systems)
    if task and task not in EXAMPLES:
        raise ConfigError(f'no task "{task}"', remedy=nearest(task, EXAMPLES))
    told = [answered(Path(path)) for paths in systems.values() for path in paths]
    for note in strangers(told, gold) if gold else []:
        console.print(f"Note: {note}", markup=False, highlight=False, soft_wrap=True)
    gold = gold or gold_of(told)
    return {"gold": gold, "task": task or task_of(told, gold), "head": head or head_of(told)}


def _check(systems: dict[str, list[str]]) -> None:
    """Refuse what is no comparison: one system, or the same predictions under two names."""
    from zhbert.app.told import predictions_file

    if len(systems) < 2:
        raise ConfigError(
            f'"{next(iter(systems))}" alone: there is nothing to compare',
            remedy="give two systems or more; zhbert score judges one",
        )
    seen: dict[Path, str] = {}
    for name, paths in systems.items():
        for path in paths:
            place = predictions_file(Path(path)).resolve()
            if place in seen:
                what = f'"{seen[place]}" and "{name}" are the same predictions'
                twice = f'"{name}" has the same predictions twice'
                raise ConfigError(
                    what if seen[place] != name else twice, where=path, remedy="leave one of them out"
                )
            seen[place] = name


def leaderboard(
    folder: Annotated[Path, typer.Argument(help="where reports are looked for, in all folders below")],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder of the leaderboard")],
    title: Annotated[str, typer.Option(help="title of the page")] = "Leaderboard",
) -> None:
    """All systems of all reports below a folder, data set by data set, the best first."""
    from zhbert.app.leaderboard import reports_below

    reports = reports_below(folder, output)
    run_stage("leaderboard", {"title": title, "reports": reports}, output)
    page = (output / "leaderboard.html").resolve()
    console.print(f"Leaderboard: {page}", markup=False, highlight=False, soft_wrap=True)
