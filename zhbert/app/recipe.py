"""Recipes: a whole path from text to report as one TOML file.

    title = "…"
    [stages.documents]
    use = "corpus build"
    source = "mini:raw"
    [stages.vocabulary]
    use = "vocab"
    documents = "@documents"

A table under `stages` is one stage: `use` names it, the rest is its config; `like` takes over all
keys of another table that are not given. `@name` stands for another stage's output, `corpus:part`
for a card's file; other paths are relative to the folder in which the recipe is run. What a table
`values` names can be mentioned as `{name}` (`app/vary.py`). Stages run in the order of what they need,
each only if its result is not there yet.
"""

import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from zhbert.app.stages import Outcome, Stage, execute, find_stage
from zhbert.app.vary import expand
from zhbert.config import Config, load_toml, override, parse
from zhbert.errors import ConfigError, nearest
from zhbert.progress import SILENT, Progress
from zhbert.read.card import content_root
from zhbert.read.references import find, is_reference

_NAME = re.compile(r"\w[\w.-]*")
_KEYS = ("title", "values", "stages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe that was read: its title and its stages' tables, in order."""

    path: Path
    title: str
    stages: dict[str, dict[str, Any]]

    @property
    def name(self) -> str:
        """Return the name of the file without its ending."""
        return self.path.stem


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of a recipe."""

    folder: Path
    outcomes: dict[str, Outcome]
    seconds: float

    @property
    def fresh(self) -> list[str]:
        """Return the names of the stages that had something to do."""
        return [name for name, outcome in self.outcomes.items() if outcome.fresh]

    @property
    def report(self) -> Path | None:
        """Return the evaluation report of the last stage that made one."""
        from zhbert.score.report import shown_at

        folders = [o.folder for o in self.outcomes.values() if o.manifest.stage == "score"]
        return shown_at(folders[-1]) if folders else None


def list_recipes() -> list[str]:
    """Return the names of the recipes that come with zhbert."""
    return sorted(path.stem for path in content_root("pipelines").glob("*.toml"))


def find_recipe(recipe: str | Path) -> Path:
    """Return the file of a recipe: a path, or the name of one that comes with zhbert."""
    path = Path(recipe)
    if path.suffix == ".toml" or path.is_file():
        return path
    bundled = content_root("pipelines") / f"{recipe}.toml"
    if not bundled.is_file():
        raise ConfigError(f'no recipe "{recipe}"', remedy=nearest(str(recipe), list_recipes()))
    return bundled


def read_recipe(recipe: str | Path, overrides: dict[str, Any]) -> Recipe:
    """Return a recipe with dotted keys such as `encoder.steps` or `values.seed` replaced."""
    path = find_recipe(recipe)
    tables = load_toml(path)
    for key in tables:
        if key not in _KEYS:
            raise ConfigError(f"{key}: unknown key", where=path, remedy=nearest(key, _KEYS))
    stages, values = tables.get("stages"), tables.get("values", {})
    if not isinstance(stages, dict) or not stages or not _are_tables(stages.values()):
        raise ConfigError("a recipe needs stages, each a table", where=path, remedy="[stages.NAME]")
    if not isinstance(values, dict):
        raise ConfigError("values: must be a table", where=path, remedy="[values]")
    stages, values = _changed(stages, values, overrides, path)
    stages = expand(stages, values, where=path)
    alike = {name: _alike(name, stages, path) for name in stages}
    return Recipe(path=path, title=str(tables.get("title", path.stem)), stages=alike)


def _are_tables(values: Iterable[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _changed(
    stages: dict[str, Any], values: dict[str, Any], overrides: dict[str, Any], path: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return stages and values with dotted keys replaced; values can be replaced, not added."""
    for key, value in overrides.items():
        name, _, rest = key.partition(".")
        if name == "values" and values:
            if rest not in values:
                raise ConfigError(f"{key}: no such value", where=path, remedy=nearest(rest, values))
            values = values | {rest: value}
        elif name not in stages or not rest:
            raise ConfigError(f"{key}: no such stage", where=path, remedy=nearest(name, stages))
        else:
            stages = override(stages, key, value, where=path)
    return stages, values


def _alike(name: str, stages: dict[str, dict[str, Any]], path: Path) -> dict[str, Any]:
    """Return a stage's table with the keys of the table that it is like filled in."""
    table = stages[name]
    if "like" not in table:
        return table
    model = stages.get(str(table["like"]))
    if model is None or "like" in model:
        known = [other for other, keys in stages.items() if "like" not in keys]
        what = f'stages.{name}.like: "{table["like"]}" is no stage that is written out'
        raise ConfigError(what, where=path, remedy=nearest(str(table["like"]), known))
    return {**model, **{key: value for key, value in table.items() if key != "like"}}


def run(
    recipe: str | Path,
    *,
    folder: str | Path | None = None,
    progress: Progress = SILENT,
    **overrides: Any,
) -> Run:
    """Run a recipe into a folder (default `runs/<recipe>`), doing only what is not done yet.

    Overrides are dotted keys: `zhbert.run("quickstart", **{"encoder.steps": 50})`.
    """
    started = time.monotonic()
    read = read_recipe(recipe, overrides)
    target = Path(folder) if folder else Path("runs") / read.name
    outcomes: dict[str, Outcome] = {}
    prepared = {name: _prepare(read, name, target) for name in _in_order(read)}
    for position, (name, (stage, config)) in enumerate(prepared.items(), start=1):
        outcome = _execute(stage, config, target / name, progress, f"[{position}/{len(prepared)}] {name}")
        outcomes[name] = outcome
    return Run(folder=target, outcomes=outcomes, seconds=time.monotonic() - started)


def _execute(stage: Stage, config: Config, folder: Path, progress: Progress, title: str) -> Outcome:
    progress.say(f"{title}: {stage.about}")
    outcome = execute(stage, config, folder, progress)
    said = f"done in {outcome.manifest.seconds:.1f} s" if outcome.fresh else "nothing to do"
    counts = ", ".join(f"{key} {_short(value)}" for key, value in outcome.manifest.counts.items())
    progress.say(f"    {said}" + (f": {counts}" if counts else ""))
    return outcome


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_short(item)}" for key, item in value.items()) + ")"
    return (
        f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
    )


