"""SIGTERM and Ctrl-C end a training after its step, once a checkpoint is written.

The signal is then sent again with nobody in its way, so that it does what it always does: Ctrl-C raises
KeyboardInterrupt, SIGTERM ends the process by that signal, and a launcher, a batch system or a shell sees
what it expects. A second Ctrl-C does not wait; a second SIGTERM does, for launchers pass theirs on to
processes that have heard it already.
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, NoReturn

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """Listens for as long as its block lasts; `asked` is the signal that came, or 0."""

    def __init__(self) -> None:
        self.asked = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Stopping":
        if threading.current_thread() is threading.main_thread():  # no other may listen to signals
            self._before = {number: signal.signal(number, self._hear) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            self.obey()
        self.asked = self.asked or number

    def _let_go(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        self._before = {}

    def obey(self) -> NoReturn:
        """Let the signal do what it does; where only another process heard it, SIGTERM."""
        self._let_go()
        signal.raise_signal(self.asked or signal.SIGTERM)
        raise KeyboardInterrupt  # whoever took the signal let it pass, but the training is not over
