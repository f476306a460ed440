"""The members of .tar and .zip files, packed or not, read where they lie: nothing is written.

- Refused before a byte of it is read: a member whose name leads out (`..`, an absolute path), a link, a
  device, a sparse or an encrypted member, and an archive with too many members or too much in them.
- Names that are not UTF-8 are GB18030, as Windows writes them in China.
- A tar without its end mark was cut off, and one with more behind it would not be read whole; tarfile
  passes over both, and over a damaged header, in silence.
"""

import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from io import BufferedReader
from typing import BinaryIO, Self, cast

from zhbert.read.config import ReadConfig
from zhbert.read.fields import clean
from zhbert.read.packing import BUFFER, FREE, Flow, reader_of
from zhbert.read.piece import GB, Broken, Fault, Piece

Member = tuple[str, BinaryIO | Fault]
_AGAIN = "get the file again"
_OUT = "no archive of texts needs one: take it out"
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_ENCRYPTED, _UTF8_NAME = 0x1, 0x800  # flag bits of a zip member
_ERRORS = (  # what the two libraries raise on archives that are not whole
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    LookupError,
)
_TAR_KINDS = {
    tarfile.LNKTYPE: "a link",
    tarfile.SYMTYPE: "a link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


def read_tar(piece: Piece) -> Iterator[Member]:
    """Yield the members of a tar, in its order, each to be read before the next."""
    if not piece.stream.peek(1):
        return
    failed: list[Broken] = []
    try:
        with tarfile.open(
            fileobj=cast("BinaryIO", _Short(piece.stream)),
            mode="r|",
            bufsize=BUFFER,
            tarinfo=_Header,
            encoding="utf-8",
        ) as tar:
            for count, info in enumerate(tar, start=1):
                tar.members.clear()  # type: ignore[attr-defined]  # or all headers stay in memory
                _refuse_crowds(count, piece.config)
                if not info.isdir():
                    name = _readable(info.name, "utf-8", "surrogateescape")
                    kind = "a sparse file" if info.issparse() else _TAR_KINDS.get(info.type, "")
                    yield name, _unsafe(name, kind) or _guarded(partial(tar.extractfile, info), failed)
            _refuse_more(tar)
    except (Broken, *_ERRORS) as error:
        if failed:  # the member in which it was cut off has said so
            return
        if isinstance(error, Broken):
            raise
        raise Broken(Fault("the archive is damaged", f": {error}", _AGAIN)) from error


class _Short:
    """A stream that hands out what it has."""

    def __init__(self, stream: BufferedReader) -> None:
        self.read = stream.read1


class _Header(tarfile.TarInfo):
    """A header that says so when it is none."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the end mark: a block of zeros
            raise
        except tarfile.HeaderError as error:
            cut_off = not isinstance(error, tarfile.InvalidHeaderError)  # type: ignore[attr-defined]
            what = "the archive is cut off" if cut_off else "not a tar archive, or damaged"
            raise Broken(Fault(what, f": {error}", _AGAIN)) from error


def _refuse_more(tar: tarfile.TarFile) -> None:
    assert tar.fileobj
    while data := tar.fileobj.read(BUFFER):
        if data.strip(b"\0"):
            raise Broken(Fault("there is more behind the end of the archive", remedy="pack it as one"))


def read_zip(piece: Piece) -> Iterator[Member]:
    """Yield the members of a zip, in its order."""
    if piece.path is None:
        raise Broken(Fault("a zip file must lie on disk by itself", remedy="unpack what it is in"))
    size = piece.path.stat().st_size
    if not size:
        return
    try:
        with piece.path.open("rb") as raw:
            _refuse_crowds(_members(raw, size), piece.config)
            with zipfile.ZipFile(raw) as archive:
                infos = [info for info in archive.infolist() if not info.is_dir()]
                _refuse_crowds(len(infos), piece.config)
                _refuse_bombs(sum(info.file_size for info in infos), size, piece.config)
                for info in infos:
                    yield _zip_member(archive, info)
                    piece.ledger.done += info.compress_size
    except _ERRORS as error:
        why = str(error).replace("File is not a zip file", "its list of members is missing")
        raise Broken(Fault("not a whole zip file", f": {why}", _AGAIN)) from error


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    name = _readable(info.orig_filename, "utf-8" if info.flag_bits & _UTF8_NAME else "cp437")
    kind = "a link" if stat.S_ISLNK(info.external_attr >> 16) else ""
    if info.flag_bits & _ENCRYPTED:
        return name, Fault("encrypted", remedy="unpack the archive with its password first")
    return name, _unsafe(name, kind) or _guarded(partial(archive.open, info), [])


def _members(raw: BinaryIO, size: int) -> int:
    """Return how many members a zip says that it has: zipfile would hold them all before we could count."""
    raw.seek(max(0, size - (1 << 16) - 100))
    tail = raw.read()
    end, end64 = tail.rfind(b"PK\x05\x06"), tail.rfind(b"PK\x06\x06")
    count = int.from_bytes(tail[end + 10 : end + 12], "little") if end >= 0 else 0
    return (
        int.from_bytes(tail[end64 + 32 : end64 + 40], "little") if count == 0xFFFF and end64 >= 0 else count
    )


def _unsafe(name: str, kind: str) -> Fault | None:
    """Return what is wrong with a member before anything of it is read."""
    if _ABSOLUTE.match(name):
        return Fault("an absolute path in an archive", remedy=_OUT)
    if ".." in re.split(r"[/\\]", name):
        return Fault("a path that leads out of the archive", remedy=_OUT)
    return Fault(f"{kind} in an archive", remedy=_OUT) if kind else None


def _refuse_crowds(count: int, config: ReadConfig) -> None:
    if count > config.max_members:
        what = f"an archive of more than {config.max_members} members"
        raise Broken(Fault(what, remedy="if that is right, --max-members"))


def _refuse_bombs(unpacked: int, size: int, config: ReadConfig) -> None:
    if unpacked > max(FREE, size * config.max_ratio):
        what = f"unpacks to more than {config.max_ratio} times its size"
        raise Broken(Fault(what, remedy="if that is right, --max-ratio"))
    if unpacked > config.max_unpacked_gb * GB:
        what = f"unpacks to more than {config.max_unpacked_gb} GB"
        raise Broken(Fault(what, remedy="if that is right, --max-unpacked-gb"))


def _guarded(start: Callable[[], object], failed: list[Broken]) -> BinaryIO:
    """Return the stream of a member, the faults of which are faults of this member."""

    def parts() -> Iterator[bytes]:
        try:
            read = reader_of(cast("BinaryIO", start()))
            while data := read(BUFFER):
                yield data
        except Broken as broken:
            failed.append(broken)
            raise
        except _ERRORS as error:
            failed.append(Broken(Fault("the archive is damaged here", f": {error}", _AGAIN)))
            raise failed[-1] from error

    return BufferedReader(Flow(parts()), BUFFER)


def _readable(name: str, codec: str, errors: str = "strict") -> str:
    """Return a member's name as it was meant, from what it was decoded to.

    >>> _readable("新闻.txt".encode("gbk").decode("cp437"), "cp437")
    '新闻.txt'
    """
    raw = name.encode(codec, errors)
    for meant in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return _CONTROL.sub("\ufffd", raw.decode(meant))
    return _CONTROL.sub("\ufffd", clean(name))
