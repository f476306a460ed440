"""Multiple choice: which of some options answers a question on a context.

- Every option is read by itself, as [CLS] context [SEP] question option [SEP], and gets one number; the
  options of a question are compared with each other. Questions may have different numbers of options:
  what is missing is masked.
- A long context is read window by window, the same windows for every option, and the windows'
  log-probabilities are averaged. While a model is taught, every window has the answer of its question.
- Question and option together get at most half a window. Where they are longer, the question loses its
  beginning, then the option its end, and `coverage` shows it.

Shapes: F features, one an option and window; G groups of features that are compared; N options at most.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from zhbert.encode.tokenizer import Encoded
from zhbert.records import ChoiceExample, ChoicePrediction, Example, Prediction
from zhbert.task.base import (
    IGNORED,
    Feature,
    Prepared,
    Scores,
    Setting,
    Task,
    characters_after,
    together,
    weights_of,
)
from zhbert.task.temperature import Ballot, logs, temperature_of, tempered
from zhbert.task.ways import pooled


class Choice(Task):
    """Questions into options."""

    name = "choice"
    heads = ("options",)

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    @property
    def model_labels(self) -> list[str]:
        """Return nothing: the head has one output, and options have no names."""
        return []

    def prepare(self, examples: Sequence[Example]) -> Iterator[Prepared]:
        """Turn questions into one feature a window and option, the options of a window side by side."""
        asked = cast("Sequence[ChoiceExample]", examples)
        encode = self.setting.tokenizer.encode_batch
        contexts, questions = encode([e.context for e in asked]), encode([e.question for e in asked])
        options = iter(encode(list(chain.from_iterable(e.options for e in asked))))
        for example, context, question in zip(asked, contexts, questions, strict=True):
            yield self._prepared(example, context, question, [next(options) for _ in example.options])

    def _prepared(
        self, example: ChoiceExample, context: Encoded, question: Encoded, options: Sequence[Encoded]
    ) -> Prepared:
        room = self.setting.window // 2
        tails = [tail(question.ids.tolist(), option.ids.tolist(), room=room) for option in options]
        cuts = self.setting.cut(len(context.ids), taken=3 + max(map(len, tails)))
        target = IGNORED if example.answer is None else example.answer
        features = [
            self._feature(context.ids[slice(*cut)].tolist(), end, cut, target, follows=place > 0)
            for cut in cuts
            for place, end in enumerate(tails)
        ]
        whole = len(options) * len(question.ids) + sum(len(option.ids) for option in options)
        coverage = sum(map(len, tails)) / whole if whole else 1.0
        unread = sum(
            _unread(example.question, question, text, option, room)
            for text, option in zip(example.options, options, strict=True)
        )
        return Prepared(example=example, encoded=context, features=features, coverage=coverage, unread=unread)

    def _feature(
        self, context: list[int], end: list[int], cut: tuple[int, int], target: int, *, follows: bool
    ) -> Feature:
        special = self.setting.tokenizer.special
        left, right = [special.cls, *context, special.sep], [*end, special.sep]
        return Feature(ids=left + right, second=len(left), span=cut, offset=1, target=target, follows=follows)

    def targets(self, features: Sequence[Feature], length: int) -> tuple[dict[str, Tensor], int]:
        """Return the right option of every group, how large the groups are, and what they weigh."""
        groups = together(features)
        firsts = [features[group[0]] for group in groups]
        tensors = {
            "labels": torch.tensor([f.target for f in firsts]),
            "options": torch.tensor([len(group) for group in groups]),
            "weights": weights_of(firsts),
        }
        return tensors, sum(f.target != IGNORED for f in firsts)

    def loss(self, output: Any, tensors: dict[str, Tensor]) -> Tensor:
        """Return the summed, weighted cross-entropy over the options of each group."""
        logits_GN = grouped(output.logits[:, 0].float(), tensors["options"].tolist())
        losses_G = cross_entropy(logits_GN, tensors["labels"], ignore_index=IGNORED, reduction="none")
        return (losses_G * tensors["weights"]).sum()

    def scores(self, output: Any, row: int, length: int) -> Scores:
        """Return the number of one option."""
        return cast("Scores", output.logits[row].float().cpu().numpy())

    def decode(self, prepared: Prepared, scores: Sequence[Scores]) -> Prediction:
        """Return the most probable option."""
        pooled_N = _pooled(prepared, scores)
        sure_N = tempered(pooled_N, temperature_of(self.setting.decoding))
        return ChoicePrediction(
            id=prepared.example.id,
            answer=int(np.argmax(pooled_N)),
            scores=tuple(round(float(p), 6) for p in sure_N),
            coverage=prepared.coverage,
        )

    @property
    def tempers(self) -> bool:
        """Return that options have probabilities."""
        return True

    def ballot(self, gold: Example, prepared: Prepared, scores: Sequence[Scores]) -> Ballot | None:
        """Return the logits of the options, and the right one."""
        answer, pooled_N = cast("ChoiceExample", gold).answer, _pooled(prepared, scores)
        if answer is None:
            return None
        return Ballot(logs(pooled_N)[None], np.arange(len(pooled_N))[None] == answer)


def _pooled(prepared: Prepared, scores: Sequence[Scores]) -> Scores:
    """Return the probabilities of the options by all windows together."""
    options = len(cast("ChoiceExample", prepared.example).options)
    windows = torch.from_numpy(np.concatenate(scores)).view(-1, options).log_softmax(-1)
    return pooled(list(windows.numpy()))


def tail(question: list[int], option: list[int], *, room: int) -> list[int]:
    """Return question and option in so many tokens: the question's beginning goes first.

    >>> tail([1, 2, 3], [7, 8], room=4), tail([1, 2, 3], [7, 8], room=1)
    ([2, 3, 7, 8], [7])
    """
    left = max(0, room - len(option))
    return [*question[max(0, len(question) - left) :], *option[:room]]


def _unread(asked: str, question: Encoded, text: str, option: Encoded, room: int) -> int:
    """Return how many characters `tail` leaves out: of the question's beginning and of the option's end."""
    kept = min(len(question), max(0, room - len(option)))
    begins = len(asked) if not kept else int(question.offsets[len(question) - kept, 0])
    return begins * (kept < len(question)) + characters_after(text, option, room)


def grouped(values_F: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return values in rows of these sizes; what a row lacks can never be chosen.

    >>> grouped(torch.tensor([1.0, 2.0, 3.0]), [2, 1]).tolist()
    [[1.0, 2.0], [3.0, -inf]]
    """
    return pad_sequence(
        list(torch.split(values_F, list(sizes))), batch_first=True, padding_value=float("-inf")
    )
