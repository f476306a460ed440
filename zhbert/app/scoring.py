"""The command `score`: a report of systems, or official figures of predictions that zhbert did not make."""

import json
from pathlib import Path
from typing import Annotated

import typer

from zhbert.app.console import console, print_report, run_stage
from zhbert.app.options import forms_of, systems_of
from zhbert.errors import ConfigError


def score(
    gold: Annotated[str, typer.Option(help="the right answers: JSONL, or a reference such as mini:ner/test")],
    task: Annotated[str, typer.Option(help="classify, pair, ner, segment, reading or choice")] = "",
    system: Annotated[
        list[str] | None,
        typer.Option(
            help="predictions as NAME=PATH or PATH, judged one first; NAME again: a further training"
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="folder of the report")] = None,
    train: Annotated[
        str | None, typer.Option(help="what the systems learnt from, for seen and unseen slices")
    ] = None,
    robust: Annotated[
        str | None, typer.Option(help="what `zhbert robust` made of the first system's model and this gold")
    ] = None,
    head: Annotated[str, typer.Option(help="one label, several or a value; default: as gold shows")] = "",
    contamination: Annotated[
        str | None, typer.Option(help="what `zhbert contamination` found of this gold")
    ] = None,
    title: Annotated[str, typer.Option(help="title of the report")] = "Evaluation",
    format: Annotated[
        str,
        typer.Option(
            help="forms of the report, with commas: json (always there), html, md (Markdown), card "
            "(README.md of the first system, for a model hub), schema (of report.json)"
        ),
    ] = "json,html",
    metric: Annotated[
        str,
        typer.Option(
            help="instead of a task: official figures of predictions that zhbert did not make, by cmrc2018, "
            "drcd, squad, entities, segmentation, labels, pairs or choice"
        ),
    ] = "",
    predictions: Annotated[Path | None, typer.Option(help="with --metric: the predictions")] = None,
    form: Annotated[
        str,
        typer.Option(help="with --metric: how gold is written, if that is not clear: zhbert data convert"),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="with --metric: one JSON object")] = False,
) -> None:
    """Predictions and gold into a report with intervals; several systems are compared."""
    if metric:
        _score_officially(metric, gold, predictions, form, output, title, forms_of(format), as_json)
        return
    if not (task and system and output):
        raise ConfigError("--task, --system and --output are needed", remedy="or --metric and --predictions")
    section = {"name": title, "task": task, "gold": gold, "systems": systems_of(system)}
    more = {"train": train, "robust": robust, "contamination": contamination, "head": head}
    section |= {key: given for key, given in more.items() if given}
    run_stage("score", {"title": title, "sections": [section], "format": forms_of(format)}, output)
    print_report(output)


def _score_officially(
    metric: str,
    gold: str,
    predictions: Path | None,
    form: str,
    output: Path | None,
    title: str,
    forms: list[str],
    as_json: bool,
) -> None:
    from zhbert.app.foreign import score_foreign

    if predictions is None:
        raise ConfigError("--predictions is needed", remedy="the file that is to be scored")
    figures, notes = score_foreign(
        metric, Path(gold), predictions, form=form, report=output, title=title, forms=forms
    )
    for note in notes:
        typer.echo(f"zhbert: {note}", err=True)
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    for name, figure in figures.items():
        console.print(f"{name:>18}  {figure:.4f}" if isinstance(figure, float) else f"{name:>18}  {figure}")
    if output:
        print_report(output)
