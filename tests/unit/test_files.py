"""Folders that are finished or not there, whatever happens in between."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from zhbert.errors import BusyError, DataError
from zhbert.files import (
    MANIFEST,
    Plan,
    building,
    hash_path,
    is_done,
    list_files,
    read_manifest,
    write_text,
)

PLAN = Plan(stage="bake", settings={"heat": 1}, inputs={"flour": "abc"}, version="1")
OTHER = Plan(stage="bake", settings={"heat": 2}, inputs={"flour": "abc"}, version="1")


class Stop(BaseException):
    """A kill."""


def bake(folder: Path, plan: Plan = PLAN, *, log: str = "fast", text: str = "甲") -> None:
    with building(folder, plan) as work:
        (work.folder / "sub").mkdir(exist_ok=True)
        (work.folder / "logs").mkdir(exist_ok=True)
        (work.folder / "sub" / "cake.txt").write_text(text, "utf-8")
        (work.folder / "logs" / "speed.txt").write_text(log, "utf-8")
        work.counts["cakes"] = 1


def start(folder: Path, plan: Plan, error: BaseException) -> list[str]:
    """Begin a work that ends in an error; return what was there to go on with."""
    found: list[str] = []
    with suppress(type(error)), building(folder, plan) as work:
        found = [path.name for path in work.folder.iterdir() if path.name != ".plan"]
        (work.folder / "half.txt").write_text("half")
        raise error
    return found


def test_a_finished_folder_has_a_manifest_of_all_its_files(tmp_path: Path) -> None:
    bake(tmp_path / "deep" / "out")
    manifest = read_manifest(tmp_path / "deep" / "out")
    assert manifest is not None
    assert list(manifest.files) == ["logs/speed.txt", "sub/cake.txt"]
    assert manifest.files["sub/cake.txt"].bytes == 3
    assert (manifest.stage, manifest.counts, manifest.inputs) == ("bake", {"cakes": 1}, PLAN.inputs)
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == ["out"]
    assert list_files(tmp_path / "deep" / "out") == ["logs/speed.txt", MANIFEST, "sub/cake.txt"]


def test_done_means_this_plan_and_every_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert not is_done(out, PLAN)
    bake(out)
    assert is_done(out, PLAN)
    assert not is_done(out, OTHER)
    cake = out / "sub" / "cake.txt"
    cake.write_bytes(b"\xe7")
    assert not is_done(out, PLAN)
    cake.unlink()
    assert not is_done(out, PLAN)
    bake(out)
    shutil.rmtree(out / "logs")
    assert is_done(out, PLAN), "what only tells how long it took may be cleared away"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stage": "bake"}', "\ud83d"])
def test_a_broken_manifest_is_no_manifest(text: str, tmp_path: Path) -> None:
    bake(tmp_path / "out")
    (tmp_path / "out" / MANIFEST).write_text(text, "utf-8", errors="surrogatepass")
    assert read_manifest(tmp_path / "out") is None
    assert not is_done(tmp_path / "out", PLAN)


def test_logs_are_no_part_of_the_content(tmp_path: Path) -> None:
    for name, values in {"a": {}, "b": {"log": "slow"}, "c": {"text": "乙"}, "d": {"plan": OTHER}}.items():
        bake(tmp_path / name, **values)  # type: ignore[arg-type]
    a, b, c, d = (hash_path(tmp_path / name) for name in "abcd")
    assert a == b == d != c


def test_a_killed_block_leaves_nothing_at_the_target_and_keeps_its_work(tmp_path: Path) -> None:
    out = tmp_path / "out"
    start(out, PLAN, Stop())
    assert not out.exists()
    assert (tmp_path / "out.partial" / "half.txt").is_file()
    assert not (tmp_path / "out.lock").exists()


def test_the_same_plan_goes_on_and_another_starts_anew(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for plan, expected in ((PLAN, False), (PLAN, True), (OTHER, False), (PLAN, False)):
        assert start(out, plan, Stop()) == ["half.txt"] * expected
    with building(out, PLAN) as work:
        assert (work.folder / "half.txt").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]
    assert ".plan" not in list_files(out)


def test_an_older_result_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    bake(out)
    start(out, OTHER, Stop())
    assert is_done(out, PLAN)
    with building(out, OTHER):
        assert is_done(out, PLAN)
    assert is_done(out, OTHER)
    assert list_files(out) == ["half.txt", MANIFEST]
    assert not (out / "sub").exists()


def test_a_mistake_leaves_nothing_behind_but_resumed_work_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    start(out, PLAN, DataError("wrong"))
    assert list(tmp_path.iterdir()) == []
    start(out, PLAN, Stop())
    assert start(out, PLAN, DataError("wrong")) == ["half.txt"]
    assert (tmp_path / "out.partial" / "half.txt").exists()


def test_what_zhbert_did_not_make_is_never_deleted(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("thesis")
    with pytest.raises(DataError, match="was not made by zhbert"):
        bake(mine)
    with pytest.raises(DataError, match="was not made by zhbert"):
        bake(mine / "thesis.txt")
    assert (mine / "thesis.txt").read_text() == "thesis"
    (tmp_path / "empty").mkdir()
    bake(tmp_path / "empty")
    assert is_done(tmp_path / "empty", PLAN)


HOLD = """
import sys, time
from pathlib import Path
from zhbert.files import Plan, building
plan = Plan(stage="bake", settings={"heat": 1}, inputs={"flour": "abc"}, version="1")
with building(Path(sys.argv[1]), plan) as work:
    (work.folder / "half.txt").write_text("half")
    print("in", flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    root = str(Path(__file__).parents[2])
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(out)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": root},
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "in\n"
        with pytest.raises(BusyError, match="another run"):
            bake(out)
        assert (tmp_path / "out.partial" / "half.txt").exists()
        bake(tmp_path / "next")
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert not out.exists()
    with building(out, PLAN) as work:
        assert (work.folder / "half.txt").read_text() == "half"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["next", "out"]


def test_the_hash_of_a_path_is_that_of_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    os.utime(tmp_path / "b" / "x", (time.time() - 99, time.time() - 99))
    assert hash_path(tmp_path / "a") == hash_path(tmp_path / "b")
    (tmp_path / "b" / "x").rename(tmp_path / "b" / "y")
    assert hash_path(tmp_path / "a") != hash_path(tmp_path / "b")
    assert hash_path(tmp_path / "a" / "x") == hash_path(tmp_path / "b" / "y")
    with pytest.raises(DataError, match="no such file or folder"):
        hash_path(tmp_path / "none")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("no space left on device")

    path = tmp_path / "甲.json"
    write_text(path, "一\n")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write_text(path, "二\n")
    assert path.read_bytes() == "一\n".encode()


def test_a_plan_is_its_content() -> None:
    assert (
        PLAN.fingerprint
        == Plan(stage="bake", settings={"heat": 1}, inputs={"flour": "abc"}, version="1").fingerprint
    )
    assert len({PLAN.fingerprint, OTHER.fingerprint}) == 2
    assert json.dumps(PLAN.settings)


def test_half_a_surrogate_pair_is_written_as_the_escape_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    write_text(path, json.dumps({"text": "好\ud83d"}, ensure_ascii=False))
    assert path.read_bytes() == '{"text": "好\\ud83d"}'.encode()
    assert json.loads(path.read_text("utf-8")) == {"text": "好\ud83d"}
