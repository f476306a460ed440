"""`apply`: models and texts in, one prediction a record out, in the order of the input, however many.

    predictions.jsonl    the answers                                    (or predictions.parquet)
    model.json           what the model says of itself, with the hashes of what it learnt from
    coverage.json        how much of the texts it saw: they are read window by window, overlong pairs are cut
    logs/cost.json       what it took; no part of the result, for it is different every time
    logs/portions.jsonl  what every portion counted

The main process reads (`portions`), each portion becomes a folder (`saying`), and at the end they are put
together. A killed run goes on where it was: portions that are there are not done again, and the log, which
is written when all is together, says that nothing but tidying up is left. With several models in one pass
each has such a folder under its name, with the manifest that a pass of its own would have left, so whatever
reads predictions reads these.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from zhbert.app.formats import FORMATS, Name, join
from zhbert.app.options import NAME, models_of, name_and_path
from zhbert.app.portions import Portions
from zhbert.app.saying import LEFT_OUT, Say, voices_of, witness_in
from zhbert.app.stages import find_stage, plan
from zhbert.app.told import LEARNT, MODEL
from zhbert.config import HOW, Input, Output, Source
from zhbert.engine.run import Parallel, run_units
from zhbert.engine.unit import Result, name_of, remove
from zhbert.errors import ConfigError, DataError, ModelError
from zhbert.files import LOGS, Plan, Work, building, is_done, read_manifest, write_text
from zhbert.model import store
from zhbert.model.onnx import Backend
from zhbert.precision import Dtype
from zhbert.progress import SILENT, Progress
from zhbert.read.config import ReadConfig
from zhbert.records import to_plain
from zhbert.score.cost import write_costs
from zhbert.score.coverage import COVERAGE
from zhbert.task.lineage import legs_of, past_of
from zhbert.task.script import Script
from zhbert.task.watch import Total

PARTS, LOG = "portions", f"{LOGS}/portions.jsonl"


class ApplyConfig(ReadConfig, Parallel):
    """Which models read which texts."""

    model: Input | dict[str, Input] = Field(
        description="the output of `zhbert finetune`; several in one pass: NAME=PATH each, or a table"
    )
    source: Source = Field(
        description="examples: JSONL or a reference such as mini:ner/test; or, for tasks that ask one text, "
        "plain texts: a .txt file (a text a line), .csv, .parquet …, a folder, a pattern, hub:NAME, or - for "
        "standard input"
    )
    script: Script = Field(
        default="kept",
        description="`simplified`: the model reads traditional text as simplified; offsets are as given",
    )
    answers: int = Field(
        default=1, ge=1, description="reading: answers to each question, the best and so many others less one"
    )
    backend: Backend = Field(
        default="torch",
        description="onnx or onnx-int8: ONNX Runtime carries out a graph of the model, made by `zhbert onnx`",
    )
    dtype: Dtype = Field(
        default="auto",
        description="what the encoder computes in; auto: bfloat16 on a GPU that can, float32 elsewhere",
    )
    format: Name = Field(
        default="jsonl", description="jsonl, which `zhbert score` reads, or parquet, for tables of many"
    )
    rejects: Output | None = Field(
        default=None,
        description="folder for records that cannot be read, with reasons, instead of stopping at the first",
    )
    portion_characters: int = Field(
        default=100_000, ge=1, description="characters of a portion, which is the unit of work"
    )
    form: Literal["files", "lines", "blocks"] = Field(
        default="lines",
        description="what a text is in a text file: the file, a line, a blank-line-separated block",
    )
    workers: Annotated[int, HOW] = Field(
        default=1,
        ge=0,
        description="portions at a time, each worker with models of its own, its share of the cores and the "
        "next of several GPUs; 0: one per core, at most 8, or one per CPU of the cluster",
    )

    @field_validator("model", mode="before")
    @classmethod
    def _one_or_named(cls, value: Any) -> Any:
        return _named(value) if isinstance(value, list) else value

    @field_validator("model")
    @classmethod
    def _names(cls, value: Path | dict[str, Path]) -> Path | dict[str, Path]:
        for name in value if isinstance(value, dict) else ():
            if not NAME.fullmatch(name) or name in (LOGS, PARTS):
                raise ValueError(f'"{name}" is no name for a folder: letters, digits, . _ and -')
        if not value:
            raise ValueError("name a model at least")
        return value

    @property
    def models(self) -> dict[str, Path]:
        """The models by name; "" is the one that has none."""
        return self.model if isinstance(self.model, dict) else {"": self.model}


def _named(given: Sequence[Any]) -> str | dict[str, str]:
    """Return what NAME=PATH, several times, says; of one model the path alone will do.

    >>> _named(["ner=work/ner", "topic=work/topics"]), _named(["work/ner"])
    ({'ner': 'work/ner', 'topic': 'work/topics'}, 'work/ner')
    """
    try:
        pairs = [name_and_path(str(one)) for one in given]
        if len(pairs) > 1 and not all(name for name, _ in pairs):
            raise ConfigError("several models are given as NAME=PATH each")
        return models_of(pairs) if not pairs or pairs[0][0] else pairs[0][1]
    except ConfigError as error:
        raise ValueError(str(error)) from error  # so that the key is said, and where it stands


def apply(config: ApplyConfig, work: Work, progress: Progress = SILENT) -> None:
    """Write what the models say of every record."""
    tasks = {name: _task_of(config, model) for name, model in config.models.items()}
    log = work.folder / LOG
    if not (log.is_file() and all((beside.folder / LEFT_OUT).is_file() for beside in work.beside)):
        results = _predict(config, list(tasks.values()), work.folder, progress)
        for name, task in tasks.items():
            _put_together(config, name, task, work, results)
        _collect_rejects(work, len(results))
        log.parent.mkdir(exist_ok=True)
        write_text(log, "".join(json.dumps(result, ensure_ascii=False) + "\n" for result in results))
    remove(work.folder / PARTS, workshop=work.folder)
    results = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    work.counts |= _counts(config, work.folder, results)
    for beside in work.beside:
        beside.counts["left out"] = sum(result["left out"] for result in results)


def _task_of(config: ApplyConfig, model: Path) -> str:
    store.inspect(model, backend=config.backend)
    task = store.read_facts(model).task
    if task == store.MASKED:
        raise ModelError("an encoder, not a task model", where=model, remedy="zhbert finetune first")
    if config.answers > 1 and task != "reading":
        raise ConfigError(f"answers: a {task} model gives one answer", where=model)
    return task


def _predict(config: ApplyConfig, tasks: list[str], folder: Path, progress: Progress) -> list[Result]:
    """Have every portion answered; return what each counted."""
    portions = Portions(config.source, tasks, config, rejects=config.rejects is not None)
    say = Say(
        models=tuple((name, model.absolute()) for name, model in config.models.items()),
        script=config.script,
        answers=config.answers,
        backend=config.backend,
        dtype=config.dtype,
        format=config.format,
        workers=config.workers,
    )
    voices_of.cache_clear()  # a model of the same name may be another by now
    try:
        with progress.bar("predict", total=portions.total, unit=portions.unit) as bar:
            results = run_units(
                say,
                portions.units(config.portion_characters),
                folder=folder / PARTS,
                config=config,
                finished=lambda result: bar.advance(result["size"]),
            )
    finally:
        voices_of.cache_clear()
    if not any(result["records"] for result in results):
        raise DataError("no record could be read", where=config.source)
    return results


def _put_together(config: ApplyConfig, name: str, task: str, work: Work, results: list[Result]) -> None:
    """Make the files of one model of what it said of the portions."""
    parts = [work.folder / PARTS / name_of(number) / name for number in range(len(results))]
    if not name:
        _finish(config, task, config.models[name], parts, work.folder)
        return
    alone = _plan_alone(config, name)
    if not is_done(work.folder / name, alone):
        with building(work.folder / name, alone) as own:
            _finish(config, task, config.models[name], parts, own.folder)
            own.counts |= _counts_of(config, name, own.folder, results)


def _plan_alone(config: ApplyConfig, name: str) -> Plan:
    """Return the plan of a pass in which a model is the only one."""
    return plan(find_stage("apply"), config.model_copy(update={"model": config.models[name]}))


def _finish(config: ApplyConfig, task: str, model: Path, parts: Sequence[Path], folder: Path) -> None:
    file = FORMATS[config.format].file
    join(folder / file, (part / file for part in parts), task=task, format=config.format)
    _write(folder / MODEL, to_plain(store.read_facts(model)) | {LEARNT: _learnt_from(model)})
    total, on = Total(), dict[str, Any]()
    for part in parts:
        witness = witness_in(part)
        total.add(witness.seen)
        most = {name: max(witness.on[name], on.get(name, 0)) for name in ("memory", "device_memory")}
        on = witness.on | on | most
    _write(folder / COVERAGE, to_plain(total.seen.coverage()))
    write_costs(folder, total.seen.cost(**on, trainings=_trainings(model)))


def _collect_rejects(work: Work, portions: int) -> None:
    for beside in work.beside:
        found = (work.folder / PARTS / name_of(number) / LEFT_OUT for number in range(portions))
        with (beside.folder / LEFT_OUT).open("wb") as handle:
            handle.writelines(path.read_bytes() for path in found if path.is_file())


def _counts(config: ApplyConfig, folder: Path, results: list[Result]) -> dict[str, Any]:
    left_out = sum(result["left out"] for result in results)
    more = {"left out": left_out} if config.rejects else {}
    if not isinstance(config.model, dict):
        return _counts_of(config, "", folder, results) | more
    found = {name: _counts_of(config, name, folder / name, results) for name in config.model}
    shared = {key: value for key, value in next(iter(found.values())).items() if key in ("source", "records")}
    return (
        shared
        | {name: {k: v for k, v in own.items() if k not in shared} for name, own in found.items()}
        | more
    )


def _counts_of(config: ApplyConfig, name: str, folder: Path, results: list[Result]) -> dict[str, Any]:
    coverage = json.loads((folder / COVERAGE).read_text(encoding="utf-8"))
    records = sum(result["records"] for result in results)
    seen = sum(result["coverage"][name] for result in results)
    return {
        "source": Path(config.source).as_posix(),
        "records": records,
        "not seen whole": coverage["cut"],
        "coverage": round(seen / records, 4),
        "answers out of reach": sum(coverage["out_of_reach"].values()),
    }


def _write(path: Path, plain: object) -> None:
    text = json.dumps(plain, ensure_ascii=False, indent=1)
    write_text(path, text + "\n")


def _learnt_from(model: Path) -> dict[str, str]:
    """Return the hashes of what a model was trained with, by what it was: train, dev, the encoder."""
    manifest = read_manifest(model)
    return manifest.inputs if manifest and manifest.stage == "finetune" else {}


def _trainings(model: Path) -> dict[str, float]:
    """Return how long the training before took by its stages, as far as it can be found."""
    trainings: dict[str, float] = defaultdict(float)
    with suppress(OSError):  # folders beside the model that may not be opened
        for leg in legs_of(past_of(model), store.read_facts(model)):
            trainings[leg.stage] += leg.seconds or 0.0
    return {stage: round(seconds, 1) for stage, seconds in trainings.items() if seconds}
