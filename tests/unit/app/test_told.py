"""What folders of predictions tell a report: what was read, what it took, what it was learnt from."""

import json
from pathlib import Path
from typing import Any

import pytest

import zhbert
from zhbert.app.score import ScoreConfig
from zhbert.app.stages import execute, find_stage
from zhbert.app.told import IS_DEV, IS_TRAIN, OTHER_TRAIN, cost_of, coverage_of, facts_of, predictions_file
from zhbert.config import parse
from zhbert.errors import DataError
from zhbert.files import Plan, building, hash_file, read_manifest
from zhbert.plain import to_plain
from zhbert.score.cost import COST, Cost, SystemCost, by_length, write_costs
from zhbert.score.coverage import COVERAGE, Coverage
from zhbert.score.render import render
from zhbert.score.report import read_report
from zhbert.score.words import chinese

LABELS = ("体育", "财经", "美食")
PLAN = Plan(stage="apply", settings={}, inputs={"model": "f" * 64}, version="1")
READ = Coverage(
    examples=6,
    characters=60,
    windows=9,
    several=3,
    tokens=58,
    unknown=4,
    unknown_surfaces={"😀<b>": 4},
    dropped={"U+200B": 1},
    answers=6,
    out_of_reach={"a label that the model does not know": 2},
    shown=("题3: 旅游",),
)


def write(name: str, count: int = 6) -> Path:
    lines = ({"id": f"题{i}", "text": f"第{i}条{name}", "labels": [LABELS[i % 3]]} for i in range(count))
    Path(name).write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
    return Path(name)


def applied(name: str, *, learnt: dict[str, str] | None = None, seconds: float = 0.0) -> None:
    """Make a folder as `zhbert apply` does, of a model that learnt from something."""
    with building(Path(name), PLAN) as work:
        lines = ({"id": f"题{i}", "labels": [LABELS[i % 3]], "scores": {}} for i in range(6))
        text = "".join(json.dumps(one) + "\n" for one in lines)
        (work.folder / "predictions.jsonl").write_text(text, "utf-8")
        facts = {
            "window": 64,
            "provenance": {"seed": 7, "answers out of reach": 5},
            "learnt_from": learnt or {},
        }
        (work.folder / "model.json").write_text(json.dumps(facts), "utf-8")
        if seconds:
            (work.folder / COVERAGE).write_text(json.dumps(to_plain(READ)), "utf-8")
            write_costs(work.folder, taken(seconds))


def taken(seconds: float) -> Cost:
    bands = by_length([10] * 6, [seconds / 6] * 6)
    return Cost(
        examples=6,
        characters=60,
        seconds=seconds,
        preparing=0.0,
        model=seconds,
        deciding=0.0,
        bands=bands,
        memory=3 << 30,
        device="cpu: <绝妙>",
        threads=2,
        trainings={"finetune": 90.0},
    )


def scored(folder: str, systems: dict[str, Any], **more: Any) -> dict[str, Any]:
    section = {"name": "新闻", "task": "classify", "gold": "gold.jsonl", "systems": systems} | more
    config = parse(ScoreConfig, {"sections": [section], "draws": 100})
    execute(find_stage("score"), config, Path(folder))
    report: dict[str, Any] = json.loads(Path(folder, "report.json").read_text("utf-8"))
    return report


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("gold.jsonl")


def test_what_was_read_is_in_the_report_and_before_the_figures() -> None:
    applied("said", seconds=1.5)
    other = Path("said/predictions.jsonl").as_posix()
    report = scored("out", {"ours": "said", "theirs": other})
    ours, theirs = report["sections"][0]["systems"]
    assert ours["read"] == to_plain(READ)
    assert "read" not in theirs
    page = Path("out/report.html").read_text("utf-8")
    assert page.index("What was read") < page.index(">Label by label")
    assert page.index("What was read") < page.index('<h3><span class="en">Figures')
    assert "😀&lt;b&gt;" in page
    assert "题3: 旅游" in page
    assert page.count('<span class="en">not known</span>') >= 5


