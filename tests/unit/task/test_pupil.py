"""A pupil learns its teacher's answers: against torch's divergence, from texts without answers, by layers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.nn.functional import cosine_similarity, kl_div

from zhbert.config import parse
from zhbert.errors import ConfigError, ModelError
from zhbert.files import Work
from zhbert.model import store
from zhbert.read.examples import read_examples
from zhbert.records import EntityExample, LabelExample, LabelPrediction, to_json
from zhbert.task.base import IGNORED, collate, run_model
from zhbert.task.doubt import departure
from zhbert.task.finetune import FinetuneConfig, finetune
from zhbert.task.predict import predict
from zhbert.task.pupil import answered
from zhbert.task.registry import task_of
from zhbert.task.relations import Listener, apart

Settings = Callable[..., dict[str, Any]]
TASKS = ("classify", "pair", "ner", "reading")


class Output(SimpleNamespace):
    def __contains__(self, name: str) -> bool:
        return hasattr(self, name)


def run(folder: Path, values: dict[str, Any]) -> Work:
    folder.mkdir()
    work = Work(folder)
    texts = {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}
    finetune(parse(FinetuneConfig, texts), work)
    return work


def test_departure_is_the_divergence_of_softened_answers() -> None:
    made = torch.Generator().manual_seed(3)
    said, heard = (Output(logits=torch.randn(4, 5, 7, generator=made)) for _ in range(2))
    labels = torch.randint(0, 7, (4, 5), generator=made)
    labels[:, 3:] = IGNORED
    p, q = (one.logits[:, :3].reshape(-1, 7) / 3 for one in (said, heard))
    expected = 9 * kl_div(q.log_softmax(-1), p.log_softmax(-1), reduction="sum", log_target=True)
    found = departure(said, heard, {"labels": labels}, softness=3.0)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    assert float(departure(said, said, {"labels": labels}, softness=3.0)) == 0


def test_relations_are_mean_squares_of_cosines() -> None:
    made = torch.Generator().manual_seed(5)
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    high, low = torch.randn(2, 4, 6, generator=made), torch.randn(2, 4, 3, generator=made)
    expected = 0.0
    for row, length in enumerate((3, 4)):
        for i in range(length):
            for j in range(length):
                one, other = (cosine_similarity(x[row, i], x[row, j], dim=0) for x in (high, low))
                expected += float((one - other) ** 2) / length**2
    assert float(apart([high], [low], mask)) == pytest.approx(expected, rel=1e-5)
    packed = torch.cat([low[0, :3], low[1]])[None]
    assert float(apart([high], [packed], mask)) == pytest.approx(expected, rel=1e-5)


def test_layers_are_compared_with_those_that_lie_as_high() -> None:
    one, other = torch.eye(3)[None], torch.ones(1, 3, 3)
    mask = torch.ones(1, 3, dtype=torch.long)
    assert float(apart([other, one, other, one], [one, one], mask)) == 0
    assert float(apart([one, other, one, other], [one, one], mask)) == pytest.approx(2 / 3)


def test_the_lowest_layers_of_a_deeper_pupil_are_compared_with_the_lowest() -> None:
    one, other = torch.eye(3)[None], torch.ones(1, 3, 3)
    mask = torch.ones(1, 3, dtype=torch.long)
    assert float(apart([one, other], [one, one, other, other], mask)) == 0


@pytest.mark.parametrize("task", TASKS)
def test_a_listener_hears_every_layer_and_leaves_nothing_behind(
    task: str, stored: dict[str, store.Stored], tiny_finetune: Settings
) -> None:
    kept, prepared = stored[task], task_of(stored[task])
    features = [
        f
        for one in prepared.prepare(read_examples(Path(tiny_finetune(task)["dev"]), task))
        for f in one.features
    ]
    micro = collate(prepared, features[:4])
    with torch.no_grad(), Listener(kept.model) as heard:
        run_model(kept.model, micro.tensors)
    assert len(heard.layers) == kept.model.config.num_hidden_layers
    assert not any(module._forward_hooks for module in kept.model.modules())
    assert float(apart(heard.layers, heard.layers, micro.tensors["attention_mask"])) == 0


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_pupil_of_fewer_layers_learns_from_texts_without_answers(
    task: str, tmp_path: Path, tiny_models: dict[str, Path], tiny_finetune: Settings
) -> None:
    values = tiny_finetune(task, init=tiny_models[task], epochs=1)
    bare = read_examples(Path(values["train"]), task)[:3]
    (tmp_path / "bare.jsonl").write_text(
        "".join(to_json(replace(e, id=f"bare {e.id}")) + "\n" for e in bare), "utf-8"
    )
    more = {"teacher": tiny_models[task], "unlabelled": tmp_path / "bare.jsonl", "teacher_relations": 0.1}
    work = run(tmp_path / "pupil", values | more | {"layers": 1})
    pupil = store.load(tmp_path / "pupil")
    assert pupil.model.config.num_hidden_layers == 1
    assert pupil.facts.provenance["teacher"] == tiny_models[task].name
    assert 0 < pupil.facts.provenance["answered by the teacher"] <= 3
    assert work.counts["train"] == len(read_examples(Path(values["train"]), task))


@pytest.mark.slow
def test_a_pupil_comes_nearer_to_its_teacher(
    tmp_path: Path, tiny_models: dict[str, Path], tiny_encoder: Path, tiny_finetune: Settings
) -> None:
    """With the answers of the teacher alone, and none of its weights, its probabilities are met."""
    teacher = store.load(tiny_models["classify"])
    values = tiny_finetune("classify", epochs=30, lr=3e-3, dropout=0.0)
    dev = read_examples(Path(values["dev"]), "classify")

    def far(folder: Path) -> float:
        models = (teacher, store.load(folder))
        said = [list(predict(task_of(one), one.model, dev)) for one in models]
        gaps = [abs(a.scores[name] - b.scores[name]) for a, b in zip(*said, strict=True) for name in a.scores]  # type: ignore[union-attr]
        return sum(gaps) / len(gaps)

    run(tmp_path / "alone", values)
    run(tmp_path / "taught", values | {"teacher": tiny_models["classify"], "teacher_weight": 1.0})
    assert far(tmp_path / "taught") < 0.5 * far(tmp_path / "alone")


def test_what_is_refused(tmp_path: Path, tiny_models: dict[str, Path], tiny_finetune: Settings) -> None:
    values, labels = tiny_finetune("classify"), store.read_facts(tiny_models["classify"]).labels
    for more, said in (
        ({"teacher_softness": 3.0}, "teacher_softness: there is no teacher"),
        ({"unlabelled": values["train"]}, "unlabelled: there is no teacher"),
        ({"teacher": tiny_models["classify"], "rdrop": 1.0}, "does not go with rdrop"),
        ({"layers": 99}, "layers = 99: the encoder has 2"),
        ({"teacher": tiny_models["ner"]}, "it has been taught ner softmax, not classify one"),
        ({"teacher": tiny_models["classify"], "labels": list(reversed(labels))}, "it knows other labels"),
    ):
        with pytest.raises((ConfigError, ModelError), match=said):
            run(tmp_path / str(len(list(tmp_path.iterdir()))), values | more)


@pytest.mark.parametrize("head", ["crf", "pointer"])
@pytest.mark.parametrize("option", [{"teacher": "no such folder"}, {"rdrop": 1.0}])
def test_what_has_no_meaning_is_refused_before_anything_is_read(head: str, option: dict[str, Any]) -> None:
    values = {"task": "ner", "head": head, "init": "nowhere", "train": "a.jsonl", "dev": "b.jsonl"}
    with pytest.raises(ConfigError, match=f'has no meaning for the task "ner" with the head "{head}"'):
        parse(FinetuneConfig, values | option)
    with pytest.raises(ConfigError, match="it does not go with rdrop"):
        parse(FinetuneConfig, values | {"head": "softmax", "teacher": "no such folder", "rdrop": 1.0})


def test_a_teacher_of_another_vocabulary_is_refused(
    tmp_path: Path, tiny_models: dict[str, Path], tiny_finetune: Settings
) -> None:
    values = tiny_finetune("classify", init="bundled", window=32)
    with pytest.raises(ModelError, match="another vocabulary"):
        run(tmp_path / "new", values | {"teacher": tiny_models["classify"]})


def test_an_answer_of_another_kind_is_our_own_mistake() -> None:
    said = LabelPrediction(id="1", labels=(), scores={})
    assert answered(LabelExample(id="1", text="北京", labels=("甲",)), said).labels == ()  # type: ignore[union-attr]
    with pytest.raises(AssertionError, match="LabelPrediction"):
        answered(EntityExample(id="1", text="北京"), said)
