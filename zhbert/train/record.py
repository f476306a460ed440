"""What happened, for people to look at: `logs/metrics.jsonl`, and TensorBoard's files where wanted.

One row every ten steps, one for every judgement, every skipped step and every restart. What a killed run
wrote after its last checkpoint is done again, so it is taken back.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zhbert.files import LOGS
from zhbert.progress import Progress

EVENTS = "tensorboard"
_MISSING = "tensorboard is not installed (pip install tensorboard); logs/metrics.jsonl has the same figures"


class Record:
    """The rows of one training; nothing is written where another process writes."""

    def __init__(self, folder: Path, progress: Progress, *, writes: bool, tensorboard: bool) -> None:
        self.path, self.progress = folder / LOGS / "metrics.jsonl", progress
        self.writes, self._wanted = writes, tensorboard and writes
        self._events: Any = None

    def begin(self, step: int) -> None:
        """Go on after a step, or begin: what is later than it is taken back."""
        if not self.writes:
            return
        self.path.parent.mkdir(exist_ok=True)
        again = self.path.is_file()
        rows = [row for row in self._rows() if row.get("step", row.get("restart", 0)) <= step]
        self.path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        if again:
            self.write({"restart": step})
        self._open_events(step)

    def _rows(self) -> Iterator[dict[str, Any]]:
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else ():
            try:
                yield json.loads(line)
            except ValueError:  # the kill came while this line was written
                return

    def _open_events(self, step: int) -> None:
        if self._wanted:
            if not step:
                shutil.rmtree(self.path.with_name(EVENTS), ignore_errors=True)
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                self.progress.say(_MISSING)
            else:
                self._events = SummaryWriter(str(self.path.with_name(EVENTS)), purge_step=step)

    def write(self, row: dict[str, Any]) -> None:
        """Add a row."""
        if self.writes:
            with self.path.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(row, ensure_ascii=False) + "\n")
        if self._events:
            for name, value in row.items():
                if name != "step" and isinstance(value, int | float):
                    self._events.add_scalar(name, value, row.get("step", value))

    def close(self) -> None:
        """Write what TensorBoard has not got yet."""
        if self._events:
            self._events.close()
