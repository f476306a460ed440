"""How far a training is, by steps or by time, and how fast it learns there."""

from zhbert.train.config import LoopConfig
from zhbert.train.schedule import share, share_of_time


class Course:
    """The way of one training; everything is a function of the steps done and the seconds spent."""

    def __init__(self, config: LoopConfig) -> None:
        self.config = config
        self.length = config.steps or config.minutes * 60
        self.unit = "steps" if config.steps else "seconds"

    def place(self, steps: int, seconds: float) -> float:
        """Return how much of the length is behind."""
        return steps if self.config.steps else seconds

    def done(self, steps: int, seconds: float) -> float:
        """Return the share of the training that is behind; at 1 it is over.

        >>> course = Course(LoopConfig(minutes=10, lr=1e-3))
        >>> course.done(steps=7, seconds=150), course.done(steps=9, seconds=601) >= 1
        (0.25, True)
        """
        return self.place(steps, seconds) / self.length

    def rate(self, steps: int, seconds: float) -> float:
        """Return the learning rate of the step after so many."""
        c = self.config
        if c.steps:
            return c.lr * share(c.schedule, steps, steps=c.steps, warmup=c.warmup)
        return c.lr * share_of_time(c.schedule, self.done(steps, seconds), warmup=c.warmup)
