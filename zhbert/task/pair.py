"""Relations of two texts: same meaning or not, entailment, how alike, …

Both texts must stand side by side, so a pair that is longer than the window loses the end of
its longer text; the prediction's `coverage` says how much of the pair was seen.

Where the relation does not depend on the order (`symmetric`), a pair is read both ways: both orders are
learnt, and a prediction is the mean of the probabilities, or values, of both.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from zhbert.encode.tokenizer import Encoded
from zhbert.records import Example, PairExample, PairPrediction, Prediction
from zhbert.task.base import Feature, Prepared, Scores, characters_after
from zhbert.task.classify import Classify
from zhbert.task.lesson import Answers

SYMMETRIC = "symmetric"


class Pair(Classify):
    """Pairs of texts into relations."""

    name = "pair"
    heads = ("one", "value")

    def prepare(self, examples: Sequence[Example]) -> Iterator[Prepared]:
        """Turn pairs into [CLS] first [SEP] second [SEP], and the other way round where both are read."""
        pairs = cast("Sequence[PairExample]", examples)
        firsts = self.setting.tokenizer.encode_batch([e.first for e in pairs])
        seconds = self.setting.tokenizer.encode_batch([e.second for e in pairs])
        for example, first, second in zip(pairs, firsts, seconds, strict=True):
            yield self._prepared(example, first, second)

    def _prepared(self, example: PairExample, first: Encoded, second: Encoded) -> Prepared:
        target = self.way.target(self.answers(example), example.value)
        whole = len(first.ids) + len(second.ids)
        a, b = fit(len(first.ids), len(second.ids), room=self.setting.window - 3)
        left, right = first.ids[:a].tolist(), second.ids[:b].tolist()
        features = [self._side_by_side(left, right, target)]
        if self.setting.decoding.get(SYMMETRIC):
            features.append(self._side_by_side(right, left, target))
        coverage = (a + b) / whole if whole else 1.0
        unread = characters_after(example.first, first, a) + characters_after(example.second, second, b)
        return Prepared(example=example, encoded=second, features=features, coverage=coverage, unread=unread)

    def _side_by_side(self, first: list[int], second: list[int], target: Any) -> Feature:
        special = self.setting.tokenizer.special
        left, right = [special.cls, *first, special.sep], [*second, special.sep]
        return Feature(
            ids=left + right, second=len(left), span=(0, len(second)), offset=len(left), target=target
        )

    def decode(self, prepared: Prepared, scores: Sequence[Scores]) -> Prediction:
        """Return the answer, of both orders where both were read."""
        said = self.way.said(self.pooled(scores))
        return PairPrediction(
            id=prepared.example.id,
            label=said.labels[0] if said.labels else "",
            scores=said.scores,
            value=said.value,
            coverage=prepared.coverage,
        )

    def pooled(self, scores: Sequence[Scores]) -> Scores:
        """Return the mean probabilities, or value, of the orders."""
        return cast("Scores", np.mean([self.way.pooled([order]) for order in scores], axis=0))

    def answers(self, example: Any) -> Answers:
        """Return the label of a pair, where it has one."""
        return (example.label,) if example.label else ()


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
