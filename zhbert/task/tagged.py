"""Spans as tags, one a token: by softmax, or by a linear chain that also learns which tag follows which.

Overlapping windows are merged token by token, each token taking the scores of the window in which it has most
context; one path is then sought through the whole text, so the borders of windows leave no trace. Only paths
that the scheme allows are looked at. By softmax a span is as sure as its tags are on average, at the model's
temperature, which does not change the path; by a chain its score is the probability of exactly this span.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from zhbert.encode.windows import Window, merge
from zhbert.model.crf import chain_loss, steps
from zhbert.records import Span
from zhbert.task.base import IGNORED, Feature, Scores, padded_targets
from zhbert.task.temperature import Ballot, tempered
from zhbert.text.paths import best_path, chances, openers
from zhbert.text.tags import allowed, tag_names, to_spans, to_tags


class Tagged:
    """Token spans to tags and back; they must not overlap."""

    nested = False

    def __init__(
        self,
        labels: Sequence[str],
        *,
        scheme: str,
        chained: bool,
        outside: bool = True,
        temperature: float = 1.0,
    ) -> None:
        self.scheme, self.chained, self.temperature = scheme, chained, temperature
        self.names = tag_names(labels, scheme)[not outside :]
        self._place = {tag: i for i, tag in enumerate(self.names)}
        self._allowed = allowed(self.names, scheme=scheme)
        self._openers = openers(self.names, scheme=scheme)

    def targets_of(self, spans: Sequence[Span], length: int, cuts: Sequence[Window]) -> list[list[int]]:
        """Return the tags of each window's tokens, between two places that have none."""
        tags = [self._place[tag] for tag in to_tags(spans, length, scheme=self.scheme)]
        return [[IGNORED, *tags[slice(*cut)], IGNORED] for cut in cuts]

    def reaches(self, span: Span, cuts: Sequence[Window]) -> bool:
        """Return whether a span can be learnt: however windows are cut, its tags are in them."""
        return True

    def targets(self, features: Sequence[Feature], length: int) -> tuple[dict[str, Tensor], int]:
        """Return one tag a token."""
        rows = [f.target for f in features]
        count = sum(len(row) - row.count(IGNORED) for row in rows)
        return {"labels": padded_targets(rows, length)}, count

    def loss(self, output: Any, tensors: dict[str, Tensor]) -> Tensor:
        """Return the summed cross-entropy of tokens, or the negative log-likelihood of windows."""
        labels = tensors["labels"]
        if not self.chained:
            return cross_entropy(
                output.logits.float().flatten(0, 1),
                labels.flatten(),
                ignore_index=IGNORED,
                reduction="sum",
            )
        known_KK = torch.from_numpy(self._allowed[:-1, :-1]).to(labels.device)
        text = labels[:, 1:]
        return chain_loss(output.logits[:, 1:], steps(output.transitions, known_KK), text, text != IGNORED)

    def scores(self, output: Any, row: int, length: int) -> Scores:
        """Return the log-probabilities of a window's tags; below them, those of a chain have the steps."""
        said = output.logits[row, 1 : length - 1].float().log_softmax(-1)
        if self.chained:
            said = torch.cat([said, output.transitions.float()])
        found: Scores = said.cpu().numpy()
        return found

    def found(
        self, scores: Sequence[Scores], cuts: Sequence[Window], length: int
    ) -> list[tuple[Span, float]]:
        """Return the token spans on the best valid path, in order, with how sure each is."""
        count = len(self.names)
        steps_KK = scores[0][-count:] if self.chained else np.zeros((count, count))
        merged = _merged(scores, cuts, length)
        path = best_path(merged, self._allowed, steps_KK)
        spans = to_spans([self.names[i] for i in path], scheme=self.scheme)
        if self.chained:
            sure = chances(spans, path, merged, self._allowed, steps_KK, openers_K=self._openers)
        else:
            own = tempered(np.exp(merged), self.temperature)[np.arange(length), path]
            sure = [float(own[span.start : span.end].mean()) for span in spans]
        return list(zip(spans, sure, strict=True))

    def ballot(self, spans: Sequence[Span], scores: Sequence[Scores], cuts: Sequence[Window]) -> Ballot:
        """Return the logits of the tags of all tokens, and the right tags."""
        length = cuts[-1][1]
        tags = [self._place[tag] for tag in to_tags(spans, length, scheme=self.scheme)]
        return Ballot(_merged(scores, cuts, length), np.arange(len(self.names)) == np.array(tags)[:, None])


def _merged(scores: Sequence[Scores], cuts: Sequence[Window], length: int) -> Scores:
    """Return the scores of all tokens, each by the window in which it has most context."""
    said = [found[: end - start] for found, (start, end) in zip(scores, cuts, strict=True)]
    return merge(said, cuts, length)
