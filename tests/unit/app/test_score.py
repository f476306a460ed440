"""`score` as a stage: systems of one training and of several."""

import json
from pathlib import Path
from typing import Any

import pytest

from zhbert.app.options import forms_of
from zhbert.app.score import ScoreConfig
from zhbert.app.stages import Outcome, execute, find_stage, plan
from zhbert.config import parse
from zhbert.errors import ConfigError, DataError
from zhbert.files import Plan, building

LABELS = ("体育", "财经", "美食")
PLAN = Plan(stage="apply", settings={}, inputs={}, version="1")


def predictions(path: Path, *wrong: int) -> str:
    """Write predictions for thirty examples, wrong where it is said, and return their path."""
    lines = ({"id": f"题{i}", "labels": [LABELS[(i + (i in wrong)) % 3]], "scores": {}} for i in range(30))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    gold = ({"id": f"题{i}", "text": f"第{i}条", "labels": [LABELS[i % 3]]} for i in range(30))
    text = "".join(json.dumps(example) + "\n" for example in gold)
    Path("gold.jsonl").write_text(text, encoding="utf-8")
    wrong = {"one": (1, 2), "two": (3,), "three": (4, 5, 6, 7)}
    return {name: predictions(Path(f"{name}.jsonl"), *rows) for name, rows in wrong.items()}


def config_of(systems: dict[str, Any]) -> ScoreConfig:
    section = {"name": "新闻", "task": "classify", "gold": "gold.jsonl", "systems": systems}
    return parse(ScoreConfig, {"sections": [section], "draws": 100})


def made(folder: str, systems: dict[str, Any]) -> Outcome:
    return execute(find_stage("score"), config_of(systems), Path(folder))


def test_a_list_is_several_trainings(files: dict[str, str]) -> None:
    made("out", {"wwm": [files["one"], files["two"], files["three"]], "char": files["three"]})
    section = json.loads(Path("out/report.json").read_text("utf-8"))["sections"][0]
    assert section["spreads"][0]["figures"] == pytest.approx([28 / 30, 29 / 30, 26 / 30])
    assert section["systems"][0]["figures"][0]["of"]["value"] == pytest.approx(83 / 90)
    assert section["gaps"][0]["overlap"]


def test_a_list_of_one_is_the_plain_path(files: dict[str, str]) -> None:
    made("plain", {"wwm": files["one"], "char": files["two"]})
    made("listed", {"wwm": [files["one"]], "char": [files["two"]]})
    for name in ("report.json", "report.html"):
        assert Path("plain", name).read_bytes() == Path("listed", name).read_bytes()
    assert not made("plain", {"wwm": [files["one"]], "char": files["two"]}).fresh


def test_every_training_is_an_input(files: dict[str, str]) -> None:
    systems = {"wwm": [files["one"], files["two"]], "char": files["three"]}
    config, stage = config_of(systems), find_stage("score")
    assert list(config.inputs()) == [
        "sections.0.gold",
        "sections.0.systems.wwm.0",
        "sections.0.systems.wwm.1",
        "sections.0.systems.char",
    ]
    assert config.settings()["sections"][0]["systems"] == {"wwm": ["<input>"] * 2, "char": "<input>"}
    before = plan(stage, config)
    assert made("out", systems).fresh
    assert not made("out", systems).fresh
    Path("moved.jsonl").write_bytes(Path(files["two"]).read_bytes())
    assert not made("out", systems | {"wwm": [files["one"], "moved.jsonl"]}).fresh
    predictions(Path(files["two"]), 8)
    assert plan(stage, config) != before
    assert made("out", systems).fresh
    assert made("out", systems | {"wwm": files["one"]}).fresh


def test_what_is_known_of_each_training_is_shown(files: dict[str, str]) -> None:
    for seed, name in enumerate(("one", "two"), start=1):
        known = {"window": 64, "provenance": {"seed": seed, "best_epoch": 3, "encoder": {"strategy": "wwm"}}}
        with building(Path(f"said-{name}"), PLAN) as work:
            Path(files[name]).rename(work.folder / "predictions.jsonl")
            (work.folder / "model.json").write_text(json.dumps(known), encoding="utf-8")
    made("out", {"wwm": ["said-one", "said-two"]})
    system = json.loads(Path("out/report.json").read_text("utf-8"))["sections"][0]["systems"][0]
    assert system["facts"] == {"window": "64", "seed": "1, 2", "best_epoch": "3", "encoder.strategy": "wwm"}


def test_forms_of_a_report(files: dict[str, str]) -> None:
    def scored(folder: str, *forms: str) -> Outcome:
        section = {"name": "新闻", "task": "classify", "gold": "gold.jsonl", "systems": {"wwm": files["one"]}}
        config = parse(ScoreConfig, {"sections": [section], "draws": 100, "format": list(forms)})
        return execute(find_stage("score"), config, Path(folder))

    assert scored("out", "card", "md").fresh
    assert {path.name for path in Path("out").glob("*.*")} == {
        "README.md",
        "report.json",
        "report.md",
        "manifest.json",
    }
    assert not scored("out", "json", "md", "card").fresh  # their order does not count
    assert scored("out", "md").fresh
    assert not Path("out/README.md").exists()
    with pytest.raises(ConfigError, match=r"format\.0"):
        scored("out", "pdf")
    assert forms_of(" md,html ,") == ["md", "html"]
    with pytest.raises(ConfigError, match=r'^no form of report "htm" \(did you mean "html"\?\)'):
        forms_of("md,htm")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], 'the system "wwm" has no predictions: give a path, or a list of some'),
        (["one.jsonl", 2], 'the system "wwm" must be a path or a list of paths, one a training'),
        (["one.jsonl", "one.jsonl"], 'the system "wwm" has one.jsonl twice: each training counts once'),
    ],
)
def test_what_is_no_list_of_trainings_is_refused(given: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        config_of({"wwm": given})


def test_predictions_that_do_not_fit_name_their_file(files: dict[str, str]) -> None:
    lines = Path(files["two"]).read_text("utf-8").splitlines()
    Path(files["two"]).write_text("\n".join(lines[1:]), encoding="utf-8")
    with pytest.raises(DataError, match=r"^two\.jsonl: no prediction for 题0"):
        made("out", {"wwm": [files["one"], files["two"]]})
