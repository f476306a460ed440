"""Documents on disk: Parquet parts that `datasets.load_dataset("parquet")` reads.

    part-00000.parquet   id, text, source, at, meta (a list of key and value)
    part-00001.parquet   ...

- `source` is whose text it is, `at` the file and line where it was read.
- There is no map column: `datasets` 5.2 refuses a file that has one.
- Half a surrogate pair, which a JSON escape can smuggle into a text, is no UTF-8: it becomes U+FFFD.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from zhbert.errors import DataError
from zhbert.progress import Bar
from zhbert.records import Document

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("source", pa.string()),
        ("at", pa.string()),
        ("meta", pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))),
    ]
)
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Many documents, column by column: what travels between processes and to disk.

    >>> columns = Columns.of([Document(id="1", text="我爱北京"), Document(id="2", text="你好")])
    >>> columns.only([False, True]).text
    ['你好']
    """

    id: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    source: list[str] = field(default_factory=list)
    at: list[str] = field(default_factory=list)
    meta: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, documents: Iterable[Document]) -> "Columns":
        """Return documents as columns."""
        columns = cls()
        for document in documents:
            columns.add(document)
        return columns

    def add(self, document: Document) -> None:
        """Append one document."""
        self.id.append(document.id)
        self.text.append(document.text)
        self.source.append(document.source)
        self.at.append(document.at)
        self.meta.append(document.meta)

    def __len__(self) -> int:
        return len(self.id)

    def __iter__(self) -> Iterator[Document]:
        rows = zip(self.id, self.text, self.source, self.at, self.meta, strict=True)
        return (Document(id=i, text=t, source=s, at=a, meta=m) for i, t, s, a, m in rows)

    def only(self, chosen: Sequence[bool]) -> "Columns":
        """Return the documents that are chosen."""
        return Columns(**{name: list(compress(getattr(self, name), chosen)) for name in SCHEMA.names})

    def with_texts(self, texts: list[str]) -> "Columns":
        """Return the same documents with other texts."""
        return Columns(id=self.id, text=texts, source=self.source, at=self.at, meta=self.meta)

    def write(self, path: Path) -> None:
        """Write one Parquet part."""
        pairs = [[{"key": k, "value": whole(v)} for k, v in meta.items()] for meta in self.meta]
        texts = map(_strings, (self.id, self.text, self.source, self.at))
        table = pa.Table.from_arrays([*texts, pa.array(pairs, SCHEMA.field("meta").type)], schema=SCHEMA)
        pq.write_table(table, path, compression="zstd")

    @classmethod
    def read(cls, path: Path) -> "Columns":
        """Return the documents of one Parquet part."""
        return cls.from_table(pq.read_table(path))

    @classmethod
    def from_table(cls, table: Any) -> "Columns":
        """Return the documents of an Arrow table or batch."""
        columns = {name: table.column(name).to_pylist() for name in SCHEMA.names}
        metas = [{pair["key"]: pair["value"] for pair in pairs} for pairs in columns.pop("meta")]
        return cls(**columns, meta=metas)


def _strings(values: list[str]) -> Any:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        return pa.array(map(whole, values), pa.string())


def whole(text: str) -> str:
    """Return a text without half surrogate pairs, character for character.

    >>> whole("半\\ud83d个")
    '半\ufffd个'
    """
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def parts_of(folder: Path) -> list[Path]:
    """Return the parts of a built corpus, in order."""
    parts = sorted(folder.glob("part-*.parquet"))
    if not parts:
        what = "not a built corpus: no part-*.parquet in it"
        raise DataError(what, where=folder, remedy="zhbert corpus build")
    return parts


def read_built(folder: Path, *, bar: Bar | None = None) -> Iterator[Document]:
    """Yield the documents of a built corpus, part by part, moving a bar on."""
    for part in parts_of(folder):
        for batch in pq.ParquetFile(part).iter_batches(batch_size=1024):
            for document in Columns.from_table(batch):
                yield document
                if bar:
                    bar.advance(1)


def count_built(folder: Path) -> int:
    """Return how many documents a built corpus holds, from the footers alone."""
    return sum(count_part(part) for part in sorted(folder.glob("part-*.parquet")))


def count_part(part: Path) -> int:
    """Return how many documents a part holds, from its footer alone."""
    return int(pq.ParquetFile(part).metadata.num_rows)
