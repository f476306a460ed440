"""Tags for sequence labelling: BIO, BIOES and BMES, to spans and back.

What is peculiar:

- A scheme is four letters (`SCHEMES`): for the first, an inner, the last and the only unit of a span. Every
  function below reads that table; none knows a scheme by name. BIO spells two letters twice.
- Units may be characters or tokens; spans here count units.
- An invalid sequence is an error that names the place, never a guess: "I-地点" after "O" is nothing, an
  entity to some scorers and none to others. `paths.py` keeps a model from ever producing one.
- A span with an empty label has bare tags: "B", "I".

Shapes: T units, K tags.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from zhbert.errors import ConfigError, DataError, nearest
from zhbert.records import Span

OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Scheme:
    """The letters for the first, an inner, the last and the only unit of a span."""

    first: str
    inner: str
    last: str
    only: str

    def starts(self, letter: str) -> bool:
        """Tell whether a span may start at a unit with this letter."""
        return letter in (self.first, self.only)

    def ends(self, letter: str) -> bool:
        """Tell whether a span may end at a unit with this letter; outside of spans one always may."""
        return letter in (self.last, self.only, OUTSIDE)

    def goes_on(self, before: str, after: str) -> bool:
        """Tell whether the second letter may continue a span whose previous unit has the first one."""
        return before in (self.first, self.inner) and after in (self.inner, self.last)

    def allows(self, before: str, after: str) -> bool:
        """Tell whether the second tag may follow the first; "O" stands for both ends of a sequence."""
        (left, label), (right, next_label) = parse(before), parse(after)
        if right == OUTSIDE or self.starts(right):
            return self.ends(left)
        return self.goes_on(left, right) and label == next_label

    def spell(self, length: int) -> str:
        """Return the letters of a span of `length` units.

        >>> SCHEMES["BMES"].spell(4), SCHEMES["BIO"].spell(1)
        ('BMME', 'B')
        """
        return self.only if length == 1 else self.first + self.inner * (length - 2) + self.last


SCHEMES = {
    "BIO": Scheme(first="B", inner="I", last="I", only="B"),
    "BIOES": Scheme(first="B", inner="I", last="E", only="S"),
    "BMES": Scheme(first="B", inner="M", last="E", only="S"),
}


def scheme_of(name: str) -> Scheme:
    """Return the scheme of that name."""
    if name not in SCHEMES:
        raise ConfigError(f'unknown tagging scheme "{name}"', remedy=nearest(name, SCHEMES))
    return SCHEMES[name]


@lru_cache(maxsize=4096)
def parse(tag: str) -> tuple[str, str]:
    """Return the letter and the label of a tag.

    >>> parse("B-地点"), parse("I-WORK-OF-ART"), parse("O")
    (('B', '地点'), ('I', 'WORK-OF-ART'), ('O', ''))
    """
    letter, _, label = tag.partition("-")
    return letter, label


def spell(letter: str, label: str) -> str:
    """Return the tag of a letter and a label.

    >>> spell("B", "地点"), spell("B", "")
    ('B-地点', 'B')
    """
    return f"{letter}-{label}" if label else letter


def to_tags(spans: Iterable[Span], length: int, *, scheme: str = "BIO") -> list[str]:
    """Return the tags of `length` units.

    >>> to_tags([Span(3, 5, "地点")], 7)
    ['O', 'O', 'O', 'B-地点', 'I-地点', 'O', 'O']
    """
    table, ordered, tags = scheme_of(scheme), sorted(spans), [OUTSIDE] * length
    for one, other in pairwise(ordered):
        if other.start < one.end:
            raise DataError(
                f"{_words(one)} and {_words(other)} overlap", remedy="tags can hold flat spans only"
            )
    for span in ordered:
        if span.end > length:
            raise DataError(f"{_words(span)} ends after the last of {length} units")
        letters = table.spell(span.end - span.start)
        tags[span.start : span.end] = [spell(letter, span.label) for letter in letters]
    return tags


def _words(span: Span) -> str:
    return f'span {span.start}..{span.end} "{span.label}"'


def to_spans(tags: Sequence[str], *, scheme: str = "BIO") -> list[Span]:
    """Return the spans of a valid tag sequence, in order.

    >>> to_spans(["S-人名", "O", "B-地点", "E-地点"], scheme="BMES")
    [Span(start=0, end=1, label='人名', surface=''), Span(start=2, end=4, label='地点', surface='')]
    """
    check(tags, scheme)
    starts = [i for i, tag in enumerate(tags) if SCHEMES[scheme].starts(parse(tag)[0])]
    outside = [i for i, tag in enumerate(tags) if tag == OUTSIDE]
    borders = sorted([*starts, *outside, len(tags)])
    ends = dict(pairwise(borders))
    return [Span(start, ends[start], parse(tags[start])[1]) for start in starts]


def check(tags: Sequence[str], scheme: str = "BIO") -> None:
    """Refuse a tag that is not of the scheme or may not follow the one before it.

    >>> check(["O", "I-地点"])
    Traceback (most recent call last):
    zhbert.errors.DataError: tag 2, "I-地点", may not follow "O" in BIO
    """
    table = scheme_of(scheme)
    for tag in dict.fromkeys(tags):  # each is looked at once
        _check_tag(tag, scheme, where=f"tag {tags.index(tag) + 1}")
    steps = list(pairwise([OUTSIDE, *tags, OUTSIDE]))
    for before, after in dict.fromkeys(steps):
        if table.allows(before, after):
            continue
        place = steps.index((before, after)) + 1
        if place > len(tags):
            raise DataError(f'the last tag, "{before}", leaves its span open in {scheme}')
        raise DataError(f'tag {place}, "{after}", may not follow "{before}" in {scheme}')


def _check_tag(tag: str, scheme: str, *, where: str) -> None:
    table = SCHEMES[scheme]
    letters = dict.fromkeys((OUTSIDE, table.first, table.inner, table.last, table.only))
    if parse(tag)[0] not in letters or tag.startswith(f"{OUTSIDE}-"):
        raise DataError(
            f'{where}, "{tag}", is not of {scheme}', remedy=f"the letters are {' '.join(letters)}"
        )


def tag_names(labels: Iterable[str], scheme: str = "BIO") -> tuple[str, ...]:
    """Return every tag that the labels need, "O" first.

    >>> tag_names(["人名", "地点"])
    ('O', 'B-人名', 'I-人名', 'B-地点', 'I-地点')
    """
    table, labels = scheme_of(scheme), tuple(labels)
    if len(set(labels)) < len(labels):
        raise DataError(f"a label is given twice: {', '.join(labels)}")
    letters = dict.fromkeys((table.first, table.inner, table.last, table.only))
    return (OUTSIDE, *(spell(letter, label) for label in labels for letter in letters))


def allowed(names: Sequence[str], *, scheme: str = "BIO") -> npt.NDArray[np.bool_]:
    """Return which tag may follow which; row K is the start of a sequence and column K its end.

    >>> allowed(["O", "B-地点", "I-地点"]).astype(int).tolist()
    [[1, 1, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 1]]
    """
    table = scheme_of(scheme)
    for place, name in enumerate(names, 1):
        _check_tag(name, scheme, where=f"tag name {place}")
    ends = [*names, OUTSIDE]
    return np.array([[table.allows(before, after) for after in ends] for before in ends], dtype=np.bool_)
