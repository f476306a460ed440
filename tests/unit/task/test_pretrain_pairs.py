"""Pretraining on pairs of texts beside masked words: the loss is that of transformers' own classes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForMaskedLM

from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError
from zhbert.files import read_manifest
from zhbert.model.attention import use_packed
from zhbert.model.encoder import new_config, new_encoder
from zhbert.task.masked import PretrainJob
from zhbert.task.pretrain import PretrainConfig
from zhbert.train.ranks import Ranks

Values = dict[str, Any]
Stage = Callable[..., Path]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["bert", "ernie"])
def test_pairs_are_learnt_beside_masked_words(
    family: str, tmp_path: Path, tiny_pretrain: Values, tiny_tokenizer: Tokenizer, stage: Stage
) -> None:
    values = tiny_pretrain | {"pairs": "nsp", "family": family, "steps": 2}
    job = PretrainJob(PretrainConfig(**values), tiny_tokenizer, Ranks(0, 1, torch.device("cpu")))
    model = new_encoder(new_config("pico", tiny_tokenizer, family=family), seed=1, pairs=True).eval()
    for micro in job.next_step(done=0.0, parts=1):
        rows = zip(
            *(torch.split(micro.tensors[name], micro.lengths) for name in ("ids_T", "segments_T")),
            strict=True,
        )
        outputs = [model(input_ids=ids[None], token_type_ids=segments[None]) for ids, segments in rows]
        words = torch.cat([output.prediction_logits[0] for output in outputs])[micro.tensors["positions_M"]]
        pairs = torch.cat([output.seq_relationship_logits for output in outputs])
        slow = cross_entropy(words, micro.tensors["targets_M"], reduction="sum")
        slow += job.pair_weight * cross_entropy(pairs, micro.tensors["labels_S"], reduction="sum")
        use_packed(model)
        assert job.loss(model, micro).item() == pytest.approx(slow.item(), rel=1e-5)
        model.set_attn_implementation("sdpa")
    manifest = read_manifest(stage("pretrain", tmp_path / "out", **values))
    assert manifest is not None
    assert manifest.counts["held_out"].keys() == {"loss", "accuracy", "pairs"}
    loaded, facts = AutoModelForMaskedLM.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not facts["missing_keys"]
    assert loaded.config.model_type == family


def test_pairs_need_a_head_for_them(tmp_path: Path, tiny_pretrain: Values, stage: Stage) -> None:
    with pytest.raises(ConfigError, match="roberta has no head for pairs"):
        stage("pretrain", tmp_path / "out", **tiny_pretrain | {"pairs": "sop", "family": "roberta"})
