"""Heads of our own stand on every family's encoder, with and without padding."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import BartConfig, PreTrainedModel

from zhbert.errors import ModelError
from zhbert.model.tagger import AutoTagger, Crf, Pointer
from zhbert.model.unpadded import unpadded

Make = Callable[..., PreTrainedModel]


@pytest.mark.parametrize("head", [Crf, Pointer])
def test_every_family_has_the_heads(head: type, family: str, make: Make, tmp_path: Path) -> None:
    encoder = make(family)
    config = encoder.config
    config.num_labels = 3
    encoder.save_pretrained(tmp_path / "encoder")
    auto = AutoTagger(head)
    model = auto.from_pretrained(str(tmp_path / "encoder"), config=config, dtype=torch.float32).eval()
    new = auto.from_config(config, dtype=torch.float32)
    assert type(new) is type(model)
    assert new.classifier.weight.shape == model.classifier.weight.shape
    model.save_pretrained(tmp_path / "tagger")
    loaded, report = auto.from_pretrained(str(tmp_path / "tagger"), output_loading_info=True)
    assert not any(report.values())
    ids = torch.tensor([[2, 9, 8, 7, 3]])
    assert torch.equal(loaded.eval()(input_ids=ids).logits, model(input_ids=ids).logits)
    assert torch.isfinite(model(input_ids=ids).logits).all()


@pytest.mark.parametrize("head", [Crf, Pointer])
def test_padding_can_be_left_out(head: type, make: Make) -> None:
    config = make("bert").config
    config.num_labels = 3
    model = AutoTagger(head).from_config(config, dtype=torch.float32).eval()
    ids = torch.tensor([[2, 9, 8, 7, 3], [2, 9, 3, 0, 0]])
    mask = (ids > 0).long()
    whole = model(input_ids=ids, attention_mask=mask)
    with unpadded(model):
        packed = model(input_ids=ids, attention_mask=mask)
    assert torch.allclose(packed.logits[mask.bool()], whole.logits[mask.bool()], atol=1e-5)
    assert (packed.transitions is None) == (head is Pointer)


def test_a_family_without_taggers_is_named() -> None:
    with pytest.raises(ModelError, match="its family, bart, has no tagger"):
        AutoTagger(Crf).from_config(BartConfig())
