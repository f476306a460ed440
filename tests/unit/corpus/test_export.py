"""Shards in other people's hands: the same tokens and flags through Parquet and through `datasets`."""

from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer

from zhbert.corpus.export import BITS, ExportConfig, export
from zhbert.encode.shards import Shards
from zhbert.errors import DataError
from zhbert.files import Work

datasets = pytest.importorskip("datasets")


def exported(shards: Path, folder: Path, form: str) -> Work:
    work = Work(folder / form)
    work.folder.mkdir()
    export(ExportConfig(shards=shards, form=form), work)
    return work


@pytest.mark.parametrize("form", ["parquet", "datasets"])
def test_every_token_and_flag_arrives(form: str, tiny_shards: Path, tmp_path: Path) -> None:
    work = exported(tiny_shards, tmp_path, form)
    for side in ("train", "held-out"):
        shards = Shards.open(tiny_shards / side)
        if form == "parquet":
            files, cache = str(work.folder / f"{side}-*.parquet"), str(tmp_path / "cache")
            loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=cache)
        else:
            loaded = datasets.load_from_disk(str(work.folder / side))
        assert len(loaded) == shards.n_docs == work.counts[side]["documents"] > 0
        for number, row in enumerate(loaded):
            ids, flags = shards.doc(number)
            assert row["input_ids"] == ids.tolist()
            assert all(row[name] == (np.asarray(flags) & bit > 0).tolist() for name, bit in BITS.items())
    assert len(AutoTokenizer.from_pretrained(work.folder / "tokenizer")) == shards.shards[0].meta.vocabulary
    assert not list(work.folder.rglob("*.cache"))


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no shards here"):
        export(ExportConfig(shards=tmp_path), Work(tmp_path / "out"))
