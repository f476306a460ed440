"""Going on with an encoder: what it lacks is said, what is new begins as it should."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertForPreTraining, DistilBertConfig, DistilBertForMaskedLM, PreTrainedModel

from zhbert.encode.bert import NAMES
from zhbert.encode.extend import extend
from zhbert.encode.extension import write_extension
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError, ModelError
from zhbert.model import store
from zhbert.model.start import check_head, go_on

Make = Callable[..., PreTrainedModel]
TOKENS = [*NAMES.values(), "[unused1]", "[unused2]", *"我有炎肺京北", *(chr(0x4E10 + i) for i in range(67))]
FACTS = store.Facts(task=store.MASKED)


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer.from_vocab(TOKENS)


@pytest.fixture
def folder(tmp_path: Path, make: Make, family: str, tokenizer: Tokenizer) -> Path:
    store.save(tmp_path / "model", model=make(family), tokenizer=tokenizer, facts=FACTS)
    return tmp_path / "model"


def without_head(folder: Path) -> set[str]:
    """Take the weights of the head out of a folder and return what they are called."""
    path = folder / "model.safetensors"
    weights = load_file(path)
    head = {name for name in weights if name.split(".")[0] in ("cls", "lm_head", "head", "decoder")}
    save_file({k: v for k, v in weights.items() if k not in head}, path, metadata={"format": "pt"})
    return head


def test_nothing_is_said_where_nothing_lacks(folder: Path, family: str, tokenizer: Tokenizer) -> None:
    start = go_on(str(folder), tokenizer, folder=folder)
    assert start.warnings == ()
    assert start.facts == {"init": str(folder), "family": family}
    stored = load_file(folder / "model.safetensors")
    assert all(torch.equal(start.model.state_dict()[name], weight) for name, weight in stored.items())


def test_a_head_that_is_not_there_is_told_of_and_written_down(folder: Path, tokenizer: Tokenizer) -> None:
    encoder = load_file(folder / "model.safetensors")
    head = without_head(folder)
    start = go_on(str(folder), tokenizer, folder=folder)
    lacking = set(start.facts["new_weights"])
    assert lacking - {"cls.predictions.decoder.bias", "lm_head.decoder.bias"} == head  # the same as the bias
    (line,) = start.warnings
    assert line.startswith(f"{folder}: {len(lacking)} weights of its heads are not in it, such as ")
    assert "\n" not in line
    kept = {
        name: weight for name, weight in start.model.state_dict().items() if name in encoder.keys() - head
    }
    assert kept
    assert all(torch.equal(weight, encoder[name]) for name, weight in kept.items())


def test_heads_for_other_ends_are_left_out_quietly(
    tmp_path: Path, make: Make, tokenizer: Tokenizer, capsys: pytest.CaptureFixture[str]
) -> None:
    model = BertForPreTraining(make("bert").config)
    store.save(tmp_path, model=model, tokenizer=tokenizer, facts=FACTS)
    assert {"cls.seq_relationship.weight", "bert.pooler.dense.weight"} <= load_file(
        tmp_path / "model.safetensors"
    ).keys()
    start = go_on(str(tmp_path), tokenizer, folder=tmp_path)
    assert start.warnings == ()
    assert "new_weights" not in start.facts
    assert capsys.readouterr() == ("", "")
    ids = torch.arange(5, 40)[None]
    assert torch.allclose(start.model.eval()(ids).logits, model.eval()(ids).prediction_logits, atol=1e-5)


@pytest.mark.parametrize("family", ["bert"], indirect=True)
def test_names_of_the_first_bert_are_understood(folder: Path, tokenizer: Tokenizer) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): weight
        for name, weight in weights.items()
    }
    save_file(old, path, metadata={"format": "pt"})
    start = go_on(str(folder), tokenizer, folder=folder)
    assert start.warnings == ()
    assert all(torch.equal(start.model.state_dict()[name], weight) for name, weight in weights.items())


@pytest.mark.parametrize("fill_unused", [True, False])
def test_new_tokens_begin_as_the_extension_says(
    fill_unused: bool, folder: Path, tmp_path: Path, tokenizer: Tokenizer
) -> None:
    extended, extension = extend(tokenizer, ["肺炎鄴龘ー", "京"], min_count=1, fill_unused=fill_unused)
    extended.save(tmp_path / "tokenizer")
    write_extension(tmp_path / "tokenizer", extension)
    read = Tokenizer.load(tmp_path / "tokenizer")
    start = go_on(str(folder), read, folder=tmp_path / "tokenizer")
    assert start.facts["new_tokens"] == len(extension.tokens) == 3
    before = store.load_masked(str(folder), dropout=0.0).model
    old, new = (m.get_input_embeddings().weight.detach() for m in (before, start.model))
    assert len(new) == read.size == (81 if fill_unused else 83)
    for id_, places in extension.starts().items():
        assert torch.allclose(new[id_], old[list(places)].mean(0), atol=1e-6)
    (text,) = read.encode_batch(["我有肺炎京北"])
    ids = torch.from_numpy(text.ids).long()[None]
    kept = [i for i in range(80) if i not in extension.starts()]
    one, other = (m.eval()(input_ids=ids).logits[..., kept] for m in (before, start.model))
    assert torch.allclose(one, other, atol=1e-5)
    store.save(tmp_path / "grown", model=start.model, tokenizer=read, facts=FACTS)
    again = go_on(str(tmp_path / "grown"), read, folder=tmp_path / "tokenizer")
    assert "new_tokens" not in again.facts


@pytest.mark.parametrize("family", ["bert"], indirect=True)
def test_shards_of_another_tokenizer_are_refused(folder: Path, tmp_path: Path, tokenizer: Tokenizer) -> None:
    other = Tokenizer.from_vocab([*TOKENS[:-1], "龘"])
    with pytest.raises(ConfigError, match="the shards were made with another tokenizer"):
        go_on(str(folder), other, folder=folder)
    extended, extension = extend(other, ["鄴"], min_count=1)
    write_extension(tmp_path, extension)
    with pytest.raises(ConfigError, match="the shards were made with another tokenizer"):
        go_on(str(folder), extended, folder=tmp_path)


@pytest.mark.parametrize("family", ["bert"], indirect=True)
def test_an_extension_that_does_not_fit_the_embedding_is_refused(
    folder: Path, tmp_path: Path, tokenizer: Tokenizer, make: Make
) -> None:
    small = make("bert", vocabulary=70)
    small.save_pretrained(folder)
    extended, extension = extend(tokenizer, ["鄴"], min_count=1)
    write_extension(tmp_path, extension)
    with pytest.raises(ModelError, match="its tokenizer has 80 entries but the embedding 70 rows"):
        go_on(str(folder), extended, folder=tmp_path)


def test_a_family_that_cannot_be_packed_is_refused(tmp_path: Path, tokenizer: Tokenizer) -> None:
    size = DistilBertConfig(vocab_size=80, dim=8, n_layers=1, n_heads=1, hidden_dim=8)
    store.save(tmp_path, model=DistilBertForMaskedLM(size), tokenizer=tokenizer, facts=FACTS)
    with pytest.raises(ModelError, match="its family is distilbert, which zhbert cannot pretrain") as caught:
        go_on(str(tmp_path), tokenizer, folder=tmp_path)
    assert str(caught.value).startswith(str(tmp_path))


def test_a_head_is_judged_against_guessing(make: Make) -> None:
    model = make("bert")
    asked: list[PreTrainedModel] = []
    good = check_head(model, lambda m: asked.append(m) or 0.7 * math.log(80))  # type: ignore[func-returns-value]
    bad = check_head(model, lambda _: 0.8 * math.log(80))
    assert asked == [model]
    assert (good.predicts, good.warning) == (True, "")
    assert not bad.predicts
    assert bad.warning == (
        "its vocabulary head does not predict masked tokens: loss 3.51 on held-out text, guessing 4.38"
    )


def test_a_random_head_is_found_out_and_a_trained_one_is_not(make: Make) -> None:
    """Four tokens that always follow each other, one of them masked: learnt in some steps."""
    model = make("bert").train()
    text, masked = torch.arange(10, 70).view(15, 4), torch.tensor([0, 1, 2, 3] * 4)[:15]
    seen = text.scatter(1, masked[:, None], 4)
    wanted = text.gather(1, masked[:, None])[:, 0]

    def loss(m: PreTrainedModel) -> torch.Tensor:
        logits = m(input_ids=seen).logits[torch.arange(15), masked]
        return torch.nn.functional.cross_entropy(logits, wanted)

    assert not check_head(model, lambda m: loss(m).item()).predicts
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        loss(model).backward()
        optimizer.step()
    assert check_head(model, lambda m: loss(m).item()).predicts
