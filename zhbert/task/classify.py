"""Classification of texts: one label each, any number of labels, or a number (`ways.py`).

A long text is classified window by window and the windows' answers are pooled. While a model is taught,
every window has the answer of its text, and weighs so much less the more windows the text has: a book
counts like a headline.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from torch import Tensor

from zhbert.records import Example, LabelExample, LabelPrediction, Prediction
from zhbert.task.base import Feature, Prepared, Scores, Setting, Task, weights_of
from zhbert.task.lesson import Answers
from zhbert.task.temperature import Ballot
from zhbert.task.ways import VALUE, WAYS


class Classify(Task):
    """Texts into classes."""

    name = "classify"
    heads: tuple[str, ...] = ("one", "several", "value")

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.way = WAYS[setting.head or self.heads[0]](setting)

    @property
    def model_labels(self) -> list[str]:
        """Return the classes in order, or the name of the number."""
        return [VALUE] if self.setting.head == VALUE else list(self.setting.labels)

    @property
    def problem(self) -> str:
        """Return what transformers calls the kind of answer."""
        return self.way.problem

    def prepare(self, examples: Sequence[Example]) -> Iterator[Prepared]:
        """Turn texts into [CLS] text [SEP], one feature a window."""
        texts = cast("Sequence[LabelExample]", examples)
        for example, encoded in zip(
            texts, self.setting.tokenizer.encode_batch([e.text for e in texts]), strict=True
        ):
            target = self.way.target(example.labels, example.value)
            cuts = self.setting.cut(len(encoded.ids), taken=2)
            features = [
                self._feature(encoded.ids[start:end].tolist(), (start, end), target) for start, end in cuts
            ]
            yield Prepared(example=example, encoded=encoded, features=features)

    def _feature(self, ids: list[int], span: tuple[int, int], target: Any) -> Feature:
        special = self.setting.tokenizer.special
        return Feature(ids=[special.cls, *ids, special.sep], span=span, offset=1, target=target)

    def targets(self, features: Sequence[Feature], length: int) -> tuple[dict[str, Tensor], int]:
        """Return one answer a feature, and how much it weighs."""
        labels, known = self.way.tensor([f.target for f in features])
        return {"labels": labels, "weights": weights_of(features)}, known

    def loss(self, output: Any, tensors: dict[str, Tensor]) -> Tensor:
        """Return the summed, weighted losses."""
        return (self.way.losses(output.logits, tensors["labels"]) * tensors["weights"]).sum()

    def scores(self, output: Any, row: int, length: int) -> Scores:
        """Return what one window says."""
        return cast("Scores", self.way.scores(output.logits[row].float()).cpu().numpy())

    def decode(self, prepared: Prepared, scores: Sequence[Scores]) -> Prediction:
        """Return the answer of all windows together."""
        said = self.way.said(self.pooled(scores))
        return LabelPrediction(
            id=prepared.example.id,
            labels=said.labels,
            scores=said.scores,
            value=said.value,
            coverage=prepared.coverage,
        )

    def pooled(self, scores: Sequence[Scores]) -> Scores:
        """Return the probabilities, or the value, of all windows together."""
        return self.way.pooled(scores)

    @property
    def tempers(self) -> bool:
        """Return whether there are labels to be sure of."""
        return self.setting.head != VALUE

    def ballot(self, gold: Example, prepared: Prepared, scores: Sequence[Scores]) -> Ballot | None:
        """Return the logits of the labels, and the labels that apply."""
        return self.way.ballot(self.pooled(scores), self.answers(gold))

    def answers(self, example: Any) -> Answers:
        """Return the labels of an example."""
        return tuple(example.labels)

    @property
    def undecided(self) -> bool:
        """Return whether dev has thresholds to choose."""
        return self.setting.head == "several" and self.setting.lesson.thresholds != "half"

    def choose(self, gold: Sequence[Example], said: Sequence[Prediction]) -> dict[str, float]:
        """Return the thresholds that are best on dev."""
        answers = [example.labels for example in cast("Sequence[LabelExample]", gold)]
        return self.way.choose(answers, [p.scores for p in cast("Sequence[LabelPrediction]", said)])
