"""The command line: the only place that prints and exits.

Every stage is a command whose options are the fields of its config, so that a help text and a
recipe key can never disagree. The options of a stage are made only when its command is called:
`zhbert --help` loads no torch. A mistake of the user's ends in one line and exit code 2.
"""

import errno
import io
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.models import CommandInfo

import zhbert
from zhbert.app.comparing import compare, leaderboard
from zhbert.app.console import console, print_report, run_stage
from zhbert.app.data import data
from zhbert.app.neighbours import nearest
from zhbert.app.options import command_of
from zhbert.app.scoring import score
from zhbert.config import parse_value
from zhbert.errors import ConfigError, ZhbertError

for _quiet in (
    "TRANSFORMERS_NO_ADVISORY_WARNINGS",
    "HF_HUB_DISABLE_PROGRESS_BARS",
    "HF_HUB_DISABLE_TELEMETRY",
):
    os.environ.setdefault(_quiet, "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

_OUTSIDE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
}  # what the world refuses; any other OSError is a fault of ours and shows where it is
_OPTIONS: dict[str, Any] = {
    "no_args_is_help": True,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
}
_ORDER = ["run", "build", "phrases", "report", "steps", "compose"]
_ORDER += ["list", "show", "convert", "check", "submit"]
_ORDER += [
    "vocab",
    "encode",
    "similar",
    "pretrain",
    "probe",
    "finetune",
    "search",
    "baseline",
    "apply",
    "robust",
    "contamination",
    "score",
    "compare",
    "leaderboard",
]
_ORDER += ["embed", "nearest", "cluster"]
_ORDER += ["export", "onnx", "serve", "ask", "fill", "doctor", "version"]
app = typer.Typer(**_OPTIONS, help="From raw Chinese text to a trusted model.", add_completion=False)
corpus = typer.Typer(**_OPTIONS, help="Documents: build a corpus from raw text, look at it, hand it on.")
GROUPS = {"corpus": corpus, "data": data}
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)
_BY_HAND = (score, compare, leaderboard)  # their configs are nested
for _command in _BY_HAND:
    app.command()(_command)
app.command()(nearest)


@app.command("run")
def run_recipe(
    recipe: Annotated[
        str, typer.Argument(help="a recipe file, or the name of a bundled one, such as quickstart")
    ],
    changes: Annotated[
        list[str] | None, typer.Argument(help="changed keys: encoder.steps=50 ner-random.seed=2")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="folder of the run [runs/RECIPE]")
    ] = None,
) -> None:
    """Run a recipe: every stage whose result is not there yet."""
    from zhbert.app.recipe import run
    from zhbert.app.show import RichProgress

    done = run(recipe, folder=output, progress=RichProgress(console), **_changes(changes or []))
    if not done.fresh:
        console.print("Nothing to do: every result is there.", highlight=False)
    if done.report:
        print_report(done.report.parent)
    console.print(
        f"{len(done.fresh)} of {len(done.outcomes)} stages run in {done.seconds:.0f} s", highlight=False
    )


def _changes(changes: list[str]) -> dict[str, Any]:
    pairs = [change.partition("=") for change in changes]
    for key, equals, _ in pairs:
        if not equals or "." not in key:
            raise ConfigError(
                f'"{key}{equals}" changes nothing', remedy="write stage.key=value, such as encoder.steps=50"
            )
    return {key: parse_value(value) for key, _, value in pairs}


@app.command()
def fill(
    encoder: Annotated[str, typer.Argument(help="output of zhbert pretrain, any BERT's folder, or bundled")],
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            help="texts with [MASK] in them: 今天天气很[MASK][MASK]; none: lines of standard input"
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="how many ways to show")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="one line of JSON for each text")] = False,
) -> None:
    """Fill the [MASK]s of texts: all places of a text together, and each by itself."""
    from zhbert.app.show import fillings

    given = texts or (line.decode("utf-8", "replace").rstrip("\r\n") for line in sys.stdin.buffer)
    for line in fillings(encoder, given, top=top, as_json=as_json):
        print(line)


