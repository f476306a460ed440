"""What a server counts of itself, in the text format that Prometheus reads.

The names of labels and of their values are few and known: whatever a client sends cannot make a new one.
"""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Count:
    """A number that grows, for each set of labels; shown to its last digit, for rates are differences."""

    kind = "counter"

    def __init__(self) -> None:
        self._found: Counter[tuple[tuple[str, str], ...]] = Counter()
        self._lock = threading.Lock()

    def add(self, amount: float = 1, **labels: str) -> None:
        """Count on."""
        with self._lock:
            self._found[tuple(labels.items())] += amount  # type: ignore[assignment]  # counts of seconds too

    def lines(self, name: str) -> Iterator[str]:
        """Yield the lines of this number."""
        with self._lock:
            found = sorted(self._found.items())
        for labels, value in found:
            yield f"{name}{labelled(dict(labels))} {value}"


class Histogram:
    """How often values were at most so large, for each set of labels."""

    kind = "histogram"

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._found: dict[tuple[tuple[str, str], ...], list[float]] = {}
        self._lock = threading.Lock()

    def add(self, value: float, **labels: str) -> None:
        """Count a value."""
        with self._lock:
            row = self._found.setdefault(tuple(labels.items()), [0.0] * (len(self._bounds) + 2))
            row[bisect_left(self._bounds, value)] += 1
            row[-1] += value

    def lines(self, name: str) -> Iterator[str]:
        """Yield the lines of this histogram: counts up to each bound, the sum, the count of all."""
        with self._lock:
            found = sorted((labels, list(row)) for labels, row in self._found.items())
        for pairs, (*counts, total) in found:
            labels, below = dict(pairs), 0.0
            for bound, count in zip((*self._bounds, None), counts, strict=True):
                below += count
                within = labels | {"le": "+Inf" if bound is None else f"{bound:g}"}
                yield f"{name}_bucket{labelled(within)} {below:.0f}"
            yield f"{name}_sum{labelled(labels)} {total}"
            yield f"{name}_count{labelled(labels)} {below:.0f}"


class Counts:
    """All that is counted while a server runs."""

    def __init__(self) -> None:
        self.requests, self.texts, self.tokens = Count(), Count(), Count()
        self.seconds, self.model_seconds = Histogram(SECONDS), Histogram(SECONDS)
        self.batches = Histogram(SIZES)

    def page(self, version: str, waiting: Mapping[str, int]) -> str:
        """Return everything as text; `waiting` says how long each model's queue is now.

        >>> print(Counts().page("1.0", {"ner": 2}).splitlines()[2])
        zhbert_info{version="1.0"} 1
        """
        shown: list[tuple[str, str, Count | Histogram]] = [
            ("requests_total", "requests that were answered, by path and status", self.requests),
            ("request_seconds", "from the head of a request to the end of its answer", self.seconds),
            ("questions_total", "texts, pairs and questions that went through a model", self.texts),
            ("tokens_total", "tokens of their windows", self.tokens),
            ("batch_questions", "how many went through a model together", self.batches),
            ("batch_seconds", "how long that took", self.model_seconds),
        ]
        lines = [*_head("info", "the version of zhbert", "gauge")]
        lines.append(f"zhbert_info{labelled({'version': version})} 1")
        lines += _head("queue_length", "questions that wait for a model", "gauge")
        lines += [f"zhbert_queue_length{labelled({'model': name})} {n}" for name, n in waiting.items()]
        for name, about, counted in shown:
            lines += [*_head(name, about, counted.kind), *counted.lines(f"zhbert_{name}")]
        return "\n".join(lines) + "\n"


def _head(name: str, about: str, kind: str) -> list[str]:
    return [f"# HELP zhbert_{name} {about}", f"# TYPE zhbert_{name} {kind}"]


def labelled(labels: Mapping[str, str]) -> str:
    r"""Return labels as they stand behind a name.

    >>> labelled({"model": 'a"b'}), labelled({})
    ('{model="a\\"b"}', '')
    """
    pairs = (f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return "{" + ",".join(pairs) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
