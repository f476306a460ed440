"""What keeps a bad batch from spoiling the weights: steps whose loss is no number, or jumps, are skipped.

A skipped step moves on in the data and leaves the weights as they are. It is judged by figures that are the
same in every process, so all skip it or none. A loss jumps when it is `factor` times the median of the last
50 that counted; before there are 20, nothing does. The rule is off (factor 0) where batches are too few
examples for their losses to be alike, as in fine-tuning.
"""

import math
from dataclasses import dataclass, field
from statistics import median

from zhbert.errors import TrainingError

WINDOW, ENOUGH = 50, 20


@dataclass(slots=True)
class Guard:
    """Losses that counted lately, and the steps that did not: all there is to save."""

    recent: list[float] = field(default_factory=list)
    in_row: int = 0
    skipped: int = 0

    def fault(self, loss: float, norm: float = 0.0, *, factor: float) -> str:
        """Return what is wrong with a step, or nothing.

        >>> Guard().fault(float("nan"), factor=2.0)
        'the loss is nan'
        >>> Guard(recent=[2.0] * 20).fault(7.0, factor=2.0)
        'the loss is 7, and was 2 lately'
        """
        if not math.isfinite(loss):
            return f"the loss is {loss}"
        if not math.isfinite(norm):
            return f"the gradient is {norm}"
        if factor and len(self.recent) >= ENOUGH and loss > factor * (usual := median(self.recent)):
            return f"the loss is {loss:.4g}, and was {usual:.4g} lately"
        return ""

    def passed(self, loss: float) -> None:
        """Count a step that was taken."""
        self.recent = [*self.recent[-WINDOW + 1 :], loss]
        self.in_row = 0

    def skip(self, step: int, fault: str, where: str, *, patience: int) -> None:
        """Count a step that was skipped; too many of them end the training."""
        self.in_row += 1
        self.skipped += 1
        if self.in_row >= patience or self.skipped >= 10 * patience:
            many = f"{self.in_row} steps in a row were" if self.in_row >= patience else f"{self.skipped} were"
            raise TrainingError(
                f"{many} skipped; at step {step} {fault}",
                where=where,
                remedy="look at these samples; a lower learning rate or a longer warm-up may help",
            )
