"""Spans as places where they begin and end (global pointer): they may overlap and lie in each other.

A window says of every span of its tokens whether it is one, so a span must lie in a window as a whole:
windows must overlap by the longest. Longer ones are lost where a border cuts them, and counted. Where several
windows hold a span, the one in which its nearer edge is farthest decides alone.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zhbert.encode.windows import Window
from zhbert.model.pointer import pointer_loss, span_scores
from zhbert.records import Span
from zhbert.task.base import IGNORED, Feature, Scores, padded_targets

Place = tuple[int, int, int]  # label, first and last place of a window


class Pointed:
    """Token spans to (label, first, last) in windows and back."""

    nested = True

    def __init__(self, labels: Sequence[str]) -> None:
        self.names = tuple(labels)

    def targets_of(
        self, spans: Sequence[Span], length: int, cuts: Sequence[Window]
    ) -> list[tuple[list[int], list[Place]]]:
        """Return where each window has its tokens, between two places that are none, and its spans."""
        named = {name: i for i, name in enumerate(self.names)}
        return [
            (
                [IGNORED, *[0] * (end - start), IGNORED],
                [
                    (named[span.label], span.start - start + 1, span.end - start)
                    for span in spans
                    if _inside(span, (start, end))
                ],
            )
            for start, end in cuts
        ]

    def reaches(self, span: Span, cuts: Sequence[Window]) -> bool:
        """Return whether a span can be learnt: whether it lies in a window."""
        return any(_inside(span, cut) for cut in cuts)

    def targets(self, features: Sequence[Feature], length: int) -> tuple[dict[str, Tensor], int]:
        """Return the spans of all windows, and which tokens are text; a label of a window is one target."""
        rows = [row for row, _ in (feature.target for feature in features)]
        spans = [(at, *place) for at, feature in enumerate(features) for place in feature.target[1]]
        gold = torch.tensor(spans, dtype=torch.long).reshape(-1, 4)
        return {"labels": padded_targets(rows, length), "spans": gold}, len(features) * len(self.names)

    def loss(self, output: Any, tensors: dict[str, Tensor]) -> Tensor:
        """Return the loss, summed over windows and labels."""
        return pointer_loss(output.logits, tensors["spans"], tensors["labels"] != IGNORED)

    def scores(self, output: Any, row: int, length: int) -> Scores:
        """Return what is found in a window: (label, first token, last token, score), scores above 0."""
        scores_KTT = span_scores(output.logits[row, :length])[:, 1:-1, 1:-1]
        at = (scores_KTT > 0).nonzero(as_tuple=True)
        found: Scores = (
            torch.stack([*(places.double() for places in at), scores_KTT[at].double()], 1).cpu().numpy()
        )
        return found

    def found(
        self, scores: Sequence[Scores], cuts: Sequence[Window], length: int
    ) -> list[tuple[Span, float]]:
        """Return the spans that their windows hold for one, in order, with their probabilities."""
        spans: list[tuple[Span, float]] = []
        for window, ((start, _), said) in enumerate(zip(cuts, scores, strict=True)):
            for label, first, last, score in said.tolist():
                span = Span(start + int(first), start + int(last) + 1, self.names[int(label)])
                if _owner(span, cuts) == window:
                    spans.append((span, float(1 / (1 + np.exp(-score)))))
        return sorted(spans)


def _inside(span: Span, window: Window) -> bool:
    return window[0] <= span.start and span.end <= window[1]


def _owner(span: Span, cuts: Sequence[Window]) -> int:
    """Return the window in which the nearer edge of a span is farthest, the first of equals.

    >>> _owner(Span(3, 4), [(0, 5), (2, 7)]), _owner(Span(4, 5), [(0, 5), (2, 7)])
    (0, 1)
    """
    rooms = [min(span.start - start, end - span.end) for start, end in cuts]
    return rooms.index(max(rooms))
