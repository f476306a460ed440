"""The contamination guard: documents that hold what a model will later be tested on.

What is compared are letters: folded characters without white space, punctuation and symbols (see `fold`).

- A test text of 20 letters or more is met by a document that shares a run of 20 letters with it.
- A shorter one, of 8 letters or more, is met by a document, or a line of one, that has these very letters
  and no others.
- A test text of fewer than 8 letters is not guarded; `Guard.counts` says how many there were.

A guard may be pickled, to travel to workers: some 18 bytes a letter of the test texts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from zhbert.clean.exact import Hashes, hashes
from zhbert.clean.fold import Folded, fold, letter_places
from zhbert.clean.overlap import RUN, FixedSet
from zhbert.clean.runs import Numbers, places_of

SHORTEST = 8
Met = tuple[int, int, int, int]  # text, test, first letter, how many letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A text, by its number, that meets a test text, by its name; what they share, and where."""

    text: int
    test: str
    start: int
    end: int
    shared: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guard:
    """Test texts, ready to be looked for.

    >>> guard = Guard.build([("test:2", "房间很大，早餐也不错，下次还会再来住这家酒店"), ("test:3", "不错")])
    >>> guard.counts
    {'by a run': 1, 'by a whole line': 0, 'not guarded': 1}
    >>> hit, = guard.hits(["不错", "好评：房间很大早餐也不错，下次还会再来住这家酒店！"])
    >>> hit.text, hit.test, hit.start, hit.end, hit.shared
    (1, 'test:2', 3, 24, '房间很大早餐也不错，下次还会再来住这家酒店')
    """

    long: FixedSet
    short: Hashes
    names: tuple[str, ...]
    unguarded: int

    @classmethod
    def build(cls, tests: Iterable[tuple[str, str]]) -> Self:
        """Return the guard of test texts, each with its name."""
        named = list(tests)
        letters = fold([text for _, text in named]).letters()
        long = np.flatnonzero(letters.lengths >= RUN)
        short = _of_middling_length(letters)
        words = hashes(letters.only(short))
        order = np.argsort(words, kind="stable")
        return cls(
            long=FixedSet.of(letters.only(long)),
            short=words[order],
            names=tuple(named[number][0] for number in [*long, *short[order]]),
            unguarded=len(named) - len(long) - len(short),
        )

    @property
    def counts(self) -> dict[str, int]:
        """How many test texts are guarded in which way."""
        short = len(self.short)
        return {
            "by a run": len(self.names) - short,
            "by a whole line": short,
            "not guarded": self.unguarded,
        }

    def hits(self, texts: Sequence[str]) -> list[Hit]:
        """Return where the texts meet test texts: one hit for each text and test text that meet."""
        lines = [text.split("\n") for text in texts]
        counts = np.fromiter(map(len, lines), np.int64, len(lines))
        letters = fold([line for of_text in lines for line in of_text]).letters()
        whole = Folded(codes=letters.codes, ends=letters.ends[np.cumsum(counts) - 1])
        text_of_line = np.repeat(np.arange(len(texts)), counts)
        found = [
            *self._sharing(whole),
            *self._equal(letters, text_of_line, letters.starts - whole.starts[text_of_line]),
            *self._equal(whole, np.arange(len(texts)), np.zeros(len(texts), np.int64)),
        ]
        first = {(text, test): (start, size) for text, test, start, size in reversed(found)}
        return [self._hit(text, test, texts[text], *place) for (text, test), place in sorted(first.items())]

    def _sharing(self, letters: Folded) -> Iterator[Met]:
        for overlap in self.long.overlaps(letters):
            yield overlap.text, overlap.other, overlap.start, overlap.length

    def _equal(self, lines: Folded, texts: Numbers, starts: Numbers) -> Iterator[Met]:
        """Find short tests among lines; `texts` and `starts` say where each line stands."""
        if not len(self.short):
            return
        short = _of_middling_length(lines)
        words = hashes(lines.only(short))
        first = np.searchsorted(self.short, words, side="left")
        counts = np.searchsorted(self.short, words, side="right") - first
        met, tests = np.repeat(short, counts), places_of(first, counts) + len(self.names) - len(self.short)
        columns = texts[met], tests, starts[met], lines.lengths[met]
        yield from zip(*(column.tolist() for column in columns), strict=True)

    def _hit(self, number: int, test: int, text: str, start: int, size: int) -> Hit:
        places = letter_places(text)
        first, end = int(places[start]), int(places[start + size - 1]) + 1
        return Hit(text=number, test=self.names[test], start=first, end=end, shared=text[first:end])


def _of_middling_length(letters: Folded) -> Numbers:
    return np.flatnonzero((letters.lengths >= SHORTEST) & (letters.lengths < RUN))
