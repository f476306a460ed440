"""Text files: what a document is in one is the form, "files", "lines" or "blocks".

Markdown and its like are one document a file, for a blank line in a code block ends nothing; they are
read as they are. Blank lines around a text are no part of it.
"""

from collections.abc import Iterator

from zhbert.read.decode import Lines, read_whole, too_long
from zhbert.read.piece import MB, Fault, Piece
from zhbert.records import Document


def read_text(piece: Piece) -> Iterator[Document]:
    """Yield the documents of a text file."""
    return _FORMS[piece.config.form](piece)


def read_file(piece: Piece) -> Iterator[Document]:
    """Yield the one document of a file that is a document."""
    number, text = read_whole(piece)
    if isinstance(text, Fault):
        piece.refuse(number, text)
    elif text.strip():
        yield piece.document(1, text.strip("\n"))


def _each_line(piece: Piece) -> Iterator[Document]:
    for number, line in Lines(piece):
        if isinstance(line, Fault):
            piece.refuse(number, line)
        elif line.strip():
            yield piece.document(number, line)


def _blocks(piece: Piece) -> Iterator[Document]:
    block: list[str] = []
    fault: tuple[int, Fault] | None = None
    first = size = 0
    most = piece.config.max_record_mb * MB
    for number, line in Lines(piece):
        if isinstance(line, Fault):
            fault = fault or (number, line)
        elif line.strip():
            first = first if block else number
            block.append(line)
            size += len(line)
            if size > most and not fault:
                fault, block = (first, too_long(piece.config)), []
        else:
            yield from _finish(piece, first, block, fault)
            block, fault, size = [], None, 0
    yield from _finish(piece, first, block, fault)


def _finish(
    piece: Piece, first: int, block: list[str], fault: tuple[int, Fault] | None
) -> Iterator[Document]:
    """Yield a block, unless a line of it is bad."""
    if fault:
        piece.refuse(*fault)
    elif block:
        yield piece.document(first, "\n".join(block))


_FORMS = {"files": read_file, "lines": _each_line, "blocks": _blocks}
