"""Relations of two texts: same meaning or not, entailment, …

Both texts must stand side by side, so a pair that is longer than the window loses the end of
its longer text; the prediction's `coverage` says how much of the pair was seen.
"""

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np

from zhbert.encode.tokenizer import Encoded
from zhbert.records import Example, PairExample, PairPrediction
from zhbert.task.base import IGNORED, Feature, Prepared, Scores
from zhbert.task.classify import Classify, pooled


class Pair(Classify):
    """Pairs of texts into relations."""

    name = "pair"

    def prepare(self, examples: Sequence[Example]) -> Iterator[Prepared]:
        """Turn pairs into [CLS] first [SEP] second [SEP]."""
        pairs = cast("Sequence[PairExample]", examples)
        firsts = self.setting.tokenizer.encode_batch([e.first for e in pairs])
        seconds = self.setting.tokenizer.encode_batch([e.second for e in pairs])
        for example, first, second in zip(pairs, firsts, seconds, strict=True):
            yield self._prepared(example, first, second)

    def _prepared(self, example: PairExample, first: Encoded, second: Encoded) -> Prepared:
        special = self.setting.tokenizer.special
        whole = len(first.ids) + len(second.ids)
        a, b = fit(len(first.ids), len(second.ids), room=self.setting.window - 3)
        left = [special.cls, *first.ids[:a].tolist(), special.sep]
        right = [*second.ids[:b].tolist(), special.sep]
        target = self.setting.labels.index(example.label) if example.label else IGNORED
        segments = [0] * len(left) + [1] * len(right)
        feature = Feature(ids=left + right, segments=segments, span=(0, b), offset=len(left), target=target)
        coverage = (a + b) / whole if whole else 1.0
        return Prepared(example=example, encoded=second, features=[feature], coverage=coverage)

    def decode(self, prepared: Prepared, scores: Sequence[Scores]) -> PairPrediction:  # type: ignore[override]  # its own record
        """Return the most probable relation."""
        probabilities = pooled(scores)
        named = {name: round(float(p), 6) for name, p in zip(self.setting.labels, probabilities, strict=True)}
        best = self.setting.labels[int(np.argmax(probabilities))]
        return PairPrediction(id=prepared.example.id, label=best, scores=named, coverage=prepared.coverage)


def fit(first: int, second: int, *, room: int) -> tuple[int, int]:
    """Return how many tokens of two texts fit into a room, the longer one cut first.

    >>> fit(10, 4, room=9), fit(3, 4, room=9)
    ((5, 4), (3, 4))
    """
    over = max(0, first + second - room)
    from_first = min(over, max(0, first - second))
    from_second = min(over, max(0, second - first))
    rest = over - from_first - from_second
    return first - from_first - rest // 2, second - from_second - (rest - rest // 2)
