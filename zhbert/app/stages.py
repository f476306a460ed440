"""The stages by name, and how one is carried out.

A stage is a function of a config and an open output folder. `execute` asks first whether the
folder already holds the result of exactly this plan: same stage, same settings, same content
of every input, same version of zhbert. If it does, nothing is done.

Where `torchrun` or `accelerate launch` started several processes, process 0 asks, locks, writes and
reports. The others train along with it and wait through everything else, so that whole recipes can be
run that way.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zhbert
from zhbert.config import HUB, Config, fingerprint
from zhbert.errors import ConfigError, DataError, nearest
from zhbert.files import Manifest, Plan, Work, building, clear_lock, hash_path, is_done, read_manifest
from zhbert.progress import SILENT, Progress
from zhbert.read.references import content_of, differs, is_reference, nearly
from zhbert.read.sources import expand

if TYPE_CHECKING:
    from zhbert.train.ranks import Ranks


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, and where its function and its config are; they load when they are needed."""

    name: str
    about: str
    home: str
    function: str
    config: str
    together: bool = False  # all processes that were started together take part in its function

    def config_type(self) -> type[Config]:
        """Return the type of the stage's configuration."""
        kind: type[Config] = getattr(import_module(self.home), self.config)
        return kind

    def run(self, config: Config, work: Work, progress: Progress) -> None:
        """Do the work."""
        function: Callable[[Any, Work, Progress], None] = getattr(import_module(self.home), self.function)
        function(config, work, progress)


