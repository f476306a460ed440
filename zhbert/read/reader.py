"""Everything that people have, as one stream of documents.

    from zhbert.read.reader import Reader
    for document in Reader(["raw/**/*.jsonl.gz", "wiki.xml.bz2"]): ...

- Sources come in the order they are given in, files in the order of their names, records as they stand.
- `at` leads back to a record: `texts/a.txt:12`, `a.zip/b.txt:3`, `x.parquet:row 17` (lines and rows count
  from 1). `id` is the record's own where it has one, else the same as `at`. Own ids of different files
  may collide; they are not changed, and `at` tells them apart.
- A bad record, or a file that is broken as a whole, stops the reading with a `DataError`; given a
  `reject` function, it goes there and reading goes on behind it.
- Memory holds a record, a batch of rows or a page, however long the files are.
"""

import io
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import BinaryIO

from zhbert.read.archives import read_tar, read_zip
from zhbert.read.columns import read_arrow, read_parquet
from zhbert.read.config import ReadConfig
from zhbert.read.fields import clean
from zhbert.read.hub import read_hub
from zhbert.read.jsonl import read_jsonl
from zhbert.read.kinds import is_hidden, kind_of, known, suffix_of
from zhbert.read.packing import unpacked
from zhbert.read.piece import Broken, Fault, Ledger, Piece, Reject
from zhbert.read.plain import read_file, read_text
from zhbert.read.sources import Input, inputs_of
from zhbert.read.spool import kind_of_stream
from zhbert.read.tables import read_csv, read_tsv
from zhbert.read.web import read_html
from zhbert.read.wiki import read_wiki
from zhbert.records import Document

_FORMATS: dict[str, Callable[[Piece], Iterator[Document]]] = {
    "text": read_text,
    "markdown": read_file,
    "html": read_html,
    "jsonl": read_jsonl,
    "csv": read_csv,
    "tsv": read_tsv,
    "parquet": read_parquet,
    "arrow": read_arrow,
    "wiki": read_wiki,
    "hub": read_hub,
}
_ARCHIVES = {"tar": read_tar, "zip": read_zip}
_EMPTY = {
    **dict.fromkeys(("csv", "tsv", "parquet", "arrow", "hub"), Fault("the file has no records")),
    "jsonl": Fault("the file has no records", remedy="one JSON object a line"),
}


class Reader:
    """The documents of some sources; `reject` gets what is bad, without it the first bad record stops.

    >>> import tempfile; from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "新闻.txt"
    >>> _ = path.write_bytes("第一段\\n\\n第二段\\n".encode("gb18030"))
    >>> [(d.at, d.text) for d in Reader([str(path)], ReadConfig(encoding="gb18030"))]
    [('新闻.txt:1', '第一段'), ('新闻.txt:3', '第二段')]
    """

    def __init__(
        self,
        sources: Sequence[str],
        config: ReadConfig | None = None,
        *,
        reject: Callable[[Reject], None] | None = None,
    ) -> None:
        self._passed_over = Counter[str]()
        self._inputs = inputs_of(sources, self._passed_over)
        config = config or ReadConfig()
        self._ledger = Ledger(config=config, reject=reject, left_out=Counter(self._passed_over))
        self._sizes = [item.path.stat().st_size if item.path else 0 for item in self._inputs]
        self._raw: BinaryIO | None = None
        self.size = sum(self._sizes)

    @property
    def done(self) -> int:
        """How many bytes of the files, packed as they are, have been read."""
        here = self._raw.tell() if self._raw and not self._raw.closed else 0
        return min(self._ledger.done + here, self.size)

    @property
    def encodings(self) -> dict[str, str]:
        """What was found other than UTF-8, by the name of the file."""
        return self._ledger.encodings

    @property
    def left_out(self) -> Counter[str]:
        """What is no bad record and was left out all the same, by its reason."""
        return self._ledger.left_out

    def __iter__(self) -> Iterator[Document]:
        self._ledger.done = done = 0
        self._ledger.left_out = Counter(self._passed_over)
        for item, size in zip(self._inputs, self._sizes, strict=True):
            yield from self._read_input(item)
            self._ledger.done = done = done + size

    def _read_input(self, item: Input) -> Iterator[Document]:
        nothing = unpacked(io.BytesIO(), "", self._ledger.config)
        piece = Piece(
            where=item.where, name=item.name, source=item.source, stream=nothing, ledger=self._ledger
        )
        if item.kind.format == "hub":
            yield from self._read_piece(piece, item.kind.format)
            return
        try:
            raw: BinaryIO = io.FileIO(item.path) if item.path else sys.stdin.buffer
        except OSError as error:
            piece.refuse("", _denied(error))
            return
        with raw if item.path else nullcontext():
            self._raw = raw if item.path else None
            try:
                format = self._open(piece, raw, item)
            except Broken as broken:
                piece.refuse(broken.place, broken.fault)
            else:
                yield from self._read_piece(piece, format)

    def _open(self, piece: Piece, raw: BinaryIO, item: Input) -> str:
        """Give a piece its stream, and return its format."""
        kind, config = item.kind, self._ledger.config
        piece.stream = unpacked(raw, kind.packing, config)
        if not kind.format:
            kind = kind_of_stream(piece.stream, config)
            piece.stream = unpacked(piece.stream, kind.packing, config) if kind.packing else piece.stream
        piece.path = None if kind.packing or item.kind.packing else item.path
        return kind.format

    def _read_piece(self, piece: Piece, format: str) -> Iterator[Document]:
        try:
            if format in _ARCHIVES:
                yield from self._read_members(piece, format)
            else:
                yield from _FORMATS[format](piece)
            if format not in _ARCHIVES and not piece.good + piece.bad + piece.left:
                raise Broken(
                    _EMPTY.get(format, Fault("the file has no text", remedy="fill it, or take it away"))
                )
        except Broken as broken:
            piece.refuse(broken.place, broken.fault)
        except OSError as error:
            piece.refuse("", _denied(error))

    def _read_members(self, archive: Piece, format: str) -> Iterator[Document]:
        read = 0
        for name, found in _ARCHIVES[format](archive):
            kind, stream = kind_of(name), archive.stream if isinstance(found, Fault) else found
            where, called = f"{archive.where}/{name}", f"{archive.name}/{clean(name)}"
            piece = Piece(
                where=where,
                name=called,
                source=archive.source,
                stream=unpacked(stream, kind.packing, self._ledger.config),
                ledger=self._ledger,
            )
            if isinstance(found, Fault):
                piece.refuse("", found)
            elif is_hidden(name):
                continue
            elif kind.format in _ARCHIVES:
                archive.leave_out("an archive inside an archive")
            elif not kind.format:
                archive.leave_out(f"a file of another kind: {suffix_of(name) or 'no suffix'}")
            else:
                yield from self._read_piece(piece, kind.format)
            read += piece.good + piece.bad + piece.left
        if not read:
            raise Broken(Fault("no text files in this archive", remedy=known()))


def _denied(error: OSError) -> Fault:
    return Fault("cannot be read", f": {(error.strerror or str(error)).lower()}")
