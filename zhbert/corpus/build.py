"""`corpus build`: raw text in, clean documents out, nothing dropped without a reason.

Every document is normalised (controls removed; NFKC and traditional to simplified on request), then
tested by the filters in order; the first that objects names the reason, and reasons are counted.
Full-width punctuation stays as it is by default: it is what a Chinese BERT reads later on.
Documents go to Parquet parts that `datasets.load_dataset("parquet")` reads.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from zhbert.config import Config, Input
from zhbert.corpus.formats import read_documents
from zhbert.errors import DataError
from zhbert.files import Work
from zhbert.progress import SILENT, Bar, Progress
from zhbert.records import Document
from zhbert.text.normalize import normalize

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("source", pa.string()),
        ("meta", pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))),
    ]
)  # no map: `datasets` 5.2 refuses a file that has one


class BuildConfig(Config):
    """How raw text becomes documents."""

    source: Input = Field(description="a text or JSONL file, a folder of them, or a card's text (mini:raw)")
    form: Literal["files", "lines", "blocks"] = Field(
        default="blocks",
        description="what a document is in a text file: the file, a line, a blank-line-separated block",
    )
    nfkc: bool = Field(
        default=False,
        description="fold full-width forms such as ， and Ａ into ASCII; a model then needs texts folded too",
    )
    simplify: bool = Field(default=False, description="turn traditional characters into simplified ones")
    min_characters: int = Field(default=20, ge=0, description="drop documents shorter than this")
    min_han: float = Field(
        default=0.3, ge=0, le=1, description="drop documents with a smaller share of Han characters"
    )
    dedup: bool = Field(default=True, description="drop documents whose normalised text was seen before")
    part_documents: int = Field(default=50_000, ge=1, description="documents per Parquet part")


def build(config: BuildConfig, work: Work, progress: Progress = SILENT) -> None:
    """Clean every document of the source and write the good ones."""
    reasons: Counter[str] = Counter()
    characters = 0
    with progress.bar("clean", total=_bytes_below(config.source), unit="bytes") as bar:
        kept = _clean(read_documents(config.source, form=config.form), config, reasons, bar)
        for number, part in enumerate(_chunks(kept, config.part_documents)):
            characters += sum(len(document.text) for document in part)
            write_documents(work.folder / f"part-{number:05d}.parquet", part)
    if not reasons["kept"]:
        raise DataError(
            "no document passed the filters", where=config.source, remedy=f"dropped: {dict(reasons)}"
        )
    work.counts |= {"documents": reasons.pop("kept"), "characters": characters, "dropped": dict(reasons)}


def _clean(
    documents: Iterator[Document], config: BuildConfig, reasons: Counter[str], bar: Bar
) -> Iterator[Document]:
    filters = make_filters(config)
    for document in documents:
        text = normalize(document.text, nfkc=config.nfkc, simplify=config.simplify).text
        reason = next((name for name, objects in filters.items() if objects(text)), "kept")
        reasons[reason] += 1
        bar.advance(len(document.text.encode("utf-8", "surrogatepass")))
        if reason == "kept":
            yield Document(id=document.id, text=text, source=document.source, meta=document.meta)


def make_filters(config: BuildConfig) -> dict[str, Callable[[str], bool]]:
    """Return the filters in order; each says whether it objects to a text."""
    seen: set[bytes] = set()

    def repeated(text: str) -> bool:
        key = hashlib.blake2b("".join(text.split()).encode("utf-8", "surrogatepass"), digest_size=12).digest()
        before = len(seen)
        seen.add(key)
        return len(seen) == before

    filters: dict[str, Callable[[str], bool]] = {
        "too short": lambda text: len(text) < config.min_characters,
        "too little Han": lambda text: han_share(text) < config.min_han,
    }
    return filters | {"repeated": repeated} if config.dedup else filters


def han_share(text: str) -> float:
    """Return the share of Han characters among all that are not space.

    >>> han_share("我爱 NLP")
    0.4
    """
    visible = [c for c in text if not c.isspace()]
    return sum("\u3400" <= c <= "\u9fff" or c >= "\U00020000" for c in visible) / max(len(visible), 1)


def _bytes_below(path: Path) -> int:
    return sum(p.stat().st_size for p in ([path] if path.is_file() else path.rglob("*")) if p.is_file())


def _chunks(documents: Iterator[Document], size: int) -> Iterator[list[Document]]:
    while part := list(islice(documents, size)):
        yield part


def write_documents(path: Path, documents: list[Document]) -> None:
    """Write one Parquet part."""
    rows = [
        {
            "id": d.id,
            "text": d.text,
            "source": d.source,
            "meta": [{"key": k, "value": v} for k, v in d.meta.items()],
        }
        for d in documents
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path, compression="zstd")


def read_built(folder: Path, *, bar: Bar | None = None) -> Iterator[Document]:
    """Yield the documents of a built corpus, part by part, moving a bar on."""
    parts = sorted(folder.glob("part-*.parquet"))
    if not parts:
        raise DataError(
            "not a built corpus: no part-*.parquet in it", where=folder, remedy="zhbert corpus build"
        )
    for part in parts:
        for batch in pq.ParquetFile(part).iter_batches(batch_size=1024):
            for row in batch.to_pylist():
                meta = {pair["key"]: pair["value"] for pair in row.pop("meta")}
                yield Document(**row, meta=meta)
                if bar:
                    bar.advance(1)


def count_built(folder: Path) -> int:
    """Return how many documents a built corpus holds, from the footers alone."""
    return sum(int(pq.ParquetFile(part).metadata.num_rows) for part in sorted(folder.glob("part-*.parquet")))
