"""Options of a fine-tuning that say how a classifier is taught, and what it goes by afterwards.

What makes no sense for a task or a head is refused before anything is read.
"""

from collections.abc import Sequence
from typing import Any, Literal, Self, cast

from pydantic import Field, model_validator

from zhbert.errors import ConfigError
from zhbert.read.examples import labels_in
from zhbert.records import Example, LabelExample, PairExample
from zhbert.task.lesson import Lesson, Overlapping, balanced, opposed, scale_of
from zhbert.task.pair import SYMMETRIC
from zhbert.task.registry import head_of
from zhbert.task.taught import Taught
from zhbert.task.thresholds import How
from zhbert.task.ways import VALUE

_TAUGHT = {  # the options that have a meaning only for some tasks and heads
    "class_weights": (("classify", "one"), ("classify", "several"), ("pair", "one")),
    "focal": (("classify", "one"), ("classify", "several"), ("pair", "one")),
    "smoothing": (("classify", "one"), ("classify", "several"), ("pair", "one")),
    "symmetric": (("pair", "one"), ("pair", "value")),
    "thresholds": (("classify", "several"),),
    "overlapping": (("ner", "softmax"), ("ner", "crf")),
}


class Teaching(Taught):
    """How a classifier is taught."""

    class_weights: Literal["none", "balanced"] = Field(
        default="none", description="`balanced`: classes count as if all were equally frequent"
    )
    focal: float = Field(
        default=0.0, ge=0, description="gamma of the focal loss: how much less counts what is learnt already"
    )
    smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="share of the certainty that is taken from the right label"
    )
    symmetric: bool = Field(
        default=False, description="pairs mean the same in both orders: learn both, and answer by both"
    )
    thresholds: How = Field(
        default="one",
        description="of several labels: one threshold for all or each its own, chosen on dev, or a half",
    )
    overlapping: Overlapping = Field(
        default="refuse",
        description="what becomes of training entities that overlap, which tags cannot hold: refuse the "
        "file, or learn the longest and count the others as out of reach (a pointer learns all)",
    )
    fresh_head: bool = Field(
        default=False, description="of a model that has been taught before, take the encoder only"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        where = (self.task, head_of(self.task, self.head))
        for option, known in _TAUGHT.items():
            given = getattr(self, option) != type(self).model_fields[option].default
            if given and where not in known:
                raise ConfigError(
                    f'{option}: has no meaning for the task "{where[0]}" with the head "{where[1]}"',
                    remedy="it is for " + ", ".join(f"{task} {head}" for task, head in known),
                )
        if self.focal and self.smoothing:
            raise ConfigError("focal and smoothing pull in opposite directions", remedy="give one of them")
        return self

    def decoding(self) -> dict[str, float]:
        """Return the numbers of the answer that are known before the training."""
        return {SYMMETRIC: 1.0} if self.symmetric else {}

    def told(self, lesson: Lesson) -> dict[str, Any]:
        """Return what of all this differs from the usual, for whoever reads the model's report."""
        fields = type(self).model_fields
        own = [name for name in Teaching.model_fields if name not in Taught.model_fields]
        given = {name: getattr(self, name) for name in own}
        found = {name: value for name, value in given.items() if value != fields[name].default}
        if head_of(self.task, self.head) == VALUE:
            found |= {"mean of train": round(lesson.mean, 6), "deviation of train": round(lesson.scale, 6)}
        return found

    def lesson(self, train: Sequence[Example], labels: Sequence[str], *, where: object) -> Lesson:
        """Return what the loss goes by, as the training examples have it."""
        head = head_of(self.task, self.head)
        known = cast("Sequence[LabelExample | PairExample]", train)
        if head == VALUE:
            values = [example.value for example in known if example.value is not None]
            mean, scale = scale_of(values, where=where)
            return Lesson(mean=mean, scale=scale)
        weights: tuple[float, ...] = ()
        if self.class_weights == "balanced":
            count = balanced if head == "one" else opposed
            weights = count([labels_in(example) for example in train], labels)
        return Lesson(
            weights=weights,
            focal=self.focal,
            smoothing=self.smoothing,
            thresholds=self.thresholds,
            overlapping=self.overlapping,
        )
