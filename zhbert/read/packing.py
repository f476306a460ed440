"""The bytes of a packed file, unpacked as they are asked for.

- Members that follow each other in one file (gzip -c a b, multistream bzip2, zstd frames) are one text;
  zeros after the last one are padding, anything else is not.
- A file that is cut off is an error, which comes after all that could be unpacked.
- A bomb is refused while it unpacks: at `max_ratio` times its own size once it is beyond `FREE`, or at
  `max_unpacked_gb`.
"""

import bz2
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import zstandard

from zhbert.read.config import ReadConfig
from zhbert.read.piece import GB, MB, Broken, Fault

BUFFER = 1 << 18
FREE = 64 * MB  # what any file may unpack to, however small it is
_AT_ONCE = 1 << 20
_ERRORS = (zlib.error, OSError, EOFError, lzma.LZMAError, zstandard.ZstdError)
_AGAIN = "get the file again"


class Flow(io.RawIOBase):
    """Bytes that a generator makes, as a stream; a fault in it comes after all bytes that were made before.

    >>> Flow(iter(["北".encode(), "京".encode()])).readall().decode()
    '北京'
    """

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = memoryview(b"")
        self._fault: Broken | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer as far as there is something left."""
        filled, wanted = 0, len(buffer)
        while filled < wanted and (rest := self._rest or self._next()):
            take = min(wanted - filled, len(rest))
            buffer[filled : filled + take] = rest[:take]
            self._rest, filled = rest[take:], filled + take
        if self._fault and not filled:
            raise self._fault
        return filled

    def _next(self) -> memoryview:
        try:
            return memoryview(b"" if self._fault else next(self._parts, b""))
        except Broken as fault:
            self._fault = fault
            return memoryview(b"")


def unpacked(raw: BinaryIO, packing: str, config: ReadConfig) -> io.BufferedReader:
    """Return what a stream holds, unpacked; with no packing, the stream itself, which may be a pipe.

    >>> packed = io.BytesIO(zlib.compress("北京".encode(), wbits=31))
    >>> unpacked(packed, "gzip", ReadConfig()).read().decode()
    '北京'
    """
    read = reader_of(raw)
    parts = _unpack(raw, packing, config) if packing else iter(lambda: read(BUFFER), b"")
    return io.BufferedReader(Flow(parts), BUFFER)


def reader_of(stream: BinaryIO) -> Callable[[int], bytes]:
    """Return what reads some bytes: `read` would lose what it has when a fault comes before it has all."""
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    return read


def packing_of(head: bytes) -> str:
    """Return what bytes are packed in, as they show themselves.

    >>> packing_of(b"BZh91AY"), packing_of("北京".encode())
    ('bzip2', '')
    """
    return next((name for name, mark in _MARKS.items() if mark.match(head)), "")


def _unpack(raw: BinaryIO, packing: str, config: ReadConfig) -> Iterator[bytes]:
    start, at_once = _PACKINGS[packing]
    read = reader_of(raw)
    taken = made = members = 0
    data = read(at_once)
    while data := data if len(data) > _MARK else data + read(at_once):
        _refuse_others(data, packing, members)
        worker, members = start(), members + 1
        while not worker.eof:
            taken += len(data)
            chunk = _decompress(worker, data, packing)
            data = getattr(worker, "unconsumed_tail", b"")
            taken, made = taken - len(data), made + len(chunk)
            _refuse_bombs(made, taken, config)
            if chunk:
                yield chunk
            elif not worker.eof and not data and not (data := read(at_once)):
                raise Broken(Fault(f"the {packing} data is cut off", remedy=_AGAIN))
        data = worker.unused_data
        taken -= len(data)
        while not data.strip(b"\0") and (data := read(at_once)):
            pass


def _decompress(worker: Any, data: bytes, packing: str) -> bytes:
    try:
        chunk: bytes = worker.decompress(data, _AT_ONCE)
    except _ERRORS as error:
        why = str(error).removeprefix("Error -3 while decompressing data: ")
        raise Broken(Fault(f"the {packing} data is damaged", f": {why}", _AGAIN)) from error
    return chunk


def _refuse_others(data: bytes, packing: str, members: int) -> None:
    if not _MARKS[packing].match(data):
        if members:
            raise Broken(Fault(f"there is something else behind the {packing} data", remedy=_AGAIN))
        raise Broken(Fault(f"not {packing} data", remedy="is its name right?"))


def _refuse_bombs(made: int, taken: int, config: ReadConfig) -> None:
    if made > max(FREE, taken * config.max_ratio):
        what = f"unpacks to more than {config.max_ratio} times its size"
        raise Broken(Fault(what, remedy="if that is right, --max-ratio"))
    if made > config.max_unpacked_gb * GB:
        what = f"unpacks to more than {config.max_unpacked_gb} GB"
        raise Broken(Fault(what, remedy="if that is right, --max-unpacked-gb"))


class _Zstd:
    """A zstd frame, whose library knows no limit: it gets little at a time, for 4 bytes can be 128 KB."""

    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()

    def decompress(self, data: bytes, most: int, /) -> bytes:
        return self._frame.decompress(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._frame, name)


_MARK = 6  # bytes
_MARKS = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "bzip2": re.compile(rb"BZh"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
    "zstd": re.compile(rb"(?s)\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),  # a frame, or one to skip
}
# what unpacks a member, and how many packed bytes it gets at a time
_PACKINGS: dict[str, tuple[Callable[[], Any], int]] = {
    "gzip": (lambda: zlib.decompressobj(31), 1 << 16),
    "bzip2": (bz2.BZ2Decompressor, 1 << 16),
    "xz": (lambda: lzma.LZMADecompressor(memlimit=GB), 1 << 16),
    "zstd": (_Zstd, 1 << 12),
}
