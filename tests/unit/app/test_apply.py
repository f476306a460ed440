"""`apply`: what was seen is counted, and its options reach the model."""

import json
from collections.abc import Callable
from pathlib import Path

from zhbert.files import read_manifest

Stage = Callable[..., Path]
OLD = "王芳在臺灣大學圖書館工作。"


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
