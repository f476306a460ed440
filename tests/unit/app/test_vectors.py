"""The vectors of an encoder or of a task model's encoder, and the commands that make and search them."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, DistilBertConfig, DistilBertModel, GPT2Config, GPT2Model
from typer.testing import CliRunner

from zhbert.app.cli import app
from zhbert.app.encoder import Encoder
from zhbert.app.neighbours import neighbours
from zhbert.app.pipeline import Pipeline, load
from zhbert.config import model_named
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import DataError, ModelError
from zhbert.model.store import load_encoder

RUN = CliRunner()
TEXTS = ["王芳在杭州市图书馆工作", "", "李明去了北京", "北京的长城", "王芳在杭州市图书馆工作。" * 9]


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> Encoder:
    found = load(tiny_encoder)
    assert isinstance(found, Encoder)
    return found


def plainly(folder: Path, text: str) -> np.ndarray:
    """Return the mean over all tokens, by transformers alone; special tokens are put in by its tokenizer."""
    from transformers import AutoTokenizer

    inputs = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.inference_mode():
        return AutoModel.from_pretrained(folder).eval()(**inputs).last_hidden_state[0].mean(0).numpy()


def test_vectors_are_those_of_transformers(encoder: Encoder, tiny_encoder: Path) -> None:
    found = encoder.embed(TEXTS)
    for text, vector in zip(TEXTS[:4], found, strict=False):
        np.testing.assert_allclose(vector, plainly(tiny_encoder, text), atol=1e-5)
    assert found.shape == (5, 128)
    np.testing.assert_allclose(list(encoder.embed_stream(TEXTS)), found, atol=1e-5)
    first = next(encoder.embed_stream(TEXTS[n % 5] for n in count()))
    np.testing.assert_allclose(first, found[0], atol=1e-5)


@pytest.mark.slow
def test_a_task_model_has_its_encoder(tiny_models: dict[str, Path]) -> None:
    for folder in tiny_models.values():
        pipe = load(folder)
        assert isinstance(pipe, Pipeline)
        np.testing.assert_allclose(pipe.encoder.embed(TEXTS[:1])[0], plainly(folder, TEXTS[0]), atol=1e-5)
        with pytest.raises(ModelError, match="a task model has no head that guesses tokens"):
            pipe.encoder.fill("王[MASK]")


def test_words_have_offsets_into_the_text(encoder: Encoder) -> None:
    for text, found in zip(TEXTS, encoder.embed(TEXTS, words=True), strict=True):
        assert "".join(found.words(text)) == text
        assert found.vectors_WH.shape == (len(found), 128)
    assert encoder.embed(["他在北京大学 读书"], words=True)[0].offsets_W2.tolist()[-1][1] == 9


def test_the_nearest_of_texts_and_of_vectors(encoder: Encoder) -> None:
    best, *rest = encoder.nearest(TEXTS[2], TEXTS, k=3)
    assert (best.place, best.cosine) == (2, pytest.approx(1, abs=1e-5))
    assert len(rest) == 2
    assert encoder.nearest(TEXTS[2], encoder.embed(TEXTS), k=3) == [best, *rest]
    assert len(encoder.nearest("北京", TEXTS, k=99)) == 5
    assert encoder.nearest("北京", [], k=3) == []


def test_threads_may_fill_and_embed_at_once(encoder: Encoder) -> None:
    expected, guesses = encoder.embed(TEXTS), encoder.fill("王[MASK]在北京")
    with ThreadPoolExecutor(8) as pool:
        filled = [pool.submit(encoder.fill, "王[MASK]在北京") for _ in range(12)]
        embedded = [pool.submit(encoder.embed, TEXTS) for _ in range(12)]
        assert all(future.result() == guesses for future in filled)
        assert all(np.array_equal(future.result(), expected) for future in embedded)


def test_what_is_no_list_of_texts_is_refused(encoder: Encoder) -> None:
    for ask in (encoder.embed, encoder.embed_stream, lambda text: encoder.nearest("爱", text)):
        with pytest.raises(DataError, match="not one text"):
            ask("我爱北京")


def test_an_encoder_of_another_family_makes_vectors(
    tmp_path: Path, encoder: Encoder, tiny_encoder: Path
) -> None:
    tokenizer = Tokenizer.load(tiny_encoder)
    config = DistilBertConfig(vocab_size=tokenizer.size, dim=16, n_layers=1, n_heads=2, hidden_dim=16)
    DistilBertModel(config).save_pretrained(tmp_path)
    tokenizer.save(tmp_path)
    found = load(tmp_path)
    assert isinstance(found, Encoder)
    np.testing.assert_allclose(found.embed(TEXTS)[0], plainly(tmp_path, TEXTS[0]), atol=1e-5)
    with pytest.raises(ModelError, match="zhbert fills no masks with the family distilbert"):
        found.fill("王[MASK]")


@pytest.fixture(scope="module")
def vectors(stage: Callable[..., Path], tiny_encoder: Path, made: Path) -> Path:
    source = made / "to-embed.jsonl"
    source.write_text(
        "".join(json.dumps({"id": f"n{i}", "text": t}) + "\n" for i, t in enumerate(TEXTS)), "utf-8"
    )
    return stage("embed", made / "vectors", model=str(tiny_encoder), source=source, centre=True)


def test_neighbours_of_a_text_are_found(vectors: Path, tmp_path: Path) -> None:
    asked = [TEXTS[3], TEXTS[0]]
    found = neighbours(vectors, asked, 2)
    assert [(of[0].id, of[0].text) for of in found] == [("n3", TEXTS[3]), ("n0", TEXTS[0])]
    assert [of[0].cosine for of in found] == pytest.approx([1, 1], abs=1e-5)
    rows = np.load(vectors / "vectors.npy")
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert found[0][1].cosine == pytest.approx(np.sort(units @ units[3])[-2], abs=1e-5)
    assert all(len(of) == 5 for of in neighbours(vectors, asked, 99))


def test_the_command_shows_them(vectors: Path) -> None:
    done = RUN.invoke(app, ["nearest", str(vectors), TEXTS[3], "爱", "--k", "2"])
    lines = done.stdout.splitlines()
    assert (len(lines), lines[0], lines[3]) == (6, TEXTS[3], "爱")
    assert lines[1] == f"  1.0000  n3  {TEXTS[3]}"
    done = RUN.invoke(app, ["nearest", str(vectors), "爱", "--json"])
    (row,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert row["text"] == "爱"
    assert [set(one) for one in row["nearest"]] == [{"id", "cosine", "text"}] * 5


def test_another_encoder_is_refused(vectors: Path, made: Path) -> None:
    with pytest.raises(ModelError, match="not the encoder that made the vectors"):
        neighbours(vectors, ["爱"], 1, model="bundled")
    with pytest.raises(ModelError, match="not there any more"):
        neighbours(vectors, ["爱"], 1, model=str(made / "gone"))


def test_a_stream_is_lazy(encoder: Encoder) -> None:
    asked = count()
    assert len(list(islice(encoder.embed_stream("爱" for _ in asked), 3))) == 3
    assert next(asked) <= 1026


def test_what_is_no_encoder_is_refused(tmp_path: Path, tiny_encoder: Path) -> None:
    config = GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=1, n_positions=16)
    GPT2Model(config).save_pretrained(tmp_path)
    Tokenizer.load(tiny_encoder).save(tmp_path)
    with pytest.raises(ModelError, match="its family is gpt2, which is no encoder"):
        load(tmp_path)
    short = AutoModel.from_pretrained(tiny_encoder)
    weights = {name: weight for name, weight in short.state_dict().items() if "layer.1." not in name}
    short.save_pretrained(tmp_path / "short", state_dict=weights)
    Tokenizer.load(tiny_encoder).save(tmp_path / "short")
    with pytest.raises(ModelError, match="weights are missing, such as encoder"):
        load_encoder(str(tmp_path / "short"))


@pytest.mark.slow
@pytest.mark.realdata
def test_real_texts_have_the_vectors_of_transformers(published: Callable[[str], Path]) -> None:
    lines = published("thucnews-titles/dev.txt").read_text("utf-8").splitlines()[1:9]
    lines += published("text/mixed-sample.txt").read_text("utf-8").splitlines()[:40]
    texts = [line[:200] for line in lines]
    found = load("bundled").embed(texts)
    for text, vector in zip(texts, found, strict=True):
        np.testing.assert_allclose(vector, plainly(Path(model_named("bundled")), text), atol=1e-5)
