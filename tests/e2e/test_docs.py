"""The documentation's commands run as they stand, and both languages show the same ones."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from forked import forked

ROOT = Path(__file__).parents[2]
PAGES = sorted(page.name for page in (ROOT / "docs").glob("*.md") if not page.name.endswith(".zh.md"))
READMES = ("README.md", "README.zh.md")
HEADS = {"aspects": "several", "alike": "value", "choice": "options"}
LINKS = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which `zhbert` is this checkout's, and `torchrun` that of its torch."""
    commands = folder / "bin"
    commands.mkdir()
    for name, words in (("zhbert", forked()), ("torchrun", [sys.executable, "-m", "torch.distributed.run"])):
        (commands / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
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
    changed = json.loads((folder / "work" / "report-changed" / "report.json").read_text("utf-8"))
    names = [row["name"] for row in changed["sections"][0]["robustness"]]
    assert names == ["traditional", "spaces-between", "homophones"]
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
    assert "refused\n" in said
    assert '"surface": "北京"' in (folder / "places" / "examples.jsonl").read_text("utf-8")
    assert "same text, another answer: 1" in said


@pytest.mark.slow
def test_reading(tmp_path: Path) -> None:
    folder, said = run_commands("reading.md", tmp_path)
    assert '"others": [{"span": ' in said
    (line,) = (folder / "work" / "old" / "predictions.jsonl").read_text("utf-8").splitlines()
    found = json.loads(line)
    best = found["answer"] or found["others"][0]["span"]
    assert best["surface"] == "讀書節在臺北圖書館舉行。"[best["start"] : best["end"]]
    facts = json.loads((folder / "work" / "reader" / "zhbert.json").read_text("utf-8"))
    assert facts["decoding"].keys() == {"longest", "none"}
    asked = (folder / "work" / "questions" / "examples.jsonl").read_text("utf-8").splitlines()
    assert [len(json.loads(line)["answers"]) for line in asked] == [1, 0]


@pytest.mark.slow
def test_data_sets(tmp_path: Path) -> None:
    folder, said = run_commands("data-sets.md", tmp_path)
    assert "leak: 331 of 1,200 examples of test stand word for word in train" in said
    assert "is another file than the card of cluener describes" in said
    assert said.endswith(
        '{"id": 0, "label": {"name": {"温格": [[0, 1]]}, "organization": {"杭州市图书馆": [[5, 10]]}}}\n'
    )
    assert (folder / "report" / "report.html").is_file()


@pytest.mark.slow
def test_entities(tmp_path: Path) -> None:
    folder, said = run_commands("entities.md", tmp_path)
    assert re.findall(r'"surface": "(.*?)"', said) == [
        *("北京", "北京大学", "王芳"),
        *("我们", "7", "人", "去", "北京大学"),
    ]
    report = json.loads((folder / "work" / "report" / "report.json").read_text("utf-8"))
    figures = report["sections"][0]["systems"][0]["figures"]
    names = [figure["name"] for figure in figures]
    assert names == ["tagged_f1", "word_f1", "word_precision", "word_recall", "new_word_recall"]


@pytest.mark.slow
def test_classification(tmp_path: Path) -> None:
    folder, said = run_commands("classification.md", tmp_path)
    one, other = (float(value) for value in re.findall(r'"value": ([\d.]+)', said))
    assert one == pytest.approx(other, abs=1e-4)
    facts = {name: json.loads((folder / "work" / name / "zhbert.json").read_text("utf-8")) for name in HEADS}
    assert {name: found["head"] for name, found in facts.items()} == HEADS
    assert facts["aspects"]["decoding"].keys() == {"threshold"}
    report = json.loads((folder / "work" / "report" / "report.json").read_text("utf-8"))
    assert report["sections"][0]["headline"] == "micro_f1"


@pytest.mark.slow
def test_recipes(tmp_path: Path) -> None:
    folder, said = run_commands("recipes.md", tmp_path)
    assert "16 of 16 stages run" in said
    report = json.loads((folder / "runs" / "arms" / "report" / "report.json").read_text("utf-8"))
    assert [system["name"] for system in report["sections"][0]["systems"]] == ["wwm", "char"]
    assert (folder / "runs" / "other" / "encoder-span-1" / "config.json").is_file()


@pytest.mark.slow
def test_fine_tuning(tmp_path: Path) -> None:
    folder, said = run_commands("fine-tuning.md", tmp_path)
    table = json.loads((folder / "work" / "grid" / "table.json").read_text("utf-8"))
    assert [cell["settings"]["lr"] for cell in table["cells"]] == [1e-4, 5e-4]
    assert (folder / "work" / "seeds" / "seed-2" / "model.safetensors").is_file()
    assert "  epochs: 10" in said


@pytest.mark.slow
def test_distillation(tmp_path: Path) -> None:
    folder, _ = run_commands("distillation.md", tmp_path)
    configs = (json.loads((folder / f"work/{name}/config.json").read_text()) for name in ("teacher", "pupil"))
    assert [config["num_hidden_layers"] for config in configs] == [4, 2]
    report = json.loads((folder / "work" / "report" / "report.json").read_text("utf-8"))
    assert [system["name"] for system in report["sections"][0]["systems"]] == ["pupil", "teacher"]


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
def test_applying(tmp_path: Path) -> None:
    folder, said = run_commands("applying.md", tmp_path)
    assert '"at": "more.jsonl:2"' in said
    assert (folder / "work" / "raw-said" / "predictions.jsonl").read_text("utf-8").startswith('{"id": "甲"')
    assert (folder / "work" / "table" / "predictions.parquet").is_file()
    assert re.search(r"==> work/both/names/.*\n.*\n\n==> work/both/topic/.*\n.*\"labels\"", said)


@pytest.mark.slow
def test_onnx(tmp_path: Path) -> None:
    folder, said = run_commands("onnx.md", tmp_path)
    assert "onnx-int8: same answers: " in said
    assert (folder / "work" / "ner-onnx" / "model-int8.onnx").is_file()
    assert '"onnx-int8"' in (folder / "work" / "said" / "manifest.json").read_text("utf-8")


@pytest.mark.slow
def test_serving(tmp_path: Path) -> None:
    folder, said = run_commands("serving.md", tmp_path)
    assert re.search(r'"entities": \[{"start": .*"status": "ready".*tokens_total{model="ner"} ', said, re.S)
    assert "Stopped: 1 requests taken" in (folder / "work" / "serve.log").read_text("utf-8")
    code = "\n".join(blocks(ROOT / "docs" / "serving.md", "python"))
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, env=env)
    assert "Span(start=" in done.stdout, done.stderr


