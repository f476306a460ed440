"""`apply`: a model and texts in, one prediction a record out, in the order of the input.

What the model says of itself (`zhbert.json`) goes along as `model.json`, for the report.
"""

import json
from pathlib import Path

from pydantic import Field

from zhbert.app.score import MODEL
from zhbert.config import Config, Input
from zhbert.errors import DataError, ModelError
from zhbert.files import Work, write_text
from zhbert.model import store
from zhbert.progress import SILENT, Progress
from zhbert.read.examples import read_examples
from zhbert.read.lines import read_lines
from zhbert.records import EXAMPLES, Example, to_json, to_plain
from zhbert.task.predict import predict
from zhbert.task.registry import task_of


class ApplyConfig(Config):
    """Which model reads which texts."""

    model: Input = Field(description="the output of `zhbert finetune`")
    source: Input = Field(
        description="examples as JSONL, a reference such as mini:ner/test, or a .txt file, one text a line"
    )


def apply(config: ApplyConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write predictions.jsonl."""
    store.inspect(config.model)
    if store.read_facts(config.model).task == store.MASKED:
        raise ModelError("an encoder, not a task model", where=config.model, remedy="zhbert finetune first")
    stored = store.load(config.model)
    examples = read_source(config.source, stored.facts.task)
    cut = 0
    task = task_of(stored)
    write_text(work.folder / MODEL, json.dumps(to_plain(stored.facts), ensure_ascii=False, indent=1) + "\n")
    path = work.folder / "predictions.jsonl"
    with path.open("w", encoding="utf-8", errors="backslashreplace") as handle:  # half a surrogate pair
        for prediction in predict(task, stored.model, examples, progress=progress):
            handle.write(to_json(prediction) + "\n")
            cut += prediction.coverage < 1
    work.counts |= {"records": len(examples), "not seen whole": cut}


def read_source(path: Path, task: str) -> list[Example]:
    """Return what a file asks: its examples, or one example a line of text."""
    if path.suffix != ".txt":
        return read_examples(path, task)
    if task not in ("classify", "ner"):
        raise DataError(f"lines of text cannot be given to a {task} model", where=path, remedy="use JSONL")
    kind = EXAMPLES[task]
    examples = [kind(id=str(number), text=line) for number, line in read_lines(path)]  # type: ignore[call-arg]  # both have a text
    if not examples:
        raise DataError("the file has no text", where=path, remedy="one text a line")
    return examples
