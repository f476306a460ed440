"""`apply`: what was seen is counted, and its options reach the model."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from zhbert.app.answered import answered, gold_of, task_of
from zhbert.app.told import IS_DEV, cost_of, coverage_of, facts_of, notes_on
from zhbert.files import hash_file, read_manifest

Stage = Callable[..., Path]
OLD = "王芳在臺灣大學圖書館工作。"


@pytest.mark.slow
def test_what_was_seen_is_counted(stage: Stage, tiny_models: dict[str, Path], tmp_path: Path) -> None:
    questions = ["谁在工作？", "王芳在杭州市图书馆工作，" * 6]  # the second is longer than half a window
    lines = [{"id": str(i), "context": OLD * 20, "question": asked} for i, asked in enumerate(questions)]
    source = tmp_path / "asked.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    out = stage("apply", tmp_path / "said", model=tiny_models["reading"], source=source)
    said = [json.loads(line) for line in (out / "predictions.jsonl").read_text("utf-8").splitlines()]
    assert said[0]["coverage"] == 1.0
    assert said[1]["coverage"] < 0.5
    counts = read_manifest(out).counts
    assert counts["coverage"] == round((1 + said[1]["coverage"]) / 2, 4)
    assert (counts["records"], counts["not seen whole"]) == (2, 1)
    coverage = coverage_of(out)
    assert coverage
    assert (coverage.examples, coverage.cut, coverage.several) == (2, 1, 2)
    assert 30 < coverage.unread < len(questions[1])
    cost = cost_of(out)
    assert cost
    assert (cost.examples, cost.threads) == (2, torch.get_num_threads())
    assert cost.seconds == pytest.approx(cost.preparing + cost.model + cost.deciding, abs=0.002)
    assert cost.model > 0
    assert cost.bytes > 4 * cost.parameters  # of float32, and the header
    assert 2**27 < cost.memory < 2**36  # torch alone takes more than 128 MB
    assert cost.trainings["finetune"] > 0
    assert cost.trainings.keys() <= {"pretrain", "finetune"}


def test_times_are_no_part_of_the_result(
    stage: Stage, tiny_models: dict[str, Path], tiny_sets: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    model, (train, dev) = tiny_models["ner"], tiny_sets["ner"]
    folders = [stage("apply", tmp_path / name, model=model, source=dev) for name in ("one", "two")]
    one, two = map(read_manifest, folders)
    assert one.content == two.content
    assert "logs/cost.json" in one.files
    told = facts_of(folders[0])
    assert (told["hash"]["train"], told["hash"]["dev"]) == (hash_file(train)[:16], hash_file(dev)[:16])
    (note,) = notes_on("一", folders[0], gold=dev, train=train)
    assert note.what == IS_DEV
    read = coverage_of(folders[0])
    gold = [json.loads(line)["entities"] for line in dev.read_text("utf-8").splitlines()]
    assert (read.answers, read.examples) == (sum(map(len, gold)), len(gold))
    assert one.counts["answers out of reach"] == sum(read.out_of_reach.values())
    said = list(map(answered, folders))
    assert (gold_of(said), task_of(said, "")) == (dev.as_posix(), "ner"), "what `compare` asks of them"


def test_further_answers_and_another_script_are_asked_for(
    stage: Stage, tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    source = tmp_path / "asked.jsonl"
    source.write_text(json.dumps({"id": "1", "context": OLD, "question": "誰？"}) + "\n", "utf-8")
    asked = {"model": tiny_models["reading"], "source": source, "script": "simplified", "answers": 4}
    out = stage("apply", tmp_path / "said", **asked)
    said = json.loads((out / "predictions.jsonl").read_text("utf-8"))
    spans = [said["answer"]] * bool(said["answer"]) + [other["span"] for other in said["others"]]
    assert len(spans) == 4
    assert all(OLD[span["start"] : span["end"]] == span["surface"] for span in spans)
