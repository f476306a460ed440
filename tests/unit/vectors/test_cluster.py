"""`cluster`: groups, words, examples and a page that is whole, escaped and offline."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from zhbert.app.stages import execute, find_stage
from zhbert.config import parse
from zhbert.errors import ConfigError
from zhbert.files import read_manifest
from zhbert.model import store
from zhbert.progress import SILENT, Progress
from zhbert.records import from_plain
from zhbert.vectors import describe
from zhbert.vectors.kmeans import Groups
from zhbert.vectors.page import PICKED, middles
from zhbert.vectors.saved import Saved
from zhbert.vectors.sheet import Clusters, Point
from zhbert.vectors.source import Text

Make = Callable[..., store.Stored]
Stage = Callable[..., Path]
EVIL = "<script>alert(1)</script> 北京大学 \u202e]]>&"


@pytest.fixture(scope="module")
def model(make: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, stored = tmp_path_factory.mktemp("model"), make()
    store.save(folder, model=stored.model, tokenizer=stored.tokenizer, facts=stored.facts)
    (folder / store.FACTS).unlink()
    return folder


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(3)
    rows: list[dict[str, object]] = []
    for i in range(60):
        words = ["北京大学", "图书馆"] if i % 2 else ["长城", "人民"]
        text = "".join(rng.choice(list("我爱王芳在杭州工作"), 3)) + words[i % 3 % 2] * 2 + words[0]
        rows.append({"id": f"<{i}>", "text": text, "label": ["<b>甲", "乙"][i % 2]})
    rows[5:8] = [{"id": str(i), "text": EVIL, "labels": ["a", "b"]} for i in range(3)]
    return write(tmp_path_factory.mktemp("texts") / "texts.jsonl", rows)


@pytest.fixture(scope="module")
def out(stage: Stage, model: Path, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "groups"
    return stage("cluster", folder, source=source, model=str(model), clusters=4, title="<i>组")


def record(out: Path) -> Clusters:
    return from_plain(Clusters, json.loads((out / "clusters.json").read_text("utf-8")))


def assignments(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "assignments.jsonl").read_text("utf-8").splitlines()]


def test_groups_are_written(out: Path) -> None:
    found, rows = record(out), assignments(out)
    assert [c.texts for c in found.clusters] == np.bincount([row["cluster"] for row in rows]).tolist()  # type: ignore[arg-type]
    assert sum(c.texts for c in found.clusters) == found.texts == len(rows) == 60
    saved = Saved.open(out)
    assert saved.facts.centre
    assert [text.id for text in saved.texts()] == [row["id"] for row in rows]
    for cluster in found.clusters:
        own = {row["id"]: row["cosine"] for row in rows if row["cluster"] == cluster.number}
        assert [text.cosine for text in cluster.central] == [own[text.id] for text in cluster.central]
        different = {text.text for text in saved.texts() if text.id in own}
        assert len({text.text for text in cluster.central}) == len(cluster.central) == min(5, len(different))
        assert cluster.central[0].cosine == max(own.values())  # type: ignore[type-var]
        assert cluster.cosine == pytest.approx(np.mean(list(own.values())), abs=1e-3)  # type: ignore[arg-type]
    assert found.fit
    assert (found.fit.texts, found.fit.labels) == (57, 2)
    assert read_manifest(out).counts["against 2 labels"]["nmi"] == round(found.fit.nmi, 4)
    assert sum(sum(c.labels.values()) for c in found.clusters) == 57 + 6


def test_the_page_is_whole_escaped_and_offline(out: Path) -> None:
    html = (out / "report.html").read_text("utf-8")
    assert "<script" not in html
    assert "<b>甲" not in html
    assert "&lt;b&gt;甲" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "\u202e" not in html
    assert "<title>&lt;i&gt;组</title>" in html
    assert html.count('<circle class="point') == 60
    assert "url(" not in html
    assert not re.findall(r"https?://", html)
    assert "zhbert · clusters.json · format 1" in html
    for word in ("关键词", "Keywords", "prefers-color-scheme: dark", "NMI"):
        assert word in html
    english = re.findall(r'<span class="en">(.*?)</span>', html, re.S)
    assert len(english) == len(re.findall(r'<span class="zh"', html)) > 15


def test_every_word_of_the_page_has_its_chinese() -> None:
    folder = Path(describe.__file__).parent / "templates"
    template = (folder / "clusters.html.j2").read_text("utf-8")
    known = {k for part in json.loads((folder / "words.json").read_text("utf-8")).values() for k in part}
    used = set(re.findall(r'\b(?:t|say)\("([^"]+)"', template))
    assert used | {"Groups of texts"} == known


def test_the_manifest_counts_the_texts(out: Path) -> None:
    counts = read_manifest(out).counts
    assert counts["width"] == 24
    assert counts["characters"] == sum(len(text.text) for text in Saved.open(out).texts())


def test_vectors_that_are_there_are_taken_as_they_are(
    stage: Stage, model: Path, source: Path, out: Path, tmp_path: Path
) -> None:
    vectors = stage("embed", tmp_path / "vectors", model=str(model), source=source, centre=True)
    again = stage("cluster", tmp_path / "again", source=vectors, clusters=4)
    assert assignments(again) == assignments(out)
    assert not (again / "vectors.npy").exists()
    assert read_manifest(again).counts == read_manifest(out).counts
    with pytest.raises(ConfigError, match=r"has its vectors already \(leave --model out\)"):
        stage("cluster", tmp_path / "more", source=vectors, model=str(model))


def test_a_stopped_run_does_not_embed_again(
    model: Path,
    source: Path,
    out: Path,
    tmp_path: Path,
    stop_after: Callable[[int], Progress],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = find_stage("cluster")
    values = {"source": str(source), "model": str(model), "clusters": 4, "title": "<i>组"}
    config = parse(stage.config_type(), values)
    with pytest.raises(KeyboardInterrupt):
        execute(stage, config, tmp_path / "out", stop_after(61))  # all 60 texts, and one step of grouping
    monkeypatch.setattr("zhbert.vectors.cluster.embed", None)
    again = execute(stage, config, tmp_path / "out", SILENT).folder
    assert read_manifest(again).content == read_manifest(out).content
    assert read_manifest(again).counts == read_manifest(out).counts


def test_a_number_is_chosen_where_none_is_given(stage: Stage, model: Path, out: Path, tmp_path: Path) -> None:
    chosen = stage("cluster", tmp_path / "chosen", source=out)
    found = record(chosen)
    assert len(found.clusters) == int(max(found.tried, key=lambda n: found.tried[n]))
    assert "Why so many groups" in (chosen / "report.html").read_text("utf-8")


def test_a_large_map_is_thinned(
    stage: Stage, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(describe, "POINTS", 20)
    thinned = stage("cluster", tmp_path / "thinned", source=out, clusters=3)
    html = (thinned / "report.html").read_text("utf-8")
    assert html.count('<circle class="point') == record(thinned).plane.shown == 20
    assert "It shows 20 of the texts" in html


@pytest.mark.parametrize("texts", [["北京"], ["", "  ", "\ud800"], ["长城"] * 4, ["我", "爱"]])
def test_few_and_empty_texts_are_grouped(stage: Stage, model: Path, texts: list[str], tmp_path: Path) -> None:
    source = write(tmp_path / "few.jsonl", [{"text": text} for text in texts])
    found = record(stage("cluster", tmp_path / "few", source=source, model=str(model)))
    assert sum(cluster.texts for cluster in found.clusters) == len(texts)
    assert found.fit is None
    remedy = rf"\(--clusters {len(texts)} or fewer\)"
    with pytest.raises(ConfigError, match=f"{len(texts)} texts cannot be 9 groups {remedy}"):
        stage("cluster", tmp_path / "many", source=source, model=str(model), clusters=9)


def test_of_equal_texts_the_most_central_stands_for_all() -> None:
    texts = [Text(id=str(i), text=text) for i, text in enumerate(["甲", "乙", "甲", "丙", "甲", "丁"])]
    groups = Groups(
        groups_N=np.array([0, 0, 0, 0, 0, 1]),
        cosines_N=np.array([0.5, 0.7, 0.9, 0.6, 0.8, 0.1], np.float32),
        centres_KH=np.ones((2, 1), np.float32),
    )
    saved = SimpleNamespace(texts=lambda: iter(texts))
    grouped = describe.Grouped(
        saved=saved,  # type: ignore[arg-type]
        groups=groups,
        tried={},
        silhouette=0,
        places_N2=np.zeros((6, 2), np.float32),
        kept=1,
    )
    found = describe._central(grouped, 2)
    assert [[one.id for one in best] for best in found] == [["2", "1"], ["5"]]


def test_middles_and_buttons() -> None:
    points = [Point(x=x, y=1, cluster=c, text="") for x, c in ((1, 3), (9, 3), (2, 0), (3, 3))]
    assert middles(points) == [(0, 2.0, 1.0), (3, 3.0, 1.0)]
    assert PICKED >= 20
