"""The rules of the house: who may import whom, what stays light, what every file must have."""

import ast
import importlib
import inspect
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import zhbert
from zhbert.config import Config

ROOT = Path(zhbert.__file__).parents[1]
PACKAGE = ROOT / "zhbert"
LONGEST = 300

# A module imports from its own room and from lower floors, never sideways, never up.
FLOORS = {
    "errors": 0,
    "plain": 0.5,  # what records are written and read by
    **dict.fromkeys(["records", "config", "progress", "precision"], 1),
    **dict.fromkeys(["text", "files"], 2),
    **dict.fromkeys(["read", "clean", "engine", "encode", "score"], 3),
    **dict.fromkeys(["corpus", "model", "train"], 4),
    **dict.fromkeys(["task", "vectors"], 5),
    "serve": 5.5,  # any pipeline can be served; who makes one stands above
    "app": 6,
}
ABOVE = {"__init__", "__main__"}  # the front door, above every floor
FACTS = {"__file__", "__version__"}  # what any room may ask of the package itself

# Rooms that stay light, and what must not even be loaded when all their modules are.
LIGHT = {
    "read": {"torch", "transformers", "datasets", "sklearn"},
    "clean": {"torch", "transformers", "datasets", "sklearn"},
    "engine": {"torch", "transformers", "datasets", "sklearn", "ray"},
    "corpus": {"torch"},
    "encode": {"torch"},
    "text": {"torch", "transformers", "datasets", "sklearn"},
    "score": {"torch", "transformers", "datasets", "sklearn"},
}
# Import statements inside a function load only when it runs; these are known and wanted.
LATE = {
    ("encode/tokenizer.py", "transformers"),
    ("corpus/export.py", "datasets"),
    ("read/hub.py", "datasets"),
    ("read/forms/saved.py", "datasets"),
}
NO_PYTHON = ("corpora", "pipelines")
ONLY_THE_COMMAND_LINE = {"print", "input", "exit", "quit", "sys.exit", "os._exit"}


def sources() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "_data" not in p.parts)


def room_of(module: str) -> str:
    """zhbert.text.segment lives in text, zhbert.errors in errors."""
    return module.split(".")[1]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere in a file: in functions and under TYPE_CHECKING too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield "." * node.level + (node.module or "")
            elif node.module == "zhbert":
                yield from (f"zhbert.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def floor_faults(module: str, text: str) -> list[str]:
    """What a module imports or asks that the floors forbid."""
    home, tree, faults = room_of(module), ast.parse(text), []
    if home in ABOVE:
        return []
    for name in imports(tree):
        if name.startswith("."):
            faults.append(f"{module} imports {name}: say the whole name")
        elif name.startswith("zhbert."):
            room = room_of(name)
            if room not in FLOORS or (room != home and FLOORS[room] >= FLOORS[home]):
                faults.append(f"{module} (floor {FLOORS[home]}) imports {name} (floor {FLOORS.get(room)})")
    asked = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "zhbert"
    }
    return faults + [f"{module} asks zhbert.{name}" for name in asked - FACTS]


def test_every_room_has_a_floor() -> None:
    rooms = {p.stem if p.is_file() else p.name for p in PACKAGE.iterdir() if p.suffix in ("", ".py")}
    assert rooms - {"__pycache__", "_data"} - ABOVE == set(FLOORS)


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_modules_import_only_downwards(path: Path) -> None:
    assert floor_faults(module_of(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "from zhbert.app.cli import main",
        "import zhbert.score.report",
        "from zhbert import task",
        "from zhbert.model.store import load",
        "from ..model import store",
        "def late():\n    from zhbert.train.loop import train",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from zhbert.task.base import Task",
        "import zhbert\nzhbert.load('x')",
        "import zhbert.nowhere",
    ],
)
def test_the_floor_check_can_fail(line: str) -> None:
    assert floor_faults("zhbert.encode.bad", line)


def test_the_floor_check_lets_good_modules_pass() -> None:
    good = (
        "import zhbert\nfrom zhbert.encode.bert import NAMES\nfrom zhbert.text import tags\nzhbert.__file__"
    )
    assert floor_faults("zhbert.encode.good", good) == []


