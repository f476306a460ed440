"""The tokens of a corpus on disk: written once, memory-mapped ever after.

    shards/00000/ids.u16     the tokens of all documents on end, no special tokens (.u32 where the
                             vocabulary needs it)
                 flags.u8    one byte a token: CONTINUES_WORD, CONTINUES_PHRASE, CONTINUES_ENTITY, SENTENCE
                 docs.u64    where each document ends, in tokens
                 sources.u16 whose text each document is, by its number in meta.json's `sources`
                 meta.json   counts, sources, sha256 of each file, tokenizer, segmenter, config; written last
           00001/...

- Little-endian everywhere. A folder without meta.json was not finished and is refused.
- A document may be empty: it keeps its number. Its source may be unknown, which is "".
- A shard names at most 65,535 sources; the documents of all others have the source "…".
- Opening checks names, sizes and fingerprints, which is cheap; `verify` reads every byte.
- A `Shards` travels to another process as its folder, never as its bytes.

Shapes: T tokens, D documents, S sources.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zhbert.errors import DataError
from zhbert.records import from_plain

CONTINUES_WORD, CONTINUES_PHRASE, CONTINUES_ENTITY, SENTENCE = (np.uint8(1 << bit) for bit in range(4))
FORMAT = 2
SOURCES = (1 << 16) - 1
OTHERS = "…"
WIDTHS = {"u8": "|u1", "u16": "<u2", "u32": "<u4", "u64": "<u8"}
REMEDY = "encode the corpus again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What a shard says of itself."""

    format: int
    documents: int
    tokens: int
    vocabulary: int
    tokenizer: str
    segmenter: str
    sha256: dict[str, str]
    sources: tuple[str, ...]
    config: dict[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> str:
        """The name of the file of ids."""
        return _ids_name(self.vocabulary)

    @property
    def counts(self) -> dict[str, int]:
        """The number of values in each file."""
        tokens, documents = self.tokens, self.documents
        return {self.ids: tokens, "flags.u8": tokens, "docs.u64": documents, "sources.u16": documents}


class ShardWriter:
    """Writes one shard; it is there, whole, when the `with` block ends without an error, or not at all.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with ShardWriter(folder / "00000", vocabulary=100, tokenizer="t", segmenter="s") as shard:
    ...     shard.add([5, 6, 7], [SENTENCE, CONTINUES_WORD, 0], sources=["新闻"])  # 北 京 爱
    >>> shards = Shards.open(folder)
    >>> [part.tolist() for part in shards.doc(0)], shards.sources, shards.sources_D.tolist()
    ([[5, 6, 7], [8, 1, 0]], ('新闻',), [0])
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        vocabulary: int,
        tokenizer: str,
        segmenter: str,
        config: dict[str, str] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self._facts: dict[str, Any] = {
            "vocabulary": vocabulary,
            "tokenizer": tokenizer,
            "segmenter": segmenter,
            "config": config or {},
        }
        self._vocabulary, self._ids = vocabulary, _ids_name(vocabulary)
        self._ends = [np.zeros(0, dtype="<u8")]
        self._sources: dict[str, int] = {}
        self._tokens = 0

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "meta.json").unlink(missing_ok=True)
        names = (self._ids, "flags.u8", "docs.u64", "sources.u16")
        self._files = {name: _HashedFile(self.folder / name) for name in names}
        return self

    def add(
        self,
        ids: ArrayLike,
        flags: ArrayLike,
        ends: ArrayLike | None = None,
        *,
        sources: Sequence[str] | None = None,
    ) -> None:
        """Append one document, or as many as there are ends, with the source of each where it is known."""
        ids_T, flags_T = np.asarray(ids), np.asarray(flags, dtype=np.uint8)
        assert ids_T.shape == flags_T.shape == (ids_T.size,), "ids and flags must be rows of one length"
        assert not ids_T.size or 0 <= ids_T.min() <= ids_T.max() < self._vocabulary, "id out of vocabulary"
        self._files[self._ids].write(ids_T.astype(_dtype(self._ids)).tobytes())
        self._files["flags.u8"].write(flags_T.tobytes())
        ends_D = np.asarray([ids_T.size] if ends is None else ends, dtype="<u8")
        names = [""] * len(ends_D) if sources is None else sources
        assert len(names) == len(ends_D), "a source for every document"
        numbers_D = np.array([self._number(name) for name in names], dtype="<u2")
        self._files["sources.u16"].write(numbers_D.tobytes())
        self._ends.append(self._tokens + ends_D)
        self._tokens += ids_T.size

    def _number(self, source: str) -> int:
        full = len(self._sources) >= SOURCES and source not in self._sources
        return self._sources.setdefault(OTHERS if full else source, len(self._sources))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            for file in self._files.values():
                file.discard()
            return
        ends_D = np.concatenate(self._ends)
        self._files["docs.u64"].write(ends_D.tobytes())
        sha256 = {name: file.finish() for name, file in self._files.items()}
        meta = Meta(
            format=FORMAT,
            documents=len(ends_D),
            tokens=self._tokens,
            sha256=sha256,
            sources=tuple(self._sources),
            **self._facts,
        )
        file = _HashedFile(self.folder / "meta.json")
        file.write(json.dumps(asdict(meta), ensure_ascii=False, indent=2).encode() + b"\n")
        file.finish()


class _HashedFile:
    """A file under a temporary name that gets its own name when it is finished."""

    def __init__(self, path: Path) -> None:
        self._path, self._partial = path, path.with_name(path.name + ".partial")
        self._file: BinaryIO = self._partial.open("wb")
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)

    def finish(self) -> str:
        self._file.close()
        self._partial.replace(self._path)
        return self._hash.hexdigest()

    def discard(self) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)


class Shard:
    """One shard, memory-mapped: `ids_T`, `flags_T`, `ends_D`, `sources_D`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.meta = folder, _read_meta(folder / "meta.json")
        self.ids_T, self.flags_T, self.ends_D, self.sources_D = (
            _map(folder / name, count) for name, count in self.meta.counts.items()
        )
        self.starts_D = np.concatenate([[0], self.ends_D[:-1]]).astype(np.int64)[: self.meta.documents]
        if (self.ends_D[-1] if self.meta.documents else 0) != self.meta.tokens:
            raise DataError(
                "the last document does not end with the tokens", where=folder / "docs.u64", remedy=REMEDY
            )

    def verify(self) -> None:
        """Read every byte and refuse a file that is not what was written."""
        for name, expected in self.meta.sha256.items():
            with (self.folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != expected:
                raise DataError(
                    "the content has changed since it was written", where=self.folder / name, remedy=REMEDY
                )


class Shards:
    """All the shards of a folder as one row of documents."""

    def __init__(self, folder: Path, shards: list[Shard]) -> None:
        self.folder, self.shards = folder, shards
        self.first_docs = _offsets([shard.meta.documents for shard in shards])
        self.first_tokens = _offsets([shard.meta.tokens for shard in shards])
        self.n_docs, self.n_tokens = int(self.first_docs[-1]), int(self.first_tokens[-1])

    @classmethod
    def open(cls, folder: str | Path, *, tokenizer: str | None = None) -> Self:
        """Map every shard of `folder`; with `tokenizer`, refuse one made with another fingerprint."""
        folder = Path(folder)
        if not folder.is_dir():
            raise DataError("no such folder", where=folder)
        names = sorted(path for path in folder.iterdir() if path.is_dir() and path.name.isdigit())
        if not names:
            raise DataError("no shards here (folders 00000, 00001, …)", where=folder)
        shards = [Shard(path) for path in names]
        expected = {"tokenizer": tokenizer or shards[0].meta.tokenizer, "segmenter": shards[0].meta.segmenter}
        for shard in shards:
            for kind, fingerprint in expected.items():
                if getattr(shard.meta, kind) != fingerprint:
                    where = shard.folder / "meta.json"
                    raise DataError(f"encoded with another {kind}", where=where, remedy=REMEDY)
        return cls(folder, shards)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).open, (self.folder,)

    def doc(self, i: int) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """Return the ids and flags of document `i`, as views of the files."""
        if not 0 <= i < self.n_docs:
            raise IndexError(f"document {i} of {self.n_docs}")
        at = int(np.searchsorted(self.first_docs, i, side="right")) - 1
        shard, local = self.shards[at], i - int(self.first_docs[at])
        start, end = int(shard.starts_D[local]), int(shard.ends_D[local])
        return shard.ids_T[start:end], shard.flags_T[start:end]

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The names of all sources, in the order in which they come."""
        return tuple(dict.fromkeys(name for shard in self.shards for name in shard.meta.sources))

    @cached_property
    def sources_D(self) -> NDArray[np.int64]:
        """The source of every document, by its number in `sources`."""
        at = {name: i for i, name in enumerate(self.sources)}
        tables = [np.array([at[name] for name in shard.meta.sources], np.int64) for shard in self.shards]
        numbers = [table_S[shard.sources_D] for table_S, shard in zip(tables, self.shards, strict=True)]
        return np.concatenate(numbers)

    def verify(self) -> None:
        """Read every byte of every shard and refuse what has changed."""
        for shard in self.shards:
            shard.verify()


def _ids_name(vocabulary: int) -> str:
    return "ids.u16" if vocabulary <= 1 << 16 else "ids.u32"


def _dtype(name: str) -> np.dtype[Any]:
    return np.dtype(WIDTHS[name.rsplit(".", 1)[1]])


def _offsets(counts: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _read_meta(path: Path) -> Meta:
    if not path.is_file():
        raise DataError("this shard was never finished", where=path, remedy=REMEDY)
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"not valid JSON: {error}", where=path, remedy=REMEDY) from error
    if isinstance(plain, dict) and plain.get("format") != FORMAT:
        raise DataError(f"shard format {plain.get('format')}, not {FORMAT}", where=path, remedy=REMEDY)
    try:
        return from_plain(Meta, plain)
    except DataError as error:
        raise DataError(error.what, where=path, remedy=REMEDY) from error


def _map(path: Path, count: int) -> NDArray[Any]:
    """Map a file of `count` values, or say what is wrong with it."""
    if not path.is_file():
        raise DataError("this file is missing", where=path, remedy=REMEDY)
    dtype, size = _dtype(path.name), path.stat().st_size
    if size != count * dtype.itemsize:
        raise DataError(f"{size} bytes, not {count * dtype.itemsize}", where=path, remedy=REMEDY)
    return np.memmap(path, dtype=dtype, mode="r") if count else np.empty(0, dtype)
