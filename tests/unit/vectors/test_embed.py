"""`embed`: vectors on disk are those of the encoder; a stopped run goes on; sources of every kind."""

import gzip
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zhbert.app.stages import execute, find_stage
from zhbert.config import parse
from zhbert.errors import DataError, UserError
from zhbert.files import read_manifest
from zhbert.model import store
from zhbert.progress import SILENT, Progress
from zhbert.vectors import embedder as room
from zhbert.vectors.centre import Centre
from zhbert.vectors.embedder import Embedder
from zhbert.vectors.saved import Saved
from zhbert.vectors.source import read_texts

Make = Callable[..., store.Stored]
Stage = Callable[..., Path]
TEXTS = ["我爱北京", "王芳在杭州工作。" * 9, "😀", "大学图书馆", "\u2028", "长城"]


@pytest.fixture(scope="module")
def model(make: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, stored = tmp_path_factory.mktemp("model"), make()
    store.save(folder, model=stored.model, tokenizer=stored.tokenizer, facts=stored.facts)
    (folder / store.FACTS).unlink()  # as transformers saves one
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    lines = [json.dumps({"id": f"t{i}", "text": text, "more": 1}) for i, text in enumerate(TEXTS)]
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.mark.parametrize("pooling", ["cls", "last4"])
def test_vectors_are_those_of_the_encoder(
    stage: Stage, model: Path, source: Path, tmp_path: Path, pooling: room.Pooling
) -> None:
    out = stage("embed", tmp_path / "out", model=model, source=source, pooling=pooling)
    saved = Saved.open(out)
    expected = Embedder(store.load_encoder(str(model))).embed(TEXTS, pooling=pooling)
    np.testing.assert_allclose(saved.vectors_NH, expected, atol=1e-5)
    assert [(text.id, text.text) for text in saved.texts()] == [(f"t{i}", t) for i, t in enumerate(TEXTS)]
    assert (saved.facts.model, saved.pooling) == (str(model), pooling)
    assert sorted(read_manifest(out).files) == ["texts.jsonl", "vectors.json", "vectors.npy"]
    assert read_manifest(out).counts == {"texts": 6, "characters": sum(map(len, TEXTS)), "width": 24}


@pytest.mark.parametrize("components", [0, 2])
def test_a_centre_is_taken_away_from_new_vectors_too(
    stage: Stage, model: Path, source: Path, tmp_path: Path, components: int
) -> None:
    raw = Saved.open(stage("embed", tmp_path / "raw", model=model, source=source)).vectors_NH
    out = stage("embed", tmp_path / "out", model=model, source=source, centre=True, components=components)
    saved = Saved.open(out)
    np.testing.assert_allclose(saved.vectors_NH.mean(0), 0, atol=1e-5)
    assert np.linalg.matrix_rank(saved.vectors_NH, tol=1e-4) == 5 - components
    np.testing.assert_allclose(saved.as_these(raw), saved.vectors_NH, atol=1e-5)
    np.testing.assert_allclose(Centre.load(out / "centre.npy").mean_H, raw.mean(0), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("at", "centre"), [(1, False), (3, True), (5, False)])
def test_a_stopped_run_goes_on(
    at: int,
    centre: bool,
    model: Path,
    source: Path,
    tmp_path: Path,
    stop_after: Callable[[int], Progress],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "CHUNK", 2)
    values = {"model": str(model), "source": str(source), "centre": centre}
    stage, config = find_stage("embed"), parse(find_stage("embed").config_type(), values)
    whole = execute(stage, config, tmp_path / "whole", SILENT).folder
    with pytest.raises(KeyboardInterrupt):
        execute(stage, config, tmp_path / "out", stop_after(at))
    read: list[int] = []
    stream = Embedder.stream

    def counted(self, texts, *, pooling):  # type: ignore[no-untyped-def]
        for vectors in stream(self, texts, pooling=pooling):
            read.append(len(vectors))
            yield vectors

    monkeypatch.setattr(Embedder, "stream", counted)
    out = execute(stage, config, tmp_path / "out", SILENT).folder
    assert sum(read) == 6 - (at + at % 2)
    assert (out / "vectors.npy").read_bytes() == (whole / "vectors.npy").read_bytes()
    assert read_manifest(out).content == read_manifest(whole).content


def test_half_precision_can_be_asked_for(stage: Stage, model: Path, source: Path, tmp_path: Path) -> None:
    out = stage("embed", tmp_path / "out", model=model, source=source, dtype="bfloat16")
    whole = Embedder(store.load_encoder(str(model)), dtype="float32").embed(TEXTS)
    assert 1e-5 < np.abs(Saved.open(out).vectors_NH - whole).max() < 0.1


def test_a_lone_surrogate_travels(stage: Stage, model: Path, tmp_path: Path) -> None:
    source = tmp_path / "odd.jsonl"
    source.write_text('{"text": "\\ud800爱"}\n{"text": ""}\n{"text": "  "}\n', "utf-8")
    saved = Saved.open(stage("embed", tmp_path / "out", model=model, source=source))
    assert [text.text for text in saved.texts()] == ["\ud800爱", "", "  "]
    assert np.isfinite(saved.vectors_NH).all()
    np.testing.assert_allclose(saved.vectors_NH[1], saved.vectors_NH[2], atol=1e-5)


def test_sources_of_every_kind(tmp_path: Path) -> None:
    lines = tmp_path / "a.txt"
    lines.write_text("\ufeff我爱北京\n\n  \n长城\u2028\r\n", "utf-8")
    assert [(t.id, t.text) for t in read_texts(lines)] == [("1", "我爱北京"), ("4", "长城\u2028")]
    packed = tmp_path / "b.txt.gz"
    packed.write_bytes(gzip.compress("长城\n".encode()))
    assert [t.text for t in read_texts(packed)] == ["长城"]
    records = tmp_path / "c.jsonl"
    rows = [{"id": 7, "first": "甲", "second": "乙", "label": "同"}, {"text": "丙", "labels": ["a", "b"]}]
    rows += [{"text": "丁", "label": 1}, {"text": "戊", "labels": [0, "b"]}, {"text": "己", "label": None}]
    records.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    found = list(read_texts(records))
    assert [(t.id, t.text) for t in found[:3]] == [("7:first", "甲"), ("7:second", "乙"), ("2", "丙")]
    assert [t.labels for t in found] == [("同",), ("同",), ("a", "b"), ("1",), ("0", "b"), ()]
    assert next(read_texts(Path("mini:raw"))).text
    pair = list(read_texts(Path("mini:pairs/test")))[:2]
    assert [t.id.split(":")[1] for t in pair] == ["first", "second"]


BAD = {
    '{"id": "1", "words": "a"}': "has none of text",
    "[1]": "not a JSON object",
    '{"id": "1", "text": "a"}\n{"id": "1", "text": "b"}': 'the id "1" was used before',
    "": "there is no text in it",
    "{": "not valid JSON",
}


@pytest.mark.parametrize("written", BAD)
def test_a_bad_source_is_refused(written: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(written, "utf-8")
    with pytest.raises(DataError, match=BAD[written]):
        list(read_texts(path))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_no_id_stays_in_memory(name: str, tmp_path: Path) -> None:
    path, count = tmp_path / name, 10_000
    with path.open("w", encoding="utf-8") as handle:
        handle.writelines(f'{{"id": "{i}", "text": "甲"}}\n' for i in range(count))
    next(read_texts(path))
    tracemalloc.start()
    assert sum(1 for _ in read_texts(path)) == count
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * count, "106 bytes an id they were"


def test_bad_wishes_are_refused(
    stage: Stage, model: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="components are removed about the mean"):
        stage("embed", tmp_path / "out", model=model, source=source, components=1)
    with pytest.raises(DataError, match="6 vectors of width 24 do not have 6 components"):
        stage("embed", tmp_path / "out", model=model, source=source, centre=True, components=6)
    with monkeypatch.context() as patch:
        patch.setattr(Embedder, "stream", None)  # not a vector is made before
        with pytest.raises(
            DataError, match=r"not have 7 components to remove \(fewer components, or more texts"
        ):
            stage("embed", tmp_path / "out", model=model, source=source, centre=True, components=7)
    with pytest.raises(DataError, match=r"no vectors: there is no vectors\.npy"):
        Saved.open(tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        stage("embed", tmp_path / "out", model=str(tmp_path / "nowhere"), source=source)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_encoder_of_any_task_model_will_do(
    stage: Stage, tiny_models: dict[str, Path], source: Path, tmp_path: Path
) -> None:
    from transformers import AutoModel

    for task, folder in tiny_models.items():
        out = stage("embed", tmp_path / task, model=folder, source=source)
        plain = AutoModel.from_pretrained(folder).eval()
        loaded = store.load(folder)
        stored = store.Stored(model=plain, tokenizer=loaded.tokenizer, facts=loaded.facts)
        np.testing.assert_allclose(Saved.open(out).vectors_NH, Embedder(stored).embed(TEXTS), atol=1e-5)
