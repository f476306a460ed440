"""Reading comprehension: the answer to a question as a span of the context, or none.

What is peculiar:

- Every window holds the whole question and a part of the context. A question longer than half the window
  loses its end, which `coverage` shows.
- A window learns all answers that it holds whole: the loss is that of the summed probability of their starts,
  and of their ends; with one answer it is the usual cross-entropy. A window that holds a mere part of an
  answer learns nothing, for neither "here" nor "not here" would be true; one that holds none learns [CLS].
- An answer that no window holds whole, because it is longer than the overlap or does not stand in the
  context, cannot be learnt. It is counted as `lost`.
- A model that has seen no unanswerable question always answers. Any other says "none" where the odds of the
  best answer (`answers.py`) are too small, by a threshold that is chosen once, on dev.

Shapes: F features, T tokens.
"""

from collections.abc import Iterator, Sequence
from re import escape, finditer
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from zhbert.encode.align import char_span, token_range
from zhbert.encode.tokenizer import Encoded
from zhbert.encode.windows import Window
from zhbert.records import Candidate, Example, Prediction, ReadingExample, ReadingPrediction, Span
from zhbert.score.answers import judge_answer
from zhbert.task.answers import ballot_of, best_answers, odds, silence_above
from zhbert.task.base import Feature, Prepared, Scores, Setting, Task, characters_after
from zhbert.task.temperature import Ballot, temperature_of

LONGEST = 64  # tokens of an answer, where training has not said
SHARE = 0.999  # of the answers in train are not longer than the longest that is looked for
NOWHERE = (0, 0)
Tokens = tuple[int, int]


