"""Commands made of configs: one option a field, with its help, its choices and its default.

Everything but a flag or a list is taken as text and read as TOML would read it, so that an option
and a recipe key mean the same; the config itself checks the values.
"""

import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer

from zhbert.config import INPUT, OUTPUT, Config, parse_value, says
from zhbert.errors import ConfigError, nearest

Output = Annotated[
    Path, typer.Option("--output", "-o", help="folder for the result; made anew only where it must be")
]

NAME = re.compile(r"\w[\w.-]*")


def command_of(config: type[Config], execute: Callable[[dict[str, Any], Path], None]) -> Callable[..., None]:
    """Return a command whose options are the fields of a config; it hands the given ones to `execute`."""

    def command(output: Path, **options: Any) -> None:
        execute(typed(config, options), output)

    parameters = options_of(config)
    parameters.append(inspect.Parameter("output", inspect.Parameter.KEYWORD_ONLY, annotation=Output))
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def options_of(config: type[Config]) -> list[inspect.Parameter]:
    """Return the options of a config: one a field."""
    return [_parameter(key, config) for key in _in_order(config)]


def typed(config: type[Config], options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given as the config reads them."""
    given = {key: value for key, value in options.items() if value not in (None, [])}
    return {key: _typed(config, key, value) for key, value in given.items()}


def _in_order(config: type[Config]) -> list[str]:
    """Return the fields of a config: required ones first, then its own, then those of its bases.

    >>> class Base(Config):
    ...     seed: int = 1
    >>> class Derived(Base):
    ...     size: int = 2
    ...     source: str
    >>> _in_order(Derived)
    ['source', 'size', 'seed']
    """
    homes = [vars(kind).get("__annotations__", {}) for kind in config.__mro__]
    depth = {key: next(i for i, home in enumerate(homes) if key in home) for key in config.model_fields}
    return sorted(depth, key=lambda key: (not config.model_fields[key].is_required(), depth[key]))


def _parameter(key: str, config: type[Config]) -> inspect.Parameter:
    """Return the option of one field; everything but a flag is read as TOML would read it."""
    field = config.model_fields[key]
    kind: Any = bool if field.annotation is bool else list[str] if _is_list(field.annotation) else str
    shown = "" if field.is_required() or field.default in ([], None) else f" [{_shown(field.default)}]"
    option = typer.Option(help=f"{field.description}{shown}", metavar=_metavar(field), show_default=False)
    default = inspect.Parameter.empty if field.is_required() else None
    annotation = Annotated[kind if field.is_required() else kind | None, option]  # type: ignore[valid-type]  # made here
    return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _shown(default: Any) -> str:
    """Return a default as one would type it.

    >>> _shown([0.4, 0.6]), _shown((1 / 3, 2 / 3)), _shown("wwm")
    ('0.4 0.6', '0.333 0.667', 'wwm')
    """
    if isinstance(default, list | tuple):
        return " ".join(map(_shown, default))
    return f"{default:.3g}" if len(str(default)) > 12 and isinstance(default, float) else str(default)


def _is_list(annotation: Any) -> bool:
    """Tell what may be given several times: lists, and tables as KEY=VALUE, or one value in their place."""
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return any(getattr(part, "__origin__", None) in (list, tuple, dict) for part in parts)


def _metavar(field: Any) -> str | None:
    if field.annotation is bool:
        return None
    choices = [part for part in get_args(field.annotation) if isinstance(part, str)]
    return "|".join(choices) if choices else "PATH" if says(field, INPUT) or says(field, OUTPUT) else "VALUE"


def _typed(config: type[Config], key: str, value: Any) -> Any:
    annotation = config.model_fields[key].annotation
    if isinstance(value, list):
        return value if annotation == list[str] else [parse_value(item) for item in value]
    is_number = annotation in (int, float)
    return parse_value(value) if is_number and isinstance(value, str) else value


def forms_of(given: str) -> list[str]:
    """Return the forms of a report that were named, with commas between them.

    >>> forms_of("html, md")
    ['html', 'md']
    """
    from zhbert.score.report import FORMS

    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in ("json", *FORMS):
            raise ConfigError(f'no form of report "{name}"', remedy=nearest(name, ("json", *FORMS)))
    return names


def systems_of(given: list[str]) -> dict[str, list[str]]:
    """Return predictions by system name; a name that is said again has a further training.

    >>> systems_of(["whole words=1.jsonl", "whole words=2.jsonl", "said/char.jsonl"])
    {'whole words': ['1.jsonl', '2.jsonl'], 'char': ['said/char.jsonl']}
    """
    systems: dict[str, list[str]] = {}
    for name, path in (name_and_path(one, shown=True) for one in given):
        key = name or (Path(path).name if Path(path).is_dir() else Path(path).stem)
        if key in systems and not name:
            raise ConfigError(f'two systems are called "{key}"', remedy="name them: NAME=PATH")
        systems.setdefault(key, []).append(path)
    return systems


def models_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the paths of models by their names, which must differ.

    >>> models_of([("ner", "runs/1"), ("topics", "runs/7")])
    {'ner': 'runs/1', 'topics': 'runs/7'}
    """
    models: dict[str, str] = {}
    for name, path in pairs:
        if name in models:
            raise ConfigError(f'two models are called "{name}"', remedy="name them: NAME=PATH")
        models[name] = path
    return models


def name_and_path(given: str, *, shown: bool = False) -> tuple[str, str]:
    """Return what NAME=PATH says; a path alone has no name, nor has one with "=" in it that is there.

    A name that is only `shown` can be anything, one that folders and addresses are made of cannot.

    >>> name_and_path("ner=runs/lr=0.1"), name_and_path("runs/ner")
    (('ner', 'runs/lr=0.1'), ('', 'runs/ner'))
    """
    name, equals, path = given.partition("=")
    if not equals or Path(given).exists():
        return "", given
    if not name or not path:
        raise ConfigError(f'no {"path" if name else "name"} in "{given}"', remedy="NAME=PATH")
    if not (shown or NAME.fullmatch(name)):
        what = f'"{name}" is no name, and there is no file or folder "{given}"'
        raise ConfigError(what, remedy="a name has letters, digits, . _ and -")
    return name, path
