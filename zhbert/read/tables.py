"""CSV and TSV: a header, then one document a row, under the number of the line that it begins on.

- Quoted columns may hold line ends. Quoting is strict: a quote that is never closed would swallow every
  row after it, so such a row is refused by its first line alone and reading goes on at its second.
- In .tsv files a quote is a character like any other, unless `quoting` says otherwise.
- A row that is shorter or longer than the header is a bad record.
"""

import csv
from collections import deque
from collections.abc import Iterator

from zhbert.read.config import AUTO
from zhbert.read.decode import Line, Lines
from zhbert.read.fields import document_of, other_key, shown
from zhbert.read.piece import MB, Broken, Fault, Piece
from zhbert.records import Document

Row = tuple[int, list[str] | Fault]
_LONGEST = 64 * MB  # characters of a row; beyond that a quote was left open
_MOST_AGAIN = 1_000_000  # lines that may be read twice for the sake of open quotes
_OPEN = "a quote is never closed"
_PLAIN = "if quotes are no quotes there, --quoting plain"
_WHY = {  # what the csv module says, and what it means
    "unexpected end of data": _OPEN,
    "field larger than field limit": _OPEN,
    "expected after": "there is text after a closing quote",
    "new-line character": "there is a carriage return outside quotes",
}


def read_csv(piece: Piece) -> Iterator[Document]:
    """Yield the documents of a table whose columns stand between commas."""
    return _read(piece, delimiter=",", quoted=True)


def read_tsv(piece: Piece) -> Iterator[Document]:
    """Yield the documents of a table whose columns stand between tabs."""
    return _read(piece, delimiter="\t", quoted=False)


def _read(piece: Piece, *, delimiter: str, quoted: bool) -> Iterator[Document]:
    config = piece.config
    delimiter = delimiter if config.delimiter == AUTO else config.delimiter
    quoted = quoted if config.quoting == AUTO else config.quoting == "quoted"
    rows = (_quoted_rows if quoted else _plain_rows)(piece, delimiter)
    header = next(rows, None)
    if header is None:
        return
    names = _names(*header, key=config.text_key)
    for number, row in rows:
        found = row if isinstance(row, Fault) else _document(piece, number, names, row)
        if isinstance(found, Fault):
            piece.refuse(number, found)
        else:
            yield found


def _document(piece: Piece, number: int, names: list[str], row: list[str]) -> Document | Fault:
    if len(row) != len(names):
        columns = f": {len(row)}, not {len(names)} as in the header"
        return Fault("another number of columns", columns, "quote what holds a delimiter", ",".join(row))
    return document_of(piece, number, dict(zip(names, row, strict=True)))


def _names(number: int, header: list[str] | Fault, *, key: str) -> list[str]:
    """Return the names of the columns; those without one are called by their number."""
    if isinstance(header, Fault):
        raise Broken(header, number)
    names = [name.strip() or f"column {place}" for place, name in enumerate(header, start=1)]
    if twice := [name for name in names if names.count(name) > 1]:
        raise Broken(Fault("a column stands twice", f': "{shown(twice[0])}"', "rename one of them"), number)
    if key not in names:
        raise Broken(Fault(f'no column "{key}"', remedy=other_key(key, dict.fromkeys(names))), number)
    return names


class _Feed:
    """Hands lines to the csv module and remembers those of the row that it is reading."""

    def __init__(self, lines: Iterator[tuple[int, Line]]) -> None:
        self._lines = lines
        self._again: deque[tuple[int, Line]] = deque()
        self._size = 0
        self.taken: list[tuple[int, Line]] = []

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        number, line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append((number, line))
        if isinstance(line, Fault):
            raise csv.Error("a line of it cannot be decoded")
        self._size += len(line)
        if self._size > _LONGEST:
            raise csv.Error(_OPEN)
        return line + "\n"

    def start(self) -> None:
        """Begin a row."""
        self.taken.clear()
        self._size = 0

    def back(self) -> int:
        """Take back all lines of the row but its first, and return how many those are."""
        self._again.extendleft(reversed(self.taken[1:]))
        return len(self.taken) - 1


def _quoted_rows(piece: Piece, delimiter: str) -> Iterator[Row]:
    """Yield the rows that are not blank, each with its first line."""
    csv.field_size_limit(_LONGEST)
    feed, again = _Feed(iter(Lines(piece))), 0
    while True:
        feed.start()
        reader = csv.reader(feed, delimiter=delimiter, strict=True)
        try:
            for row in reader:
                if row:
                    yield feed.taken[0][0], row
                feed.start()
            return
        except csv.Error as error:
            number, line = feed.taken[0]
            why = next((ours for theirs, ours in _WHY.items() if theirs in str(error)), str(error))
        yield number, line if isinstance(line, Fault) else Fault("not valid CSV", f": {why}", _PLAIN, line)
        again += feed.back()
        if again > _MOST_AGAIN:
            raise Broken(Fault("too many quotes that are never closed", remedy=_PLAIN), number)


def _plain_rows(piece: Piece, delimiter: str) -> Iterator[Row]:
    for number, line in Lines(piece):
        if line:
            yield number, line if isinstance(line, Fault) else line.split(delimiter)
