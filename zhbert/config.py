"""Configuration that is checked to the last key.

A `Config` is a frozen pydantic model: unknown keys, wrong types and values out of range are
refused with the file, the key and the nearest known key. Every field carries its own
documentation, which help texts print. What a field's type says of it:

    Input        a path whose CONTENT counts: configs that differ only in where an input lies are the same
    ModelInput   the same, or the name of a model on the hub, or `bundled`: the encoder that comes with zhbert
    Source       the same, or a pattern (raw/*.txt), `-` for standard input, `hub:NAME` for a data set
    Output       a second folder to write: whether it is wanted counts, not where it lies
    How          how the work is done (workers, engine): it does not count, for the result is the same
"""

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

import zhbert
from zhbert.errors import ConfigError, ModelError, nearest

C = TypeVar("C", bound="Config")

INPUT, OUTPUT, HOW = "<input>", "<output>", "<how>"
SOURCE, HUB = "<source>", "hub:"
_BROKEN = re.compile(r"(.*?)(?: \(at (?:line (\d+), column (\d+)|end of document)\))?", re.DOTALL)
BUNDLED = "bundled"


def model_named(name: str) -> str:
    """Return the folder of the encoder that comes with zhbert for `bundled`, any other name as it is.

    The name wins over a folder that is called so: that one is `./bundled`.

    >>> model_named("hfl/rbt3"), model_named("./bundled"), Path(model_named("bundled")).name
    ('hfl/rbt3', './bundled', 'bundled')
    """
    if name != BUNDLED:
        return name
    folder = _bundled()
    if not any(folder.glob("*.safetensors")):
        raise ModelError(
            "the weights of the bundled encoder are not there",
            where=folder,
            remedy="install zhbert whole, or make them with zhbert run bundled",
        )
    return str(folder)


def called(name: str) -> str:
    """Return the name of a model by which every machine knows it, where there is one.

    >>> called(model_named("bundled")), called("runs/encoder")
    ('bundled', 'runs/encoder')
    """
    return BUNDLED if Path(name) == _bundled() else name


def _bundled() -> Path:
    return Path(zhbert.__file__).resolve().parent / "model" / BUNDLED


Input = Annotated[Path, INPUT]
ModelInput = Annotated[str, AfterValidator(model_named), INPUT]
Source = Annotated[str, INPUT, SOURCE]
Output = Annotated[Path, OUTPUT]


class Config(BaseModel):
    """The base of every configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def inputs(self) -> dict[str, Path | str]:
        """Return every input with its dotted key."""
        found: dict[str, Path | str] = {}
        _plain(self, None, "", found)
        return found

    def outputs(self) -> list[Path]:
        """Return the folders that are written besides the stage's own."""
        fields = type(self).model_fields.items()
        return [getattr(self, name) for name, f in fields if says(f, OUTPUT) and getattr(self, name)]

    def settings(self) -> dict[str, Any]:
        """Return everything else that counts, as plain values, with `<input>` where inputs stand."""
        fields = [(name, f) for name, f in type(self).model_fields.items() if not says(f, HOW)]
        plain = {name: _plain(getattr(self, name), f, name, {}) for name, f in fields}
        return plain | {name: plain[name] and OUTPUT for name, f in fields if says(f, OUTPUT)}


def says(field: FieldInfo, what: str) -> bool:
    """Return whether a type is marked so: `Input`, `Input | None`, `list[Input]`, `dict[str, Input]`."""
    return what in field.metadata or _mentions(field.annotation, what)


def _mentions(annotation: Any, what: str) -> bool:
    return what in getattr(annotation, "__metadata__", ()) or any(
        _mentions(part, what) for part in getattr(annotation, "__args__", ()) or ()
    )


