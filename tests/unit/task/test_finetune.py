"""Fine-tuning: same seed same weights, kills do no harm, mistakes are named, and tasks can be learnt."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from zhbert.config import parse
from zhbert.encode.tokenizer import Tokenizer
from zhbert.errors import ConfigError, DataError, ModelError
from zhbert.files import Work, read_manifest
from zhbert.model.store import read_facts
from zhbert.progress import SILENT, Progress
from zhbert.task.base import Feature
from zhbert.task.finetune import FinetuneConfig, finetune
from zhbert.task.fitting import POOL, FinetuneJob, epoch_batches
from zhbert.task.registry import make_task
from zhbert.task.sets import read_sets
from zhbert.train.job import Micro
from zhbert.train.ranks import Ranks

Settings = Callable[..., dict[str, Any]]


def config_of(values: dict[str, Any]) -> FinetuneConfig:
    return parse(FinetuneConfig, {k: str(v) if isinstance(v, Path) else v for k, v in values.items()})


def run(folder: Path, values: dict[str, Any], progress: Progress = SILENT) -> Work:
    folder.mkdir(exist_ok=True)
    work = Work(folder)
    finetune(config_of(values), work, progress)
    return work


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def figures(folder: Path) -> list[dict[str, float]]:
    """Return what was logged but for times and restarts."""
    rows = [json.loads(line) for line in (folder / "logs" / "metrics.jsonl").read_text("utf-8").splitlines()]
    times = ("tokens_per_second", "seconds")
    return [{k: v for k, v in row.items() if k not in times} for row in rows if "restart" not in row]


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    "task", ["ner", *(pytest.param(t, marks=pytest.mark.slow) for t in ("classify", "pair", "reading"))]
)
def test_the_same_seed_gives_the_same_weights(
    task: str, tmp_path: Path, tiny_finetune: Settings, tiny_models: dict[str, Path]
) -> None:
    torch.manual_seed(12345)
    run(tmp_path / "again", tiny_finetune(task))
    run(tmp_path / "other", tiny_finetune(task, seed=2))
    assert equal(weights(tmp_path / "again"), weights(tiny_models[task]))
    assert not equal(weights(tmp_path / "other"), weights(tiny_models[task]))


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 2, 6])
def test_a_killed_run_ends_with_the_same_weights(
    at: int,
    tmp_path: Path,
    tiny_finetune: Settings,
    tiny_models: dict[str, Path],
    stop_after: Callable[[int], Progress],
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "ner", tiny_finetune("ner", save_seconds=1e-9), stop_after(at))
    run(tmp_path / "ner", tiny_finetune("ner", save_seconds=1e-9))
    assert equal(weights(tmp_path / "ner"), weights(tiny_models["ner"]))
    assert figures(tmp_path / "ner") == figures(tiny_models["ner"])
    assert not list((tmp_path / "ner").glob("*checkpoint*")) + list((tmp_path / "ner").glob("best*"))


def test_processes_and_parts_share_a_batch(tiny_finetune: Settings, setting: Callable[..., Any]) -> None:
    config = config_of(tiny_finetune("ner"))
    labels, train_set, dev_set = read_sets(
        config.train, config.dev, task="ner", head="", labels=config.labels
    )
    task = make_task("ner", setting(*labels, window=48))

    def take(rank: int, world: int, parts: int) -> list[Micro]:
        ranks = Ranks(rank, world, torch.device("cpu"))
        job = FinetuneJob(task, config, train_set, dev_set, ranks, alike=False)
        return job.next_step(done=0.0, parts=parts)

    (whole,) = take(0, 1, 1)
    for world, parts in ((1, 3), (2, 1), (2, 2), (3, 5), (11, 1)):
        shares = [take(rank, world, parts) for rank in range(world)]
        assert sum(micro.targets for share in shares for micro in share) == whole.targets
        assert sum(micro.tokens for share in shares for micro in share) == whole.tokens
        busy = [micro for share in shares for micro in share if micro.targets]
        found = sorted(ids for micro in busy for ids in rows_of(micro))
        assert found == sorted(rows_of(whole))
    assert [len(share) for share in shares] == [1] * 11
    assert [share[0].targets for share in shares[8:]] == [0] * 3


def rows_of(micro: Micro) -> list[list[int]]:
    pairs = zip(micro.tensors["input_ids"], micro.tensors["attention_mask"].sum(1), strict=True)
    return [ids[:length].tolist() for ids, length in pairs]


def test_random_takes_the_size_but_not_the_weights(
    tmp_path: Path, tiny_finetune: Settings, tiny_encoder: Path
) -> None:
    run(tmp_path / "random", tiny_finetune("classify", random=True, epochs=1, lr=1e-9))
    run(tmp_path / "warm", tiny_finetune("classify", epochs=1, lr=1e-9))
    name = "bert.encoder.layer.1.output.dense.weight"
    encoder = weights(tiny_encoder)[name]
    assert torch.allclose(weights(tmp_path / "warm")[name], encoder, atol=1e-5)
    assert not torch.allclose(weights(tmp_path / "random")[name], encoder, atol=1e-2)
    assert weights(tmp_path / "random")[name].shape == encoder.shape


def test_the_folder_says_what_it_holds(tiny_models: dict[str, Path]) -> None:
    for task, folder in tiny_models.items():
        facts, manifest = read_facts(folder), read_manifest(folder)
        assert manifest is not None
        assert (facts.task, facts.window, facts.overlap) == (task, 48, 12)
        assert facts.score == manifest.counts["dev_score"]
        assert manifest.counts["train"] == 24
        assert 1 <= manifest.counts["best_epoch"] <= 2
    config = json.loads((tiny_models["ner"] / "config.json").read_text("utf-8"))
    labels = read_facts(tiny_models["ner"]).labels
    assert list(config["id2label"].values()) == [
        "O",
        *(f"{letter}-{label}" for label in labels for letter in "BI"),
    ]


ROW = {"id": "1", "text": "王芳在北京", "labels": ["体育"]}


def test_a_dev_label_that_train_lacks_is_named_with_its_line(tmp_path: Path, tiny_finetune: Settings) -> None:
    train = write(tmp_path / "train.jsonl", ROW)
    dev = write(tmp_path / "dev.jsonl", ROW, ROW | {"id": "2", "labels": ["体肓"]})
    with pytest.raises(DataError, match=r'dev\.jsonl:2: the label "体肓" is not in the label set'):
        run(tmp_path / "out", tiny_finetune("classify", train=train, dev=dev, labels=[]))


@pytest.mark.parametrize("labels", [[], ["体育", "财经"]])
@pytest.mark.parametrize("part", ["train", "dev"])
def test_an_example_without_exactly_one_label_is_named(
    part: str, labels: list[str], tmp_path: Path, tiny_finetune: Settings
) -> None:
    good = write(tmp_path / "good.jsonl", ROW, ROW | {"id": "2", "labels": ["财经"]})
    bad = write(tmp_path / "bad.jsonl", ROW, ROW | {"id": "丙", "labels": labels})
    files = {"train": good, "dev": good} | {part: bad}
    with pytest.raises(DataError, match=rf'bad\.jsonl.*"丙" has {len(labels)} labels'):
        run(tmp_path / "out", tiny_finetune("classify", **files, labels=["体育", "财经"]))


MISTAKES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "window": ({"window": 600}, ConfigError, "window = 600: the encoder has 512 positions"),
    "labels twice": ({"labels": ["体育", "体育"]}, ConfigError, "given twice"),
    "no encoder": ({"init": "/nowhere/encoder"}, ModelError, "no such folder"),
    "no train": ({"train": Path("/nowhere/train.jsonl")}, DataError, "no such file"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_said_in_one_line(name: str, tmp_path: Path, tiny_finetune: Settings) -> None:
    values, kind, words = MISTAKES[name]
    if name == "labels twice":
        values = values | {"train": write(tmp_path / "t.jsonl", ROW), "dev": write(tmp_path / "d.jsonl", ROW)}
    with pytest.raises(kind, match=words) as caught:
        run(tmp_path / "out", tiny_finetune("classify", **values))
    assert "\n" not in str(caught.value)


def test_a_tokenizer_too_large_for_the_encoder_is_refused(
    tmp_path: Path, tiny_finetune: Settings, tiny_encoder: Path
) -> None:
    folder = tmp_path / "encoder"
    folder.mkdir()
    for path in tiny_encoder.glob("*.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    Tokenizer.from_vocab([*Tokenizer.load(tiny_encoder).tokens, "龘"]).save(folder)
    for random in (True, False):
        with pytest.raises(ModelError, match="entries but the embedding"):
            run(tmp_path / "out", tiny_finetune("ner", init=folder, random=random))


def test_an_unknown_task_is_named(setting: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=r'no task "nre" .*did you mean "ner"'):
        make_task("nre", setting())


def test_every_feature_comes_once_an_epoch_in_another_order() -> None:
    lengths = np.random.default_rng(0).integers(3, 90, 1000).tolist()
    features = [Feature(ids=[0] * n, span=(0, n), offset=1) for n in lengths]
    for alike in (True, False):
        orders = []
        for epoch in (0, 1):
            batches = epoch_batches(features, 8, seed=(1, epoch), alike=alike)
            assert {len(batch) for batch in batches} == {8}
            orders.append([i for batch in batches for (i,) in batch])
            assert sorted(orders[-1]) == list(range(1000))
            filled = sum(len(batch) * max(lengths[i] for (i,) in batch) for batch in batches)
            assert (filled / sum(lengths) < 1.2) == alike
        assert orders[0] != orders[1]
        assert epoch_batches(features, 8, seed=(1, 1), alike=alike) == batches
        assert len(epoch_batches(features[: POOL * 8 + 1], 8, seed=(1, 0), alike=alike)) == POOL + 1


@pytest.mark.parametrize("task", ["ner", pytest.param("classify", marks=pytest.mark.slow)])
def test_a_task_can_be_learnt(
    task: str, tmp_path: Path, tiny_finetune: Settings, tiny_sets: dict[str, tuple[Path, Path]]
) -> None:
    lines = tiny_sets[task][0].read_text("utf-8").splitlines(keepends=True)[:16]
    few = tmp_path / "few.jsonl"
    few.write_text("".join(lines), "utf-8")
    values = tiny_finetune(task, train=few, dev=few, epochs=30, lr=2e-3, dropout=0.0)
    assert run(tmp_path / "out", values).counts["dev_score"] > 0.9