@pytest.mark.slow
@pytest.mark.parametrize("room", LIGHT)
def test_light_rooms_name_nothing_heavy(room: str) -> None:
    for path in sorted((PACKAGE / room).rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        heavy = {name.partition(".")[0] for name in imports(ast.parse(path.read_text(encoding="utf-8")))}
        heavy &= {"torch", "transformers", "datasets", "sklearn", "accelerate"}
        assert {(place, name) for name in heavy} <= LATE


@pytest.mark.slow
@pytest.mark.parametrize("room", LIGHT)
def test_light_rooms_load_nothing_heavy(room: str) -> None:
    names = [f"zhbert.{room}.{m.name}" for m in pkgutil.iter_modules([str(PACKAGE / room)])]
    loaded = loaded_by("; ".join(f"import {name}" for name in names))
    assert not loaded & LIGHT[room]
    assert set(names) <= loaded


def python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def loaded_by(code: str) -> set[str]:
    return set(json.loads(python(f"import json, sys; {code}; print(json.dumps(list(sys.modules)))")))


def test_import_zhbert_is_light_and_quick() -> None:
    heavy = {"torch", "transformers", "datasets", "sklearn", "numpy", "pyarrow", "jieba", "pydantic", "rich"}
    assert not loaded_by("import zhbert") & heavy
    code = "import time; a = time.perf_counter(); import zhbert; print(time.perf_counter() - a)"
    assert min(float(python(code)) for _ in range(5)) < 0.2


@pytest.mark.slow
def test_help_loads_no_torch() -> None:
    code = "import sys; sys.argv = ['zhbert', 'run', '--help']; from zhbert.app.cli import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n    print('torch' in sys.modules)"
    assert python(code).endswith("False\n")


def test_public_names_are_closed_sorted_and_there() -> None:
    homes: dict[str, str] = zhbert._HOMES
    assert list(homes) == sorted(homes) == zhbert.__all__
    assert dir(zhbert) == sorted([*zhbert.__all__, "__version__"])
    for name, home in homes.items():
        assert getattr(zhbert, name) is getattr(importlib.import_module(home), name)
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        zhbert.lode  # noqa: B018  # the access is the test


def test_public_names_are_the_ones_that_type_checkers_see() -> None:
    tree = ast.parse(Path(zhbert.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        a.asname: node.module for node in block.body if isinstance(node, ast.ImportFrom) for a in node.names
    }
    assert seen == zhbert._HOMES


def every_module() -> Iterator[str]:
    for found in pkgutil.walk_packages([str(PACKAGE)], "zhbert."):
        if "._data" not in found.name and not found.name.endswith("__main__"):
            yield found.name


@pytest.mark.slow
def test_every_module_has_a_docstring() -> None:
    assert [
        p.name for p in sources() if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))
    ] == []


def test_every_config_field_is_described() -> None:
    kinds = [
        kind
        for name in every_module()
        for _, kind in inspect.getmembers(importlib.import_module(name), inspect.isclass)
        if issubclass(kind, Config) and kind.__module__ == name
    ]
    assert len(kinds) > 10
    fields = {f"{kind.__name__}.{key}": field for kind in kinds for key, field in kind.model_fields.items()}
    assert [name for name, field in fields.items() if not field.description] == []


def called(tree: ast.AST) -> Iterable[str]:
    return (ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_only_the_command_line_prints_and_exits() -> None:
    for path in sources():
        if path != PACKAGE / "app" / "cli.py":
            assert not set(called(ast.parse(path.read_text(encoding="utf-8")))) & ONLY_THE_COMMAND_LINE, path


def test_content_folders_hold_no_python() -> None:
    assert [p for folder in NO_PYTHON for p in (ROOT / folder).rglob("*.py*")] == []


@pytest.mark.parametrize("folder", ["zhbert", "tests", "benchmarks"])
def test_files_stay_short(folder: str) -> None:
    lengths = {
        p: p.read_bytes().count(b"\n") for p in (ROOT / folder).rglob("*.py") if "_data" not in p.parts
    }
    assert {p.name: n for p, n in lengths.items() if n > LONGEST} == {}
