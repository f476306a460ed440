"""What every cleaning step is: a small config that makes a function from a text to an outcome.

A step changes a text or drops it. It never does both silently: a drop has one short reason, worded so
that it can be counted ("too short"), and what was changed is counted by kind ({"mobile": 2}).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from zhbert.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A text after one step; `reason` says why it is dropped, and is empty where it stays."""

    text: str
    reason: str = ""
    changes: Mapping[str, int] = field(default_factory=dict)


Step = Callable[[str], Outcome]


class StepConfig(Config, ABC):
    """The base of the settings of a step."""

    @abstractmethod
    def make(self) -> Step:
        """Return the function that does the step."""
