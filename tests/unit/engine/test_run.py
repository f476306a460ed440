"""The same bytes, results and errors, however many workers there are and whatever happens to them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import toys
from toys import Confess, Count, Dies, Fails, Overtaken, Quits, Untravelled, column, tree, units

from zhbert.config import fingerprint, parse
from zhbert.engine.run import Parallel, cores, run_units
from zhbert.engine.unit import Unit
from zhbert.engine.worker import ONE_THREAD
from zhbert.errors import ConfigError, DataError, WorkerError

ONE, TWO, THREE = (Parallel(workers=count) for count in (1, 2, 3))
BOTH = pytest.mark.parametrize("config", [ONE, TWO], ids=["here", "two"])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
def test_any_number_of_workers_makes_the_same_bytes_and_results(tmp_path: Path) -> None:
    results = [
        run_units(Count(pause=0.005), units(6), folder=tmp_path / str(config.workers), config=config)
        for config in (ONE, TWO, THREE)
    ]
    assert results[0] == results[1] == results[2]
    assert [result["characters"] for result in results[0]] == [sum(map(len, column(n))) for n in range(6)]
    trees = [tree(tmp_path / name) for name in "123"]
    assert len(trees[0]) == 18
    assert trees[0] == trees[1] == trees[2]
    assert names(tmp_path / "2") == [f"{n:05d}" for n in range(6)]


@BOTH
def test_no_units_make_an_empty_folder(tmp_path: Path, config: Parallel) -> None:
    assert run_units(Count(), units(0), folder=tmp_path / "a" / "b", config=config) == []
    assert names(tmp_path / "a" / "b") == []


@pytest.mark.slow
def test_results_are_told_as_they_come(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    results = run_units(Overtaken(), units(4), folder=tmp_path, config=TWO, finished=told.append)
    assert results == run_units(Count(), units(4), folder=tmp_path / "calm", config=ONE)
    assert told[0] == results[1]
    assert sorted(map(str, told)) == sorted(map(str, results))
    told.clear()
    assert run_units(Count(), units(4), folder=tmp_path, config=TWO, finished=told.append) == results
    assert told == results


@pytest.mark.slow
@BOTH
def test_units_are_asked_for_no_earlier_than_needed(tmp_path: Path, config: Parallel) -> None:
    begun: list[int] = []
    ahead: list[int] = []

    def look(result: dict[str, Any]) -> None:
        ahead.append(len(begun) - len(ahead))

    run_units(Count(), units(20, begun), folder=tmp_path, config=config, finished=look)
    assert len(ahead) == 20
    assert max(ahead) <= {1: 2, 2: 4}[config.workers]  # here: two are looked at to see whether there is one


@pytest.mark.slow
@BOTH
def test_an_error_of_a_task_keeps_what_is_done_and_names_the_first(tmp_path: Path, config: Parallel) -> None:
    with pytest.raises(DataError) as caught:
        run_units(Fails((3, 4, 5)), units(9), folder=tmp_path, config=config)
    error = caught.value
    assert (type(error), str(error)) == (DataError, "a.txt:3: 坏了 (mend it)")
    assert (error.what, error.where, error.remedy) == ("坏了", "a.txt:3", "mend it")
    assert names(tmp_path)[:3] == ["00000", "00001", "00002"]
    assert "00003" not in names(tmp_path)
    before = {name: (tmp_path / name).stat().st_ino for name in names(tmp_path)}
    run_units(Count(), units(9), folder=tmp_path, config=config)
    run_units(Count(), units(9), folder=tmp_path / "calm", config=ONE)
    assert {name: (tmp_path / name).stat().st_ino for name in before} == before
    calm = {name.removeprefix("calm/"): h for name, h in tree(tmp_path).items() if name.startswith("calm/")}
    assert calm == {name: h for name, h in tree(tmp_path).items() if not name.startswith("calm/")}


@pytest.mark.slow
@BOTH
def test_an_error_of_the_source_comes_after_those_of_units_before_it(
    tmp_path: Path, config: Parallel
) -> None:
    def broken(count: int) -> Iterator[Unit[list[str]]]:
        yield from units(count)
        raise DataError("not UTF-8", where="a.txt:99")

    for count in (0, 1, 4):
        with pytest.raises(DataError, match=r"^a\.txt:99: not UTF-8"):
            run_units(Count(), broken(count), folder=tmp_path / "good", config=config)
    assert names(tmp_path / "good") == ["00000", "00001", "00002", "00003"]
    with pytest.raises(DataError, match=r"^a\.txt:2"):
        run_units(Fails((2,)), broken(4), folder=tmp_path / "bad", config=config)


@pytest.mark.slow
def test_any_other_error_carries_the_story_of_the_worker(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run_units(Fails((1,), ZeroDivisionError), units(3), folder=tmp_path, config=TWO)
    assert caught.value.args == (1,)
    assert "toys.py" in caught.value.__notes__[0]
    with pytest.raises(RuntimeError, match="Untravelled"):
        run_units(Fails((1,), Untravelled), units(3), folder=tmp_path, config=TWO)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    for times in (1, 2):
        run_units(Dies(notes, times), units(6), folder=tmp_path / str(times), config=TWO)
        assert len(names(notes)) == times
    run_units(Count(), units(6), folder=tmp_path / "calm", config=ONE)
    assert tree(tmp_path / "1") == tree(tmp_path / "2") == tree(tmp_path / "calm")


@pytest.mark.slow
def test_a_unit_that_kills_every_worker_is_named(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    with pytest.raises(
        WorkerError, match=r"^a\.txt:3: a worker died 3 times \(exit code -9\) \(out of memory"
    ):
        run_units(Dies(notes, times=9), units(6), folder=tmp_path / "out", config=TWO)
    assert len(names(notes)) == 3
    assert {"00000", "00001"} <= set(names(tmp_path / "out"))
    with pytest.raises(WorkerError, match=r"died 3 times \(exit code 3\)"):
        run_units(Quits(), units(2), folder=tmp_path / "quits", config=TWO)


def test_a_unit_of_another_input_is_done_again_and_one_too_many_goes(tmp_path: Path) -> None:
    run_units(Count(), units(5), folder=tmp_path, config=ONE)
    old = (tmp_path / "00000").stat().st_ino
    fresh = [Unit(number=n, payload=["0换"], fingerprint=f"new {n}") for n in (1, 2)]
    run_units(Count(), [*units(1), *fresh], folder=tmp_path, config=ONE)
    assert names(tmp_path) == ["00000", "00001", "00002"]
    assert (tmp_path / "00000").stat().st_ino == old
    assert (tmp_path / "00002" / "texts.txt").read_text("utf-8") == "0换"


def test_a_single_unit_is_done_in_this_process(tmp_path: Path) -> None:
    def who(texts: list[str], folder: Path) -> dict[str, Any]:
        return {"pid": os.getpid(), "first": texts[0]}

    (result,) = run_units(who, units(1), folder=tmp_path, config=THREE)
    assert result == {"pid": os.getpid(), "first": "0北京 2024"}


@pytest.mark.slow
def test_a_worker_is_light_quiet_and_has_one_thread(tmp_path: Path) -> None:
    results = run_units(Confess(tuple(ONE_THREAD)), units(4), folder=tmp_path, config=TWO)
    assert os.getpid() not in {result["pid"] for result in results}
    for result in results:
        assert result["environment"] == ONE_THREAD
        assert not {"torch", "transformers", "datasets", "ray", "pytest", "numpy"} & set(result["modules"])
        assert not result["main"]
        assert result["input"] == ""
        assert result["group"] == result["pid"]


def alive(notes: Path) -> list[int]:
    """The processes that left a note and are still there."""
    found = [int(path.name) for path in notes.iterdir()]
    return [pid for pid in found if Path(f"/proc/{pid}").exists() and state(pid) != "Z"]


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"


def wait_for(what: Any, seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.01)
    return bool(found)


SCRIPT = """
import signal
from pathlib import Path
import toys
from zhbert.engine.run import Parallel, run_units
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
run_units(toys.Sleep(Path("notes")), toys.units(8), folder=Path("out"), config=Parallel(workers=2))
"""  # no __main__ guard: workers do not import the script


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_the_main_process(tmp_path: Path, sign: signal.Signals) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "script.py").write_text(SCRIPT)
    path = os.pathsep.join([str(Path(toys.__file__).parent), str(Path(__file__).parents[3])])
    process = subprocess.Popen(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert wait_for(lambda: len(names(tmp_path / "notes")) == 2)
    assert len(alive(tmp_path / "notes")) == 2
    if sign == signal.SIGINT:
        os.killpg(process.pid, sign)  # as a terminal sends Ctrl-C
    else:
        process.send_signal(sign)
    errors = process.communicate(timeout=60)[1]  # a busy machine takes its time
    assert process.returncode == -sign, errors
    assert wait_for(lambda: not alive(tmp_path / "notes")), errors
    assert errors.count("Traceback") == (sign == signal.SIGINT), errors
    if sign == signal.SIGINT:
        assert names(tmp_path / "out") == []


def test_settings_of_the_work_are_no_part_of_a_plan() -> None:
    assert THREE.settings() == {}
    assert fingerprint(THREE.settings()) == fingerprint(Parallel(engine="ray", address="h:1").settings())
    assert 1 <= cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"workers": -1}, "workers = -1: input should be greater than or equal to 0"),
        ({"engine": "spark"}, "engine = \"spark\": input should be 'local' or 'ray'"),
        ({"address": "node:6379"}, 'an address is for engine = "ray"'),
    ],
)
def test_settings_that_make_no_sense_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Parallel, values)
    assert message in str(caught.value)
