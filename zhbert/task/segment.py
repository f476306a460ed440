"""Word segmentation, and parts of speech with it: a tagger over BMES tags.

Words are the spans of an example and cover its text but for white space; their label is the part of speech,
or the one label of data that has none. There is no tag for what is outside of words, so predicted words cover
the text as well. A token belongs to the word that it begins in; what the tokenizer drops (controls, invisible
characters) goes to the word before it.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np
from torch import Tensor

from zhbert.encode.align import char_span
from zhbert.encode.tokenizer import Encoded
from zhbert.errors import DataError
from zhbert.records import EntityExample, EntityPrediction, Example, Span
from zhbert.task.base import Feature, Prepared, Scores, Setting, Task
from zhbert.task.ner import window_features
from zhbert.task.tagged import Tagged
from zhbert.task.temperature import Ballot, temperature_of

SCHEME = "BMES"


class Segment(Task):
    """Texts into words."""

    name = "segment"
    heads = ("softmax", "crf")

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.way = Tagged(
            setting.labels,
            scheme=SCHEME,
            chained=setting.head == "crf",
            outside=False,
            temperature=temperature_of(setting.decoding),
        )

    @property
    def model_labels(self) -> list[str]:
        """Return the tags in order."""
        return list(self.way.names)

    def prepare(self, examples: Sequence[Example]) -> Iterator[Prepared]:
        """Turn texts into [CLS] text [SEP] with a tag a token, one feature a window."""
        texts = cast("Sequence[EntityExample]", examples)
        for example, encoded in zip(
            texts, self.setting.tokenizer.encode_batch([e.text for e in texts]), strict=True
        ):
            length = len(encoded.ids)
            cuts = self.setting.cut(length, taken=2)
            words = checked_words(example)
            spans = token_words(words, encoded)
            targets = self.way.targets_of(spans, length, cuts) if words else [None] * len(cuts)
            yield Prepared(
                example=example,
                encoded=encoded,
                features=window_features(self.setting, encoded, cuts, targets),
                lost=len(words) - len(spans),
            )

    @property
    def tempers(self) -> bool:
        """Return whether every token has probabilities of its own."""
        return self.setting.head == "softmax"

    def ballot(self, gold: Example, prepared: Prepared, scores: Sequence[Scores]) -> Ballot | None:
        """Return the logits of the tags of all tokens, and the right tags."""
        words = token_words(checked_words(cast("EntityExample", gold)), prepared.encoded)
        return (
            self.way.ballot(words, scores, [feature.span for feature in prepared.features]) if words else None
        )

    def targets(self, features: Sequence[Feature], length: int) -> tuple[dict[str, Tensor], int]:
        """Return one tag a token."""
        return self.way.targets(features, length)

    def loss(self, output: Any, tensors: dict[str, Tensor]) -> Tensor:
        """Return the summed loss of the tags."""
        return self.way.loss(output, tensors)

    def scores(self, output: Any, row: int, length: int) -> Scores:
        """Return what the head says of one window."""
        return self.way.scores(output, row, length)

    def decode(self, prepared: Prepared, scores: Sequence[Scores]) -> EntityPrediction:
        """Return the words on the best path."""
        cuts = [feature.span for feature in prepared.features]
        text, offsets = cast("EntityExample", prepared.example).text, prepared.encoded.offsets
        words: list[Span] = []
        sure: list[float] = []
        for found, score in self.way.found(scores, cuts, len(offsets)):
            span = char_span(offsets, found.start, found.end)
            if span and span[0] >= (words[-1].end if words else 0):  # tokens can share a character
                words.append(Span(*span, found.label))
                sure.append(round(score, 6))
        return EntityPrediction(
            id=prepared.example.id,
            entities=tuple(joined(words, text)),
            scores=tuple(sure),
            coverage=prepared.coverage,
        )


def checked_words(example: EntityExample) -> list[Span]:
    """Return the words in order; what is no word must be white space.

    >>> checked_words(EntityExample(id="1", text="我在北京", entities=(Span(0, 1), Span(2, 4))))
    Traceback (most recent call last):
    zhbert.errors.DataError: example "1": "在" at 1 is in no word (words must cover the text)
    """
    words, where = sorted(example.entities), f'example "{example.id}"'
    for one, other in pairwise(words):
        if other.start < one.end:
            raise DataError(
                f"the words {one.start}..{one.end} and {other.start}..{other.end} overlap", where=where
            )
    borders = [0, *(edge for word in words for edge in (word.start, word.end)), len(example.text)]
    for start, end in zip(borders[::2], borders[1::2], strict=True) if words else ():
        if bare := example.text[start:end].strip():
            at = example.text.index(bare, start)
            raise DataError(
                f'"{bare}" at {at} is in no word', where=where, remedy="words must cover the text"
            )
    return words


def token_words(words: Sequence[Span], encoded: Encoded) -> list[Span]:
    """Return the words as ranges of tokens; one that no token begins in is left out."""
    if not words or not len(encoded.ids):
        return []
    ends = np.array([word.end for word in words])
    owner_T = np.minimum(np.searchsorted(ends, encoded.offsets[:, 0], side="right"), len(words) - 1)
    firsts = np.flatnonzero(np.diff(owner_T, prepend=-1)).tolist()
    return [Span(a, b, words[owner_T[a]].label) for a, b in pairwise([*firsts, len(owner_T)])]


def joined(words: Sequence[Span], text: str) -> Iterator[Span]:
    """Yield words together with what lies between them and is not white space.

    >>> [word.surface for word in joined([Span(0, 2), Span(3, 5)], "北京\u200b大学")]
    ['北京\u200b', '大学']
    """
    start = _tail(text[: words[0].start], words[0].start) if words else 0
    limits = [*(word.start for word in words[1:]), len(text)]
    for word, limit in zip(words, limits, strict=False):
        end = limit - len(re.sub(r"^\S*", "", text[word.end : limit]))
        yield Span.of(text, start, end, word.label)
        start = _tail(text[end:limit], limit)


def _tail(gap: str, end: int) -> int:
    """Return where what ends a gap without white space begins.

    >>> _tail(" \u200b", 7)
    6
    """
    return end - len(gap) + len(re.sub(r"\S*$", "", gap))
