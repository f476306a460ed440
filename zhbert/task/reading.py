"""Reading comprehension: the answer to a question as a span of the context, or none.

Every window holds the whole question and a part of the context; the answer with the best score
of all windows wins, if it beats the score of "no answer" (the [CLS] position) in the window
that is least sure of it. A question longer than half the window loses its end, which
`coverage` shows.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from zhbert.encode.align import char_span, token_range
from zhbert.encode.tokenizer import Encoded
from zhbert.records import Example, ReadingExample, ReadingPrediction, Span
from zhbert.task.base import Feature, Prepared, Scores, Setting

LONGEST_ANSWER = 64


class Reading:
    """Questions into answers."""

    name = "reading"
    heads = ("span",)

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    @property
    def model_labels(self) -> list[str]:
        """Return nothing: the head's outputs are start and end."""
        return []

    def prepare(self, examples: Sequence[Example]) -> Iterator[Prepared]:
        """Turn questions into [CLS] question [SEP] context [SEP], one feature a window."""
        asked = cast("Sequence[ReadingExample]", examples)
        questions = self.setting.tokenizer.encode_batch([e.question for e in asked])
        contexts = self.setting.tokenizer.encode_batch([e.context for e in asked])
        for example, question, context in zip(asked, questions, contexts, strict=True):
            head = question.ids[: self.setting.window // 2].tolist()
            cuts = self.setting.cut(len(context.ids), taken=len(head) + 3)
            features = [self._feature(example, head, context, cut) for cut in cuts]
            coverage = len(head) / len(question.ids) if len(question.ids) else 1.0
            yield Prepared(example=example, encoded=context, features=features, coverage=coverage)

    def _feature(
        self, example: ReadingExample, head: list[int], context: Encoded, cut: tuple[int, int]
    ) -> Feature:
        special = self.setting.tokenizer.special
        left = [special.cls, *head, special.sep]
        right = [*context.ids[slice(*cut)].tolist(), special.sep]
        target = self._target(example, context, cut, len(left))
        return Feature(
            ids=left + right,
            segments=[0] * len(left) + [1] * len(right),
            span=cut,
            offset=len(left),
            target=target,
        )

    def _target(
        self, example: ReadingExample, context: Encoded, cut: tuple[int, int], offset: int
    ) -> tuple[int, int]:
        """Return first and last token of the answer in this window; [CLS] where it holds none."""
        for answer in example.answers:
            tokens = token_range(context.offsets, answer.start, answer.end)
            if tokens and cut[0] <= tokens[0] and tokens[1] <= cut[1]:
                return tokens[0] - cut[0] + offset, tokens[1] - 1 - cut[0] + offset
        return 0, 0

    def targets(self, features: Sequence[Feature], length: int) -> tuple[dict[str, Tensor], int]:
        """Return the first and last token of the answer."""
        starts, ends = zip(*(f.target for f in features), strict=True)
        return {"starts": torch.tensor(starts), "ends": torch.tensor(ends)}, len(features)

    def loss(self, output: Any, tensors: dict[str, Tensor]) -> Tensor:
        """Return the summed mean of both ends' cross-entropy, padding excluded."""
        hidden = tensors["attention_mask"] == 0
        pairs = ((output.start_logits, tensors["starts"]), (output.end_logits, tensors["ends"]))
        losses = [cross_entropy(x.float().masked_fill(hidden, -1e4), y, reduction="sum") for x, y in pairs]
        return (losses[0] + losses[1]) / 2

    def scores(self, output: Any, row: int, length: int) -> Scores:
        """Return the log-probabilities of start and end, (2, length)."""
        both = torch.stack([output.start_logits[row, :length], output.end_logits[row, :length]]).float()
        return cast("Scores", both.log_softmax(-1).cpu().numpy())

    def decode(self, prepared: Prepared, scores: Sequence[Scores]) -> ReadingPrediction:
        """Return the best span of all windows, or no answer."""
        null = min(float(s[0, 0] + s[1, 0]) for s in scores)
        best, span = -np.inf, None
        for feature, score in zip(prepared.features, scores, strict=True):
            first, last, value = best_span(score[:, feature.offset : -1], longest=LONGEST_ANSWER)
            if value > best:
                best, span = value, (feature.span[0] + first, feature.span[0] + last + 1)
        example = cast("ReadingExample", prepared.example)
        found = char_span(prepared.encoded.offsets, *span) if span and best > null else None
        answer = Span.of(example.context, *found) if found else None
        return ReadingPrediction(
            id=example.id,
            answer=answer,
            score=round(float(np.exp(best)), 6),
            null_score=round(float(np.exp(null)), 6),
            coverage=prepared.coverage,
        )


def best_span(scores_2T: Scores, *, longest: int) -> tuple[int, int, float]:
    """Return first and last token and score of the best span of at most `longest` tokens.

    >>> best_span(np.log([[0.1, 0.8, 0.1], [0.7, 0.1, 0.2]]), longest=3)[:2]
    (1, 2)
    """
    if scores_2T.shape[1] == 0:
        return 0, 0, -np.inf
    sums = scores_2T[0][:, None] + scores_2T[1][None, :]
    order = np.subtract.outer(np.arange(sums.shape[1]), np.arange(sums.shape[0])).T  # last - first
    sums = np.where((order >= 0) & (order < longest), sums, -np.inf)
    first, last = np.unravel_index(int(np.argmax(sums)), sums.shape)
    return int(first), int(last), float(sums[first, last])