def _plain(value: Any, field: FieldInfo | None, at: str, found: dict[str, Path | str]) -> Any:
    """Return a value without its inputs, which are put into `found` under their keys."""
    dot = at + "." if at else ""
    if isinstance(value, Config):
        fields = type(value).model_fields.items()
        return {name: _plain(getattr(value, name), f, dot + name, found) for name, f in fields}
    if isinstance(value, dict):
        return {key: _plain(item, field, dot + key, found) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, field, f"{dot}{i}", found) for i, item in enumerate(value)]
    if field and says(field, INPUT) and value is not None:
        found[at] = Path(value) if says(field, SOURCE) and not value.startswith(HUB) else value
        return INPUT
    return str(value) if isinstance(value, Path) else value


def load_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file, or say in which line it is broken."""
    if not path.is_file():
        raise ConfigError("no such file", where=path, remedy="check the path")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"not UTF-8 at byte {error.start}", where=path, remedy="save the file as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        what, line, column = _BROKEN.fullmatch(str(error)).groups()  # type: ignore[union-attr]  # matches all
        place = f" at column {column}" if column else ""
        raise ConfigError(
            f"not valid TOML: {what.lower()}{place}",
            where=f"{path}:{line}" if line else path,
            remedy='texts stand in quotes: key = "value"',
        ) from error


def parse(kind: type[C], values: dict[str, Any], *, where: object = "", key: str = "") -> C:
    """Return the config of type `kind` that `values` describes.

    >>> class Cake(Config):
    ...     layers: int = 3
    >>> parse(Cake, {"layer": 2}, where="cake.toml")
    Traceback (most recent call last):
    zhbert.errors.ConfigError: cake.toml: layer: unknown key (did you mean "layers"?)
    """
    try:
        # JSON mode: strict about types, yet a list may be a tuple and a text a path
        return kind.model_validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        raise _explain(kind, error, where=where, key=key) from error


def _explain(kind: type[Config], error: ValidationError, *, where: object, key: str) -> ConfigError:
    first = error.errors()[0]
    path = ".".join(str(part) for part in ([key] if key else []) + list(first["loc"]))
    if first["type"] == "extra_forbidden":
        known = [f.alias or name for name, f in _table(kind, first["loc"]).model_fields.items()]
        return ConfigError(f"{path}: unknown key", where=where, remedy=nearest(str(first["loc"][-1]), known))
    if first["type"] == "missing":
        field = _table(kind, first["loc"]).model_fields.get(str(first["loc"][-1]))  # none for a short tuple
        return ConfigError(
            f"{path}: this key is needed", where=where, remedy=(field and field.description) or ""
        )
    value = json.dumps(first["input"], ensure_ascii=False, default=str)
    message = first["msg"].removeprefix("Value error, ")
    return ConfigError(f"{path} = {value[:80]}: {message[0].lower() + message[1:]}", where=where)


def _table(kind: type[Config], loc: tuple[int | str, ...]) -> type[Config]:
    """Return the config that the last key of a path belongs to, through lists and tables of configs."""
    for key in loc[:-1]:
        field = kind.model_fields.get(str(key))
        kind = (_config_in(field.annotation) if field else None) or kind
    return kind


def _config_in(annotation: Any) -> type[Config] | None:
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return annotation
    parts = getattr(annotation, "__args__", ()) or ()
    return next((found for part in parts if (found := _config_in(part))), None)


def override(values: dict[str, Any], key: str, value: Any, *, where: object = "") -> dict[str, Any]:
    """Return a copy of nested tables in which the dotted key has a new value.

    >>> override({"stages": {"pretrain": {"steps": 100}}}, "stages.pretrain.steps", 5)
    {'stages': {'pretrain': {'steps': 5}}}
    """
    head, _, rest = key.partition(".")
    if not rest:
        return {**values, head: value}
    inner = values.get(head, {})
    if not isinstance(inner, dict):
        raise ConfigError(f'"{head}" is a value, not a table, so "{key}" cannot be set', where=where)
    return {**values, head: override(inner, rest, value, where=where)}


def parse_value(text: str) -> Any:
    """Return what a `key=value` on the command line means, as TOML reads it, else the text itself.

    >>> parse_value("3e-4"), parse_value("true"), parse_value("wwm")
    (0.0003, True, 'wwm')
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def fingerprint(value: object) -> str:
    """Return a short hash of plain values, the same whatever the order of keys."""
    plain = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:16]
