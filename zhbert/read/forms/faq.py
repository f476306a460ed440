"""Passages with questions and answers in plain text, as help pages have them.

    借书证全年都可以办理，每人一次可以借十本书。
    问：一次可以借几本书？
    答：十本。

- Blocks are parted by empty lines. What stands before the first 问： is the passage; a block without
  questions is left out and counted. So is, in a folder, which may hold text of all kinds, a block in which
  something else stands between 问： and 答：; in a file that is refused.
- A full stop at the end is no part of an answer. Every place at which it stands in the passage is one, for
  the text does not say which is meant; one that stands nowhere is kept as a text (`published`).
- What is written where the passage does not say is given as the column `none`.
- A folder is read file by file: all of its .txt files, in order.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from zhbert.errors import DataError
from zhbert.read.forms.base import Form, Placed
from zhbert.read.forms.how import How
from zhbert.read.lines import read_text
from zhbert.records import ReadingExample, Span

ASKED, ANSWERED = re.compile(r"问[：:]\s*"), re.compile(r"答[：:]\s*")
STOP = "。.！!"
Lines = list[tuple[str, str]]


def _read(path: Path, how: How) -> Iterator[Placed]:
    for file in sorted(path.glob("*.txt")) if path.is_dir() else [path]:
        for number, block in enumerate(_blocks(file), start=1):
            first = next((i for i, (_, line) in enumerate(block) if ASKED.match(line)), len(block))
            wrong = _wrong(block[first:])
            if first == len(block) or (wrong and path.is_dir()):
                how.counts["blocks of another kind"] += 1
            elif wrong:
                raise wrong
            else:
                passage = "\n".join(line for _, line in block[:first])
                yield from _questions(f"{file.stem}-{number}", passage, block[first:], how)


def _blocks(path: Path) -> Iterator[Lines]:
    """Yield the blocks of a file as lines with their places."""
    block: Lines = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if line.strip():
            block.append((f"{path}:{number}", line.strip()))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _wrong(lines: Lines) -> DataError | None:
    """Return what is wrong with the lines below a passage, which are to be questions and answers in turn."""
    for number, (where, line) in enumerate(lines):
        mark, pattern = (("问：", ASKED), ("答：", ANSWERED))[number % 2]
        if not pattern.match(line):
            return DataError(f"this line should begin with {mark}", where=where)
    if len(lines) % 2:
        return DataError(
            "a question without an answer", where=lines[-1][0], remedy="the next line is to be 答："
        )
    return None


def _questions(name: str, passage: str, lines: Lines, how: How) -> Iterator[Placed]:
    silence = how.columns.get("none", "").rstrip(STOP)
    for number, ((where, asked), (_, answered)) in enumerate(zip(lines[::2], lines[1::2], strict=True), 1):
        text = ANSWERED.sub("", answered).rstrip(STOP)
        spans = tuple(_places(passage, text))
        published = () if spans or text == silence else (text,)
        if published:
            how.counts["stands nowhere, kept as a text"] += 1
        yield (
            where,
            ReadingExample(
                id=f"{name}-{number}",
                context=passage,
                question=ASKED.sub("", asked),
                answers=spans,
                published=published,
            ),
        )


def _places(passage: str, text: str) -> Iterator[Span]:
    """Yield the places at which a text stands."""
    for found in re.finditer(re.escape(text), passage) if text else ():
        yield Span.of(passage, *found.span())


FAQ = Form(
    name="faq",
    about="passages with lines that begin with 问： and 答：, in plain text",
    tasks=("reading",),
    reader=_read,
    suffix=".txt",
)
