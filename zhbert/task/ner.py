"""Entities: a tagger over BIO tags (softmax or a chain), or a pointer where entities lie in each other.

Heads speak of tokens, entities of characters; the two meet in offsets only. A gold entity whose
border falls inside a token (an emoji run, a long number) cannot be learnt: it stays in the gold
and counts as missed.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from torch import Tensor

from zhbert.encode.align import border_inside, char_span, token_range
from zhbert.encode.tokenizer import Encoded
from zhbert.encode.windows import Window
from zhbert.errors import DataError, UserError
from zhbert.records import EntityExample, EntityPrediction, Example, Span
from zhbert.task.base import Feature, Prepared, Scores, Setting, Task
from zhbert.task.pointed import Pointed
from zhbert.task.tagged import Tagged
from zhbert.task.temperature import Ballot, temperature_of

SCHEME = "BIO"


class Ner(Task):
    """Texts into entities."""

    name = "ner"
    heads = ("softmax", "crf", "pointer")

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.way: Tagged | Pointed = (
            Pointed(setting.labels)
            if setting.head == "pointer"
            else Tagged(
                setting.labels,
                scheme=SCHEME,
                chained=setting.head == "crf",
                temperature=temperature_of(setting.decoding),
            )
        )

    @property
    def model_labels(self) -> list[str]:
        """Return the tags in order, O first; of a pointer the labels."""
        return list(self.way.names)

    def prepare(self, examples: Sequence[Example]) -> Iterator[Prepared]:
        """Turn texts into [CLS] text [SEP] with what is to be found in each window, one feature a window."""
        texts = cast("Sequence[EntityExample]", examples)
        for example, encoded in zip(
            texts, self.setting.tokenizer.encode_batch([e.text for e in texts]), strict=True
        ):
            cuts = self.setting.cut(len(encoded.ids), taken=2)
            spans = token_spans(example, encoded)
            if self.setting.lesson.overlapping == "longest":
                spans = longest(spans)
            try:
                targets = self.way.targets_of(spans, len(encoded.ids), cuts)
            except UserError as error:
                raise DataError(
                    error.what,
                    where=f'example "{example.id}"',
                    remedy=f"{error.remedy}; --head pointer learns entities that overlap, "
                    "--overlapping longest leaves the shorter ones out",
                ) from error
            yield Prepared(
                example=example,
                encoded=encoded,
                features=window_features(self.setting, encoded, cuts, targets),
                lost=len(example.entities) - sum(self.way.reaches(span, cuts) for span in spans),
            )

    @property
    def tempers(self) -> bool:
        """Return whether every token has probabilities of its own."""
        return self.setting.head == "softmax"

    def ballot(self, gold: Example, prepared: Prepared, scores: Sequence[Scores]) -> Ballot | None:
        """Return the logits of the tags of all tokens, and the right tags."""
        if not (isinstance(self.way, Tagged) and len(prepared.encoded)):
            return None
        spans = longest(token_spans(cast("EntityExample", gold), prepared.encoded))
        return self.way.ballot(spans, scores, [feature.span for feature in prepared.features])

    def targets(self, features: Sequence[Feature], length: int) -> tuple[dict[str, Tensor], int]:
        """Return what the head is to say."""
        return self.way.targets(features, length)

    def loss(self, output: Any, tensors: dict[str, Tensor]) -> Tensor:
        """Return the summed loss of the head."""
        return self.way.loss(output, tensors)

    def scores(self, output: Any, row: int, length: int) -> Scores:
        """Return what the head says of one window."""
        return self.way.scores(output, row, length)

    def decode(self, prepared: Prepared, scores: Sequence[Scores]) -> EntityPrediction:
        """Return the entities of all windows together, in order."""
        cuts = [feature.span for feature in prepared.features]
        text = cast("EntityExample", prepared.example).text
        sure: dict[Span, float] = {}
        end = 0
        for found, score in self.way.found(scores, cuts, len(prepared.encoded.ids)):
            span = char_span(prepared.encoded.offsets, found.start, found.end)
            if span and (self.way.nested or span[0] >= end):  # tokens can share a character (parts of Hangul)
                end = span[1]
                sure.setdefault(Span.of(text, *span, found.label), round(score, 6))
        entities = tuple(sorted(sure))
        return EntityPrediction(
            id=prepared.example.id,
            entities=entities,
            scores=tuple(sure[span] for span in entities),
            coverage=prepared.coverage,
        )


def token_spans(example: EntityExample, encoded: Encoded) -> list[Span]:
    """Return the entities whose borders are borders of tokens, as ranges of tokens."""
    spans = []
    for entity in sorted(set(example.entities)):
        tokens = token_range(encoded.offsets, entity.start, entity.end)
        if tokens and not border_inside(encoded.offsets, entity.start, entity.end):
            spans.append(Span(*tokens, entity.label))
    return spans


def longest(spans: Sequence[Span]) -> list[Span]:
    """Return spans of which none overlap, the longer ones first to stay.

    >>> longest([Span(0, 2, "人名"), Span(0, 4, "机构"), Span(5, 6, "人名")])
    [Span(start=0, end=4, label='机构', surface=''), Span(start=5, end=6, label='人名', surface='')]
    """
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start - span.end, span)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept)


def window_features(
    setting: Setting, encoded: Encoded, cuts: Sequence[Window], targets: Sequence[Any]
) -> list[Feature]:
    """Return the windows of a text as [CLS] text [SEP] with their targets."""
    special = setting.tokenizer.special
    rows = [[special.cls, *encoded.ids[slice(*cut)].tolist(), special.sep] for cut in cuts]
    return [
        Feature(ids=ids, span=cut, offset=1, target=target)
        for ids, cut, target in zip(rows, cuts, targets, strict=True)
    ]
