"""A model that is handed on: its weights rounded and nothing else, and a card that tells what is known."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file

from zhbert.app.pipeline import Pipeline, load
from zhbert.errors import ConfigError, DataError, ModelError
from zhbert.model import store
from zhbert.records import ChoiceExample, to_json
from zhbert.task.export import measure, sample
from zhbert.task.lineage import past_of

Run = Callable[..., Path]
SAID = {"title": "A model", "licence": "Apache-2.0"}


@pytest.fixture(scope="module")
def exported(stage: Run, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stage("export", tmp_path_factory.mktemp("handed") / "on", model=tiny_encoder, **SAID)


@pytest.fixture
def folder(tmp_path: Path, tiny_encoder: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder, tmp_path / "model"))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return {
        name: weight
        for path in sorted(folder.glob("*.safetensors"))
        for name, weight in load_file(path).items()
    }


def spoil(folder: Path, name: str, value: float) -> None:
    path = folder / "model.safetensors"
    held = load_file(path)
    held[name].view(-1)[3] = value
    save_file(held, path, metadata={"format": "pt"})


def counts(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text("utf-8"))["counts"])


def test_half_is_every_weight_rounded(exported: Path, tiny_encoder: Path) -> None:
    before, after = weights(tiny_encoder), weights(exported)
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], before[name].half()) for name in before)
    assert (exported / "model.safetensors").stat().st_size < 0.51 * sum(
        4 * w.numel() for w in before.values()
    )
    assert {p.dtype for p in store.load(exported).model.parameters()} == {torch.float32}


@pytest.mark.slow
def test_the_weights_are_widened_whatever_the_model_said_before(
    stage: Run, folder: Path, tmp_path: Path
) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    told = config | {"dtype": "float16", "torch_dtype": "float16"}
    (folder / "config.json").write_text(json.dumps(told), "utf-8")
    handed = stage("export", tmp_path / "out", model=folder, **SAID)
    assert json.loads((handed / "config.json").read_text("utf-8")) == config | {"dtype": "float32"}


@pytest.mark.slow
def test_full_is_every_weight(stage: Run, tiny_encoder: Path, tmp_path: Path) -> None:
    full = stage("export", tmp_path / "full", model=tiny_encoder, precision="full", **SAID)
    before, after = weights(tiny_encoder), weights(full)
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert counts(full)["largest difference of logits"] == 0
    assert "float32" in (full / "README.md").read_text("utf-8")


def test_the_files_are_those_of_a_model_and_a_card(exported: Path, tiny_encoder: Path) -> None:
    names = {path.name for path in tiny_encoder.iterdir()} - {"logs"}
    assert {path.name for path in exported.iterdir()} == names | {"README.md"}
    assert store.read_facts(exported) == store.read_facts(tiny_encoder)
    assert store.load(exported).tokenizer.fingerprint == store.load(tiny_encoder).tokenizer.fingerprint


@pytest.mark.parametrize("task", ["classify", "pair", "ner", "reading"])
def test_every_task_model_can_be_handed_on(
    task: str, stage: Run, tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    handed = stage("export", tmp_path / "out", model=tiny_models[task], **SAID)
    assert store.read_facts(handed) == store.read_facts(tiny_models[task])
    assert 0 < counts(handed)["largest difference of logits"] < 0.02
    tag = {"ner": "token-classification", "reading": "question-answering"}.get(task, "text-classification")
    head: Any = ModelCard((handed / "README.md").read_text("utf-8")).data
    assert head.pipeline_tag == tag


@pytest.mark.slow
def test_a_model_of_choices_can_be_handed_on(
    stage: Run, tiny_finetune: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    path, asked = tmp_path / "asked.jsonl", {"context": "王芳在杭州工作", "question": "在哪"}
    examples = [ChoiceExample(id=str(i), **asked, options=("北京", "杭州"), answer=i % 2) for i in range(8)]
    path.write_text("".join(to_json(example) + "\n" for example in examples), "utf-8")
    settings = tiny_finetune("reading") | {"task": "choice", "train": path, "dev": path, "epochs": 1}
    handed = stage(
        "export", tmp_path / "out", model=stage("finetune", tmp_path / "model", **settings), **SAID
    )
    found = counts(handed)
    assert 0 < found["largest difference of logits"] < 0.02
    assert found["tokens measured"] > 1000
    card = (handed / "README.md").read_text("utf-8")
    head: Any = ModelCard(card).data
    assert head.pipeline_tag == "multiple-choice"
    assert "AutoModelForMultipleChoice.from_pretrained" in card
    line = card.split('folder")\n')[-1].split("\n```")[0]
    model = load(handed)
    assert isinstance(model, Pipeline)
    assert eval(line, {"model": model}).answer in (0, 1), "the line that the card gives is one that works"


@pytest.mark.slow
def test_the_difference_is_the_largest_on_the_text(exported: Path, tiny_encoder: Path) -> None:
    first, second = store.load(tiny_encoder), store.load(exported)
    found = measure(first, second, where="here")
    assert 0 < found.largest < 0.02
    assert found.tokens > 1000
    apart = []
    for row in sample(first):
        with torch.inference_mode():
            one, other = (
                stored.model(torch.tensor([row], device=stored.model.device)).logits
                for stored in (first, second)
            )
        apart.append(float((one - other).abs().max()))
    assert found.largest == max(apart) > apart[-1]
    assert first.tokenizer.special.mask in row
    with torch.no_grad():
        second.model.get_output_embeddings().bias[7] += 30.0  # one logit of every token
    moved = measure(first, second, where="here")
    assert moved.largest == pytest.approx(30.0, abs=0.02)
    assert moved.same < found.same


@pytest.mark.slow
def test_a_weight_too_large_for_half_is_named(stage: Run, folder: Path, tmp_path: Path) -> None:
    name = "bert.encoder.layer.1.output.dense.weight"
    spoil(folder, name, -70000.0)
    with pytest.raises(ModelError, match=rf"{name} reaches 70,000, half precision 65,504 \(precision"):
        stage("export", tmp_path / "out", model=folder, **SAID)
    assert not list(tmp_path.glob("out*"))
    assert stage("export", tmp_path / "out", model=folder, precision="full", **SAID).is_dir()


def test_a_weight_that_is_no_number_is_named(stage: Run, folder: Path, tmp_path: Path) -> None:
    spoil(folder, "bert.embeddings.LayerNorm.bias", float("nan"))
    with pytest.raises(ModelError, match=r"bert\.embeddings\.LayerNorm\.bias is not finite"):
        stage("export", tmp_path / "out", model=folder, **SAID)


def test_logits_that_are_no_numbers_are_refused(stage: Run, folder: Path, tmp_path: Path) -> None:
    spoil(folder, "bert.embeddings.LayerNorm.weight", 3e38)
    with pytest.raises(ModelError, match="its logits are not finite"):
        stage("export", tmp_path / "out", model=folder, precision="full", **SAID)


@pytest.mark.slow
def test_the_head_for_pairs_goes_along(stage: Run, tiny_pretrain: dict[str, Any], tmp_path: Path) -> None:
    pairs = stage("pretrain", tmp_path / "pairs", **tiny_pretrain | {"pairs": "sop", "steps": 1})
    handed = stage("export", tmp_path / "out", model=pairs, **SAID)
    assert weights(handed).keys() == weights(pairs).keys()
    assert any(name.startswith("cls.seq_relationship") for name in weights(handed))


@pytest.mark.slow
def test_weights_in_several_files(stage: Run, folder: Path, tmp_path: Path) -> None:
    model = store.load(folder).model
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="800KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    handed = stage("export", tmp_path / "out", model=folder, **SAID)
    assert {p.name for p in folder.glob("*.safetensors*")} == {p.name for p in handed.glob("*.safetensors*")}
    assert {w.dtype for w in weights(handed).values()} == {torch.float16}


@pytest.mark.slow
def test_what_is_handed_on_can_be_handed_on_again(stage: Run, exported: Path, tmp_path: Path) -> None:
    again = stage("export", tmp_path / "again", model=exported, **SAID)
    assert (again / "model.safetensors").read_bytes() == (exported / "model.safetensors").read_bytes()
    assert counts(again)["largest difference of logits"] == 0


@pytest.mark.slow
def test_places_on_this_machine_stay_here(stage: Run, tiny_pretrain: dict[str, Any], tmp_path: Path) -> None:
    first = stage("pretrain", tmp_path / "secret" / "first", **tiny_pretrain | {"steps": 1})
    second = stage("pretrain", tmp_path / "secret" / "second", **tiny_pretrain | {"init": first, "steps": 1})
    handed = stage("export", tmp_path / "secret" / "out", model=second, **SAID)
    assert store.read_facts(second).provenance["init"] == str(first)
    assert store.read_facts(handed).provenance["init"] == "first"
    for path in handed.glob("*.*"):
        assert path.name == "model.safetensors" or "secret" not in path.read_text("utf-8"), path
    told = rows(handed)
    assert [row[0] for row in told] == ["random weights", "first"], "the folders beside it tell the way"
    alone = Path(shutil.copytree(second, tmp_path / "elsewhere" / "second"))
    assert [row[0] for row in rows(stage("export", tmp_path / "alone", model=alone, **SAID))] == ["first"]


def rows(folder: Path) -> list[list[str]]:
    """Return the rows of the table of trainings in a card."""
    lines = (folder / "README.md").read_text("utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("| from |"))
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[at + 2 :]]
    return table[: next(i for i, row in enumerate(table) if len(row) < 9)]


@pytest.mark.slow
def test_the_text_is_told_where_the_way_is_known(stage: Run, tiny_encoder: Path, tmp_path: Path) -> None:
    stages = [manifest.stage for _, manifest in past_of(tiny_encoder)]
    assert stages == ["corpus build", "vocab", "encode", "pretrain"]
    handed = stage("export", tmp_path / "out", model=tiny_encoder, **SAID)
    card = (handed / "README.md").read_text("utf-8")
    kept = json.loads((tiny_encoder.parent / "documents" / "facts.json").read_text("utf-8"))["kept"]
    assert f"| raw.txt | {kept['documents']:,} | {kept['characters']:,} |" in card


def test_a_fine_tuned_model_tells_both_trainings(
    stage: Run, tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    for model in (tiny_models["ner"], Path(shutil.copytree(tiny_models["ner"], tmp_path / "alone" / "ner"))):
        card = (stage("export", tmp_path / "out", model=model, **SAID) / "README.md").read_text("utf-8")
        assert "| random weights | 6 |" in card
        assert "| 24 | 12 | 2 | " in card
        assert "人名" in card


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"licence": "do as you like"}, "licence = .*: not an SPDX name"),
        ({"licence": ""}, "not an SPDX name"),
        ({"language": "Chinese\nx"}, "language = .*: not a language tag"),
        ({"title": ""}, "title = "),
        ({"precision": "quarter"}, "precision = "),
    ],
)
def test_what_a_card_cannot_say_is_refused(
    values: dict[str, str], words: str, stage: Run, tiny_encoder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        stage("export", tmp_path / "out", **{"model": tiny_encoder} | SAID | values)


def test_only_models_are_handed_on(stage: Run, tiny_shards: Path, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a model"):
        stage("export", tmp_path / "out", model=tiny_shards, **SAID)
    (folder / store.FACTS).unlink()
    with pytest.raises(ModelError, match=r"no zhbert\.json"):
        stage("export", tmp_path / "out", model=folder, **SAID)
    with pytest.raises(DataError, match="no such file or folder"):
        stage("export", tmp_path / "out", model=tmp_path / "nowhere", **SAID)
