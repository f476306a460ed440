"""Pretraining from counts: it knows more after the same steps, and a resumed run is still the same."""

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from zhbert.files import read_manifest


@pytest.mark.slow
def test_counts_know_more_after_the_same_steps(stage: Any, tiny_pretrain: Any, tmp_path: Path) -> None:
    losses = {}
    for start in ("counts", "random"):
        out = stage("pretrain", tmp_path / start, **tiny_pretrain | {"steps": 60, "begin": start})
        manifest = read_manifest(out)
        assert manifest is not None
        assert manifest.counts["begin"] == start
        losses[start] = manifest.counts["held_out"]["loss"]
    assert losses["counts"] < losses["random"] - 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "positions"), [("modernbert", "sinusoids"), ("roberta", "fixed"), ("bert", "random")]
)
def test_every_kind_of_encoder_can_begin_so(
    family: str, positions: str, stage: Any, tiny_pretrain: Any, tmp_path: Path
) -> None:
    values = tiny_pretrain | {"steps": 1, "family": family, "positions": positions}
    weights = [
        load_file(stage("pretrain", tmp_path / start, **values | {"begin": start}) / "model.safetensors")
        for start in ("counts", "random")
    ]
    assert weights[0].keys() == weights[1].keys()
    table = next(
        name for name in weights[0] if name.endswith(("word_embeddings.weight", "tok_embeddings.weight"))
    )
    assert not weights[0][table].equal(weights[1][table])
