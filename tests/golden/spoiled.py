"""Files that are not what they should be, by the name that cases.toml calls them by.

Where there can be one, a good record stands before the fault, and another one behind it.
"""

import bz2
import gzip
import io
import json
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

CITY = "中国的城市在发展"
DREAM = "他说这个问题"
_dice = random.Random(3)
LONG = "".join(chr(_dice.randrange(0x4E00, 0x9FA5)) for _ in range(3000))  # does not pack well


def jsonl(*texts: object) -> bytes:
    return b"".join(json.dumps({"text": text}, ensure_ascii=False).encode() + b"\n" for text in texts)


def cut(pack: Callable[[bytes], bytes]) -> bytes:
    """A good record, and half of another one."""
    second = pack(jsonl(LONG))
    return pack(jsonl(CITY)) + second[: len(second) // 2]


def damaged(pack: Callable[[bytes], bytes]) -> bytes:
    """A good record, and one whose check sum is wrong."""
    return pack(jsonl(CITY)) + pack(jsonl(LONG))[:-8] + bytes(8)


def zipped(*members: tuple[str, bytes], flag: int = 0, mode: int = 0) -> bytes:
    """A zip with a good member before the others, which carry a flag bit or a mode, and one behind."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("a.txt", CITY.encode()), *members, ("z.txt", DREAM.encode())):
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if (name, data) in members:
                info.external_attr = mode << 16
            archive.writestr(info, data)
            if flag and (name, data) in members:
                info.flag_bits |= flag
    return file.getvalue()


def tarred(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, suffix: str = ".txt") -> bytes:
    """A tar with a good member, another one of that kind, and a good one."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        good = (
            (f"a{suffix}", CITY.encode(), tarfile.REGTYPE),
            (f"z{suffix}", DREAM.encode(), tarfile.REGTYPE),
        )
        for called, held, type in (good[0], (name, data, kind), good[1]):
            info = tarfile.TarInfo(called)
            info.size, info.type, info.linkname = len(held), type, "/etc/passwd"
            archive.addfile(info, io.BytesIO(held))
    return file.getvalue()


def parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=1, compression="none", use_dictionary=False)
    return file.getvalue()


def arrow(table: pa.Table) -> bytes:
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=1)
    return file.getvalue()


def overwritten(data: bytes, what: bytes | int, by: bytes) -> bytes:
    """A file in which other bytes stand where some were, or at a place."""
    place = what if isinstance(what, int) else data.index(what)
    return data[:place] + by + data[place + len(by) :]


def wiki(*pages: str) -> bytes:
    return ("<mediawiki>\n" + "".join(pages) + "</mediawiki>\n").encode()


def page(title: str, text: str) -> str:
    return (
        f"<page>\n<title>{title}</title><ns>0</ns><id>7</id>\n"
        f"<revision><text>{text}</text></revision>\n</page>\n"
    )


TEXTS = pa.table({"text": [CITY, LONG, DREAM]})
LAUGHS = '<!DOCTYPE mediawiki [<!ENTITY a "哈哈"><!ENTITY b "&a;&a;&a;&a;">]>\n'

MAKERS: dict[str, Callable[[], bytes]] = {
    "cut gzip": lambda: cut(gzip.compress),
    "cut bzip2": lambda: cut(bz2.compress),
    "cut xz": lambda: cut(lzma.compress),
    "cut zstd": lambda: cut(zstandard.compress),
    "damaged gzip": lambda: damaged(gzip.compress),
    "damaged xz": lambda: damaged(lzma.compress),
    "gzip and more": lambda: gzip.compress(jsonl(CITY)) + b"more",
    "gzip bomb": lambda: gzip.compress(jsonl(CITY)) + gzip.compress(b" " * (1 << 20), 9) * 80,
    "zstd bomb": lambda: zstandard.compress(jsonl(CITY)) + zstandard.compress(b"\n" * (80 << 20)),
    "gzip, line 2 broken": lambda: gzip.compress(jsonl(CITY) + b'{"text": \n' + jsonl(DREAM)),
    "zip, path out": lambda: zipped(("../b.txt", LONG.encode())),
    "zip, absolute path": lambda: zipped(("/tmp/b.txt", LONG.encode())),
    "zip, link": lambda: zipped(("b.txt", b"/etc/passwd"), mode=0o120777),
    "zip, encrypted": lambda: zipped(("b.txt", LONG.encode()), flag=1),
    "zip, damaged member": lambda: overwritten(zipped(("b.txt", LONG.encode())), 1000, b"damage"),
    "zip bomb": lambda: zipped(("b.txt", bytes(80 << 20))),
    "cut zip": lambda: zipped(("b.txt", LONG.encode()))[:-30],
    "tar, path out": lambda: tarred("texts/../../b.txt", LONG.encode()),
    "tar, absolute path": lambda: tarred("/b.txt", LONG.encode()),
    "tar, link": lambda: tarred("b.txt", kind=tarfile.SYMTYPE),
    "tar, hard link": lambda: tarred("b.txt", kind=tarfile.LNKTYPE),
    "tar, device": lambda: tarred("b.txt", kind=tarfile.CHRTYPE),
    "tar, pipe": lambda: tarred("b.txt", kind=tarfile.FIFOTYPE),
    "cut tar.gz": lambda: gzip.compress(tarred("b.txt", LONG.encode()))[:5000],
    "cut tar": lambda: tarred("b.txt", LONG.encode())[:2048],
    "tar cut in a member": lambda: tarred("b.txt", LONG.encode())[:5000],
    "damaged tar": lambda: overwritten(tarred("b.txt", LONG.encode()), b"b.txt", b"X.txt"),
    "two tars": lambda: tarred("b.txt", LONG.encode()) * 2,
    "tar without texts": lambda: tarred("b.jpg", b"", suffix=".jpg"),
    "parquet without a text": lambda: parquet(pa.table({"id": ["1"], "content": [CITY]})),
    "parquet of numbers": lambda: parquet(pa.table({"text": [1, 2, 3]})),
    "parquet with a null": lambda: parquet(pa.table({"text": [CITY, None, DREAM]})),
    "parquet with bad text": lambda: overwritten(parquet(TEXTS), LONG[:2].encode(), b"\xff" * 6),
    "cut parquet": lambda: parquet(TEXTS)[:-50],
    "arrow without a text": lambda: arrow(pa.table({"content": [CITY]})),
    "cut arrow": lambda: arrow(TEXTS)[:3000],
    "cut wiki": lambda: wiki(page("城市", CITY), page("甲", LONG))[:4000],
    "wiki with laughs": lambda: LAUGHS.encode() + wiki(page("城市", CITY + "&b;")),
    "wiki, broken": lambda: wiki(page("城市", CITY), "<page><title>甲</page>", page("梦", DREAM)),
    "feed": lambda: b"<?xml version='1.0'?>\n<rss><channel/></rss>",
    "cut utf-16": lambda: f"{CITY}\n\n{DREAM}\n\n".encode("utf-16") + b"0",
    "picture": lambda: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)),
    "late bad byte": lambda: jsonl(CITY * 4000, CITY) + b'{"text": "\xff"}\n' + jsonl(DREAM),
}
