"""Names that are told by how they are written: 《titles》 and runs of Latin words.

What is peculiar:

- A title is what stands between 《 and 》, which stay readable, and has at most 16 characters: the masking
  would cut a longer one.
- A Latin name is a run of up to 5 words, each with a capital, a digit or a joint ("iPhone 15 Pro", "GPT-4",
  "node.js"), small words such as "of" between them. A run of more than 8 words is a sentence or code, one
  with two slashes or a slash and a dot an address: they hold no names. Letters and digits alone ("BERT")
  are one word anyhow and no range.
"""

import re
from functools import cache

import numpy as np
import numpy.typing as npt

from zhbert.text.blob import Blob, Places

TITLE = 16
RUN = 8  # words
SMALL = "of the and for in on to de la le von van der del di da du & +"
Spans = list[tuple[int, int]]

_LONGEST = 40  # characters of a name of one word: a longer one is a key or a hash
_TITLE = re.compile(rf"《([^《》\n]{{1,{TITLE}}})》")
_WORD = "(?=[^ ]*[A-Za-zÀ-ÖØ-öø-ɏ])[^ ]*[A-ZÀ-ÖØ-Þ0-9._-][^ ]*"
_SMALL = "|".join(map(re.escape, SMALL.split()))
_NAME = re.compile(rf"(?<![^ ]){_WORD}(?: (?:(?:{_SMALL}) ){{0,2}}(?:{_WORD}|[0-9][0-9.]*(?![^ ]))){{0,4}}+")
_SIGN, _LETTER, _JOINT, _SPACE, _SLASH, _DOT = (np.uint8(1 << bit) for bit in range(6))


def titles(blob: Blob) -> Spans:
    """Return the ranges of what stands between 《 and 》.

    >>> text = "他读《红楼梦》和《》"
    >>> [text[start:end] for start, end in titles(Blob.of(text))]
    ['红楼梦']
    """
    return [match.span(1) for match in _TITLE.finditer(blob.text)]


def latin_names(blob: Blob) -> Spans:
    """Return the ranges of Latin names of several words, or of one word with a joint in it.

    >>> text = "用GPT-4和iPhone 15 Pro写node.js，University of Oxford的deep learning，BERT"
    >>> [text[start:end] for start, end in latin_names(Blob.of(text))]
    ['GPT-4', 'iPhone 15 Pro', 'node.js', 'University of Oxford']
    """
    found: Spans = []
    for start, end, spaces in _runs(blob):
        if spaces:
            names = (match for match in _NAME.finditer(blob.text[start:end]) if not match[0].isalnum())
            found += ((start + match.start(), start + match.end()) for match in names)
        elif end - start <= _LONGEST:
            found.append((start, end))
    return found


def _runs(blob: Blob) -> list[tuple[int, int, int]]:
    """Return the runs of Latin words that may hold a name, and how many spaces each has."""
    marks_N2 = np.zeros(len(blob) + 2, dtype=np.uint8)  # one more on either side
    marks_N2[1:-1] = _marks().take(blob.codes, mode="clip")
    inside_N2 = (marks_N2 & _SIGN).astype(np.bool_)
    inner_N = (marks_N2[1:-1] & _JOINT > 0) & inside_N2[:-2] & inside_N2[2:]
    inside_N2[1:-1] |= inner_N
    edges = np.flatnonzero(inside_N2[1:] != inside_N2[:-1])
    joints, letters = np.flatnonzero(inner_N), np.flatnonzero(marks_N2[1:-1] & _LETTER)
    kinds = marks_N2[joints + 1]
    edges = edges.reshape(-1, 2)[_counted(joints, edges) > 0].ravel()
    spaces, slashes, dots = (_counted(joints[kinds & mark > 0], edges) for mark in (_SPACE, _SLASH, _DOT))
    worth = (_counted(letters, edges) > 0) & (spaces < RUN) & (slashes < 2) & ((slashes == 0) | (dots == 0))
    return list(zip(*(column[worth].tolist() for column in (edges[::2], edges[1::2], spaces)), strict=True))


def _counted(places: Places, edges: Places) -> Places:
    """Return how many places are between each two edges."""
    bounds = np.searchsorted(places, edges)
    return bounds[1::2] - bounds[::2]


@cache
def _marks() -> npt.NDArray[np.uint8]:
    marks = np.zeros(1 << 16, dtype=np.uint8)
    for ends in ("09", "AZ", "az", "ÀÖ", "Øö", "øɏ"):
        marks[ord(ends[0]) : ord(ends[1]) + 1] = _SIGN if ends == "09" else _SIGN | _LETTER
    for characters, mark in (("-_.'’&+/ ", _JOINT), (" ", _SPACE), ("/", _SLASH), (".", _DOT)):
        marks[[ord(character) for character in characters]] |= mark
    return marks