class Reading(Task):
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
            ranges = [token_range(context.offsets, span.start, span.end) for span in example.answers]
            answers = sorted({tokens for tokens in ranges if tokens})
            targets = [_target(example, answers, cut, len(head) + 2) for cut in cuts]
            yield Prepared(
                example=example,
                encoded=context,
                features=[
                    self._feature(head, context, cut, target)
                    for cut, target in zip(cuts, targets, strict=True)
                ],
                coverage=len(head) / len(question.ids) if len(question.ids) else 1.0,
                unread=characters_after(example.question, question, len(head)),
                lost=int(
                    bool(example.texts) and not any(target not in (None, (NOWHERE,)) for target in targets)
                ),
            )

    def _feature(
        self, head: list[int], context: Encoded, cut: Window, target: tuple[Tokens, ...] | None
    ) -> Feature:
        special = self.setting.tokenizer.special
        left = [special.cls, *head, special.sep]
        right = [*context.ids[slice(*cut)].tolist(), special.sep]
        return Feature(
            ids=left + right,
            second=len(left),
            span=cut,
            offset=len(left),
            target=target,
        )

    def targets(self, features: Sequence[Feature], length: int) -> tuple[dict[str, Tensor], int]:
        """Return where answers start and where they end, in rows that are empty where nothing is learnt."""
        starts_FT, ends_FT = torch.zeros(2, len(features), length, dtype=torch.bool)
        for row, feature in enumerate(features):
            for first, last in feature.target or ():
                starts_FT[row, first] = ends_FT[row, last] = True
        return {"starts": starts_FT, "ends": ends_FT}, sum(bool(feature.target) for feature in features)

    def loss(self, output: Any, tensors: dict[str, Tensor]) -> Tensor:
        """Return the summed mean of both ends' losses, padding excluded."""
        hidden_FT = tensors["attention_mask"] == 0
        pairs = ((output.start_logits, tensors["starts"]), (output.end_logits, tensors["ends"]))
        losses = [_surprise(logits.masked_fill(hidden_FT, -1e4), wanted) for logits, wanted in pairs]
        return (losses[0] + losses[1]) / 2

    def scores(self, output: Any, row: int, length: int) -> Scores:
        """Return the logits of start and end, (2, length): no window is normalised by itself."""
        both = torch.stack([output.start_logits[row, :length], output.end_logits[row, :length]])
        return cast("Scores", both.float().cpu().numpy())

    def decode(self, prepared: Prepared, scores: Sequence[Scores]) -> ReadingPrediction:
        """Return the best span of all windows, or no answer."""
        decoding, first = self.setting.decoding, prepared.features[0]
        found, total = best_answers(
            scores,
            [feature.span for feature in prepared.features],
            offset=first.offset,
            longest=int(decoding.get("longest", LONGEST)),
            count=int(decoding.get("answers", 1)),
            temperature=temperature_of(decoding),
        )
        threshold = decoding.get("none", np.inf)
        null = 0.0 if "none" in decoding or not found else -np.inf
        whole = float(np.logaddexp(total, null))
        context, offsets = cast("ReadingExample", prepared.example).context, prepared.encoded.offsets
        candidates = [
            Candidate(Span.of(context, *span), round(float(np.exp(one.value - whole)), 6))
            for one in found
            if (span := char_span(offsets[one.first : one.stop], 0, one.stop - one.first))
        ]
        given = int(bool(candidates) and -found[0].value <= threshold)
        return ReadingPrediction(
            id=prepared.example.id,
            answer=candidates[0].span if given else None,
            score=candidates[0].score if candidates else 0.0,
            null_score=round(float(np.exp(null - whole)), 6),
            others=tuple(candidates[given:]),
            coverage=prepared.coverage,
        )

    @property
    def tempers(self) -> bool:
        """Return that answers have probabilities."""
        return True

    def ballot(self, gold: Example, prepared: Prepared, scores: Sequence[Scores]) -> Ballot | None:
        """Return the odds of all answers; right is a span wherever a right answer stands in the context."""
        asked, offsets = cast("ReadingExample", gold), prepared.encoded.offsets
        places = [
            found.span() for text in asked.texts if text for found in finditer(escape(text), asked.context)
        ]
        ranges = [(place, token_range(offsets, *place)) for place in places]
        right = {tokens for place, tokens in ranges if tokens and char_span(offsets, *tokens) == place}
        if not right and (asked.texts or not self.undecided):
            return None
        found = odds(
            scores,
            [feature.span for feature in prepared.features],
            offset=prepared.features[0].offset,
            longest=int(self.setting.decoding.get("longest", LONGEST)),
        )
        return ballot_of(found, right, null=self.undecided)

    def measure(self, prepared: Sequence[Prepared]) -> dict[str, float]:
        """Return how long answers can be, and, where questions without an answer occur, a first threshold."""
        targets = [feature.target or () for one in prepared for feature in one.features]
        sizes = [last - first + 1 for target in targets for first, last in target if last]
        longest = float(np.quantile(sizes, SHARE, method="higher")) if sizes else float(LONGEST)
        asked = (cast("ReadingExample", one.example) for one in prepared)
        return {"longest": longest} | ({} if all(example.texts for example in asked) else {"none": 0.0})

    @property
    def undecided(self) -> bool:
        """Return whether the model may say that there is no answer."""
        return "none" in self.setting.decoding

    def choose(self, gold: Sequence[Example], said: Sequence[Prediction]) -> dict[str, float]:
        """Return the threshold with the best F1, or nothing where dev cannot tell."""
        texts = [cast("ReadingExample", example).texts for example in gold]
        if not self.undecided or all(texts):
            return {}
        predictions = cast("Sequence[ReadingPrediction]", said)
        best = [one.answer or next((c.span for c in one.others), None) for one in predictions]
        margins = [np.log((one.null_score + 1e-9) / (one.score + 1e-9)) for one in predictions]
        answered = [
            judge_answer(right, span.surface if span else "")[1]
            for right, span in zip(texts, best, strict=True)
        ]
        return {"none": silence_above(margins, answered, [judge_answer(right, "")[1] for right in texts])}


def _target(
    example: ReadingExample, answers: Sequence[Tokens], cut: Window, offset: int
) -> tuple[Tokens, ...] | None:
    """Return first and last token of the answers in a window, [CLS] where it has none, None where a part."""
    shift = offset - cut[0]
    whole = [(a + shift, b - 1 + shift) for a, b in answers if cut[0] <= a and b <= cut[1]]
    if whole:
        return tuple(whole)
    partly = any(a < cut[1] and cut[0] < b for a, b in answers)
    return None if partly or (example.texts and not answers) else (NOWHERE,)


def _surprise(logits_FT: Tensor, wanted_FT: Tensor) -> Tensor:
    """Return the summed -log of the probability of all that is wanted, over rows in which something is."""
    rows = wanted_FT.any(-1)
    logs_FT = logits_FT[rows].float().log_softmax(-1)
    return -logs_FT.masked_fill(~wanted_FT[rows], -torch.inf).logsumexp(-1).sum()
