"""Filling masks: each place by itself, all together, in Python, on the command line, from standard input."""

import json
import shutil
from itertools import product
from pathlib import Path

import pytest
import torch
from transformers import AutoModel
from typer.testing import CliRunner

from zhbert.app.cli import app
from zhbert.app.pipeline import Encoder, load
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import DataError, ModelError
from zhbert.model import store
from zhbert.model.encoder import new_config, new_encoder

WORDS = "我在北京大学读书上海"
RUN = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "encoder"
    tokenizer = Tokenizer.from_vocab(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
    model = new_encoder(new_config("pico", tokenizer, positions=32), seed=1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2.5)
    store.save(folder, model=model, tokenizer=tokenizer, facts=store.Facts(task=store.MASKED))
    return folder


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    encoder = load(folder)
    assert isinstance(encoder, Encoder)
    return encoder


@torch.inference_mode()
def shares(folder: Path, text: str, place: int) -> dict[str, float]:
    """What plain transformers says of one masked character."""
    stored = store.load(folder)
    ids = stored.tokenizer.encode_batch([text])[0].ids.tolist()
    row = torch.tensor([[stored.tokenizer.special.cls, *ids, stored.tokenizer.special.sep]])
    found = stored.model(input_ids=row).logits[0, place + 1].softmax(-1)
    return {word: float(found[i]) for i, word in enumerate(stored.tokenizer.tokens)}


def test_each_place_is_that_of_plain_transformers(encoder: Encoder, folder: Path) -> None:
    text = "我在[MASK][MASK]大学"
    for place, choices in enumerate(encoder.places(text, top=4), 2):
        expected = shares(folder, text, place)
        ranked = sorted(WORDS, key=lambda word: -expected[word])[:4]
        assert [choice.word for choice in choices] == ranked
        assert [choice.score for choice in choices] == pytest.approx([expected[w] for w in ranked], rel=1e-4)


@pytest.mark.slow
def test_the_best_ways_together_are_those_of_trying_all(encoder: Encoder, folder: Path) -> None:
    firsts = shares(folder, "我在[MASK][MASK]大学", 2)
    every = {}
    for first in WORDS:
        seconds = shares(folder, f"我在{first}[MASK]大学", 3)
        every |= {(first, second): firsts[first] * seconds[second] for second in WORDS}
    assert set(every) == set(product(WORDS, WORDS))
    best = sorted(every, key=lambda pair: -every[pair])[:5]
    for top in (1, 5):
        found = encoder.fill("我在[MASK][MASK]大学", top=top)
        assert [guess.words for guess in found] == best[:top]
        assert [guess.score for guess in found] == pytest.approx(
            [every[pair] for pair in best[:top]], rel=1e-4
        )
    assert encoder.fill("我在[MASK][MASK]大学", top=1)[0].text == f"我在{''.join(best[0])}大学"


def test_the_command_shows_both(encoder: Encoder, folder: Path) -> None:
    done = RUN.invoke(app, ["fill", str(folder), "我在[MASK][MASK]大学", "[MASK]京", "--top", "2"])
    lines = done.stdout.splitlines()
    best = encoder.fill("我在[MASK][MASK]大学", top=2)
    assert lines[:3] == ["我在[MASK][MASK]大学", *(f"{guess.score:8.4f}  {guess.text}" for guess in best)]
    assert [line[:5] for line in lines[3:6]] == ["  [1]", "  [2]", "[MASK"]
    assert len(lines) == 8  # one place by itself is no more than the whole


def test_lines_of_standard_input_become_lines_of_json(encoder: Encoder, folder: Path) -> None:
    given = "我在[MASK]京\r\n\n[MASK]海[MASK]\n".encode()
    done = RUN.invoke(app, ["fill", str(folder), "--json", "--top", "3"], input=given)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["text"] for one in found] == ["我在[MASK]京", "[MASK]海[MASK]"]
    assert [len(one["places"]) for one in found] == [1, 2]
    best = encoder.fill("[MASK]海[MASK]", top=3)
    assert [(g["text"], g["score"]) for g in found[1]["guesses"]] == [(g.text, g.score) for g in best]


def test_a_text_without_a_mask_is_named(folder: Path) -> None:
    with pytest.raises(DataError, match=r"text 2: the text has no \[MASK\] to fill"):
        RUN.invoke(app, ["fill", str(folder), "[MASK]京", "北京"], catch_exceptions=False)


def test_a_plain_folder_will_do_but_not_one_without_a_head(
    tmp_path: Path, folder: Path, encoder: Encoder
) -> None:
    plain = Path(shutil.copytree(folder, tmp_path / "plain"))
    (plain / store.FACTS).unlink()
    found = load(plain)
    assert isinstance(found, Encoder)
    assert found.fill("[MASK]京") == encoder.fill("[MASK]京")
    AutoModel.from_pretrained(folder).save_pretrained(plain)
    bare = load(plain)
    assert isinstance(bare, Encoder)
    with pytest.raises(ModelError, match="it has no head that guesses tokens"):
        bare.fill("[MASK]京")
