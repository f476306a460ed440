"""Graphs: they say what their model says, whatever is read together; what they cannot be is refused."""

import json
import math
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import zhbert
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError, ModelError
from zhbert.model import store
from zhbert.model.families import config_of
from zhbert.model.heads import TASK_MODELS
from zhbert.model.store import Facts, Stored
from zhbert.records import EntityExample, EntityPrediction, LabelPrediction, Span, to_plain
from zhbert.task import likeness
from zhbert.task import onnx as room
from zhbert.task.likeness import alike, apart, examples_for, loss
from zhbert.task.predict import predict
from zhbert.task.registry import make_task, task_of

Run = Callable[..., Path]
LABELS = {
    "classify": ("体育", "财经", "科技"),
    "pair": ("是", "否"),
    "ner": ("人名", "地点"),
    "segment": ("词",),
}
WINDOW = 60  # so that texts of a few hundred tokens have several windows
pytestmark = pytest.mark.slow


def tell_apart(one: Any, other: Any, *, by: float) -> bool:
    """Tell whether two predictions differ by more than the last digits of their scores."""
    if isinstance(one, float) and isinstance(other, float):
        return not math.isclose(one, other, abs_tol=by * max(1.0, abs(one)))
    if isinstance(one, dict) and one.keys() == other.keys():
        return any(tell_apart(one[key], other[key], by=by) for key in one)
    if isinstance(one, list | tuple) and len(one) == len(other):
        return any(tell_apart(a, b, by=by) for a, b in zip(one, other, strict=True))
    return bool(one != other)


