"""What the command line shows while it works: rich bars and lines."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from zhbert.clean.presets import PRESETS
from zhbert.clean.steps import STEPS
from zhbert.errors import DataError
from zhbert.records import to_json


class RichBar:
    """One bar on the terminal, with the latest figures behind it."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task
        self._figures: dict[str, float] = {}

    def advance(self, amount: float = 1, /, **figures: float) -> None:
        """Move on, and show figures such as the loss."""
        self._figures |= figures
        words = "  ".join(
            f"{name.replace('_', ' ')} {_figure(value)}" for name, value in self._figures.items()
        )
        self._progress.update(self._task, advance=amount, figures=words)


class RateColumn(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """Return the rate, once there is one."""
        rate = task.finished_speed or task.speed
        return Text(f"{_figure(rate)}/s" if rate else "")


class RichProgress:
    """Bars that stay while work is under way, and lines that remain."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def bar(self, what: str, *, total: float, unit: str = "") -> Iterator[RichBar]:
        """Show a bar until the block ends."""
        amount = (MofNCompleteColumn(), TextColumn(unit), RateColumn())
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            *((DownloadColumn(), TransferSpeedColumn()) if unit == "bytes" else amount),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[figures]}"),
        )
        with Progress(*columns, console=self.console, transient=True, refresh_per_second=4) as progress:
            yield RichBar(progress, progress.add_task(what, total=total or None, figures=""))

    def say(self, line: str) -> None:
        """Print one line."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def steps_in_words() -> Iterator[str]:
    """Yield what there is to know about the steps of `corpus build`, line by line."""
    for name, kind in STEPS.items():
        yield f"{name}: {(kind.__doc__ or '').splitlines()[0]}"
        for key, field in kind.model_fields.items():
            default = "" if field.default in (None, [], ()) else f" [{str(field.default).lower()}]"
            yield f"    {key:30} {field.description}{default}"
    for name, values in PRESETS.items():
        given = " ".join(f"{key}={value}" for key, value in values.items())
        yield f"filter preset={name} is {given}"


def fillings(encoder: str, texts: Iterable[str], *, top: int, as_json: bool) -> Iterator[str]:
    """Yield what an encoder puts into the masked places of texts, line by line, empty ones passed over."""
    from zhbert.app.pipeline import open_encoder

    pipe = open_encoder(encoder)
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            filled = pipe.filled(text, top=top)
        except DataError as error:
            raise DataError(error.what, where=f"text {number}", remedy=error.remedy) from error
        if as_json:
            yield to_json(filled)
            continue
        yield text
        yield from (f"{guess.score:8.4f}  {guess.text}" for guess in filled.guesses)
        if len(filled.places) > 1:
            for place, choices in enumerate(filled.places, 1):
                yield f"  [{place}]  " + "  ".join(f"{c.word} {c.score:.4f}" for c in choices)