@pytest.mark.slow
def test_reports(tmp_path: Path) -> None:
    folder, said = run_commands("reports.md", tmp_path)
    assert "first − second" in said
    assert "better" in said
    assert (folder / "report" / "report.html").is_file()
    assert "mean of 3 trainings" in said
    met = json.loads((folder / "report-met" / "report.json").read_text("utf-8"))
    assert [(row["n"], row["whole"]) for row in met["sections"][0]["contamination"]] == [(15, 15)]
    assert "[{'start': 0, 'end': -2, 'count': 10, 'ids': ['4', '8', '12', '16', '20']}]" in said
    assert '"default_micro_f1": 100.0' in said
    assert (folder / "runs" / "seeds" / "report" / "report.html").is_file()
    forms = {path.name for path in (folder / "report-forms").iterdir()}
    assert {"README.md", "report.html", "report.json", "report.md", "report.schema.json"} <= forms
    assert 'type: "text-classification"' in said


@pytest.mark.slow
def test_comparing(tmp_path: Path) -> None:
    folder, said = run_commands("comparing.md", tmp_path)
    assert "best: many 48.8 %; worse: few " in said
    assert "mean of 2 trainings" in said
    report = json.loads((folder / "work" / "three" / "report.json").read_text("utf-8"))
    order = report["sections"][0]["match"]["standings"]
    assert [(one["system"], one["verdict"]) for one in order[:2]] == [("many", "best"), ("few", "worse")]
    assert (folder / "work" / "three" / "report.md").is_file()
    assert said.endswith("zhbert compare many=PREDICTIONS few=PREDICTIONS -o compared`\n")


@pytest.mark.slow
def test_vectors(tmp_path: Path) -> None:
    folder, said = run_commands("vectors.md", tmp_path)
    assert "球队在客场赢了比赛\n  0." in said
    for name, title in (("groups", "Groups of texts"), ("chosen", "News")):
        found = json.loads((folder / "work" / name / "clusters.json").read_text("utf-8"))
        assert (found["title"], found["texts"]) == (title, 300)
        assert len(found["clusters"]) == (
            6 if name == "groups" else int(max(found["tried"], key=found["tried"].get))
        )
        assert "</svg>" in (folder / "work" / name / "report.html").read_text("utf-8")
    code = "\n".join(blocks(ROOT / "docs" / "vectors.md", "python"))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(tmp_path / "work")
    )
    assert "馆里可以借书 0." in done.stdout
    assert "['王芳', '在', '杭州市', '图书馆', '工作']" in done.stdout


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
    "page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]), ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINKS.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
    if page.name.endswith(
        ".zh.md"
    ):  # what is there in Chinese is read in Chinese, but for the page's own twin
        twins = [target for target in targets if (page.parent / target.replace(".md", ".zh.md")).exists()]
        assert [t for t in twins if not t.endswith(".zh.md")] == [page.name.replace(".zh", "")]