def test_what_it_took_is_beside_the_report_and_changes_nothing_in_it() -> None:
    contents = []
    for name, seconds in (("one", 1.5), ("two", 3000.0)):
        applied("said", seconds=seconds)
        scored(name, {"ours": ["said", "said/predictions.jsonl"], "theirs": "said/predictions.jsonl"})
        manifest = read_manifest(Path(name))
        assert manifest
        contents.append((manifest.content, Path(name, "report.json").read_bytes()))
        (kept,) = json.loads(Path(name, COST).read_text("utf-8"))
        assert kept == to_plain(SystemCost(section="新闻", system="ours", cost=taken(seconds)))
    assert contents[0] == contents[1]
    pages = [Path(name, "report.html").read_text("utf-8") for name in ("one", "two")]
    assert "1.5 s" in pages[0]
    assert "50 min" in pages[1]
    assert "cpu: &lt;绝妙&gt;" in pages[0]
    assert "3 GB" in pages[0]


def test_a_report_without_costs_has_no_log() -> None:
    scored("out", {"theirs": write_predictions()})
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "manifest.json",
        "report.html",
        "report.json",
    ]
    assert "What it took" not in render(read_report(Path("out/report.json")))


def write_predictions() -> str:
    lines = ({"id": f"题{i}", "labels": [LABELS[0]], "scores": {}} for i in range(6))
    Path("theirs.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
    return "theirs.jsonl"


def test_the_run_names_versions_hashes_and_counts() -> None:
    write("train.jsonl", 9)
    applied("said", seconds=1.0)
    told = scored("out", {"ours": ["said", "said/predictions.jsonl"]}, train="train.jsonl")["provenance"]
    gold = hash_file(Path("gold.jsonl"))[:16]
    assert told["data.新闻.gold"] == f"gold.jsonl sha256 {gold}, 6 examples, 78 characters"
    assert told["data.新闻.train"].endswith(", 9 examples, 126 characters")
    assert told["made with.zhbert"] == zhbert.__version__
    assert {"made with.python", "made with.numpy", "made with.machine", "bootstrap.seed"} <= set(told)
    predictions = hash_file(Path("said/predictions.jsonl"))[:16]
    assert told["systems.新闻.ours.predictions"] == f"predictions.jsonl sha256 {predictions}"
    manifest = read_manifest(Path("said"))
    assert manifest
    assert told["systems.新闻.ours.plan"] == f"{manifest.plan[:16]}, model {'f' * 16}, –"
    assert f"torch {manifest.versions['torch']}" in told["systems.新闻.ours.versions"]


def test_a_model_that_was_chosen_by_the_test_set_is_named() -> None:
    write("train.jsonl")
    gold, train = (hash_file(Path(name)) for name in ("gold.jsonl", "train.jsonl"))
    learnt = {
        "honest": {"train": train, "dev": "d" * 64},
        "chosen": {"train": train, "dev": gold},
        "taught": {"train": gold, "dev": "d" * 64},
        "silent": {},
    }
    for name, hashes in learnt.items():
        applied(name, learnt=hashes)
    section = scored("out", {name: name for name in learnt}, train="train.jsonl")["sections"][0]
    assert [(note["system"], note["what"]) for note in section["notes"]] == [
        ("chosen", IS_DEV),
        ("taught", IS_TRAIN),
        ("taught", OTHER_TRAIN),
    ]
    assert section["systems"][0]["facts"]["hash.train"] == train[:16]
    page = Path("out/report.html").read_text("utf-8")
    assert IS_DEV in page
    assert "测试集就是其开发集" in page
    assert all(chinese(what) for what in (IS_DEV, IS_TRAIN, OTHER_TRAIN))


def test_files_that_are_not_ours_tell_nothing() -> None:
    Path("theirs").mkdir()
    for name in ("model.json", COVERAGE):
        Path("theirs", name).write_text("{}", "utf-8")
    assert (facts_of(Path("theirs")), coverage_of(Path("theirs")), cost_of(Path("theirs"))) == (
        {},
        None,
        None,
    )


def test_a_folder_that_cannot_be_scored_says_why() -> None:
    Path("table").mkdir()
    Path("table/predictions.parquet").write_bytes(b"")
    for name in ("b", "a"):
        applied(f"many-{name}")
        Path("several").mkdir(exist_ok=True)
        Path(f"many-{name}").rename(f"several/{name}")
    Path("empty").mkdir()
    for folder, what in (
        ("table", r"^table: predictions as a table are not scored \(zhbert apply --format jsonl\)"),
        ("several", r"^several: a folder of several models \(name one, such as several/a\)"),
        ("empty", r"^empty/predictions.jsonl: no such file \(give predictions.jsonl, or the folder"),
        ("gone", r"^gone: no such file"),
    ):
        with pytest.raises(DataError, match=what):
            predictions_file(Path(folder))
    assert predictions_file(Path("several/a")) == Path("several/a/predictions.jsonl")
