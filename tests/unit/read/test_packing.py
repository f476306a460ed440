"""Packed files: whatever was packed comes out, and what is not whole says so at its end."""

import bz2
import gzip
import io
import lzma
import random
import struct
from collections.abc import Callable

import pytest
import zstandard

from zhbert.read.config import ReadConfig
from zhbert.read.packing import Flow, packing_of, unpacked
from zhbert.read.piece import Broken, Fault

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
}
CONFIG = ReadConfig()


def texts(seed: int) -> list[bytes]:
    """Some members: empty, small, repetitive and noisy, more than fits the buffers."""
    dice = random.Random(seed)
    some = [
        b"",
        "北京".encode(),
        b"\0" * dice.randrange(1, 3_000_000),
        dice.randbytes(dice.randrange(600_000)),
    ]
    return dice.sample(some, k=len(some))


@pytest.mark.slow
@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("seed", range(3))
def test_members_on_end_are_one_text(packing: str, seed: int) -> None:
    members = texts(seed)
    packed = b"".join(map(PACK[packing], members))
    stream = unpacked(io.BytesIO(packed + bytes(700)), packing, CONFIG)
    assert stream.read() == b"".join(members)
    assert packing_of(packed) == packing


@pytest.mark.parametrize("packing", PACK)
def test_a_cut_comes_after_all_that_is_there(packing: str) -> None:
    first, second = b"one\n" * 1000, random.Random(1).randbytes(100_000)
    whole = PACK[packing](first)
    for cut in (4, 30, 5000, 60_000):
        stream = unpacked(io.BytesIO(whole + PACK[packing](second)[:cut]), packing, CONFIG)
        assert [stream.readline() for _ in range(1000)] == [b"one\n"] * 1000
        with pytest.raises(Broken, match=f"the {packing} data is cut off|something else behind"):
            stream.read()


@pytest.mark.parametrize("packing", PACK)
def test_every_cut_of_a_small_file_is_noticed(packing: str) -> None:
    packed = PACK[packing]("北京大学".encode())
    for cut in range(1, len(packed)):
        with pytest.raises(Broken):
            unpacked(io.BytesIO(packed[:cut]), packing, CONFIG).read()


@pytest.mark.parametrize("packing", PACK)
def test_no_flipped_byte_passes_where_there_is_a_check_sum(packing: str) -> None:
    text = random.Random(2).randbytes(300)
    pack = PACK[packing] if packing != "zstd" else zstandard.ZstdCompressor(write_checksum=True).compress
    packed = pack(text)
    for place in range(len(packed)):
        damaged = packed[:place] + bytes([packed[place] ^ 0x10]) + packed[place + 1 :]
        try:
            found = unpacked(io.BytesIO(damaged), packing, CONFIG).read()
        except Broken:
            continue
        assert found == text  # a date or an operating system in the header says nothing of the text


def test_a_frame_to_skip_is_skipped() -> None:
    skip = struct.pack("<II", 0x184D2A50, 5) + b"index"
    packed = skip + zstandard.compress(b"one") + skip + zstandard.compress(b"two")
    assert unpacked(io.BytesIO(packed), "zstd", CONFIG).read() == b"onetwo"


@pytest.mark.slow
@pytest.mark.parametrize("packing", PACK)
def test_a_bomb_is_stopped_early_and_a_cap_can_be_raised(packing: str) -> None:
    packed, size = PACK[packing](bytes(1 << 20)) * 80, 0

    def unpack(most: int) -> None:
        nonlocal size
        stream, size = unpacked(io.BytesIO(packed), packing, ReadConfig(max_ratio=most)), 0
        while data := stream.read1(1 << 20):
            size += len(data)

    with pytest.raises(Broken, match="unpacks to more than 50 times its size"):
        unpack(50)
    assert size <= 65 << 20
    unpack(10**6)
    assert size == 80 << 20


def test_a_fault_waits_for_the_bytes_before_it() -> None:
    def parts():
        yield b"abc"
        raise Broken(Fault("cut off"))

    stream = io.BufferedReader(Flow(parts()), 2)
    assert stream.read1(10) == b"abc"
    for _ in range(2):
        with pytest.raises(Broken):
            stream.read1(10)