@pytest.fixture(scope="module")
def random_model(tiny_tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return what saves a model with random weights for a task and head."""
    from zhbert.task.base import Setting

    def save(task: str, head: str) -> Path:
        known = () if head == "value" else LABELS.get(task, ())
        setting = Setting(tokenizer=tiny_tokenizer, labels=known, window=WINDOW, overlap=20, head=head)
        names = make_task(task, setting).model_labels
        size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
        config = config_of(
            "bert",
            positions=WINDOW,
            special=tiny_tokenizer.special,
            vocab_size=tiny_tokenizer.size,
            initializer_range=0.3,
            **size,
        )
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.1  # as fine-tuning leaves it
        if names:
            config.id2label = dict(enumerate(names))
            config.label2id = {name: i for i, name in enumerate(names)}
        torch.manual_seed(3)
        model = TASK_MODELS[task, head].from_config(config)
        if head == "crf":
            torch.nn.init.normal_(model.transitions.weight)
        if head == "pointer":
            torch.nn.init.normal_(model.classifier.weight, std=0.05)
            torch.nn.init.zeros_(model.classifier.bias)
        facts = Facts(task=task, head=head, labels=tuple(known), window=WINDOW, overlap=20)
        folder = tmp_path_factory.mktemp("random") / f"{task}-{head}"
        store.save(folder, model=model, tokenizer=tiny_tokenizer, facts=facts)
        return folder

    return save


@pytest.fixture(scope="module", autouse=True)
def _few_sentences() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likeness, "EACH", 4)
        yield


@pytest.fixture(scope="module")
def graphs(stage: Run, tiny_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model of entities as graphs, checked on examples with answers."""
    folder = tmp_path_factory.mktemp("graphs") / "ner"
    return stage("onnx", folder, model=tiny_models["ner"], int8=True, check="mini:ner/dev")


def said(stored: Stored, examples: list[Any]) -> list[Any]:
    """Return predictions as plain values; of a pointer without the spans on the very border of being said."""
    found = [to_plain(one) for one in predict(task_of(stored), stored.model, examples)]
    if stored.facts.head == "pointer":
        for one in found:
            sure = [i for i, score in enumerate(one["scores"]) if score > 0.5 + 1e-4]
            one |= {name: [one[name][i] for i in sure] for name in ("entities", "scores")}
    return found


@pytest.mark.parametrize(("task", "head"), TASK_MODELS)
def test_a_graph_answers_as_its_model(
    task: str, head: str, random_model: Callable[..., Path], stage: Run, tmp_path: Path, ugly: list[str]
) -> None:
    folder = random_model(task, head)
    stored, graph = (
        store.load(folder),
        store.load(stage("onnx", tmp_path / "graph", model=folder), backend="onnx"),
    )
    texts = [*ugly, *(("王芳在杭州市图书馆工作，李明去了北京。" * 20)[:n] for n in (1, 2, 57, 58, 59, 300))]
    examples = [likeness._example(task, str(n), [*texts[n:], *texts[:n]]) for n in range(len(texts))]
    together, theirs = said(stored, examples), said(graph, examples)
    alone = [said(graph, [example])[0] for example in examples]
    for one, other, by_itself in zip(together, theirs, alone, strict=True):
        assert not tell_apart(one, other, by=1e-4), (one, other)
        assert not tell_apart(other, by_itself, by=1e-4), (other, by_itself)
    assert len({str(one | {"id": ""}) for one in together}) > 3, "the model says one thing of everything"


def test_what_is_padding_does_not_matter(graphs: Path) -> None:
    model: Any = store.load(graphs, backend="onnx").model
    ids = torch.randint(5, 90, (2, 9), generator=torch.manual_seed(1))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    batch = {"token_type_ids": torch.zeros_like(ids), "attention_mask": mask}
    other = ids.clone()
    other[1, 4:] = 3
    first, second = (model(input_ids=rows, **batch).logits for rows in (ids, other))
    assert torch.equal(first[mask > 0], second[mask > 0])
    cut = {name: rows[1:, :4] for name, rows in {"input_ids": ids, **batch}.items()}
    assert torch.allclose(model(**cut).logits, first[1:, :4], atol=1e-5)


def test_a_folder_tells_what_was_found(graphs: Path, tiny_models: dict[str, Path]) -> None:
    found = json.loads((graphs / room.FOUND).read_text("utf-8"))
    counts = json.loads((graphs / "manifest.json").read_text("utf-8"))["counts"]
    assert found["checked on"] == "mini:ner/dev"
    assert found["onnx"]["largest difference"] < 1e-4
    assert counts["onnx: tokens"] == found["onnx"]["tokens"] > 1000
    eight = found["onnx-int8"]
    assert eight.keys() >= {"same answers", "metric", "before", "after", "change", "from", "to"}
    assert eight["metric"] == "micro_f1"
    assert eight["from"] <= eight["change"] <= eight["to"]
    assert eight["change"] == pytest.approx(eight["after"] - eight["before"], abs=2e-5)
    sizes = [(graphs / name).stat().st_size for name in ("model-int8.onnx", "model.onnx")]
    assert sizes[0] < 0.8 * sizes[1]
    assert not list(graphs.glob("*.safetensors"))
    assert "zhbert.json" in {path.name for path in graphs.iterdir()}
    assert store.read_facts(graphs).labels == store.read_facts(tiny_models["ner"]).labels


def test_eight_bits_say_nearly_the_same(graphs: Path, tiny_models: dict[str, Path]) -> None:
    examples = examples_for("ner")
    narrow, wide = store.load(graphs, backend="onnx-int8"), store.load(tiny_models["ner"])
    between = apart(wide, narrow.model, examples)  # type: ignore[arg-type]  # a graph
    assert 1e-4 < between.largest < 0.2 * between.size


def test_no_model_of_torch_is_made(graphs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_load", None)
    for backend in ("onnx", "onnx-int8"):
        pipe = zhbert.load(graphs, backend=backend)
        assert pipe("王芳在杭州市图书馆工作").coverage == 1  # type: ignore[operator]  # a task model
        with pytest.raises(ModelError, match="has no encoder of its own"):
            pipe.encoder  # type: ignore[union-attr]  # noqa: B018  # the access is the test


def test_apply_with_a_graph(graphs: Path, tiny_models: dict[str, Path], stage: Run, tmp_path: Path) -> None:
    source = "mini:ner/dev"
    plain = stage("apply", tmp_path / "torch", model=tiny_models["ner"], source=source)
    graph = stage("apply", tmp_path / "onnx", model=graphs, source=source, backend="onnx")
    ours, theirs = (
        [json.loads(line) for line in (folder / "predictions.jsonl").read_text("utf-8").splitlines()]
        for folder in (plain, graph)
    )
    assert not tell_apart(ours, theirs, by=1e-4)
    cost = json.loads((graph / "logs" / "cost.json").read_text("utf-8"))
    assert "model.onnx" in json.dumps(cost)
    assert str((graphs / "model.onnx").stat().st_size) in json.dumps(cost)


def test_threads_are_those_of_torch(graphs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    model: Any = store.load(graphs, backend="onnx").model
    assert model._session.get_session_options().intra_op_num_threads == 3


def test_what_is_not_there_is_named(graphs: Path, tiny_models: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"only graphs for ONNX Runtime \(backend: onnx-int8\)"):
        zhbert.load(graphs)
    with pytest.raises(ModelError, match=r"no model\.onnx in it \(make it: zhbert onnx"):
        zhbert.load(tiny_models["ner"], backend="onnx")
    with pytest.raises(ConfigError, match="float32 only"):
        zhbert.load(graphs, backend="onnx", dtype="bfloat16")
    plain = tmp_path / "plain"
    plain.mkdir()
    shutil.copyfile(graphs / "config.json", plain / "config.json")
    with pytest.raises(ModelError, match="not a task model"):
        zhbert.load(plain, backend="onnx")
    spoilt = shutil.copytree(graphs, tmp_path / "spoilt")
    (spoilt / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match="not a graph that ONNX Runtime loads"):
        zhbert.load(spoilt, backend="onnx")


def test_an_encoder_is_refused(tiny_encoder: Path, stage: Run, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="an encoder, not a task model"):
        stage("onnx", tmp_path / "graph", model=tiny_encoder)


def test_a_missing_package_is_named(
    graphs: Path, tiny_models: dict[str, Path], stage: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("onnx", "onnxruntime"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            with pytest.raises(
                ModelError, match=rf"{package} is not installed \(pip install 'zhbert\[onnx\]'\)"
            ):
                stage("onnx", tmp_path / "graph", model=tiny_models["ner"])
            assert not (tmp_path / "graph").exists()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(ModelError, match="onnxruntime is not installed"):
            zhbert.load(graphs, backend="onnx")


def test_a_graph_of_another_model_is_refused(
    graphs: Path, tiny_models: dict[str, Path], stage: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eight = graphs / "model-int8.onnx"
    monkeypatch.setattr(room, "write_graph", lambda model, path: shutil.copyfile(eight, path))
    with pytest.raises(
        ModelError, match=r"the graph differs from the model by 0\.\d+: it is not the same model"
    ):
        stage("onnx", tmp_path / "graph", model=tiny_models["ner"])
    assert not (tmp_path / "graph").exists()


def test_values_are_compared_as_numbers() -> None:
    ones, others = (
        [LabelPrediction(id=str(n), labels=(), scores={}, value=n + more) for n in range(4)]
        for more in (0.0, 0.25)
    )
    assert alike(ones, others) == {"mean difference of values": 0.25}
    labels = [LabelPrediction(id="1", labels=tuple(given), scores={"a": 0.5}) for given in ("ab", "ba", "a")]
    assert alike(labels[:2], labels[1:]) == {"same answers": 0.5}


def test_what_is_lost_is_after_minus_before(graphs: Path) -> None:
    stored = store.load(graphs, backend="onnx")
    text = "王芳在北京"
    spans = (Span.of(text, 0, 2, "人名"), Span.of(text, 3, 5, "地点"))
    gold = [EntityExample(id=str(n), text=text, entities=spans) for n in range(40)]
    before = [EntityPrediction(id=one.id, entities=spans, scores=(0.9, 0.9)) for one in gold]
    after = [
        replace(one, entities=spans[:1], scores=(0.9,)) if n % 2 else one for n, one in enumerate(before)
    ]
    lost = loss(stored, gold, before, after)
    assert (lost.metric, lost.before) == ("micro_f1", 1.0)
    assert lost.after == pytest.approx(2 * 60 / (60 + 80))
    assert lost.change.value == pytest.approx(lost.after - 1.0)
    assert lost.change.low < lost.change.value < lost.change.high < 0