def _in_order(recipe: Recipe) -> list[str]:
    """Return the stages as written, but each after those it needs."""
    needs = {name: list(dict.fromkeys(_references(table))) for name, table in recipe.stages.items()}
    for name, references in needs.items():
        for reference in references:
            if reference not in recipe.stages:
                raise ConfigError(
                    f'stages.{name}: there is no stage "@{reference}"',
                    where=recipe.path,
                    remedy=nearest(reference, recipe.stages),
                )
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise ConfigError(f"stages need each other in a circle: {circle}", where=recipe.path) from error
    order: dict[str, None] = {}
    for name in needs:
        _visit(name, needs, order)
    return list(order)


def _visit(name: str, needs: dict[str, list[str]], order: dict[str, None]) -> None:
    for needed in needs[name] if name not in order else ():
        _visit(needed, needs, order)
    order[name] = None


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, str) and value.startswith("@"):
        yield value[1:].partition("/")[0]


def _prepare(recipe: Recipe, name: str, folder: Path) -> tuple[Stage, Config]:
    table = dict(recipe.stages[name])
    key = f"stages.{name}"
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{key}: a stage's name may hold letters, digits, . _ and - and starts with one of the first",
            where=recipe.path,
        )
    if "use" not in table:
        raise ConfigError(
            f"{key}.use: this key is needed", where=recipe.path, remedy='name a stage, such as use = "vocab"'
        )
    stage = find_stage(str(table.pop("use")), where=f"{recipe.path}: {key}.use")
    config = parse(stage.config_type(), resolve(table, folder), where=recipe.path, key=key)
    return stage, config


def resolve(value: Any, folder: Path) -> Any:
    """Return a table with `@stage` and `corpus:raw` replaced by paths; labelled sets keep their names."""
    if isinstance(value, dict):
        return {key: resolve(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, folder) for item in value]
    if isinstance(value, str) and value.startswith("@"):
        return os.path.join(folder, value[1:])  # ./bundled in this folder, never the name bundled
    is_raw = isinstance(value, str) and is_reference(value) and value.endswith(":raw")
    return str(find(value)) if is_raw else value
