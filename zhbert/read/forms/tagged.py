"""A unit and its tag a line, blank lines between sentences: CoNLL files, MSRA, Weibo, People's Daily.

- The unit is the first column and the tag the last one; tabs or spaces part them. A unit may be a space.
  A document's head, `-DOCSTART-`, is left out and counted.
- Units that are all one character and its place in its word, as in `科0 O`, lose the place.
- Characters are joined without a space, and so are words, but for two of Latin letters or digits.
- The scheme is the first of `SCHEMES` that has the letters of the file. IOB1, where B only parts
  neighbours of one label, is told from BIO by what follows what.
- A sequence that the scheme does not allow is refused with its line, or mended as conlleval reads it: what
  cannot go on begins anew, what is not closed ends. Where predictions are only scored, strictly, what would
  have to be mended is no span.
- Bare tags, as in word segmentation, get the label `word` or the one that is asked for.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

from zhbert.errors import DataError, UserError
from zhbert.read.forms.base import Form, Placed, refuse, write_lines
from zhbert.read.forms.how import How
from zhbert.read.lines import read_text
from zhbert.records import EntityExample, Example, Span
from zhbert.text.tags import OUTSIDE, Scheme, parse, scheme_of, to_tags
from zhbert.text.tags import SCHEMES as OURS

SCHEMES = OURS | {
    "BMEWO": Scheme(first="B", inner="M", last="E", only="W"),
    "BILOU": Scheme(first="B", inner="I", last="L", only="U"),
    "IOB1": OURS["BIO"],
}
_LENIENT = "IOB1"
_BARE = "word"
_HEAD = "-DOCSTART-"
_PLACED = re.compile(r"[^\s]\d{1,2}")


@dataclass(slots=True, kw_only=True)
class Sentence:
    """Units and their tags; `line` is that of the first, and of all of them where a record is one line."""

    line: int
    ident: str
    one_line: bool = False
    units: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def _read(path: Path, how: How) -> Iterator[Placed]:
    yield from examples_of(list(_sentences(path, how)), how, path)


def examples_of(sentences: Sequence[Sentence], how: How, path: object) -> Iterator[Placed]:
    """Yield the examples of the sentences of a file, whose scheme is named or is told from all of them."""
    name = how.scheme or _detect(sentences, path)
    if name not in SCHEMES:
        raise DataError(f'no scheme "{name}"', where=path, remedy=f"known: {', '.join(SCHEMES)}")
    how.found["scheme"] = name
    _take_off_places(sentences, how)
    for sentence in sentences:
        text, bounds = joined(sentence.units)
        spans = _spans(sentence, name, how, path)
        entities = tuple(
            Span.of(text, bounds[span.start][0], bounds[span.end - 1][1], span.label or how.label or _BARE)
            for span in spans
        )
        yield f"{path}:{sentence.line}", EntityExample(id=sentence.ident, text=text, entities=entities)


def _take_off_places(sentences: Sequence[Sentence], how: How) -> None:
    if sentences and all(_PLACED.fullmatch(unit) for sentence in sentences for unit in sentence.units):
        how.found["units"] = "characters and their places in words, which were taken off"
        for sentence in sentences:
            sentence.units = [unit[0] for unit in sentence.units]


def _sentences(path: Path, how: How) -> Iterator[Sentence]:
    sentence: Sentence | None = None
    count = 0
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        line = line.removesuffix("\r")
        if not line.strip(" "):
            if sentence:
                yield sentence
            sentence = None
        elif line.startswith(_HEAD):
            how.counts[f"left out: {_HEAD}"] += 1
        else:
            if sentence is None:
                count += 1
                sentence = Sentence(line=number, ident=str(count))
            unit, tag = _columns(line, f"{path}:{number}")
            sentence.units.append(unit)
            sentence.tags.append(tag)
    if sentence:
        yield sentence


def _columns(line: str, where: str) -> tuple[str, str]:
    r"""Return the first and the last column of a line.

    >>> _columns("中\tB-ORG", ""), _columns("EU NNP I-NP B-ORG", "")
    (('中', 'B-ORG'), ('EU', 'B-ORG'))
    >>> _columns(" \tO", ""), _columns("  O", "")
    ((' ', 'O'), (' ', 'O'))
    """
    sign = "\t" if "\t" in line else " "
    rest, found, tag = line.rstrip(" ").rpartition(sign)
    unit = rest.split(sign)[0] if rest.strip(sign) else rest[:1] or " " * (sign == " ")
    if not found or not tag or not unit:
        raise DataError(f'"{line[:40]}" is not a unit and its tag', where=where, remedy="one unit a line")
    return unit, tag


def _detect(sentences: Sequence[Sentence], path: object) -> str:
    tags = {tag for sentence in sentences for tag in sentence.tags}
    letters = {parse(tag)[0] for tag in tags} - {OUTSIDE}
    for name, scheme in SCHEMES.items():
        if letters <= {scheme.first, scheme.inner, scheme.last, scheme.only}:
            return _LENIENT if name == "BIO" and _is_iob1(sentences) else name
    shown = ", ".join(f'"{letter[:20]}"' for letter in sorted(letters)[:5])
    raise DataError(
        f"no scheme has tags that begin with {shown}",
        where=path,
        remedy=f"known: {', '.join(SCHEMES)}, written as B-LOC",
    )


def _is_iob1(sentences: Sequence[Sentence]) -> bool:
    """Tell whether spans begin with I here, and with B only where they follow one of the same label."""
    begun = False
    for sentence in sentences:
        for before, after in pairwise([OUTSIDE, *sentence.tags]):
            (left, label), (right, next_label) = parse(before), parse(after)
            same = left != OUTSIDE and label == next_label
            if right == "B" and not same:
                return False
            begun = begun or (right == "I" and not same)
    return begun


def _spans(sentence: Sentence, name: str, how: How, path: object) -> list[Span]:
    """Return the spans of a sentence's units."""
    spans, start, wrong = [], 0, False
    for place, (before, after) in enumerate(pairwise([OUTSIDE, *sentence.tags, OUTSIDE])):
        allowed, goes_on = _step(name, before, after)
        wrong = wrong or not allowed
        if wrong and not how.repair and name != _LENIENT:
            line = sentence.line + (0 if sentence.one_line else min(place, len(sentence.tags) - 1))
            raise DataError(
                f'"{after}" may not follow "{before}" in {name}',
                where=f"{path}:{line}",
                remedy="--repair ends and begins spans there, --scheme names another scheme",
            )
        if (
            before != OUTSIDE
            and not goes_on
            and (not how.scored or _whole(sentence.tags, start, place, name))
        ):
            spans.append(Span(start, place, parse(before)[1]))
        if not goes_on:
            start = place
    if wrong and name != _LENIENT:
        how.counts["sentences with mended tags"] += 1
    return spans


