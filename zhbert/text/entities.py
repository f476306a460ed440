"""Entities of a text by rule and by list: dates, numbers, titles, Latin names, persons, a user's own words.

What is peculiar:

- Every rule finds candidates on its own; of those that overlap the leftmost stays, and of these the longest.
  Equal ranges are named by the first rule in KINDS.
- Persons are guessed from single words, so one stays only where nothing else was found.
- An entry of a user's list has a border of a word at one end at least, one of two characters at both: with
  the names of MSRA-NER's training part, 28 % of what that leaves out among two characters were names in its
  test part, and of what has no border at all 1 %. Inside a Latin word or a number none begins or ends.
- No range reaches over a line feed.
"""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from zhbert.text.blob import NO_RANGES, Blob, Bools, Codes, Places, Ranges, leftmost_longest
from zhbert.text.matching import Matcher
from zhbert.text.names import Spans, latin_names, titles
from zhbert.text.persons import persons
from zhbert.text.quantities import quantities

KINDS = ("listed", "title", "date", "time", "number", "latin", "person")
RULES = KINDS[1:]
QUANTITIES = ("date", "time", "number")
Kinds = npt.NDArray[np.uint8]


def entities(
    blob: Blob, borders_N1: Bools, *, rules: Collection[str] = RULES, listed: Matcher | None = None
) -> tuple[Ranges, Kinds]:
    """Return the ranges of entities, in order and apart, and the place of each one's kind in KINDS.

    >>> text = "2020年他用iPhone 15 Pro读《红楼梦》，花3.5元"
    >>> borders = np.ones(len(text) + 1, dtype=np.bool_)
    >>> ranges, kinds = entities(Blob.of(text), borders, listed=Matcher(["红楼"]))
    >>> [(text[start:end], KINDS[kind]) for (start, end), kind in zip(ranges, kinds)]
    [('2020年', 'date'), ('iPhone 15 Pro', 'latin'), ('红楼梦', 'title'), ('3.5元', 'number')]
    """
    found: dict[str, Ranges] = {}
    if listed is not None:
        found["listed"] = _listed(blob, borders_N1, listed)
    if "title" in rules:
        found["title"] = _array(titles(blob))
    if not set(QUANTITIES).isdisjoint(rules):
        spans, numbers = quantities(blob, borders_N1)
        of, amounts = np.array(numbers, dtype=np.int64), _array(spans)
        found |= {kind: amounts[of == i] for i, kind in enumerate(QUANTITIES) if kind in rules}
    if "latin" in rules:
        found["latin"] = _array(latin_names(blob))
    ranges, kinds = _joined(found)
    chosen = leftmost_longest(ranges, kinds)
    ranges, kinds = ranges[chosen], kinds[chosen]
    if "person" in rules:
        names = _outside(persons(blob, borders_N1), ranges)
        kinds = np.concatenate([kinds, np.full(len(names), KINDS.index("person"))])
        ranges = np.concatenate([ranges, names])
    order = np.argsort(ranges[:, 0], kind="stable")
    return ranges[order], kinds[order].astype(np.uint8)


def _joined(found: dict[str, Ranges]) -> tuple[Ranges, Places]:
    """Return all ranges, and of each the place of its kind in KINDS."""
    kinds = [np.full(len(ranges), KINDS.index(kind)) for kind, ranges in found.items()]
    return np.concatenate([NO_RANGES, *found.values()]), np.concatenate([NO_RANGES[:, 0], *kinds])


def _outside(ranges: Ranges, others: Ranges) -> Ranges:
    """Return the ranges that overlap with none of some others, which are in order and apart."""
    others = np.concatenate([others, [[1 << 62, 1 << 62]]])
    following = np.searchsorted(others[:, 1], ranges[:, 0], side="right")
    free: Bools = others[following, 0] >= ranges[:, 1]
    return ranges[free]


def _listed(blob: Blob, borders_N1: Bools, matcher: Matcher) -> Ranges:
    """Return the matches of a user's list, overlapping ones too, whose ends may be those of an entity."""
    ranges = matcher.found(blob)
    starts, ends = ranges.T
    borders = borders_N1[starts].astype(np.int64) + borders_N1[ends]
    alnum_N2 = np.zeros(len(blob) + 2, dtype=np.bool_)  # one more on either side
    alnum_N2[1:-1] = _is_alnum(blob.codes)
    cut = (alnum_N2[starts] & alnum_N2[starts + 1]) | (alnum_N2[ends] & alnum_N2[ends + 1])
    good: Ranges = ranges[~cut & (borders >= np.where(ends - starts == 2, 2, 1))]
    return good


def _is_alnum(codes: Codes) -> Bools:
    """Tell which characters are ASCII letters and digits."""
    table = np.zeros(129, dtype=np.bool_)
    table[[code for code in range(128) if chr(code).isalnum()]] = True
    alnum: Bools = table[np.minimum(codes, 128)]
    return alnum


def _array(spans: Spans) -> Ranges:
    return np.array(spans, dtype=np.int64).reshape(-1, 2)