STAGES = {
    stage.name: stage
    for stage in (
        Stage("corpus build", "raw text into clean documents", "zhbert.corpus.build", "build", "BuildConfig"),
        Stage(
            "corpus phrases", "documents into phrases", "zhbert.corpus.phrases", "phrases", "PhrasesConfig"
        ),
        Stage(
            "corpus report",
            "documents into a data card",
            "zhbert.corpus.describe",
            "describe",
            "DescribeConfig",
        ),
        Stage("corpus export", "shards into Parquet", "zhbert.corpus.export", "export", "ExportConfig"),
        Stage(
            "data convert", "labelled data into examples", "zhbert.corpus.convert", "convert", "ConvertConfig"
        ),
        Stage(
            "data check",
            "labelled data into a list of what to look at",
            "zhbert.corpus.check",
            "check",
            "CheckConfig",
        ),
        Stage(
            "data submit",
            "predictions into a benchmark's file",
            "zhbert.app.submit",
            "submit",
            "SubmitConfig",
        ),
        Stage(
            "contamination",
            "test examples and what was read into where they meet",
            "zhbert.corpus.contamination",
            "contamination",
            "ContaminationConfig",
        ),
        Stage("vocab", "documents into a tokenizer", "zhbert.corpus.vocabulary", "vocab", "VocabConfig"),
        Stage("encode", "documents into shards of tokens", "zhbert.corpus.encode", "encode", "EncodeConfig"),
        Stage(
            "similar",
            "shards into lists of similar words",
            "zhbert.encode.neighbours",
            "similar",
            "SimilarConfig",
        ),
        Stage(
            "pretrain",
            "shards into an encoder",
            "zhbert.task.pretrain",
            "pretrain",
            "PretrainConfig",
            together=True,
        ),
        Stage(
            "finetune",
            "an encoder into a task model",
            "zhbert.task.finetune",
            "finetune",
            "FinetuneConfig",
            together=True,
        ),
        Stage(
            "baseline", "keyword rules into predictions", "zhbert.task.baseline", "baseline", "BaselineConfig"
        ),
        Stage(
            "probe", "encoders and held-out text into a report", "zhbert.task.probe", "probe", "ProbeConfig"
        ),
        Stage(
            "export",
            "a model into a folder to hand on",
            "zhbert.task.export",
            "export",
            "ModelExportConfig",
        ),
        Stage("onnx", "a task model into graphs for ONNX Runtime", "zhbert.task.onnx", "onnx", "OnnxConfig"),
        Stage("embed", "an encoder and texts into vectors", "zhbert.vectors.embed", "embed", "EmbedConfig"),
        Stage(
            "cluster", "texts or vectors into groups", "zhbert.vectors.cluster", "cluster", "ClusterConfig"
        ),
        Stage("apply", "a model and texts into predictions", "zhbert.app.apply", "apply", "ApplyConfig"),
        Stage(
            "robust",
            "a model and changed texts into predictions",
            "zhbert.app.robust",
            "robust",
            "RobustConfig",
        ),
        Stage("score", "predictions and gold into a report", "zhbert.app.score", "score", "ScoreConfig"),
        Stage(
            "leaderboard",
            "reports into one table for each data set",
            "zhbert.app.leaderboard",
            "board",
            "LeaderboardConfig",
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a stage: its folder, and whether there was anything to do."""

    folder: Path
    manifest: Manifest
    fresh: bool


def find_stage(name: str, *, where: object = "") -> Stage:
    """Return the stage of that name."""
    if name not in STAGES:
        raise ConfigError(f'no stage "{name}"', where=where, remedy=nearest(name, STAGES))
    return STAGES[name]


def plan(stage: Stage, config: Config) -> Plan:
    """Return what the stage would do: its settings and the content of its inputs."""
    inputs = {key: content(value) for key, value in config.inputs().items()}
    return Plan(stage=stage.name, settings=config.settings(), inputs=inputs, version=zhbert.__version__)


def content(value: Path | str) -> str:
    """Return the hash of what lies at a path or of all that a pattern matches; a hub name itself."""
    if isinstance(value, str):
        if value.startswith(HUB):
            return value
        from zhbert.model.store import is_hub_name

        if is_hub_name(value):
            return f"hub:{value}"
    if is_reference(value):
        return content_of(value)
    path = Path(value)
    if not path.exists() and (card := nearly(value)):
        raise DataError("no such file or folder", where=path, remedy=f'did you mean "{card}:…"?')
    if isinstance(value, str) or path.exists():
        return hash_path(path)
    return fingerprint([hash_path(found) for found in expand(str(path))])


def _keep_apart(config: Config, folder: Path) -> None:
    """Refuse an output that would replace, or grow inside, what it is made from."""
    place = folder.resolve()
    for key, value in config.inputs().items():
        source = Path(value).resolve()
        if source == place or place in source.parents or (source.is_dir() and source in place.parents):
            raise ConfigError(
                f"the output would lie over its own input, {key} = {value}",
                where=folder,
                remedy="choose another output",
            )


def execute(stage: Stage, config: Config, folder: Path, progress: Progress = SILENT) -> Outcome:
    """Make sure that `folder` holds the stage's result, doing the work only where it does not yet."""
    ranks = _ranks()
    if ranks is None or ranks.main:
        fresh = _lead(stage, config, folder, progress, ranks)
    else:
        fresh = _follow(stage, config, ranks)
    if ranks:
        ranks.said(None)  # which process 0 says when the result is there
    manifest = read_manifest(folder)
    assert manifest is not None, "a finished folder has a manifest"
    return Outcome(folder=folder, manifest=manifest, fresh=fresh)


_said: set[str] = set()


def _say_what_differs(config: Config, progress: Progress) -> None:
    """Say once of every file that it is not the one that its card describes."""
    for value in config.inputs().values():
        line = differs(value) if is_reference(value) else ""
        if line and line not in _said:
            progress.say(f"Note: {line}")
            _said.add(line)


def _ranks() -> "Ranks | None":
    """Return this process among those that were started together; None where it is alone."""
    if os.environ.get("WORLD_SIZE", "1") == "1":
        return None
    from zhbert.train.ranks import join

    return join()


def _lead(stage: Stage, config: Config, folder: Path, progress: Progress, ranks: "Ranks | None") -> bool:
    """Do what is to be done; return whether anything was."""
    _keep_apart(config, folder)
    _say_what_differs(config, progress)
    wanted = plan(stage, config)
    folders = [folder, *config.outputs()]
    fresh = not all(is_done(place, wanted) for place in folders)
    if not fresh:
        _call(ranks, fresh, None)
        for place in folders:
            clear_lock(place)
        return fresh
    with ExitStack() as stack:  # what is beside the stage's own folder is finished before it
        work, *work.beside = [stack.enter_context(building(place, wanted)) for place in folders]
        _call(ranks, fresh, work.folder if stage.together else None)
        stage.run(config, work, progress)
    return fresh


def _call(ranks: "Ranks | None", fresh: bool, folder: Path | None) -> None:
    """Tell the other processes whether there is work, and where they are to take part in it."""
    if ranks:
        ranks.said((fresh, folder))


def _follow(stage: Stage, config: Config, ranks: "Ranks") -> bool:
    """Take part where process 0 says so; return whether there was anything to do."""
    fresh, folder = ranks.said((False, None))
    if folder:
        stage.run(config, Work(folder), SILENT)
    return fresh
