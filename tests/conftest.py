"""What all tests share: no network, one thread, and tiny models that the real stages made.

The models are random but for a few steps: enough for weights to differ from zero and from each
other, far too few to know anything.
"""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny models are slower on more

import pytest
from hypothesis import settings

from zhbert.encode.tokenizer import Tokenizer
from zhbert.progress import SILENT, Progress
from zhbert.read.references import find

sys.path.append(str(Path(__file__).parent))  # where tests of any room find made_sets.py
LOCAL = ("127.", "localhost", "::1")
ENTITY_TEXT = "王芳在杭州市图书馆工作，李明去了北京。"
SETS = {"classify": "topics", "pair": "pairs", "ner": "ner", "reading": "reading"}


def pytest_configure(config: pytest.Config) -> None:
    """Where only fast tests are asked for, try a property on a third of its examples."""
    settings.register_profile("fast", max_examples=settings.get_profile("default").max_examples // 3)
    if "not slow" in config.option.markexpr:
        settings.load_profile("fast")


class Stopping:
    """A progress bar that interrupts the run when it has moved on so far."""

    def __init__(self, at: int) -> None:
        self.at, self.moved = at, 0.0

    @contextmanager
    def bar(self, what: str, *, total: float, unit: str = "") -> Iterator["Stopping"]:
        yield self

    def say(self, line: str) -> None: ...

    def advance(self, amount: float = 1, /, **figures: float) -> None:
        self.moved += amount
        if self.moved >= self.at:
            raise KeyboardInterrupt


@pytest.fixture(scope="session")
def published() -> Callable[[str], Path]:
    """Return what finds a file of the public data sets, or skips the test where it is not there."""
    folder = Path(os.environ.get("ZHBERT_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

    def find_or_skip(name: str) -> Path:
        if not (folder / name).exists():
            pytest.skip(f"no {folder / name}; set ZHBERT_DATA to the folder of data sets")
        return folder / name

    return find_or_skip


@pytest.fixture(scope="session")
def stop_after() -> Callable[[int], Progress]:
    """Return what makes a progress that stops a run, as a user does, after so many steps."""
    return Stopping


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Make every connection to another machine fail."""
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family != getattr(socket, "AF_UNIX", None) and not str(address[0]).startswith(LOCAL):
            raise RuntimeError(f"a test tried to reach {address}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_reading_of_the_dictionary() -> Iterator[None]:
    """Give every jieba a copy of its dictionary, which would take half a second to read each time."""
    import jieba

    read = jieba.Tokenizer.gen_pfdict
    packaged = os.path.realpath(Path(jieba.__file__).with_name("dict.txt"))
    known: list[tuple[dict[str, int], int]] = []

    def copied(file: IO[bytes]) -> tuple[dict[str, int], int]:
        if os.path.realpath(file.name) != packaged:
            return read(file)
        if not known:
            known.append(read(file))
        words, total = known[0]
        return dict(words), total

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jieba.Tokenizer, "gen_pfdict", staticmethod(copied))
        yield


def run_stage(name: str, folder: Path, **values: Any) -> Path:
    """Carry out a stage as the command line does; return its folder."""
    from zhbert.app.stages import execute, find_stage
    from zhbert.config import parse

    stage = find_stage(name)
    plain = {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}
    return execute(stage, parse(stage.config_type(), plain), folder, SILENT).folder


@pytest.fixture(scope="session")
def stage() -> Callable[..., Path]:
    return run_stage


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="session")
def tiny_shards(made: Path) -> Path:
    """Shards of some documents of the bundled corpus; the vocabulary knows the labelled sets' first lines."""
    documents = (find("mini:raw") / "news.txt").read_text("utf-8").split("\n\n")[:60]
    for task in SETS:
        documents.append(first_lines(task, "train", 24) + ENTITY_TEXT)
    source = made / "raw.txt"
    source.write_text("\n\n".join(documents) + "\n", "utf-8")
    built = run_stage("corpus build", made / "documents", source=source, steps=["normalise"])
    vocab = run_stage("vocab", made / "vocab", documents=built, size=1500, min_count=1, coverage=1.0)
    return run_stage(
        "encode", made / "shards", documents=built, tokenizer=vocab, held_out=0.15, segmenter="character"
    )


def first_lines(name: str, split: str, count: int) -> str:
    """Return the first lines of a labelled set of the bundled corpus."""
    path = find(f"mini:{SETS.get(name, name)}/{split}")
    return "".join(path.read_text("utf-8").splitlines(keepends=True)[:count])


@pytest.fixture(scope="session")
def tiny_tokenizer(tiny_shards: Path) -> Tokenizer:
    return Tokenizer.load(tiny_shards / "tokenizer")


@pytest.fixture(scope="session")
def tiny_pretrain(tiny_shards: Path) -> dict[str, Any]:
    """The settings of a pretraining that takes a second."""
    return {
        "shards": tiny_shards,
        "size": "pico",
        "steps": 6,
        "lr": 1e-3,
        "max_tokens": 48,
        "batch_tokens": 512,
        "micro_tokens": 256,
        "dtype": "float32",
    }


@pytest.fixture(scope="session")
def tiny_encoder(made: Path, tiny_pretrain: dict[str, Any]) -> Path:
    return run_stage("pretrain", made / "encoder", **tiny_pretrain)


@pytest.fixture(scope="session")
def tiny_sets(made: Path) -> dict[str, tuple[Path, Path]]:
    """Train and dev files of 24 and 12 examples for every task."""
    files = {}
    for task in SETS:
        pair = (made / f"{task}-train.jsonl", made / f"{task}-dev.jsonl")
        for path, split, count in zip(pair, ("train", "dev"), (24, 12), strict=True):
            path.write_text(first_lines(task, split, count), "utf-8")
        files[task] = pair
    return files


@pytest.fixture(scope="session")
def tiny_finetune(
    tiny_encoder: Path, tiny_sets: dict[str, tuple[Path, Path]]
) -> Callable[..., dict[str, Any]]:
    """Return the settings of a fine-tuning that takes a second."""

    def settings(task: str, **more: Any) -> dict[str, Any]:
        train, dev = tiny_sets[task]
        labels = [] if task == "reading" else labels_of_set(task)
        return {
            "task": task,
            "init": tiny_encoder,
            "train": train,
            "dev": dev,
            "labels": labels,
            "epochs": 2,
            "batch": 8,
            "window": 48,
            "overlap": 12,
        } | more

    return settings


def labels_of_set(task: str) -> list[str]:
    from zhbert.read.references import labels_of

    return labels_of(find(f"mini:{SETS[task]}/train"))


@pytest.fixture(scope="session")
def tiny_models(made: Path, tiny_finetune: Callable[..., dict[str, Any]]) -> dict[str, Path]:
    """A model folder for every task."""
    return {task: run_stage("finetune", made / task, **tiny_finetune(task)) for task in SETS}
