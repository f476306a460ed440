"""`onnx`: a task model in, a folder out that ONNX Runtime carries out: graphs instead of weights.

- A stage of its own, not an option of `export`: what is handed on there is a model to train further, with a
  card and a licence; what comes out here is for one thing, to be fast where it is used.
- Nothing is taken on trust. The numbers of the graph are compared with the model's on real text, and where
  they differ by more than rounding the graph is not written. Eight bits do change answers: how many is
  measured, and on examples with answers (`check`) also what that costs.
- `export.json` says all that was found, the manifest's counts its main figures.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from zhbert.config import Config, Input
from zhbert.errors import ModelError
from zhbert.files import Work, write_text
from zhbert.model import store
from zhbert.model.graph import OPSET, write_graph, write_int8
from zhbert.model.onnx import GRAPHS, needed
from zhbert.model.store import Stored
from zhbert.progress import SILENT, Progress
from zhbert.read.examples import read_examples
from zhbert.records import Example, Prediction, to_plain
from zhbert.task.likeness import Apart, Loss, alike, apart, examples_for, loss
from zhbert.task.lineage import portable
from zhbert.task.predict import predict
from zhbert.task.registry import task_of

FOUND = "export.json"
LIMIT = 1e-4  # of the difference between the graph's numbers and the model's, by the size of these above 1


class OnnxConfig(Config):
    """Which model becomes a graph, and on what it is checked."""

    model: Input = Field(description="the output of `zhbert finetune`")
    int8: bool = Field(default=False, description="write a second graph with weights of eight bits")
    check: Input | None = Field(
        default=None,
        description="examples on which the graphs are compared with the model, such as mini:ner/dev; with "
        "answers, what is lost is measured [sentences of mini]",
    )


def onnx(config: OnnxConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write the graphs of a model, and what a comparison with it has shown."""
    for package in ("onnx", "onnxruntime"):
        needed(package)
    store.inspect(config.model)
    facts = store.read_facts(config.model)
    if facts.task == store.MASKED:
        raise ModelError("an encoder, not a task model", where=config.model, remedy="zhbert finetune first")
    examples = read_examples(config.check, facts.task) if config.check else examples_for(facts.task)
    stored = store.load(config.model)
    model: Any = stored.model.cpu()  # type: ignore[union-attr]  # one of torch
    _write_rest(config.model, stored, work.folder)
    write_graph(model, work.folder / GRAPHS["onnx"])
    between = apart(stored, store.load(work.folder, backend="onnx").model, examples, progress=progress)
    _refuse(between, where=config.model)
    found = _facts_of(work.folder, between, config.check, len(examples))
    if config.int8:
        graph = work.folder / GRAPHS["onnx"]
        write_int8(graph, work.folder / GRAPHS["onnx-int8"], encoder=model.base_model_prefix)
        found["onnx-int8"] = _int8(stored, work.folder, examples, gold=config.check is not None, bar=progress)
    write_text(work.folder / FOUND, json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    work.counts |= {"task": facts.task, "opset": OPSET, "examples": len(examples)}
    for name in GRAPHS:
        work.counts |= {f"{name}: {what}": value for what, value in found.get(name, {}).items()}


def _write_rest(source: Path, stored: Stored, folder: Path) -> None:
    """Write what belongs to a model beside its weights."""
    facts = replace(stored.facts, provenance=portable(stored.facts.provenance))
    shutil.copyfile(source / "config.json", folder / "config.json")
    stored.tokenizer.save(folder)
    write_text(folder / store.FACTS, json.dumps(to_plain(facts), ensure_ascii=False, indent=1) + "\n")


def _refuse(between: Apart, *, where: object) -> None:
    if not between.share < LIMIT:
        raise ModelError(
            f"the graph differs from the model by {between.largest:.2g}: it is not the same model",
            where=where,
            remedy="use the model itself",
        )


def _facts_of(folder: Path, between: Apart, check: Path | None, examples: int) -> dict[str, Any]:
    return {
        "opset": OPSET,
        "checked on": check.as_posix() if check else "sentences of mini:raw",
        "examples": examples,
        "onnx": {
            "megabytes": _megabytes(folder / GRAPHS["onnx"]),
            "largest difference": float(f"{between.largest:.2g}"),
            "largest number": float(f"{between.size:.3g}"),
            "tokens": between.tokens,
        },
    }


def _int8(
    stored: Stored, folder: Path, examples: Sequence[Example], *, gold: bool, bar: Progress
) -> dict[str, Any]:
    """Return what eight bits change: how many answers, and what that costs where the right ones are known."""
    narrow = store.load(folder, backend="onnx-int8")
    before, after = (_said(one, examples, bar) for one in (stored, narrow))
    found = {"megabytes": _megabytes(folder / GRAPHS["onnx-int8"])} | alike(before, after)
    return found | (_told(loss(stored, examples, before, after)) if gold else {})


def _said(stored: Stored, examples: Sequence[Example], progress: Progress) -> list[Prediction]:
    return list(predict(task_of(stored), stored.model, examples, progress=progress))


def _told(lost: Loss) -> dict[str, Any]:
    return {
        "metric": lost.metric,
        "before": round(lost.before, 5),
        "after": round(lost.after, 5),
        "change": round(lost.change.value, 5),
        "from": round(lost.change.low, 5),
        "to": round(lost.change.high, 5),
    }


def _megabytes(path: Path) -> float:
    return round(path.stat().st_size / 1e6, 1)
