"""The documentation's commands run as they stand, and both languages show the same ones."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(page.name for page in (ROOT / "docs").glob("*.md") if not page.name.endswith(".zh.md"))
READMES = ("README.md", "README.zh.md")
LINKS = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which `zhbert` is this checkout's, and `torchrun` that of its torch."""
    commands = folder / "bin"
    commands.mkdir()
    for name, module in (("zhbert", "zhbert"), ("torchrun", "torch.distributed.run")):
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        (commands / name).chmod(0o755)
    path = os.pathsep.join([str(commands), os.environ["PATH"]])
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}


def run_commands(page: str, tmp_path: Path) -> tuple[Path, str]:
    """Run a page's commands in a fresh folder and return it with what they printed."""
    folder = tmp_path / "work"
    folder.mkdir()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks(ROOT / "docs" / page, "bash"))],
        cwd=folder,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, f"exit {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return folder, done.stdout


@pytest.mark.slow
def test_from_text_to_report(tmp_path: Path) -> None:
    folder, said = run_commands("from-text-to-report.md", tmp_path)
    assert (folder / "work" / "report" / "report.html").is_file()
    assert (folder / "runs" / "my" / "report" / "report.html").is_file()
    changed = next(line for line in reversed(said.splitlines()) if "stages run" in line)
    assert changed.startswith("3 of 7"), "ner, its predictions and the report, and nothing else"


@pytest.mark.slow
def test_corpus(tmp_path: Path) -> None:
    folder, said = run_commands("corpus.md", tmp_path)
    assert "filter preset=web is" in said
    assert '"at": "broken.jsonl:2"' in (folder / "left-out" / "left-out-00000.jsonl").read_text("utf-8")
    assert "投资总额达" in (folder / "work" / "phrases" / "phrases.tsv").read_text("utf-8")
    assert (folder / "work" / "card" / "report.html").is_file()
    assert (folder / "work" / "parquet" / "train-00000.parquet").is_file()


@pytest.mark.slow
def test_labelled_data(tmp_path: Path) -> None:
    folder, said = run_commands("labelled-data.md", tmp_path)
    assert '"surface": "杭州市图书馆"' in said
    assert '"start": 8, "end": 10' in (folder / "questions" / "examples.jsonl").read_text("utf-8")


@pytest.mark.slow
def test_recipes(tmp_path: Path) -> None:
    folder, said = run_commands("recipes.md", tmp_path)
    assert "16 of 16 stages run" in said
    report = json.loads((folder / "runs" / "arms" / "report" / "report.json").read_text("utf-8"))
    assert [system["name"] for system in report["sections"][0]["systems"]] == ["wwm", "char"]
    assert (folder / "runs" / "other" / "encoder-span-1" / "config.json").is_file()


@pytest.mark.slow
def test_masking(tmp_path: Path) -> None:
    folder, said = run_commands("masking.md", tmp_path)
    assert "上海市\t" in said
    assert (folder / "work" / "mac" / "model.safetensors").is_file()


@pytest.mark.slow
def test_pretraining(tmp_path: Path) -> None:
    folder, said = run_commands("pretraining.md", tmp_path)
    assert '"new_tokens"' in (folder / "work" / "domain" / "manifest.json").read_text("utf-8")
    assert '"architectures"' in (folder / "work" / "two" / "config.json").read_text("utf-8")
    assert (folder / "work" / "probe" / "report.html").is_file()
    assert '"text": "坐高铁到杭州市' in said.splitlines()[-1]


@pytest.mark.slow
def test_bundled(tmp_path: Path) -> None:
    folder, said = run_commands("bundled.md", tmp_path)
    assert said.startswith("任何单位和个人不得[MASK][MASK]他人的合法权益。\n")
    assert '"entities"' in said
    handed = folder / "work" / "handed-on"
    assert '"init": "bundled"' in (handed / "zhbert.json").read_text("utf-8")
    assert "good for nothing but this page" in (handed / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_reports(tmp_path: Path) -> None:
    folder, said = run_commands("reports.md", tmp_path)
    assert "first − second" in said
    assert "better" in said
    assert (folder / "report" / "report.html").is_file()
    assert "mean of 3 trainings" in said
    assert (folder / "runs" / "seeds" / "report" / "report.html").is_file()


@pytest.mark.slow
def test_composed_data(tmp_path: Path) -> None:
    folder, said = run_commands("composed-data.md", tmp_path)
    lines = (folder / "composed" / "ner" / "test.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 10
    assert said.splitlines()[-2:] == lines[:2]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["bash", "python"])
def test_both_languages_show_the_same(page: str, language: str) -> None:
    chinese = ROOT / "docs" / page.replace(".md", ".zh.md")
    assert blocks(ROOT / "docs" / page, language) == blocks(chinese, language)


def test_readmes_show_the_same_commands() -> None:
    fences = [re.findall(r"^```.*?^```$", (ROOT / name).read_text("utf-8"), re.M | re.S) for name in READMES]
    commands = [[re.sub(r" +#.*", "", fence) for fence in found] for found in fences]
    assert commands[0] == commands[1]
    assert "make quickstart" in commands[0][0]
    assert "make test" in commands[0][0]


@pytest.mark.parametrize(
    "page", [*READMES, "ARCHITECTURE.md", "CONTRIBUTING.md", *(f"docs/{p}" for p in PAGES)]
)
def test_links_lead_somewhere(page: str) -> None:
    for target in LINKS.findall((ROOT / page).read_text(encoding="utf-8")):
        assert ((ROOT / page).parent / target).exists(), target
