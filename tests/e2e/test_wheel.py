"""What gets shipped: one importable package that carries its corpora, recipes and templates.

The wheel is built by the backend itself, so nothing is downloaded and nothing is installed.
"""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import zhbert

ROOT = Path(zhbert.__file__).parents[1]
CONTENT = ("corpora", "pipelines")
UNSHIPPED = {"__pycache__", ".DS_Store"}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="not a checkout"),
]


def python(*words: str, cwd: Path, path: Path | None = None) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {"PYTHONPATH": str(path)} if path else {}
    ended = subprocess.run(
        [sys.executable, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an unpacked wheel."""
    folder = tmp_path_factory.mktemp("装 site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    python("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (path,) = folder.glob("*.whl")
    return path


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def tracked(folder: Path) -> set[str]:
    files = {p.relative_to(ROOT) for p in folder.rglob("*") if p.is_file()}
    return {p.as_posix() for p in files if not UNSHIPPED & set(p.parts)}


def test_zhbert_is_the_only_top_level_name(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in names(wheel)}
    assert tops == {"zhbert", f"zhbert-{zhbert.__version__}.dist-info"}


def test_the_wheel_holds_the_package_and_all_content(wheel: Path) -> None:
    held = names(wheel)
    assert {f"zhbert/_data/{name}" for kind in CONTENT for name in tracked(ROOT / kind)} <= held
    assert tracked(ROOT / "zhbert") <= held
    assert "zhbert/py.typed" in held
    assert any(name.startswith("zhbert/score/templates/") for name in held)
    assert "zhbert/model/bundled/model.safetensors" in held
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in held)


def test_a_source_archive_holds_the_package_and_all_content(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    python("-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path), cwd=ROOT)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("zhbert", *CONTENT):
        assert tracked(ROOT / name) <= held


def test_the_bundled_encoder_works_from_an_unpacked_wheel(site: Path, tmp_path: Path) -> None:
    said = python(
        "-m", "zhbert", "fill", "bundled", "今天天气很[MASK]", "--top", "3", cwd=tmp_path, path=site
    )
    text, *guesses = said.splitlines()
    assert text == "今天天气很[MASK]"
    assert len(guesses) == 3
    assert all("今天天气很" in guess for guess in guesses)


def test_an_unpacked_wheel_finds_its_content(site: Path, tmp_path: Path) -> None:
    code = (
        "import zhbert; from zhbert.app.recipe import list_recipes\n"
        "from zhbert.read.card import list_cards\n"
        "from zhbert.read.references import find\n"
        "print(zhbert.__file__, find('mini:raw').is_dir(), list_cards(), list_recipes(), sep='\\n')"
    )
    home, raw, cards, recipes = python("-c", code, cwd=tmp_path, path=site).splitlines()
    assert Path(home).is_relative_to(site)
    assert (raw, cards, recipes) == (
        "True",
        str(sorted(p.parent.name for p in ROOT.glob("corpora/*/card.toml"))),
        str(sorted(p.stem for p in ROOT.glob("pipelines/*.toml"))),
    )
    assert python("-m", "zhbert", "version", cwd=tmp_path, path=site) == f"{zhbert.__version__}\n"


def test_an_editable_install_finds_its_content(tmp_path: Path) -> None:
    """What `pip install -e .` puts into an environment must not hide the content of the checkout."""
    code = "from hatchling.build import build_editable; print(build_editable('" + tmp_path.as_posix() + "'))"
    built = tmp_path / python("-c", code, cwd=ROOT).splitlines()[-1]
    site = tmp_path / "site"
    with zipfile.ZipFile(built) as archive:
        archive.extractall(site)
    code = (
        f"import site; site.addsitedir({site.as_posix()!r})\n"
        "import zhbert; from zhbert.read.card import content_root\n"
        "print(zhbert.__file__, content_root('corpora'), sep='\\n')"
    )
    home, corpora = python("-c", code, cwd=tmp_path).splitlines()
    assert Path(home) == ROOT / "zhbert" / "__init__.py"
    assert Path(corpora) == ROOT / "corpora"
