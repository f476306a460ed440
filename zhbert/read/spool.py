"""What a stream without a name holds, told from its first bytes, and how standard input becomes a file."""

import io
import json
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from zhbert.errors import DataError
from zhbert.read.config import ReadConfig
from zhbert.read.kinds import Kind
from zhbert.read.packing import BUFFER, packing_of, unpacked
from zhbert.read.piece import Broken

_FORMATS = {
    "parquet": re.compile(rb"PAR1"),
    "arrow": re.compile(rb"ARROW1"),
    "zip": re.compile(rb"PK(\x03\x04|\x05\x06)"),
    "tar": re.compile(rb"(?s).{257}ustar"),
    "wiki": re.compile(rb"(?s)(<\?xml[^>]*>)?\s*<mediawiki\b"),
    "html": re.compile(rb"(?is)(<\?xml[^>]*>|<!--.*?-->|\s)*(<!doctype html|<html)\b"),
}
_WHOLE_JSON = re.compile(rb"[\[{]\s*\n|\[\s*\{")
_SUFFIXES = {
    "text": ".txt", "jsonl": ".jsonl", "html": ".html", "wiki": ".xml",
    "parquet": ".parquet", "arrow": ".arrow", "tar": ".tar", "zip": ".zip",
    "": "", "gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst",
}  # fmt: skip


def format_of(head: bytes) -> str:
    """Return the format that the first bytes of a file show; what shows none is text.

    >>> format_of('{"text": "北京"}\\n'.encode()), format_of("{北京}".encode())
    ('jsonl', 'text')
    """
    head = head.removeprefix(b"\xef\xbb\xbf")
    shown = next((name for name, pattern in _FORMATS.items() if pattern.match(head)), "")
    return shown or ("jsonl" if _begins_with_object(head.lstrip()) else "text")


def _begins_with_object(head: bytes) -> bool:
    line, end, _ = head.partition(b"\n")
    if _WHOLE_JSON.match(head):  # no JSONL, which it shall be told
        return True
    if not line.startswith(b"{"):
        return False
    with suppress(ValueError, RecursionError):
        return isinstance(json.loads(line.decode("utf-8", "replace")), dict)
    return not end and len(head) >= BUFFER // 2 and line.startswith(b'{"')  # a line longer than we see


def kind_of_stream(stream: io.BufferedReader, config: ReadConfig) -> Kind:
    """Return what a stream holds without taking anything from it."""
    head = stream.peek(BUFFER)
    packing = packing_of(head)
    with suppress(Broken):
        head = unpacked(io.BytesIO(head), packing, config).peek(BUFFER)
    return Kind(format_of(head), packing)


def spool(stream: BinaryIO, folder: Path) -> Path:
    """Write a stream into a file of `folder` called after what it holds: stdin.jsonl, stdin.txt.gz."""
    source = unpacked(stream, "", config := ReadConfig())
    if not source.peek(1):
        raise DataError("standard input is empty", where="-", remedy="pipe texts into it")
    kind = kind_of_stream(source, config)
    path = folder / f"stdin{_SUFFIXES[kind.format]}{_SUFFIXES[kind.packing]}"
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "stdin.partial"
    with partial.open("wb") as file:
        shutil.copyfileobj(source, file, BUFFER)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return path
