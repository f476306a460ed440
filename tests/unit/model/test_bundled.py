"""The encoder that comes with zhbert: its folder, and the name that means it wherever a model is named."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zhbert
from zhbert.app.pipeline import Encoder, fill, load
from zhbert.app.stages import STAGES, plan
from zhbert.config import BUNDLED, model_named, parse
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ModelError
from zhbert.model import store

ROOM = 16_000_000  # bytes that it may take of a wheel
FOLDER = Path(zhbert.__file__).parent / "model" / "bundled"
NAMED: dict[str, dict[str, Any]] = {  # the stages that a model is named to, and the key of it
    "pretrain.init": {"shards": "s", "steps": 1, "lr": 1e-3},
    "finetune.init": {"task": "ner", "train": "t", "dev": "d"},
    "vocab.extend": {"documents": "d"},
    "encode.tokenizer": {"documents": "d"},
    "export.model": {"title": "T", "licence": "MIT"},
}


@pytest.fixture
def moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let zhbert be installed elsewhere, and return where its encoder is then."""
    monkeypatch.setattr(zhbert, "__file__", str(tmp_path / "site" / "zhbert" / "__init__.py"))
    return tmp_path / "site" / "zhbert" / "model" / "bundled"


def test_it_is_small_whole_and_tells_nothing_of_where_it_was_made() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
        store.FACTS,
    }
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < ROOM
    assert store.read_facts(FOLDER).task == store.MASKED
    for name in names - {"model.safetensors", "vocab.txt", "tokenizer.json"}:
        text = (FOLDER / name).read_text("utf-8")
        assert not [place for place in ("/home", "/tmp", "/root", "C:\\") if place in text], name
    assert "licence | Apache-2.0" in (FOLDER / "README.md").read_text("utf-8")


def test_git_keeps_every_file_of_it() -> None:
    files = [str(path) for path in FOLDER.iterdir()]
    command = ["git", "-C", str(FOLDER), "check-ignore", "--no-index", *files]
    if not shutil.which("git"):
        pytest.skip("no git")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 128:
        pytest.skip("not a checkout")
    assert (done.returncode, done.stdout) == (1, "")


def test_it_can_be_loaded_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    encoder = load("bundled")
    assert isinstance(encoder, Encoder)
    guesses = encoder.fill("今天天气很[MASK]", top=3)
    assert len(guesses) == 3
    assert fill("bundled", "今天天气很[MASK]", top=3) == guesses
    with pytest.raises(ModelError, match="bundled: no such folder"):
        load(Path("bundled"))  # a path is a path


@pytest.mark.parametrize("where", NAMED)
def test_every_stage_knows_the_name(where: str) -> None:
    stage, _, key = where.partition(".")
    config: Any = parse(STAGES[stage].config_type(), NAMED[where] | {key: "bundled"})
    assert getattr(config, key) == str(FOLDER.resolve())
    assert config.inputs()[key] == str(FOLDER.resolve())


def test_a_list_of_models_knows_the_name() -> None:
    kind = STAGES["probe"].config_type()
    config: Any = parse(kind, {"encoders": ["bundled", "hfl/rbt3"], "shards": ["s"]})
    assert config.encoders == [str(FOLDER.resolve()), "hfl/rbt3"]


def test_the_name_wins_over_a_folder_and_a_path_means_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_encoder: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_encoder, "bundled")
    assert Tokenizer.load(model_named("bundled")).size == Tokenizer.load(FOLDER).size
    assert Tokenizer.load(model_named("./bundled")).size == Tokenizer.load(tiny_encoder).size
    assert model_named("hfl/bundled") == "hfl/bundled"


def test_the_plan_is_the_same_wherever_zhbert_is_installed(
    moved: Path, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = STAGES["export"]
    said = {"model": BUNDLED, "title": "T", "licence": "MIT"}
    shutil.copytree(FOLDER, moved)
    there = plan(stage, parse(stage.config_type(), said))
    monkeypatch.undo()
    assert there == plan(stage, parse(stage.config_type(), said))
    assert there != plan(stage, parse(stage.config_type(), said | {"model": str(tiny_encoder)}))


def test_weights_that_are_not_there_are_said_so(moved: Path, stage: Callable[..., Path]) -> None:
    moved.mkdir(parents=True)
    (moved / "config.json").write_text("{}")
    words = "the weights of the bundled encoder are not there .install zhbert whole, or make them"
    with pytest.raises(ModelError, match=words) as caught:
        load("bundled")
    assert str(caught.value).startswith(str(moved))
    with pytest.raises(ModelError, match=words):
        stage("export", moved.parent / "out", model="bundled", title="T", licence="MIT")