def _whole(tags: Sequence[str], start: int, end: int, name: str) -> bool:
    """Tell whether tags that belong together are a span as they stand, as seqeval's strict mode has it."""
    first, last = parse(tags[start])[0], parse(tags[end - 1])[0]
    return name == _LENIENT or (SCHEMES[name].starts(first) and SCHEMES[name].ends(last))


@cache
def _step(name: str, before: str, after: str) -> tuple[bool, bool]:
    """Tell whether a tag may follow another one, and whether a span goes on from one to the other."""
    scheme = SCHEMES[name]
    (left, label), (right, next_label) = parse(before), parse(after)
    known = right in (OUTSIDE, scheme.first, scheme.inner, scheme.last, scheme.only)
    return known and scheme.allows(before, after), scheme.goes_on(left, right) and label == next_label


def joined(units: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Return the text of units and where each stands in it.

    >>> joined(["我", "爱", "New", "York", "！"])
    ('我爱New York！', [(0, 1), (1, 2), (2, 5), (6, 10), (10, 11)])
    """
    words = any(len(unit) > 1 for unit in units)
    text, bounds = "", []
    for unit in units:
        if words and text and _latin(text[-1]) and _latin(unit[0]):
            text += " "
        bounds.append((len(text), len(text) + len(unit)))
        text += unit
    return text, bounds


def _latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _write(examples: Sequence[Example], path: Path, how: How) -> None:
    lines: list[str] = []
    for example in examples:
        lines += [*_lines(example, how.scheme or "BIO"), ""]
    write_lines(path, lines)


def _lines(example: Example, scheme: str) -> list[str]:
    """Return a character and its tag a line."""
    if not isinstance(example, EntityExample):
        raise refuse(example, "conll")
    if "\n" in example.text or not example.text:
        what = "a line break" if example.text else "an empty text"
        raise DataError(f"conll cannot hold {what}", where=example.id)
    scheme_of(scheme)
    try:
        tags = to_tags(example.entities, len(example.text), scheme=scheme)
    except UserError as error:
        raise DataError(error.what, where=example.id, remedy=error.remedy) from error
    return [f"{character}\t{tag}" for character, tag in zip(example.text, tags, strict=True)]


CONLL = Form(
    name="conll",
    about="CoNLL: a character or word and its tag a line (BIO, BIOES, BMES, BMEWO, BILOU, IOB1)",
    tasks=("ner",),
    reader=_read,
    writer=_write,
    suffix=".txt",
)