@app.command()
def ask(
    model: Annotated[Path, typer.Argument(help="the output of zhbert finetune")],
    texts: Annotated[
        list[str],
        typer.Argument(
            help="a text; two for pairs; question, context for reading; context, question, options"
        ),
    ],
) -> None:
    """Show what a task model says of one text, as JSON."""
    from zhbert.app.encoder import Encoder
    from zhbert.app.pipeline import asked, load
    from zhbert.records import to_plain

    question = asked(texts)
    pipe = load(model)
    if isinstance(pipe, Encoder):
        raise ConfigError("an encoder answers nothing yet", remedy="zhbert fill, or zhbert finetune first")
    answer = pipe(question)
    print(json.dumps(to_plain(answer), ensure_ascii=False, indent=1))


@app.command()
def doctor() -> None:
    """Tell what is installed, which device would be used, and what is wrong."""
    from zhbert.app.doctor import WRONG, examine

    findings = list(examine())
    for finding in findings:
        console.print(
            f"{finding.state:>5}  {finding.subject:14} {finding.words}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if any(finding.state == WRONG for finding in findings):
        raise typer.Exit(1)


@corpus.command("compose")
def compose_corpus(
    source: Annotated[
        Path, typer.Argument(help="folder of lexicons and frames, such as corpora/mini/source")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for the composed files")],
) -> None:
    """Compose raw text and labelled examples from frames and lexicons."""
    from zhbert.corpus.compose import compose

    for name, records in compose(source, output).items():
        console.print(f"{records:8,}  {name}", highlight=False)


@corpus.command("steps")
def list_steps() -> None:
    """List what documents can go through in `corpus build --steps`, with settings and presets."""
    from zhbert.app.show import steps_in_words

    for line in steps_in_words():
        console.print(line, markup=False, highlight=False, soft_wrap=True)


@app.command()
def version() -> None:
    """Print the version."""
    print(zhbert.__version__)


def _add_stages(arguments: list[str]) -> None:
    """Give every stage its command; only the one that is called gets its options."""
    from zhbert.app.stages import STAGES

    for stage in STAGES.values():
        words = stage.name.split()
        if stage.name in [command.__name__ for command in _BY_HAND]:
            continue
        called = arguments[: len(words)] == words
        command = command_of(stage.config_type(), partial(run_stage, stage.name)) if called else _unread
        about = stage.about[0].upper() + stage.about[1:] + "."
        GROUPS.get(words[0], app).command(words[-1], help=about)(command)
    about = "Fine-tune with several seeds or settings, and show every score on dev."
    app.command("search", help=about)(_searching() if arguments[:1] == ["search"] else _unread)
    about = "Answer over HTTP with one model or several: batches, limits, metrics; ends in order on SIGTERM."
    app.command("serve", help=about)(_serving() if arguments[:1] == ["serve"] else _unread)
    for group in (app, *GROUPS.values()):
        group.registered_commands.sort(key=_place)


def _searching() -> Callable[..., None]:
    from zhbert.app.search import command

    return command(console)


def _serving() -> Callable[..., None]:
    from zhbert.app.serving import command

    return command(console)


def _unread() -> None:
    """Stand for a command that was not called."""


def _place(command: CommandInfo) -> int:
    """Return where a command stands in the help: stages in the order of the path, then the others."""
    name = command.name or (command.callback.__name__ if command.callback else "")
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):  # a Windows console may speak GBK, and a text hold an emoji
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        _add_stages(sys.argv[1:])
        app()
    except ZhbertError as error:
        _fail(str(error))
    except OSError as error:
        if error.errno not in _OUTSIDE:
            raise
        _fail(f"{error.filename or 'output'}: {error.strerror} (zhbert cannot read or write there)")


def _fail(line: str) -> NoReturn:
    print("zhbert: " + " ".join(line.split("\n")), file=sys.stderr)
    sys.exit(2)
