"""The `vocab` stage: a new vocabulary, or a model's with more in it."""

from pathlib import Path
from typing import Any

import pytest

from zhbert.config import parse
from zhbert.corpus.documents import Columns
from zhbert.corpus.vocabulary import VocabConfig, vocab
from zhbert.encode.bert import NAMES
from zhbert.encode.extension import read_extension
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError, ModelError
from zhbert.files import Work
from zhbert.records import Document

TEXTS = ["上海图书馆每天早上九点开门。", "患者做了CT，CT显示肺炎。", "龘"]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    made = (Document(id=f"{i}", text=text) for i, text in enumerate(TEXTS * 20))
    Columns.of(made).write(folder / "part-00000.parquet")
    return folder


def run(documents: Path, **options: Any) -> Work:
    work = Work(documents.parent / "vocabulary")
    vocab(VocabConfig(documents=documents, **options), work)
    return work


def test_a_new_vocabulary_covers_the_corpus_and_keeps_entries_free(documents: Path) -> None:
    work = run(documents, size=400, reserved=3)
    tokenizer = Tokenizer.load(work.folder)
    assert tokenizer.tokens[5:9] == ("[unused1]", "[unused2]", "[unused3]", "!")
    assert work.counts == {
        **{"coverage": 1.0, "characters_left_out": 0},
        **{"entries": tokenizer.size, "unknown_rate": 0.0},
    }
    assert not (work.folder / "extension.json").exists()


def test_what_a_vocabulary_leaves_out_is_counted(documents: Path) -> None:
    work = run(documents, size=400, min_count=21)
    assert work.counts["characters_left_out"] > 10
    assert 0 < work.counts["coverage"] < 1
    assert work.counts["unknown_rate"] > 0


@pytest.mark.parametrize("fill_unused", [False, True])
def test_the_vocabulary_of_a_model_is_extended(documents: Path, tmp_path: Path, fill_unused: bool) -> None:
    base = Tokenizer.from_vocab([*NAMES.values(), "[unused1]", *"上海图书馆每天早九点开门。c肺", "##t"])
    base.save(tmp_path / "model")
    work = run(documents, extend=str(tmp_path / "model"), fill_unused=fill_unused)
    tokenizer, extension = Tokenizer.load(work.folder), read_extension(work.folder)
    assert (extension.base, extension.tokenizer) == (base.fingerprint, tokenizer.fingerprint)
    assert all(tokenizer.tokens[new.id] == new.token for new in extension.tokens)
    assert {"龘", "ct"} <= {new.token for new in extension.tokens}
    assert work.counts["new"] == len(extension.tokens) == tokenizer.size - base.size + fill_unused
    assert work.counts["unknown_rate_before"] > work.counts["unknown_rate"] == 0
    assert work.counts["entries"] == tokenizer.size


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"extend": "model", "size": 9000}, "size has a meaning only without extend"),
        ({"extend": "model", "reserved": 0}, "reserved has a meaning only without extend"),
        ({"new_entries": 9}, "new_entries has a meaning only with extend"),
        ({"reserved": -1}, "reserved"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(VocabConfig, {"documents": "documents", **values})


def test_a_model_that_is_not_there_is_said(documents: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        run(documents, extend="./nowhere/at/all")
