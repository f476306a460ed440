"""brat: NAME.txt beside NAME.ann, a file or a folder of them; a text is one example.

- `T1⇥Label start end⇥surface`, half-open characters. A span over a line break is in parts, one a line, which
  become one span again.
- Parts with other characters between them are refused, or left out and counted where misplaced spans are.
- Relations, events, attributes and notes are left out and counted.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from zhbert.errors import DataError
from zhbert.read.forms.base import Form, Placed, refuse, write_lines, write_whole
from zhbert.read.forms.how import How
from zhbert.read.lines import read_lines, read_text
from zhbert.records import EntityExample, Example, Span

_ENTITY = re.compile(r"(T\d+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)")
_NAME = re.compile(r"[\w.-]+")
_BREAKS = re.compile(r"[\r\n]+")
Part = tuple[int, int]


def _read(path: Path, how: How) -> Iterator[Placed]:
    texts = sorted(path.glob("*.txt"), key=_in_order) if path.is_dir() else [path.with_suffix(".txt")]
    if not texts:
        raise DataError("no .txt file here", where=path)
    for file in texts:
        text, entities = read_text(file), []
        for where, label, parts, surface in _lines(file.with_suffix(".ann"), how):
            if span := _span(text, label, parts, surface, how, where):
                entities.append(span)
        yield str(file), EntityExample(id=file.stem, text=text, entities=tuple(sorted(entities)))


def _in_order(path: Path) -> list[tuple[int, str]]:
    """Return what names are sorted by: 2 comes before 10.

    >>> sorted(map(Path, ["text10", "text2"]), key=_in_order)[0].name
    'text2'
    """
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", path.stem)]


def _lines(path: Path, how: How) -> Iterator[tuple[str, str, list[Part], str]]:
    for number, line in read_lines(path):
        where = f"{path}:{number}"
        if not line.startswith("T"):
            how.counts["left out: neither text nor span"] += 1
            continue
        found = _ENTITY.fullmatch(line)
        if not found:
            raise DataError(f'"{line[:40]}" is no entity of brat', where=where, remedy="T1⇥Label 0 2⇥surface")
        pairs = [part.split() for part in found[3].split(";")]
        yield where, found[2], [(int(start), int(end)) for start, end in pairs], found[4]


def _span(text: str, label: str, parts: list[Part], surface: str, how: How, where: str) -> Span | None:
    """Return the span over all parts; brat writes a space for what stands between them."""
    gaps = [text[end:start] for (_, end), (start, _) in pairwise(parts)]
    if any(gap.strip("\r\n") for gap in gaps):
        if how.misplaced == "refuse":
            raise DataError(
                f'"{surface}" is written in parts', where=where, remedy="--misplaced drop leaves it out"
            )
        how.counts["left out: spans in parts"] += 1
        return None
    start, end = parts[0][0], parts[-1][1]
    whole = text[start:end] if len(parts) > 1 else ""
    same = _BREAKS.sub(" ", whole) == surface if whole else False
    return how.span(text, start, end, whole if same else surface, label, where=where)


def _write(examples: Sequence[Example], path: Path, _: How) -> None:
    """Write a folder."""
    path.mkdir(parents=True, exist_ok=True)
    for example in examples:
        if not isinstance(example, EntityExample):
            raise refuse(example, "brat")
        if not _NAME.fullmatch(example.id):
            raise DataError(f'"{example.id}" cannot be the name of a file', remedy="brat needs names as ids")
        write_whole(path / f"{example.id}.txt", example.text)
        lines = [_line(number, span, example) for number, span in enumerate(example.entities, start=1)]
        write_lines(path / f"{example.id}.ann", lines)


def _line(number: int, span: Span, example: EntityExample) -> str:
    if not span.label or re.search(r"\s", span.label):
        raise DataError(f'brat cannot hold the label "{span.label}"', where=example.id)
    surface = example.text[span.start : span.end]
    parts, place = [], 0
    for gap in [*_BREAKS.finditer(surface), None]:
        end = gap.start() if gap else len(surface)
        if end > place:
            parts.append((span.start + place, span.start + end))
        place = gap.end() if gap else end
    if not parts or (parts[0][0], parts[-1][1]) != (span.start, span.end):
        raise DataError("brat cannot hold a span that begins or ends in a line break", where=example.id)
    ranges = ";".join(f"{start} {end}" for start, end in parts)
    return f"T{number}\t{span.label} {ranges}\t{_BREAKS.sub(' ', surface)}"


BRAT = Form(
    name="brat",
    about="brat: a folder of .txt and .ann",
    tasks=("ner",),
    reader=_read,
    writer=_write,
    suffix="",
)
