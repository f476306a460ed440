"""`apply` for many records: workers, runs that are broken off, several models, tables."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from zhbert.app import apply as room
from zhbert.app import saying
from zhbert.app.formats import FORMATS, schema_of
from zhbert.app.saying import take_share
from zhbert.app.stages import execute, find_stage
from zhbert.app.told import cost_of, coverage_of, predictions_file
from zhbert.config import parse
from zhbert.engine.run import cores
from zhbert.errors import ConfigError
from zhbert.files import read_manifest
from zhbert.read.examples import read_predictions
from zhbert.records import PREDICTIONS, to_json

Stage = Callable[..., Path]
TEXTS = ["王芳在杭州市图书馆工作，" * n + "李明去了北京。" for n in (1, 2, 9, 1, 3)]
UGLY = ["半\ud83d个王芳", "零\x00字节", "行\u2028李明", "👩‍👩‍👧在北京"]
SMALL = {"portion_characters": 40}


def lines_of(folder: Path, name: str = "predictions.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text("utf-8").split("\n") if line]


def write_examples(path: Path, texts: list[str]) -> Path:
    lines = [json.dumps({"id": str(i), "text": text}) + "\n" for i, text in enumerate(texts)]
    path.write_text("".join(lines), "ascii")
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_examples(tmp_path / "asked.jsonl", (TEXTS + UGLY) * 3)


@pytest.mark.slow
def test_predictions_do_not_depend_on_who_makes_them(
    stage: Stage, tiny_models: dict[str, Path], source: Path, tmp_path: Path
) -> None:
    asked = {"model": tiny_models["ner"], "source": source} | SMALL
    one = stage("apply", tmp_path / "one", **asked)
    said = lines_of(one)
    assert [line["id"] for line in said] == [str(i) for i in range(27)]
    assert len(lines_of(one, "logs/portions.jsonl")) > 9
    two = stage("apply", tmp_path / "two", **asked, workers=2)
    assert read_manifest(one).content == read_manifest(two).content
    assert (coverage_of(one).examples, coverage_of(one)) == (27, coverage_of(two))
    assert cost_of(two).parameters == cost_of(one).parameters > 0
    assert sum(band.n for band in cost_of(two).bands) == 27
    assert not [path for path in one.rglob("*") if path.name in ("portions", "seen.json")]


@pytest.mark.slow
def test_predictions_on_ray_are_the_same(
    stage: Stage, tiny_models: dict[str, Path], source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="needs zhbert[ray]")
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    asked = {"model": tiny_models["ner"], "source": source} | SMALL
    one = stage("apply", tmp_path / "one", **asked)
    two = stage("apply", tmp_path / "two", **asked, workers=2, engine="ray")
    assert read_manifest(one).content == read_manifest(two).content


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["portion", "together", "log", "tidy"])
def test_a_run_that_is_broken_off_goes_on(
    moment: str,
    stage: Stage,
    stop_after: Callable[[int], Any],
    tiny_models: dict[str, Path],
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = {"model": tiny_models["classify"], "source": source} | SMALL
    calm = stage("apply", tmp_path / "calm", **asked)
    config = parse(room.ApplyConfig, {key: str(v) if isinstance(v, Path) else v for key, v in asked.items()})
    progress = stop_after(12 if moment == "portion" else 99)

    def stop(place: Path, *_: object, **__: object) -> None:
        if moment == "tidy":
            shutil.rmtree(place / "00000")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        for step, name in (("together", "write_costs"), ("log", "_collect_rejects"), ("tidy", "remove")):
            if step == moment:
                patch.setattr(room, name, stop)
        with pytest.raises(KeyboardInterrupt):
            execute(find_stage("apply"), config, tmp_path / "out", progress)
    calls: list[object] = []
    say = saying.Say._say
    monkeypatch.setattr(saying.Say, "_say", lambda *all_: calls.append(all_) or say(*all_))
    again = execute(find_stage("apply"), config, tmp_path / "out")
    assert again.manifest.content == read_manifest(calm).content
    assert again.manifest.counts == read_manifest(calm).counts
    portions = len(lines_of(calm, "logs/portions.jsonl"))
    assert 0 < len(calls) < portions if moment == "portion" else not calls


@pytest.mark.slow
def test_two_models_in_one_pass_are_two_passes(
    stage: Stage, tiny_models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("\n\n".join(TEXTS) + "\n", "utf-8")
    models = {"实体": tiny_models["ner"], "topic": tiny_models["classify"]}
    encoded: list[str] = []
    encode = saying.Tokenizer.encode_batch
    monkeypatch.setattr(
        saying.Tokenizer, "encode_batch", lambda self, texts: encoded.extend(texts) or encode(self, texts)
    )
    config = parse(
        room.ApplyConfig, {"model": {k: str(v) for k, v in models.items()}, "source": str(texts)} | SMALL
    )
    both = execute(find_stage("apply"), config, tmp_path / "both")
    assert encoded == TEXTS, "the tokens of each text are made once for both models"
    for name, model in models.items():
        alone = stage("apply", tmp_path / name, model=model, source=texts, **SMALL)
        own, theirs = read_manifest(tmp_path / "both" / name), read_manifest(alone)
        assert (own.content, own.plan, own.counts) == (theirs.content, theirs.plan, theirs.counts)
        assert predictions_file(tmp_path / "both" / name).is_file()
        assert [line["id"] for line in lines_of(alone)] == ["1", "3", "5", "7", "9"]
    assert both.manifest.counts["records"] == 5
    assert both.manifest.counts["topic"]["coverage"] == 1.0
    again = execute(find_stage("apply"), config, tmp_path / "again").manifest
    assert again.content == both.manifest.content


def test_models_are_named_once_and_by_folders() -> None:
    def model(*given: Any) -> Any:
        return parse(
            room.ApplyConfig, {"model": given[0] if len(given) == 1 else list(given), "source": "a"}
        ).model

    assert model(["work/ner"]) == model("work/ner") == Path("work/ner")
    assert model("b=work/ner", "a=work/topic") == {"b": Path("work/ner"), "a": Path("work/topic")}
    assert model(["a=work/ner"]) == {"a": Path("work/ner")}
    for wrong, said in (
        (["x", "y"], "NAME=PATH each"),
        (["a=x", "a=y"], 'two models are called "a"'),
        (["../a=x", "b=y"], r'"\.\./a" is no name, and there is no file or folder'),
        (["a=x", "b="], 'model = .*: no path in "b="'),
        ([{"logs": "x"}], "no name for a folder"),
        ([{}], "name a model at least"),
    ):
        with pytest.raises(ConfigError, match=said):
            model(*wrong)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["classify", "pair", "ner", "reading"])
def test_a_table_holds_the_same(
    task: str,
    stage: Stage,
    tiny_models: dict[str, Path],
    tiny_sets: dict[str, tuple[Path, Path]],
    tmp_path: Path,
) -> None:
    asked = {"model": tiny_models[task], "source": tiny_sets[task][1], "portion_characters": 200}
    lines = read_predictions(stage("apply", tmp_path / "lines", **asked) / "predictions.jsonl", task)
    path = stage("apply", tmp_path / "table", **asked, format="parquet") / "predictions.parquet"
    rows = pq.read_table(path).to_pylist()
    FORMATS["parquet"].write(tmp_path / "again.parquet", lines, task)
    assert rows == pq.read_table(tmp_path / "again.parquet").to_pylist()
    assert pq.read_schema(path).equals(schema_of(task))
    assert [row["id"] for row in rows] == [line.id for line in lines]
    assert list(rows[0]) == list(PREDICTIONS[task].__dataclass_fields__)
    kept = rows[0].get("entities", [{"start": 0}])
    assert [span["start"] for span in kept] == [
        span["start"] for span in json.loads(to_json(lines[0])).get("entities", [{"start": 0}])
    ]


def test_each_worker_has_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[object] = []
    monkeypatch.setattr(torch, "set_num_threads", lambda n: taken.append(("threads", n)))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda n: taken.append(n))
    take_share("", workers=1)
    assert taken == []
    for worker in "012":
        take_share(worker, workers=3)
    assert taken[1::2] == [0, 1, 0]
    assert taken[0] == ("threads", max(1, cores() // 3))
