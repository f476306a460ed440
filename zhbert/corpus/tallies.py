"""What was counted, as plain values: numbers are summed, tables are merged, examples are kept up to ten.

A tally is made of a unit of work, and the tally of a corpus is the sum of its units', in their order,
whoever counted them.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

EXAMPLES = 10
Tally = dict[str, Any]


def total(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of some tallies.

    >>> total([{"documents": 2, "dropped": {"too short": 1}}, {"documents": 3, "examples": ["短"]}])
    {'documents': 5, 'dropped': {'too short': 1}, 'examples': ['短']}
    """
    found: Tally = {}
    for tally in tallies:
        for key, value in tally.items():
            found[key] = _sum(found[key], value) if key in found else _copy(value)
    return found


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, dict):
        return total([one, other])
    return (one + other)[:EXAMPLES] if isinstance(one, list) else one + other


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return total([value])
    return value[:EXAMPLES] if isinstance(value, list) else value


def top(counts: Counter[str], size: int) -> dict[str, int]:
    """Return the most frequent, equal counts in the order of their names.

    >>> top(Counter("北京上京海"), 2)
    {'京': 2, '上': 1}
    """
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:size])
