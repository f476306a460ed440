"""A unit's folder is whole or not there, whatever else is going on in the folder above it."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from toys import Count, column, tree

from zhbert.engine.unit import (
    MARKER,
    Unit,
    carry_out,
    hash_texts,
    names_of_units,
    read_done,
    workshop,
)

UNIT = Unit(number=3, payload=column(3), fingerprint="f")


def do(folder: Path, unit: Unit[list[str]] = UNIT) -> dict[str, Any]:
    with workshop(folder) as place:
        return carry_out(Count(), unit, folder=folder, workshop=place)


def test_a_unit_becomes_a_folder_with_a_marker(tmp_path: Path) -> None:
    result = do(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["00003"]
    assert sorted(tree(tmp_path)) == ["00003/deep/count.txt", "00003/texts.txt", f"00003/{MARKER}"]
    assert result == {"characters": 19, "longest": "3北京 2024", "pair": [1, 2]}
    assert read_done(tmp_path / "00003", "f") == result
    assert names_of_units(tmp_path) == ["00003"]


def test_the_marker_holds_nothing_that_changes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        do(tmp_path / name)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    marker = json.loads((tmp_path / "one" / "00003" / MARKER).read_text("utf-8"))
    assert sorted(marker) == ["files", "fingerprint", "result"]
    assert marker["files"] == {"deep/count.txt": 1, "texts.txt": 44}


def test_done_means_this_input_and_every_file_in_its_size(tmp_path: Path) -> None:
    result = do(tmp_path)
    place = tmp_path / "00003"
    assert read_done(tmp_path / "00004", "f") is None
    assert read_done(place, "g") is None
    (place / "texts.txt").write_bytes(b"")
    assert read_done(place, "f") is None
    shutil.rmtree(place)
    do(tmp_path)
    (place / "more.txt").touch()
    assert read_done(place, "f") is None
    (place / "more.txt").unlink()
    assert read_done(place, "f") == result
    (place / "deep" / "count.txt").unlink()
    assert read_done(place, "f") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"fingerprint": "f"}', '{"fingerprint": 1}', "\udc80"])
def test_a_marker_that_is_none_counts_as_absent(tmp_path: Path, text: str) -> None:
    do(tmp_path)
    (tmp_path / "00003" / MARKER).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert read_done(tmp_path / "00003", "f") is None


def test_what_a_killed_run_left_goes_when_the_next_one_begins(tmp_path: Path) -> None:
    left = tmp_path / ".doing-left" / "00003-abc"
    left.mkdir(parents=True)
    (left / "half.txt").write_text("half")
    with workshop(tmp_path) as place:
        assert list(tmp_path.iterdir()) == [place]
        (place / "half.txt").write_text("half")
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_outlives_its_run_leaves_no_trace(tmp_path: Path) -> None:
    class Outlives:
        """Goes on working while the next run begins."""

        def __call__(self, texts: list[str], folder: Path) -> dict[str, Any]:
            open_before = (folder / "open.txt").open("w")
            with workshop(tmp_path) as place:
                open_before.write("a")
                open_before.flush()
                carry_out(Count(), UNIT, folder=tmp_path, workshop=place)
            (folder / "late.txt").write_text("b")
            return {}

    with pytest.raises(FileNotFoundError), workshop(tmp_path) as place:
        carry_out(Outlives(), UNIT, folder=tmp_path, workshop=place)
    assert [p.name for p in tmp_path.iterdir()] == ["00003"]
    assert read_done(tmp_path / "00003", "f") is not None


def test_of_two_who_do_the_same_unit_the_first_counts(tmp_path: Path) -> None:
    with workshop(tmp_path) as place:
        first = carry_out(Count(), UNIT, folder=tmp_path, workshop=place)
        before = (tmp_path / "00003").stat().st_ino
        assert carry_out(Count(), UNIT, folder=tmp_path, workshop=place) == first
        assert (tmp_path / "00003").stat().st_ino == before
        assert list(place.iterdir()) == []


def test_a_folder_of_another_input_is_never_taken_for_this_one(tmp_path: Path) -> None:
    do(tmp_path)
    with pytest.raises(OSError, match="not empty"):
        do(tmp_path, Unit(number=3, payload=column(3), fingerprint="g"))
    assert [p.name for p in tmp_path.iterdir()] == ["00003"]


def test_texts_have_one_fingerprint_however_they_are_cut_into_columns() -> None:
    rng = random.Random(5)
    pieces = ["", "北", "京爱", "[1]", "1", ", ", "\ud83d", "\udc00", "\ud83d\udc00", "😀", "\x00", "𠀀"]
    seen: dict[str, list[list[str]]] = {}
    for _ in range(5000):
        columns = [rng.choices(pieces, k=rng.randrange(4)) for _ in range(rng.randrange(3))]
        assert seen.setdefault(hash_texts(*columns), columns) == columns
    assert len(seen) > 1000
