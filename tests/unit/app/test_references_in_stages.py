"""References instead of paths: in stages, in recipes, on the command line; what a plan makes of them."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from made_sets import entities, relations, sentiment

from zhbert.app import stages
from zhbert.app.recipe import resolve
from zhbert.app.stages import execute, find_stage, plan
from zhbert.config import Config, parse
from zhbert.errors import DataError
from zhbert.files import read_manifest
from zhbert.read.references import DATA, find
from zhbert.score.report import read_report

Stage = Callable[..., Path]


class Listening:
    """A progress that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def bar(self, *_: Any, **__: Any) -> Any:
        return nullcontext(self)

    def advance(self, *_: Any, **__: Any) -> None: ...

    def say(self, line: str) -> None:
        self.said.append(line)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data sets, and nothing said yet."""
    sentiment(tmp_path / "chnsenticorp")
    entities(tmp_path / "cluener")
    relations(tmp_path / "ocnli")
    monkeypatch.setenv(DATA, str(tmp_path))
    monkeypatch.setattr(stages, "_said", set())
    return tmp_path


def config(name: str, **values: Any) -> Config:
    return parse(find_stage(name).config_type(), resolve(values, Path()))


def words(train: str, source: str = "chnsenticorp:sentiment/test-clean") -> Config:
    return config("baseline", task="classify", train=train, source=source)


def test_a_labelled_reference_stays_one_and_raw_text_is_a_path() -> None:
    table = {"a": "mini:raw", "b": ["cluener:entities/dev"], "c": "@d/e", "d": "mini:ner/test"}
    assert resolve(table, Path("runs")) == {
        "a": str(find("mini:raw")),
        "b": ["cluener:entities/dev"],
        "c": str(Path("runs/d/e")),
        "d": "mini:ner/test",
    }


def test_stages_read_references(stage: Stage, folder: Path) -> None:
    gold, train = "chnsenticorp:sentiment/test-clean", "chnsenticorp:sentiment/train"
    said = stage("baseline", folder / "said", task="classify", train=train, source=gold)
    assert len((said / "predictions.jsonl").read_text("utf-8").splitlines()) == 10
    section = {"name": "评论", "task": "classify", "gold": gold, "train": train, "systems": {"词": str(said)}}
    stage("score", folder / "report", title="x", sections=[section])
    report = read_report(folder / "report" / "report.json")
    assert "chnsenticorp:sentiment/test-clean sha256 " in str(report)


def test_a_stage_runs_again_when_a_file_behind_a_reference_changes(stage: Stage, folder: Path) -> None:
    train, clean = "chnsenticorp:sentiment/train", "chnsenticorp:sentiment/test-clean"
    values = {"task": "classify", "train": train, "source": clean}
    first = read_manifest(stage("baseline", folder / "said", **values))
    assert first == read_manifest(stage("baseline", folder / "said", **values))
    with (folder / "chnsenticorp" / "train.tsv").open("a", encoding="utf-8") as handle:
        handle.write("1\t第39条评论：房间干净\n")
    again = read_manifest(stage("baseline", folder / "said", **values))
    assert first
    assert again
    assert first.inputs["source"] != again.inputs["source"], "what stands in train is left out of the source"
    assert (first.counts["records"], again.counts["records"]) == (10, 9)


def test_where_the_files_lie_does_not_matter_to_a_plan(folder: Path) -> None:
    stage = find_stage("baseline")
    named = f"chnsenticorp@{folder / 'chnsenticorp'}:sentiment/train"
    assert plan(stage, words("chnsenticorp:sentiment/train")) == plan(stage, words(named))
    other = words("chnsenticorp:sentiment/train", "chnsenticorp:sentiment/test")
    assert plan(stage, words(named)) != plan(stage, other)


def test_a_reference_to_our_own_file_is_that_file_to_a_plan() -> None:
    stage = find_stage("baseline")
    one = config("baseline", task="ner", train="mini:ner/train", source="mini:ner/dev")
    files = {key: str(find(f"mini:ner/{split}")) for key, split in (("train", "train"), ("source", "dev"))}
    assert plan(stage, one) == plan(stage, config("baseline", task="ner", **files))


def test_another_checksum_is_said_once(folder: Path) -> None:
    listening = Listening()
    for out in ("one", "two"):
        execute(find_stage("baseline"), words("chnsenticorp:sentiment/train"), folder / out, listening)
    notes = [line for line in listening.said if line.startswith("Note: ")]
    assert len(notes) == 2, "one for train and one for test"
    assert f"{folder / 'chnsenticorp' / 'train.tsv'} is another file than the card" in notes[0]


def test_labels_of_the_card_are_taken_for_fine_tuning() -> None:
    sets = {"train": "cluener:entities/train", "dev": "cluener:entities/dev"}
    found = config("finetune", task="ner", init="encoder", **sets)
    assert len(found.labels) == 10  # type: ignore[attr-defined]  # of a FinetuneConfig
    mine = config("finetune", task="ner", init="encoder", labels=["name"], **sets)
    assert mine.labels == ["name"]  # type: ignore[attr-defined]  # see above


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "name"),
    [("ner", "cluener:entities"), ("pair", "ocnli:relations"), ("classify", "chnsenticorp:sentiment")],
)
def test_a_model_is_made_and_judged_by_reference(
    stage: Stage, folder: Path, tiny_finetune: Callable[..., dict[str, Any]], task: str, name: str
) -> None:
    sets = {"train": f"{name}/train", "dev": f"{name}/dev"}
    settings = {k: v for k, v in tiny_finetune(task, **sets, epochs=1).items() if k != "labels"}
    model = stage("finetune", folder / "model", **settings)
    said = stage("apply", folder / "said", model=model, source=f"{name}/dev")
    section = {"name": name, "task": task, "gold": f"{name}/dev", "systems": {"tiny": str(said)}}
    stage("score", folder / "report", title="x", sections=[section])


def test_test_sets_by_reference_guard_a_corpus(stage: Stage, folder: Path) -> None:
    text = "第26条评论：房间很吵，这是一句很长的评论，它也写在语料里面，应当被找到。"
    lines = f"label\ttext_a\n0\t{text}\n"
    (folder / "chnsenticorp" / "test.tsv").write_text(lines, "utf-8")
    (folder / "raw.txt").write_text(
        f"{text}后面还有别的。\n\n另一篇文档说的是完全不同的事情，与评论没有关系。\n", "utf-8"
    )
    built = stage(
        "corpus build",
        folder / "built",
        source=folder / "raw.txt",
        steps=["normalise"],
        guard=["chnsenticorp:sentiment/test"],
    )
    found = (built / "guard.jsonl").read_text("utf-8")
    assert "chnsenticorp:sentiment/test:1" in found
    manifest = read_manifest(built)
    assert manifest
    assert manifest.counts["documents"] == 1


def test_a_part_that_is_not_there_stops_a_stage(folder: Path) -> None:
    with pytest.raises(DataError, match='"chnsenticorp:sentiment" has no split "trian"'):
        plan(find_stage("baseline"), words("chnsenticorp:sentiment/trian"))
    (folder / "chnsenticorp" / "train.tsv").unlink()
    with pytest.raises(DataError, match='"chnsenticorp" is not here: no file train'):
        plan(find_stage("baseline"), words("chnsenticorp:sentiment/train"))
    with pytest.raises(DataError, match='did you mean "chnsenticorp:…"'):
        plan(find_stage("baseline"), words("chnsentcorp:sentiment/train"))
