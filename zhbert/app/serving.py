"""The command `serve`: models that answer over HTTP."""

import inspect
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import Field
from rich.console import Console

from zhbert.app.encoder import Encoder
from zhbert.app.options import models_of, name_and_path, options_of, typed
from zhbert.app.pipeline import Pipeline, load
from zhbert.config import Input, parse
from zhbert.errors import ConfigError, ModelError
from zhbert.model.onnx import Backend
from zhbert.precision import Dtype
from zhbert.serve.limits import Limits
from zhbert.task.script import Script

LEAST_KEY = 16  # characters
Models = Annotated[
    list[str],
    typer.Argument(help="outputs of zhbert finetune, as NAME=FOLDER, or FOLDER, whose name it then has"),
]


class ServeConfig(Limits):
    """Where a server listens, to whom, and how its models answer."""

    host: str = Field(
        default="127.0.0.1", description="the address to listen at; 0.0.0.0: all, with a key or --open"
    )
    port: int = Field(default=8000, ge=0, le=65535, description="0: any that is free")
    api_key_file: Input | None = Field(
        default=None, description="a file with keys, one a line: who asks sends Authorization: Bearer KEY"
    )
    open: bool = Field(default=False, description="let other machines ask without a key")
    backend: Backend = Field(
        default="torch",
        description="onnx or onnx-int8: ONNX Runtime carries out a graph made by `zhbert onnx`",
    )
    dtype: Dtype = Field(
        default="auto",
        description="what the encoder computes in; auto: bfloat16 on a GPU that can, float32 elsewhere",
    )
    script: Script = Field(
        default="kept", description="`simplified`: the models read traditional text as simplified"
    )
    answers: int = Field(default=1, ge=1, description="reading: answers to each question")


def command(console: Console) -> Callable[..., None]:
    """Return the command that serves until it is told to stop."""

    def serve(models: Models, **options: Any) -> None:
        config = parse(ServeConfig, typed(ServeConfig, options), where="zhbert serve")
        if left := run(config, models, console):
            console.print(f"{left} requests were not answered in time", highlight=False)
            raise typer.Exit(1)

    models = inspect.Parameter("models", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Models)
    parameters = [models, *options_of(ServeConfig)]
    serve.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    serve.__annotations__ = {one.name: one.annotation for one in parameters}
    return serve


def run(config: ServeConfig, models: Sequence[str], console: Console) -> int:
    """Serve until a signal comes; return how many requests were not answered."""
    keys = read_keys(config.api_key_file) if config.api_key_file else []
    folders = folders_of(models)
    check_open(config, bool(keys))
    try:
        from zhbert.serve.server import door, serve
        from zhbert.serve.web import Service, gate_of
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name == "zhbert":
            raise
        raise ConfigError(f"{name} is not installed", remedy="pip install zhbert[serve]") from error
    listening = door(config.host, config.port)
    gate = gate_of(Service(pipelines(folders, config), limits=config), keys=keys)
    port = listening.getsockname()[1]
    host = f"[{config.host}]" if ":" in config.host else config.host

    def ready() -> None:
        console.print(
            f"Serving {', '.join(folders)} on http://{host}:{port}", highlight=False, soft_wrap=True
        )
        if config.open and not keys and not is_loopback(config.host):
            console.print("Anybody who reaches this address can ask: no key is needed.", highlight=False)

    left = serve(gate, listening, drain=config.drain, slow=config.slow, ready=ready)
    console.print(f"Stopped: {gate.accepted} requests taken", highlight=False)
    return left


def check_open(config: ServeConfig, keys: bool) -> None:
    """Refuse to be open to other machines by accident."""
    if not (keys or config.open or is_loopback(config.host)):
        raise ConfigError(
            "other machines could ask without a key",
            where=f"host {config.host}",
            remedy="--api-key-file, or --open",
        )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "example.org")]
    [True, True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_keys(path: Path) -> list[str]:
    """Return the keys of a file, one a line."""
    try:
        keys = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the keys cannot be read: {error}", where=path) from error
    if not keys:
        raise ConfigError("no key in it", where=path, remedy="one a line")
    if any(len(key) < LEAST_KEY or not key.isascii() for key in keys):
        raise ConfigError(f"a key must have {LEAST_KEY} ASCII characters or more", where=path)
    return keys


def folders_of(models: Sequence[str]) -> dict[str, Path]:
    """Return the folders of models by name.

    >>> folders_of(["runs/ner", "topics=runs/7"])
    {'ner': PosixPath('runs/ner'), 'topics': PosixPath('runs/7')}
    """
    pairs = map(name_and_path, models)
    found = models_of((name or Path(path).resolve().name, path) for name, path in pairs)
    return {name: Path(path) for name, path in found.items()}


def pipelines(folders: dict[str, Path], config: ServeConfig) -> dict[str, Pipeline]:
    """Return the loaded models by name."""
    found = {}
    for name, folder in folders.items():
        pipe = load(
            folder, backend=config.backend, dtype=config.dtype, script=config.script, answers=config.answers
        )
        if isinstance(pipe, Encoder):
            raise ModelError("an encoder answers nothing yet", where=folder, remedy="zhbert finetune first")
        found[name] = pipe
    return found
