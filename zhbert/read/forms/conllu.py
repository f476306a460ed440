"""CoNLL-U: words and their parts of speech; every word becomes a span.

- The label is the UPOS tag, the XPOS tag where `columns` says `label=xpos`, or one fixed label.
- The words must spell the sentence's `# text`. Without it they are put together, with a space wherever
  `SpaceAfter` does not say No.
- Of a range such as 1-2 the surface counts, and the tags of its words are joined with "+".
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from zhbert.errors import DataError, nearest
from zhbert.read.forms.base import Form, Placed, refuse, write_lines
from zhbert.read.forms.how import How
from zhbert.read.lines import read_text
from zhbert.records import EntityExample, Example, Span

_COLUMNS = {"upos": 3, "xpos": 4}
_WIDTH = 10
_NUMBER = re.compile(r"\d{1,6}([-.]\d{1,6})?")


@dataclass(slots=True)
class _Sentence:
    line: int
    facts: dict[str, str] = field(default_factory=dict)
    words: list[list[str]] = field(default_factory=list)


def _read(path: Path, how: How) -> Iterator[Placed]:
    wanted = how.columns.get("label", "upos")
    if wanted not in _COLUMNS:
        raise DataError(f'no column "{wanted}"', where=path, remedy=nearest(wanted, _COLUMNS))
    for number, sentence in enumerate(_sentences(path), start=1):
        where = f"{path}:{sentence.line}"
        words = list(_words(sentence, _COLUMNS[wanted]))
        text = sentence.facts.get("text") or _spelled(words)
        spans, place = [], 0
        for surface, tag, _ in words:
            place += len(text[place:]) - len(text[place:].lstrip())
            if not text.startswith(surface, place):
                raise DataError(f'the word "{surface}" does not come next in the text', where=where)
            spans.append(Span.of(text, place, place + len(surface), how.label or tag))
            place += len(surface)
        if text[place:].strip():
            raise DataError(f'"{text[place:][:20]}" of the text is in no word', where=where)
        ident = sentence.facts.get("sent_id", str(number))
        yield where, EntityExample(id=ident, text=text, entities=tuple(spans))


def _sentences(path: Path) -> Iterator[_Sentence]:
    sentence: _Sentence | None = None
    for number, line in enumerate([*read_text(path).split("\n"), ""], start=1):
        line = line.removesuffix("\r")
        if not line.strip():
            if sentence and sentence.words:
                yield sentence
            sentence = None
            continue
        sentence = sentence or _Sentence(number)
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            sentence.facts[key.strip()] = value.removeprefix(" ")
            continue
        columns = line.split("\t")
        if len(columns) != _WIDTH:
            raise DataError(f"{len(columns)} columns, not {_WIDTH}", where=f"{path}:{number}")
        if not _NUMBER.fullmatch(columns[0]) or not columns[1]:
            raise DataError(f'"{line[:20]}" is not a number and a word', where=f"{path}:{number}")
        sentence.words.append(columns)


def _words(sentence: _Sentence, column: int) -> Iterator[tuple[str, str, bool]]:
    """Yield the surface words, their tags, and whether a space comes after them."""
    inside, tags = {columns[0]: columns for columns in sentence.words}, 0
    for columns in sentence.words:
        first, dash, last = columns[0].partition("-")
        if "." in first or (not dash and int(first) <= tags):  # what is not written, what a range covers
            continue
        within = [inside.get(str(i)) for i in range(int(first), int(last or first) + 1)]
        parts = [word[column] for word in within if word]
        tags = int(last or first)
        yield columns[1], "+".join(parts), "SpaceAfter=No" not in columns[9].split("|")


def _spelled(words: Sequence[tuple[str, str, bool]]) -> str:
    return "".join(surface + " " * spaced for surface, _, spaced in words).rstrip()


def _write(examples: Sequence[Example], path: Path, _: How) -> None:
    lines: list[str] = []
    for example in examples:
        lines += [*_lines(example), ""]
    write_lines(path, lines)


def _lines(example: Example) -> Iterator[str]:
    if not isinstance(example, EntityExample):
        raise refuse(example, "conllu")
    text, spans = example.text, sorted(example.entities)
    borders = [0, *(place for span in spans for place in (span.start, span.end)), len(text)]
    gaps = [text[end:start] for end, start in zip(borders[::2], borders[1::2], strict=True)]
    if "\n" in text or "\t" in text:
        raise DataError("conllu cannot hold a tab or a line break", where=example.id)
    if any(one > other for one, other in pairwise(borders)) or any(gap.strip() for gap in gaps) or not spans:
        raise DataError("conllu needs words that follow each other and cover the text", where=example.id)
    yield f"# sent_id = {example.id}"
    yield f"# text = {text}"
    for number, (span, gap) in enumerate(zip(spans, gaps[1:], strict=True), start=1):
        after = "_" if gap else "SpaceAfter=No"
        yield "\t".join([str(number), text[span.start : span.end], "_", span.label, *"_____", after])


CONLLU = Form(
    name="conllu",
    about="CoNLL-U: words and parts of speech",
    tasks=("ner",),
    reader=_read,
    writer=_write,
    suffix=".conllu",
)
