"""The commands of `zhbert data` that are no stages: what data sets there are."""

from typing import Annotated

import typer

data = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Labelled data: which there is, from what publishers write to examples, and files for benchmarks.",
)


@data.command("list")
def list_sets(
    task: Annotated[
        str, typer.Option(help="only sets for this task: classify, pair, ner, reading or choice")
    ] = "",
) -> None:
    """List the labelled sets that have a card: task, splits, licence, and whether the files are here."""
    from zhbert.corpus.catalogue import listed

    for line in listed(task):
        typer.echo(line)


@data.command("show")
def show_set(
    name: Annotated[
        str,
        typer.Argument(
            help="a name of `zhbert data list`: cluener, mini:ner, cluener@FOLDER for files there"
        ),
    ],
) -> None:
    """Show what is known of a data set: labels, splits, leaks, published scores, first examples."""
    from zhbert.corpus.catalogue import shown

    for line in shown(name):
        typer.echo(line)
