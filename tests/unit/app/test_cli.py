"""The command line: help that cannot disagree with the configs, and what each command prints."""

import json
import os
import sys
from pathlib import Path

import pytest
from torch.distributed.run import get_args_parser

import zhbert
from zhbert.app.cli import app, corpus, main
from zhbert.app.doctor import OK, WRONG, examine
from zhbert.app.options import command_of
from zhbert.app.stages import STAGES, Stage

COMMANDS = ["run", "score", "compare", "leaderboard", "fill", "ask", "doctor", "version", "corpus"]
COMMANDS += ["corpus compose"]
BUILT = [name for name in STAGES if name not in ("score", "leaderboard")]  # theirs are made by hand
TEXT = "上海的图书馆每天早上九点开门，读者可以免费借书。"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "500")
    monkeypatch.setenv("TERMINAL_WIDTH", "500")
    before = [(group, list(group.registered_commands)) for group in (app, corpus)]

    def type_words(*words: str, ends: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["zhbert", *words])
        for group, commands in before:  # `main` adds the stages each time
            monkeypatch.setattr(group, "registered_commands", list(commands))
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == ends
        return capsys.readouterr().out

    return type_words


@pytest.mark.parametrize("stage", [stage for stage in STAGES.values() if stage.together])
def test_torchrun_takes_no_option_for_one_of_its_own(stage: Stage):
    """It knows its options by their beginnings, even behind the name of the module that it starts."""
    own = [text.replace("_", "-") for action in get_args_parser()._actions for text in action.option_strings]
    ours = ["--" + name.replace("_", "-") for name in stage.config_type().model_fields]
    assert "--start-method" in own
    assert [option for option in ours if any(text.startswith(option) for text in own)] == []


@pytest.mark.parametrize("name", BUILT)
def test_help_shows_every_field_and_its_default(name: str, typed) -> None:
    shown = " ".join(typed(*name.split(), "--help").split())
    for key, field in STAGES[name].config_type().model_fields.items():
        assert f"--{key.replace('_', '-')} " in shown
        assert " ".join((field.description or "").split()) in shown
        if field.is_required():
            assert f"{field.description} [required]" in shown
        elif isinstance(field.default, list | tuple) and field.default:
            first = str(field.default[0])[:5]  # a third has many digits, a list is typed with spaces
            assert f"{field.description} [{first}" in shown
        elif field.default not in ([], None):
            assert f"{field.description} [{field.default}]" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help(name: str, typed) -> None:
    assert "Usage: " in typed(*name.split(), "--help")


def test_the_list_of_commands_holds_every_stage(typed) -> None:
    shown = "".join(typed(*group, "--help") for group in ([], ["corpus"], ["data"]))
    assert all(f"  {name.split()[-1]} " in shown for name in STAGES)


def test_options_reach_the_config_with_their_types(typed, tmp_path: Path) -> None:
    (tmp_path / "raw.txt").write_text(f"{TEXT}\n{TEXT}\n短。\n", encoding="utf-8")
    words = [
        "--source",
        "raw.txt",
        "--form",
        "lines",
        "--dedup",
        "none",
        "--steps",
        "normalise simplify=true",
        "--steps",
        "filter min_characters=1",
        "--part-characters",
        "1000",
    ]
    assert "out: done\n  documents: 3\n" in typed("corpus", "build", *words, "-o", "out")
    settings = json.loads(Path("out/manifest.json").read_text(encoding="utf-8"))["settings"]
    assert settings["part_characters"] == 1000
    assert (settings["form"], settings["dedup"]) == ("lines", "none")
    assert settings["steps"] == ["normalise simplify=true", "filter min_characters=1"]
    assert "out: nothing to do\n" in typed("corpus", "build", *words, "-o", "out")


def test_a_list_option_takes_several_values() -> None:
    parameters = command_of(STAGES["finetune"].config_type(), print).__signature__.parameters  # type: ignore[attr-defined]
    assert parameters["labels"].annotation.__origin__ == list[str] | None
    assert parameters["train"].default is parameters["train"].empty


def test_run_prints_stages_then_that_nothing_is_left_to_do(typed, tmp_path: Path) -> None:
    (tmp_path / "raw.txt").write_text(TEXT, encoding="utf-8")
    recipe = '[stages.documents]\nuse = "corpus build"\nsource = "raw.txt"\n'
    (tmp_path / "toy.toml").write_text(recipe, encoding="utf-8")
    first = typed("run", "toy.toml", "-o", "here")
    assert first.splitlines()[0] == "[1/1] documents: raw text into clean documents"
    assert "documents 1, characters 24" in first
    assert first.splitlines()[-1].startswith("1 of 1 stages run in ")
    second = typed("run", "toy.toml", "-o", "here")
    assert "Nothing to do: every result is there." in second
    assert second.splitlines()[-1].startswith("0 of 1 stages run in ")
    third = typed("run", "toy.toml", "documents.dedup=none", "documents.form=lines", "-o", "here")
    assert "1 of 1 stages run" in third


def test_score_compares_systems_and_prints_the_verdict(typed, tmp_path: Path) -> None:
    gold = [{"id": str(i), "text": TEXT, "labels": ["甲" if i % 2 else "乙"]} for i in range(20)]
    for name, right in (("good", 18), ("bad", 8)):
        said = [
            {"id": g["id"], "labels": g["labels"] if i < right else ["丙"], "scores": {}}
            for i, g in enumerate(gold)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, said)), encoding="utf-8")
    (tmp_path / "gold.jsonl").write_text("\n".join(map(json.dumps, gold)), encoding="utf-8")
    words = [
        "--task",
        "classify",
        "--gold",
        "gold.jsonl",
        "--system",
        "good.jsonl",
        "--system",
        "b=bad.jsonl",
    ]
    shown = typed("score", *words, "-o", "out", "--title", "二者之比")
    assert "二者之比 accuracy 90.0 %" in shown
    assert "good − b = +50.0 points" in shown
    assert f"Report: {tmp_path / 'out' / 'report.html'}" in shown


def test_version(typed) -> None:
    assert typed("version") == f"{zhbert.__version__}\n"


def test_doctor_finds_what_there_is(typed) -> None:
    shown = typed("doctor")
    for subject in ("Python", "zhbert", "device", "corpora", "pipelines", "disk"):
        assert f" {subject} " in shown
    assert "quickstart" in shown
    assert {finding.state for finding in examine()} >= {OK}


def test_doctor_ends_with_1_where_something_is_wrong(typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHBERT_DATA", os.devnull)
    assert f"{WRONG}  ZHBERT_DATA" in typed("doctor", ends=1)


def test_output_survives_a_console_that_knows_no_unicode(typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", open(os.devnull, "w", encoding="ascii"))  # noqa: SIM115  # the test ends soon
    typed("doctor")


def test_what_the_world_refuses_is_one_line(
    typed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/a/b")

    monkeypatch.setattr("zhbert.app.recipe.run", refuse)
    monkeypatch.setattr(sys, "argv", ["zhbert", "run", "quickstart"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err == "zhbert: /a/b: Permission denied (zhbert cannot read or write there)\n"
