"""How many documents and characters went into every step and came out of it, and why the others did not.

Funnels are sums: those of two units, added, are the funnel of both. `records.to_plain` and `from_plain`
carry them as JSON. Deduplication and whatever else drops documents counts itself in with `count`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class StepCounts:
    """What one step did to all documents that reached it."""

    documents_in: int = 0
    documents_out: int = 0
    characters_in: int = 0
    characters_out: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Funnel:
    """The counts of every step, in the order of the steps."""

    steps: dict[str, StepCounts] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str]) -> "Funnel":
        """Return a funnel in which nothing has been counted yet."""
        return cls(steps={name: StepCounts() for name in names})

    def count(
        self,
        step: str,
        *,
        before: int,
        after: int,
        reason: str = "",
        changes: Mapping[str, int] | None = None,
    ) -> None:
        """Count one document: its characters before and after a step, or the reason why it is dropped.

        >>> funnel = Funnel()
        >>> funnel.count("filter", before=len("你好"), after=0, reason="too short")
        >>> funnel.steps["filter"].reasons
        {'too short': 1}
        """
        counts = self.steps.get(step) or self.steps.setdefault(step, StepCounts())
        counts.documents_in += 1
        counts.characters_in += before
        if reason:
            counts.reasons[reason] = counts.reasons.get(reason, 0) + 1
        else:
            counts.documents_out += 1
            counts.characters_out += after
        if changes:
            _add(counts.changes, changes)

    def __add__(self, other: "Funnel") -> "Funnel":
        """Return the funnel of the documents of both."""
        total = Funnel()
        for funnel in (self, other):
            for name, counts in funnel.steps.items():
                into = total.steps.setdefault(name, StepCounts())
                into.documents_in += counts.documents_in
                into.documents_out += counts.documents_out
                into.characters_in += counts.characters_in
                into.characters_out += counts.characters_out
                _add(into.reasons, counts.reasons)
                _add(into.changes, counts.changes)
        return total


def _add(into: dict[str, int], more: Mapping[str, int]) -> None:
    for key, number in more.items():
        into[key] = into.get(key, 0) + number
