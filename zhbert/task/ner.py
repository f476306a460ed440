"""Entities: a softmax tagger over BIO tags, decoded so that no invalid sequence comes out.

Tags belong to tokens, entities to characters; the two meet in offsets only. A gold entity whose
border falls inside a token (an emoji run, a long number) cannot be tagged: it stays in the gold
and counts as missed. Overlapping windows are merged token by token, each token taking the
scores of the window in which it has most context.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from torch import Tensor
from torch.nn.functional import cross_entropy

from zhbert.encode.align import border_inside, char_span, token_range
from zhbert.encode.tokenizer import Encoded
from zhbert.encode.windows import merge
from zhbert.errors import DataError, UserError
from zhbert.records import EntityExample, EntityPrediction, Example, Span
from zhbert.task.base import IGNORED, Feature, Prepared, Scores, Setting, padded_targets
from zhbert.text.tags import allowed, best_path, tag_names, to_spans, to_tags

SCHEME = "BIO"


class Ner:
    """Texts into entities."""

    name = "ner"
    heads = ("softmax",)

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.tags = tag_names(setting.labels, SCHEME)
        self._place = {tag: i for i, tag in enumerate(self.tags)}
        self._allowed = allowed(self.tags)

    @property
    def model_labels(self) -> list[str]:
        """Return the tags in order, O first."""
        return list(self.tags)

    def prepare(self, examples: Sequence[Example]) -> Iterator[Prepared]:
        """Turn texts into [CLS] text [SEP] with a tag a token, one feature a window."""
        texts = cast("Sequence[EntityExample]", examples)
        for example, encoded in zip(
            texts, self.setting.tokenizer.encode_batch([e.text for e in texts]), strict=True
        ):
            tags = self._tags(example, encoded)
            cuts = self.setting.cut(len(encoded.ids), taken=2)
            yield Prepared(
                example=example, encoded=encoded, features=[self._feature(encoded, tags, cut) for cut in cuts]
            )

    def _tags(self, example: EntityExample, encoded: Encoded) -> list[int]:
        spans = []
        for entity in example.entities:
            tokens = token_range(encoded.offsets, entity.start, entity.end)
            if tokens and not border_inside(encoded.offsets, entity.start, entity.end):
                spans.append(Span(*tokens, entity.label))
        try:
            tags = to_tags(spans, len(encoded.ids), scheme=SCHEME)
        except UserError as error:
            raise DataError(error.what, where=f'example "{example.id}"', remedy=error.remedy) from error
        return [self._place[tag] for tag in tags]

    def _feature(self, encoded: Encoded, tags: list[int], cut: tuple[int, int]) -> Feature:
        special = self.setting.tokenizer.special
        ids = [special.cls, *encoded.ids[slice(*cut)].tolist(), special.sep]
        target = [IGNORED, *tags[slice(*cut)], IGNORED]
        return Feature(ids=ids, segments=[0] * len(ids), span=cut, offset=1, target=target)

    def targets(self, features: Sequence[Feature], length: int) -> tuple[dict[str, Tensor], int]:
        """Return one tag a token."""
        rows = [f.target for f in features]
        return {"labels": padded_targets(rows, length)}, sum(len(row) - 2 for row in rows)

    def loss(self, output: Any, tensors: dict[str, Tensor]) -> Tensor:
        """Return the summed cross-entropy over tokens."""
        return cross_entropy(
            output.logits.float().flatten(0, 1),
            tensors["labels"].flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )

    def scores(self, output: Any, row: int, length: int) -> Scores:
        """Return the log-probabilities of the tags of a window's tokens."""
        return cast("Scores", output.logits[row, 1 : length - 1].float().log_softmax(-1).cpu().numpy())

    def decode(self, prepared: Prepared, scores: Sequence[Scores]) -> EntityPrediction:
        """Return the entities on the best valid path; an entity is as sure as its tags are on average."""
        cuts = [feature.span for feature in prepared.features]
        merged = merge(scores, cuts, len(prepared.encoded.ids))
        path = best_path(merged, self._allowed)
        entities, sure, end = [], [], 0
        for found in to_spans([self.tags[i] for i in path], scheme=SCHEME):
            rows = np.arange(found.start, found.end)
            span = char_span(prepared.encoded.offsets, found.start, found.end)
            if span and span[0] >= end:  # the parts of a Hangul syllable are tokens of one character
                end = span[1]
                entities.append(Span.of(cast("EntityExample", prepared.example).text, *span, found.label))
                sure.append(round(float(np.exp(merged[rows, path[rows]].mean())), 6))
        return EntityPrediction(
            id=prepared.example.id, entities=tuple(entities), scores=tuple(sure), coverage=prepared.coverage
        )
