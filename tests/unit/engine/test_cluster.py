"""The same units on a Ray cluster: the same bytes, the same errors, and workers that die."""

import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from toys import Confess, Count, Dies, Fails, Untravelled, Watch, column, tree, units

import zhbert
from zhbert.engine.cluster import nodes
from zhbert.engine.run import Parallel, run_units
from zhbert.engine.unit import Unit
from zhbert.engine.worker import ONE_THREAD
from zhbert.errors import ConfigError, DataError, WorkerError

HERE, RAY = Parallel(workers=1), Parallel(engine="ray")
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """A Ray of two CPUs that the caller has started; its sockets need a short path."""
    ray = pytest.importorskip("ray", reason="needs zhbert[ray]")
    folder = tempfile.mkdtemp(prefix="zr")
    ray.init(
        "local",
        num_cpus=2,
        object_store_memory=100 * 2**20,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        _temp_dir=folder,
    )
    yield ray
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


def test_ray_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError) as caught:
        run_units(Count(), units(2), folder=tmp_path, config=RAY)
    assert str(caught.value) == "engine = \"ray\": Ray is not installed (pip install 'zhbert[ray]')"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_address_where_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="needs zhbert[ray]")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("RAY_ADDRESS", address)
    for config in (RAY, Parallel(engine="ray", address=address)):
        with pytest.raises(ConfigError, match=rf'^address = "{address}": no Ray cluster answers: .*refused'):
            run_units(Count(), units(2), folder=tmp_path, config=config)
    monkeypatch.delenv("RAY_ADDRESS")
    with pytest.raises(ConfigError, match=r"Invalid address format: rubbish \(see `ray status`\)"):
        run_units(Count(), units(2), folder=tmp_path, config=Parallel(engine="ray", address="rubbish"))
    assert list(tmp_path.iterdir()) == []


@slow
def test_ray_makes_the_same_bytes_and_leaves_a_cluster_that_was_there(tmp_path: Path, ray: Any) -> None:
    begun: list[int] = []
    ahead: list[int] = []

    def look(result: dict[str, Any]) -> None:
        ahead.append(len(begun) - len(ahead))

    results = run_units(Count(0.01), units(8, begun), folder=tmp_path / "ray", config=RAY, finished=look)
    assert results == run_units(Count(), units(8), folder=tmp_path / "here", config=HERE)
    assert tree(tmp_path / "ray") == tree(tmp_path / "here")
    assert max(ahead) <= 4
    assert ray.is_initialized()
    again = run_units(Count(), units(8), folder=tmp_path / "ray", config=Parallel(engine="ray", workers=1))
    assert again == results


@slow
@pytest.mark.parametrize(("workers", "most"), [(1, 1), (2, 2), (0, 2)])
def test_no_more_units_run_than_there_are_workers(tmp_path: Path, ray: Any, workers: int, most: int) -> None:
    config = Parallel(engine="ray", workers=workers)
    spans = [r["span"] for r in run_units(Watch(0.2), units(8), folder=tmp_path, config=config)]
    assert max(sum(a <= start < b for a, b in spans) for start, _ in spans) == most


@slow
def test_an_error_arrives_as_it_was_raised(tmp_path: Path, ray: Any) -> None:
    with pytest.raises(DataError) as caught:
        run_units(Fails((3, 4, 5)), units(9), folder=tmp_path, config=RAY)
    error = caught.value
    assert (type(error), error.what, error.where, error.remedy) == (DataError, "坏了", "a.txt:3", "mend it")
    assert sorted(path.name for path in tmp_path.iterdir())[:3] == ["00000", "00001", "00002"]
    with pytest.raises(ZeroDivisionError) as other:
        run_units(Fails((0,), ZeroDivisionError), units(2), folder=tmp_path / "other", config=RAY)
    assert "toys.py" in other.value.__notes__[0]
    with pytest.raises(RuntimeError, match="Untravelled"):
        run_units(Fails((0,), Untravelled), units(2), folder=tmp_path / "third", config=RAY)


@slow
def test_a_worker_that_is_killed_is_survived_twice_over_one_unit(tmp_path: Path, ray: Any) -> None:
    for times in (2, 9):
        notes = tmp_path / f"notes {times}"
        notes.mkdir()
        folder = tmp_path / str(times)
        if times == 2:
            run_units(Dies(notes, times), units(6), folder=folder, config=RAY)
        else:
            with pytest.raises(WorkerError, match=r"^a\.txt:3: a worker died 3 times"):
                run_units(Dies(notes, times), units(6), folder=folder, config=RAY)
        assert len(list(notes.iterdir())) == min(times, 3)
    run_units(Count(), units(6), folder=tmp_path / "calm", config=HERE)
    assert tree(tmp_path / "2") == tree(tmp_path / "calm")


@slow
def test_a_worker_of_a_cluster_is_light_and_has_one_thread(tmp_path: Path, ray: Any) -> None:
    for result in run_units(Confess(tuple(ONE_THREAD)), units(3), folder=tmp_path, config=RAY):
        assert result["environment"] == ONE_THREAD
        assert not {"torch", "transformers", "datasets"} & set(result["modules"])


@slow
def test_a_node_that_is_not_fit_says_so(tmp_path: Path, ray: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there, unit = zhbert.__version__, Unit(number=0, payload=column(0), fingerprint="f")
    with nodes(Count(), folder=tmp_path, workshop=tmp_path / "unseen", workers=1, address="") as crew:
        crew.start(unit)
        number, outcome = crew.wait()
    assert number == 0
    assert isinstance(outcome, ConfigError)
    assert str(outcome).startswith(f"{tmp_path}: a node does not see this folder")
    monkeypatch.setattr(zhbert, "__version__", "0.0.9")
    with pytest.raises(ConfigError, match=rf"zhbert is 0.0.9 here and {there} on a node \(install"):
        run_units(Count(), [unit], folder=tmp_path, config=RAY)
