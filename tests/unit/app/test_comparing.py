"""`compare` and `leaderboard` from the command line: what is found out by itself, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zhbert.app.answered import answered, gold_of, head_of, strangers, task_of
from zhbert.app.comparing import compare, leaderboard
from zhbert.app.leaderboard import LeaderboardConfig
from zhbert.app.leaderboard import board as make_board
from zhbert.errors import ConfigError, DataError
from zhbert.files import Plan, Work, building, hash_file, write_text

LABELS = ("体育", "财经", "美食")


def lines(path: Path, records: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def gold(path: Path, n: int = 30) -> Path:
    return lines(path, [{"id": f"题{i}", "text": f"第{i}条", "labels": [LABELS[i % 3]]} for i in range(n)])


def said(path: Path, *wrong: int, n: int = 30) -> Path:
    labels = [LABELS[(i + (i in wrong)) % 3] for i in range(n)]
    return lines(path, [{"id": f"题{i}", "labels": [x], "scores": {}} for i, x in enumerate(labels)])


def applied(folder: Path, source: Path, *wrong: int, model: dict[str, Any] | None = None) -> Path:
    """Lay out what `zhbert apply` leaves, or what `zhbert baseline` does where there is no model."""
    plan = Plan(
        stage="apply" if model else "baseline",
        settings={} if model else {"task": "classify"},
        inputs={"source": hash_file(source)},
        version="1",
    )
    with building(folder, plan) as work:
        said(work.folder / "predictions.jsonl", *wrong)
        if model:
            facts = {"window": 8, "provenance": {"seed": 1}} | model
            write_text(work.folder / "model.json", json.dumps(facts))
        work.counts |= {"source": source.as_posix(), "records": 30}
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(folder, "report.json").read_text("utf-8"))
    return found


def test_folders_say_what_they_answer(capsys: pytest.CaptureFixture[str]) -> None:
    source = gold(Path("data/test.jsonl"))
    applied(Path("one"), source, 1, 2, model={"task": "classify", "head": "one"})
    applied(Path("two"), source, 3)
    compare(["one", "b=two"], output=Path("out"))
    section = report("out")["sections"][0]
    assert [system["name"] for system in section["systems"]] == ["one", "b"]
    assert section["task"] == "classify"
    tally = {"first": "one", "second": "b", "both": 27, "only_first": 1, "only_second": 2, "neither": 0}
    assert section["match"]["tallies"] == [tally]
    assert "best: b 96.7 %; not distinguishable: one 93.3 %" in capsys.readouterr().out
    compare(["one", "b=two"], output=Path("out"))
    assert "out: nothing to do" in capsys.readouterr().out


def test_a_name_that_is_said_again_is_a_further_training() -> None:
    gold(Path("gold.jsonl"))
    files = [f"a={said(Path(f'{i}.jsonl'), i)}" for i in range(2)] + [f"b={said(Path('b.jsonl'), 7, 8)}"]
    compare(files, output=Path("out"), gold="gold.jsonl", task="classify", format="md")
    section = report("out")["sections"][0]
    assert len(section["spreads"][0]["figures"]) == 2
    assert "### Example by example" in Path("out/report.md").read_text("utf-8")


def test_a_file_beside_a_folder_is_taken_to_answer_the_same() -> None:
    source = gold(Path("gold.jsonl"))
    told = [answered(applied(Path("one"), source)), answered(said(Path("b.jsonl")))]
    assert gold_of(told) == "gold.jsonl"
    assert (task_of(told, ""), head_of(told)) == ("classify", "")


def test_a_reference_says_its_task() -> None:
    assert task_of([answered(said(Path("b.jsonl")))], "mini:topics/test") == "classify"


def test_the_way_is_that_of_the_models_where_they_agree() -> None:
    source = gold(Path("gold.jsonl"))
    heads = [{"task": "classify", "head": head} for head in ("several", "several", "one")]
    told = [answered(applied(Path(str(i)), source, model=model)) for i, model in enumerate(heads)]
    assert head_of(told[:2]) == "several"
    assert head_of(told) == ""


def test_folders_that_answer_different_examples_are_told_apart() -> None:
    one, two = gold(Path("one.jsonl")), gold(Path("two.jsonl"), n=31)
    told = [answered(applied(Path("a"), one)), answered(applied(Path("b"), two))]
    with pytest.raises(
        DataError, match=r"^different examples: a answers one.jsonl \(30 records, .*b answers two"
    ):
        gold_of(told)
    (note,) = strangers(told, "one.jsonl")
    assert note.startswith("b answers two.jsonl (30 records, ")
    assert note.endswith("…), not one.jsonl: their ids must fit")


def test_examples_that_changed_or_went_are_not_taken() -> None:
    source = gold(Path("gold.jsonl"))
    told = [answered(applied(Path("a"), source))]
    gold(source, n=31)
    with pytest.raises(DataError, match=r"^gold.jsonl: the examples that were answered are not there"):
        gold_of(told)
    source.unlink()
    with pytest.raises(DataError, match="are not there"):
        gold_of(told)


def test_lines_of_text_have_no_right_answers() -> None:
    Path("texts.txt").write_text("一\n", encoding="utf-8")
    told = [answered(applied(Path("a"), Path("texts.txt"), model={"task": "classify"}))]
    with pytest.raises(DataError, match=r"^texts.txt: plain texts have no right answers \(give --gold\)"):
        gold_of(told)


def test_models_of_different_tasks_are_refused() -> None:
    source = gold(Path("gold.jsonl"))
    told = [answered(applied(Path(task), source, model={"task": task})) for task in ("classify", "ner")]
    with pytest.raises(DataError, match="different tasks were answered: classify classify, ner ner"):
        task_of(told, "")


def test_the_folder_of_somebody_else_says_nothing() -> None:
    said(Path("theirs/predictions.jsonl"))
    Path("theirs/model.json").write_text('{"task": "ner"}', encoding="utf-8")
    found = answered(Path("theirs"))
    assert (found.task, found.content) == ("", "")
    with pytest.raises(ConfigError, match="which task was answered is not known"):
        task_of([found], "gold.jsonl")


def test_a_folder_and_its_file_are_the_same_predictions() -> None:
    said(Path("a/predictions.jsonl"))
    with pytest.raises(ConfigError, match=r'"a" and "b" are the same predictions \(leave one of them out\)'):
        compare(["a=a", "b=a/predictions.jsonl"], output=Path("out"))
    with pytest.raises(ConfigError, match=r'"a" has the same predictions twice \(leave one of them out\)'):
        compare(["a=a", "a=a/predictions.jsonl", "b=b"], output=Path("out"))


def test_where_no_report_can_be_listed_it_is_said_what_writes_them() -> None:
    Path("runs").mkdir()
    lines(Path("runs/report.json"), [{"judged": []}])
    config = LeaderboardConfig(reports={"../runs/report.json": Path("runs/report.json")})
    with pytest.raises(DataError, match=r"no report that can be listed: .*zhbert score and compare write"):
        make_board(config, Work(Path("runs")))


def board(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(folder, "leaderboard.json").read_text("utf-8"))
    return found


@pytest.mark.slow
def test_reports_become_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    gold(Path("gold.jsonl"))
    files = [str(said(Path(f"{name}.jsonl"), *wrong)) for name, wrong in (("a", (1,)), ("b", (2, 3)))]
    more = str(said(Path("c.jsonl"), *range(9)))
    compare(files, output=Path("runs/新 1/out"), gold="gold.jsonl", task="classify")
    compare([files[0], more], output=Path("runs/two"), gold="gold.jsonl", task="classify")
    lines(Path("runs/theirs/report.json"), [{"judged": []}])
    Path("runs/broken").mkdir()
    Path("runs/broken/report.json").write_bytes(b"\xff{")
    lines(Path("runs/half.partial/report.json"), [{}])
    leaderboard(Path("runs"), output=Path("runs/board"), title="榜")
    found = board("runs/board")
    (table,) = found["boards"]
    assert [(entry["system"], entry["standing"]) for entry in table["entries"]] == [
        ("a", "best"),
        ("b", "intervals overlap"),
        ("c", "intervals apart"),
    ]
    assert table["entries"][0]["reports"] == ["../two/report.html", "../新 1/out/report.html"]
    assert all((Path("runs/board") / link).is_file() for link in table["entries"][0]["reports"])
    assert [one["file"] for one in found["passed_over"]] == ["../broken/report.json", "../theirs/report.json"]
    shown = capsys.readouterr().out
    assert "passed over runs/theirs/report.json: unknown field" in shown
    assert "passed over runs/broken/report.json: not valid JSON" in shown
    leaderboard(Path("runs"), output=Path("runs/board"), title="榜")
    assert "runs/board: nothing to do" in capsys.readouterr().out
    Path("runs/two").rename("runs/three")
    leaderboard(Path("runs"), output=Path("runs/board"), title="榜")
    links = board("runs/board")["boards"][0]["entries"][0]["reports"]
    assert links == ["../three/report.html", "../新 1/out/report.html"]


@pytest.mark.slow
def test_the_commands_load_no_torch() -> None:
    gold(Path("gold.jsonl"))
    names = [said(Path(f"{name}.jsonl"), *wrong).as_posix() for name, wrong in (("a", (1,)), ("b", (2, 3)))]
    words = ["compare", *names, "--gold", "gold.jsonl", "--task", "classify", "-o", "out"]
    code = "import sys\nfrom zhbert.app.cli import main\n"
    code += "try:\n    main()\nexcept SystemExit as end:\n    print(end.code, 'torch' in sys.modules)"
    for typed in (words, ["leaderboard", ".", "-o", "board"]):
        command = [sys.executable, "-c", code, *typed]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.endswith("0 False\n"), done.stdout + done.stderr
    assert board("board")["boards"][0]["n"] == 30
