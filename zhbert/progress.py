"""How long work tells how far it is, without knowing who watches.

A stage opens a bar and advances it; the command line shows it with rich, a test or a notebook
may pass `SILENT`, which is the default everywhere.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Bar(Protocol):
    """One piece of work that is under way."""

    def advance(self, amount: float = 1, /, **figures: float) -> None:
        """Move on, and show figures such as the loss."""


class Progress(Protocol):
    """Something that shows bars and lines."""

    def bar(self, what: str, *, total: float, unit: str = "") -> AbstractContextManager[Bar]:
        """Open a bar for `total` units of work."""

    def say(self, line: str) -> None:
        """Show one line."""


class _SilentBar:
    def advance(self, amount: float = 1, /, **figures: float) -> None:
        pass


class Silent:
    """Shows nothing."""

    @contextmanager
    def bar(self, what: str, *, total: float, unit: str = "") -> Iterator[Bar]:
        """Open a bar that nobody sees."""
        yield _SilentBar()

    def say(self, line: str) -> None:
        """Say nothing."""


SILENT: Progress = Silent()
