"""`apply`: a model and texts in, one prediction a record out, in the order of the input.

What the model says of itself (`zhbert.json`) goes along as `model.json`, for the report. How much of the
texts it saw is counted: texts of any length are read window by window, overlong questions and pairs are cut.
"""

import json
from pathlib import Path

from pydantic import Field

from zhbert.app.score import MODEL
from zhbert.config import Config, Input
from zhbert.errors import ConfigError, DataError, ModelError
from zhbert.files import Work, write_text
from zhbert.model import store
from zhbert.progress import SILENT, Progress
from zhbert.read.examples import read_examples
from zhbert.read.lines import read_lines
from zhbert.records import EXAMPLES, Example, to_json, to_plain
from zhbert.task.predict import predict
from zhbert.task.registry import task_of
from zhbert.task.script import Script


class ApplyConfig(Config):
    """Which model reads which texts."""

    model: Input = Field(description="the output of `zhbert finetune`")
    source: Input = Field(
        description="examples as JSONL, a reference such as mini:ner/test, or a .txt file, one text a line"
    )
    script: Script = Field(
        default="kept",
        description="`simplified`: the model reads traditional text as simplified; offsets are as given",
    )
    answers: int = Field(
        default=1, ge=1, description="reading: answers to each question, the best and so many others less one"
    )


def apply(config: ApplyConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write predictions.jsonl."""
    store.inspect(config.model)
    task_name = store.read_facts(config.model).task
    if task_name == store.MASKED:
        raise ModelError("an encoder, not a task model", where=config.model, remedy="zhbert finetune first")
    if config.answers > 1 and task_name != "reading":
        raise ConfigError(f"answers: a {task_name} model gives one answer", where=config.model)
    stored = store.load(config.model)
    examples = read_source(config.source, stored.facts.task)
    seen, cut = 0.0, 0
    task = task_of(stored, answers=float(config.answers))
    write_text(work.folder / MODEL, json.dumps(to_plain(stored.facts), ensure_ascii=False, indent=1) + "\n")
    path = work.folder / "predictions.jsonl"
    with path.open("w", encoding="utf-8", errors="backslashreplace") as handle:  # half a surrogate pair
        for prediction in predict(task, stored.model, examples, script=config.script, progress=progress):
            handle.write(to_json(prediction) + "\n")
            seen, cut = seen + prediction.coverage, cut + (prediction.coverage < 1)
    work.counts |= {
        "records": len(examples),
        "not seen whole": cut,
        "coverage": round(seen / len(examples), 4),
    }


def read_source(path: Path, task: str) -> list[Example]:
    """Return what a file asks: its examples, or one example a line of text."""
    if path.suffix != ".txt":
        return read_examples(path, task)
    if task not in ("classify", "ner", "segment"):
        raise DataError(f"lines of text cannot be given to a {task} model", where=path, remedy="use JSONL")
    kind = EXAMPLES[task]
    examples = [kind(id=str(number), text=line) for number, line in read_lines(path)]  # type: ignore[call-arg]  # both have a text
    if not examples:
        raise DataError("the file has no text", where=path, remedy="one text a line")
    return examples
