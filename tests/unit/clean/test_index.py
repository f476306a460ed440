"""What a build kept, looked up by a later one."""

import json
from pathlib import Path

import numpy as np
import pytest

from zhbert.clean import index as module
from zhbert.clean.exact import hashes
from zhbert.clean.fold import fold
from zhbert.clean.index import Index
from zhbert.clean.sketch import BINS, sketches
from zhbert.errors import DataError


def text(size: int, seed: int) -> str:
    return "".join(map(chr, np.random.default_rng(seed).integers(0x4E00, 0x9FFF, size)))


def arrays(*texts: str) -> dict[str, np.ndarray]:
    folded = fold(texts)
    return {"hashes": hashes(folded), "sketches": sketches(folded.letters())}


def test_equal_and_alike_documents_are_found_and_others_are_not(tmp_path: Path) -> None:
    Index(**arrays(*(text(400, n) for n in range(30)), "甲", "")).save(tmp_path / "index")
    index = Index.load(tmp_path / "index")
    found = index.matches(**arrays(text(400, 7) + "\n", text(400, 9)[:380], text(400, 99), "乙", "甲", ""))
    assert found.rows.tolist() == [7, 9, -1, -1, 30, 31]
    assert found.exact.tolist() == [True, False, False, False, True, True]
    assert found.found.tolist() == [True, True, False, False, True, True]
    assert found.similarity[[0, 2, 3, 4]].tolist() == [1.0, 0.0, 0.0, 1.0]
    assert 0.75 <= found.similarity[1] < 1.0


def test_the_first_of_equal_rows_is_named() -> None:
    assert Index(**arrays("乙", "甲", "甲")).matches(**arrays("甲")).rows.tolist() == [1]
    alike = arrays("乙", text(99, 1), "。" + text(99, 1))
    assert Index(**alike).matches(**arrays(text(99, 1) + "！")).rows.tolist() == [1]


def test_a_document_behind_a_stranger_in_its_bucket_is_found() -> None:
    known = np.random.default_rng(0).integers(0, 256, (3, BINS), dtype=np.uint8)
    known[:2, :5] = known[2, :5]
    new = known[2:].copy()
    new[0, 5:125:5] ^= 255  # all bands but the first differ
    index = Index(hashes=np.arange(3, dtype=np.uint64), sketches=known)
    assert index.matches(np.array([9], np.uint64), new).rows.tolist() == [2]


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    Index(**arrays()).save(tmp_path)
    assert Index.load(tmp_path).matches(**arrays("甲" * 9, text(99, 1))).rows.tolist() == [-1, -1]
    assert Index(**arrays("甲")).matches(**arrays()).rows.tolist() == []


def test_a_document_takes_136_bytes(tmp_path: Path) -> None:
    for count in (10, 1010):
        some = np.zeros((count, BINS), np.uint8)
        Index(hashes=np.zeros(count, np.uint64), sketches=some).save(tmp_path / str(count))
    sizes = [sum(f.stat().st_size for f in (tmp_path / n).glob("*.npy")) for n in ("10", "1010")]
    assert sizes[1] - sizes[0] == 1000 * 136


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("folding", "0", "made with folding 0, not "),
        ("sketch", 0, "made with sketch 0, not 1"),
        ("bins", 256, "made with bins 256, not 128"),
        ("format", 2, "made with format 2, not 1"),
        ("documents", 3, "does not hold 3 documents"),
        ("documents", "two", "not the facts of an index"),
        ("perms", 128, "not the facts of an index"),
    ],
)
def test_an_index_made_in_another_way_is_refused(
    tmp_path: Path, key: str, value: object, message: str
) -> None:
    Index(**arrays("甲", "乙")).save(tmp_path)
    meta = json.loads((tmp_path / "meta.json").read_text())
    (tmp_path / "meta.json").write_text(json.dumps(meta | {key: value}))
    with pytest.raises(DataError, match=message):
        Index.load(tmp_path)


@pytest.mark.parametrize("broken", [b"", b"\x93NUMPY", None])
def test_missing_and_broken_files_are_named(tmp_path: Path, broken: bytes | None) -> None:
    with pytest.raises(DataError, match="no index here"):
        Index.load(tmp_path)
    Index(**arrays("甲")).save(tmp_path)
    (tmp_path / "sketches.npy").unlink()
    if broken is not None:
        (tmp_path / "sketches.npy").write_bytes(broken)
    with pytest.raises(DataError, match=r"sketches\.npy: missing or broken"):
        Index.load(tmp_path)


def test_pickled_arrays_are_not_opened(tmp_path: Path) -> None:
    Index(**arrays("甲")).save(tmp_path)
    np.save(tmp_path / "hashes.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="missing or broken"):
        Index.load(tmp_path)


def test_a_half_written_index_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Index(**arrays("甲")).save(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(module.np, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        Index(**arrays("甲", "乙")).save(tmp_path)
    with pytest.raises(DataError, match="no index here"):
        Index.load(tmp_path)
