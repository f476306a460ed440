"""What a file is, by its name: the format, and what it is packed in.

    news.txt            text          news.jsonl.gz       JSONL in gzip
    table.tsv.zst       TSV in zstd   texts.tgz           tar in gzip

A dump of a big wiki comes in pieces that are called `…pages-articles1.xml-p1p187712.bz2`.
"""

import re
from dataclasses import dataclass

FORMATS = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".rst": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".xml": "wiki",
    ".tar": "tar",
    ".zip": "zip",
}
_NAMED = {".json": "jsonl"}  # in a folder it is anything: settings, a list, what a tool notes down
PACKED = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd", ".zstd": "zstd"}
_TARS = {".tgz": ".tar.gz", ".tbz": ".tar.bz2", ".tbz2": ".tar.bz2", ".txz": ".tar.xz", ".tzst": ".tar.zst"}
_DUMP = re.compile(r"\.xml-p\d+p\d+$")


@dataclass(frozen=True, slots=True)
class Kind:
    """A format ("" where the name does not tell) and a packing ("" where there is none)."""

    format: str = ""
    packing: str = ""


def kind_of(name: str, *, named: bool = False) -> Kind:
    """Return what the name of a file says of it; `named` where the user gave that very name.

    >>> kind_of("新闻.JSONL.gz"), kind_of("语料.tgz"), kind_of("照片.jpg")
    (Kind(format='jsonl', packing='gzip'), Kind(format='tar', packing='gzip'), Kind(format='', packing=''))
    """
    name = name.lower()
    for short, long in _TARS.items():
        name = name.removesuffix(short) + long if name.endswith(short) else name
    suffix, packing = suffix_of(name), ""
    if suffix in PACKED:
        name, packing = name.removesuffix(suffix), PACKED[suffix]
    name = _DUMP.sub(".xml", name)
    format = FORMATS.get(suffix_of(name), _NAMED.get(suffix_of(name), "") if named else "")
    return Kind(format, packing)


def known() -> str:
    """Return the remedy that lists what can be read."""
    first = {format: suffix for suffix, format in reversed(FORMATS.items())}
    return f"known: {', '.join(sorted(first.values()))}, packed or not"


def suffix_of(name: str) -> str:
    """Return the end of a name from its last dot, or "".

    >>> suffix_of("新闻.2024.txt"), suffix_of("新闻"), suffix_of(".git")
    ('.txt', '', '')
    """
    stem, dot, end = name.rpartition("/")[2].rpartition(".")
    return dot + end if stem else ""


def is_hidden(name: str) -> bool:
    """Return whether a path goes through a name that begins with a dot, or through a Mac's own folder.

    >>> is_hidden("语料/.git/HEAD"), is_hidden("__MACOSX/甲.txt"), is_hidden("语料/甲.txt")
    (True, True, False)
    """
    parts = name.split("/")
    return "__MACOSX" in parts or any(part.startswith(".") and part not in (".", "..") for part in parts)
