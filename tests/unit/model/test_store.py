"""A model folder loads whole or is refused in one line, and nothing in it is ever run."""

import json
import logging as std_logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.utils import logging

from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ModelError, UserError
from zhbert.model import store


@pytest.fixture(autouse=True)
def _no_pickles(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("torch.load was called")

    monkeypatch.setattr(torch, "load", refuse)


@pytest.fixture
def folder(tmp_path: Path, tiny_encoder: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder, tmp_path / "model"))


def edit(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


def without(folder: Path, part: str) -> None:
    path = folder / "model.safetensors"
    save_file({k: v for k, v in load_file(path).items() if part not in k}, path, metadata={"format": "pt"})


def pickle_only(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def grow_tokenizer(folder: Path) -> None:
    tokens = Tokenizer.load(folder).tokens
    Tokenizer.from_vocab([*tokens, "龘", "靐"]).save(folder)


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing folder": (shutil.rmtree, "no such folder"),
    "no config": (lambda f: (f / "config.json").unlink(), "no config.json"),
    "broken config": (lambda f: (f / "config.json").write_text("{"), "not valid JSON"),
    "config is no object": (lambda f: (f / "config.json").write_text("[]"), "must be an object"),
    "config of nothing": (lambda f: (f / "config.json").write_text("{}"), "cannot be loaded"),
    "auto_map": (lambda f: edit(f / "config.json", auto_map={"AutoModel": "evil.Model"}), "auto_map"),
    "pickle only": (pickle_only, "only pytorch_model.bin, which can run code"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "no safetensors weights: none"),
    "truncated weights": (truncate, "cannot be loaded"),
    "empty weights": (lambda f: (f / "model.safetensors").write_bytes(b""), "cannot be loaded"),
    "other sizes": (lambda f: edit(f / "config.json", hidden_size=64), "cannot be loaded"),
    "a layer is missing": (lambda f: without(f, "layer.1.attention"), "weights are missing, such as bert."),
    "no head": (lambda f: without(f, "cls."), "weights are missing, such as cls."),
    "tokenizer too large": (grow_tokenizer, "tokenizer has 1[0-9]+ entries but the embedding"),
    "no tokenizer": (
        lambda f: [(f / name).unlink() for name in ("tokenizer.json", "vocab.txt")],
        "no tokenizer here",
    ),
    "unknown task": (lambda f: edit(f / store.FACTS, task="dance"), 'unknown task "dance"'),
    "unknown fact": (lambda f: edit(f / store.FACTS, tsak="ner"), "did you mean"),
    "facts are no object": (lambda f: (f / store.FACTS).write_text("[]"), "must be an object"),
    "no facts": (lambda f: (f / store.FACTS).unlink(), "no zhbert.json"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_refused_in_one_line(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    break_it, words = DAMAGE[name]
    break_it(folder)
    with pytest.raises(ModelError, match=words) as caught:
        store.load(folder)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(folder))
    assert capsys.readouterr() == ("", "")


def test_what_is_saved_is_what_is_loaded(tiny_encoder: Path, tmp_path: Path) -> None:
    first = store.load(tiny_encoder)
    store.save(tmp_path / "again", model=first.model, tokenizer=first.tokenizer, facts=first.facts)
    second = store.load(tmp_path / "again")
    assert first.facts == second.facts
    assert first.tokenizer.fingerprint == second.tokenizer.fingerprint
    one, two = first.model.state_dict(), second.model.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    names = {path.name for path in (tmp_path / "again").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "vocab.txt", store.FACTS} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".tmp"))]


def test_loading_prints_nothing_and_leaves_the_loggers_alone(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    handler = std_logging.StreamHandler(sys.stderr)
    logging.add_handler(handler)
    size = store.task_config(str(tiny_encoder), labels=["甲", "乙"], dropout=0.0)
    store.new_task_model(str(tiny_encoder), task="classify", config=size, random=False)
    logging.remove_handler(handler)
    assert capsys.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_half_precision_is_read_as_float32(folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file({k: v.half() for k, v in load_file(path).items()}, path, metadata={"format": "pt"})
    edit(folder / "config.json", dtype="float16")
    model = store.load_masked(str(folder), dropout=0.0).model
    size = store.task_config(str(folder), labels=["甲", "乙"], dropout=0.0)
    for random in (True, False):
        task = store.new_task_model(str(folder), task="classify", config=size, random=random)
        assert {p.dtype for p in task.parameters()} == {torch.float32}
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_dropout_is_that_of_the_call_not_of_the_folder(folder: Path) -> None:
    edit(folder / "config.json", hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
    for rate in (0.0, 0.2):
        model = store.load_masked(str(folder), dropout=rate).model
        assert {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)} == {rate}


def test_a_task_model_takes_the_encoder_and_a_new_head(tiny_encoder: Path) -> None:
    size = store.task_config(str(tiny_encoder), labels=["甲", "乙", "丙"], dropout=0.0)
    assert size.id2label == {0: "甲", 1: "乙", 2: "丙"}
    model = store.new_task_model(str(tiny_encoder), task="classify", config=size, random=False)
    fresh = store.new_task_model(str(tiny_encoder), task="classify", config=size, random=True)
    name = "bert.encoder.layer.0.attention.self.query.weight"
    stored = load_file(tiny_encoder / "model.safetensors")[name]
    assert torch.equal(model.state_dict()[name], stored)
    assert not torch.equal(fresh.state_dict()[name], stored)
    assert model.classifier.weight.shape[0] == 3


def test_a_task_model_is_not_made_of_half_an_encoder(folder: Path) -> None:
    without(folder, "layer.1.attention")
    size = store.task_config(str(folder), labels=["甲", "乙"], dropout=0.0)
    with pytest.raises(ModelError, match=r"weights are missing, such as bert\.encoder\.layer\.1"):
        store.new_task_model(str(folder), task="classify", config=size, random=False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bert-base-chinese", True),
        ("hfl/chinese-macbert-base", True),
        ("", False),
        (".", False),
        ("./model", False),
        ("../model", False),
        ("~/model", False),
        ("/model", False),
        ("runs/quickstart/encoder", False),
        ("here/encoder", False),
        ("here", False),
    ],
)
def test_is_hub_name(name: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    assert store.is_hub_name(name) is expected


@pytest.mark.parametrize("name", ["no-such-model-anywhere", "nobody/no-such-model", ""])
def test_a_name_that_cannot_be_had_is_refused_in_one_line(name: str) -> None:
    for read in (
        lambda: store.load_masked(name, dropout=0.0),
        lambda: store.task_config(name, labels=["甲"], dropout=0.0),
    ):
        with pytest.raises(UserError) as caught:
            read()
        assert "\n" not in str(caught.value)
