"""Recipes: the order of stages, changed keys, and that nothing is done twice."""

from pathlib import Path
from typing import Any

import pytest

import zhbert
from zhbert.app.recipe import list_recipes, read_recipe, resolve, run
from zhbert.app.stages import STAGES, find_stage
from zhbert.config import parse
from zhbert.errors import ConfigError, DataError
from zhbert.files import list_files, read_manifest
from zhbert.read.references import find

# Written in an order in which it cannot be run.
RECIPE = """
title = "Toy"
[stages.shards]
use = "encode"
documents = "@documents"
tokenizer = "@vocabulary"
segmenter = "character"
[stages.vocabulary]
use = "vocab"
documents = "@documents"
size = 400
[stages.documents]
use = "corpus build"
source = "raw"
form = "lines"
steps = ["normalise", "filter min_characters=4"]
"""
ORDER = ["documents", "vocabulary", "shards"]


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("raw").mkdir()
    Path("raw/a.txt").write_text(
        "\n".join(f"第{i}号列车今天从上海开往北京。" for i in range(40)), encoding="utf-8"
    )
    Path("toy.toml").write_text(RECIPE, encoding="utf-8")
    return Path("toy.toml")


def test_a_recipe_runs_once_and_in_the_order_of_what_is_needed(recipe: Path) -> None:
    done = zhbert.run(recipe)
    assert list(done.outcomes) == done.fresh == ORDER
    assert done.folder == Path("runs/toy")
    assert done.report is None
    assert sorted(p.name for p in done.folder.iterdir()) == sorted(ORDER)
    before = {name: Path("runs/toy", name).stat().st_mtime_ns for name in list_files(Path("runs/toy"))}
    again = run(recipe)
    assert list(again.outcomes) == ORDER
    assert again.fresh == []
    assert before == {name: Path("runs/toy", name).stat().st_mtime_ns for name in before}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "redone"),
    [
        ({"shards.held_out": 0.5}, ["shards"]),
        ({"vocabulary.min_count": 41}, ["vocabulary", "shards"]),
        ({"documents.steps": ["normalise", "filter min_characters=16"]}, ORDER),
        (
            {"documents.steps": ["normalise", "filter min_characters=5"]},
            ["documents"],
        ),  # drops nothing more: the same documents
        ({"shards.held_out": 0.02}, []),  # the default, said aloud
    ],
)
def test_a_changed_key_redoes_only_what_depends_on_it(
    changes: dict[str, Any], redone: list[str], recipe: Path
) -> None:
    run(recipe)
    assert run(recipe, **changes).fresh == redone
    assert run(recipe, **changes).fresh == []


def test_changed_text_is_noticed_and_a_moved_run_is_not(recipe: Path) -> None:
    run(recipe)
    Path("runs/toy").rename("elsewhere")
    Path("raw").rename("cooked")
    moved = {"documents.source": "cooked"}
    assert run(recipe, folder="elsewhere", **moved).fresh == []
    with Path("cooked/a.txt").open("a", encoding="utf-8") as handle:
        handle.write("\n临时加开一列。")
    assert run(recipe, folder="elsewhere", **moved).fresh == ORDER


def test_a_damaged_result_is_made_again(recipe: Path) -> None:
    folder = run(recipe).folder
    (folder / "vocabulary" / "vocab.txt").write_text("", encoding="utf-8")
    assert run(recipe).fresh == ["vocabulary"]  # and gives the same bytes, so the shards stand


def test_a_result_whose_removal_was_cut_short_is_still_ours(recipe: Path) -> None:
    folder = run(recipe).folder
    for name in list_files(folder / "shards"):
        if name != "manifest.json":
            (folder / "shards" / name).unlink()
    (folder / "documents.lock").touch()  # from a run that was killed in its last moment
    assert run(recipe).fresh == ["shards"]
    assert sorted(p.name for p in folder.iterdir()) == sorted(ORDER)


def test_a_mistake_leaves_nothing_and_earlier_stages_stand(recipe: Path) -> None:
    with pytest.raises(DataError, match="no document is left"):
        run(recipe, **{"documents.steps": ["filter min_characters=1000"]})
    assert list(Path("runs/toy").iterdir()) == []
    folder = run(recipe).folder
    with pytest.raises(DataError):
        run(recipe, **{"shards.user_words": "nowhere.txt"})
    assert sorted(p.name for p in folder.iterdir()) == sorted(ORDER)
    manifest = read_manifest(folder / "shards")
    assert manifest is not None
    assert sum(side["documents"] for side in manifest.counts.values()) == 40


def test_overrides_make_a_new_table_and_name_unknown_stages(recipe: Path) -> None:
    read = read_recipe(recipe, {"documents.form": "blocks", "documents.dedup": "none"})
    assert read.stages["documents"] | {"form": "blocks", "dedup": "none"} == read.stages["documents"]
    assert read.title == "Toy"
    for key in ("document.form", "documents", "title"):
        with pytest.raises(ConfigError, match="no such stage"):
            read_recipe(recipe, {key: "x"})


def test_a_stage_may_be_like_another(recipe: Path) -> None:
    with recipe.open("a", encoding="utf-8") as handle:
        handle.write('[stages.more]\nlike = "documents"\nsimilarity = 0.8\n')
    stages = read_recipe(recipe, {"documents.dedup": "none", "more.form": "blocks"}).stages
    assert stages["more"] == stages["documents"] | {"similarity": 0.8, "form": "blocks"}
    assert "like" not in stages["more"]


def test_references_become_paths_and_other_texts_stay() -> None:
    table = {"a": "@b", "c": ["mini:raw", "@d/e"], "title": "一//二/", "labels": ["", "./x"], "n": 3}
    assert resolve(table, Path("runs")) == {
        "a": str(Path("runs/b")),
        "c": [str(find("mini:raw")), str(Path("runs/d/e"))],
        "title": "一//二/",
        "labels": ["", "./x"],
        "n": 3,
    }


@pytest.mark.parametrize("name", list_recipes())
def test_shipped_recipes_parse(name: str) -> None:
    for title, table in read_recipe(name, {}).stages.items():
        values = {key: value for key, value in table.items() if key != "use"}
        stage = find_stage(table["use"])
        parse(stage.config_type(), resolve(values, Path("runs")), key=title)


def test_every_stage_has_its_function_and_its_config() -> None:
    for name, stage in STAGES.items():
        assert stage.name == name
        assert stage.config_type().__name__ == stage.config


LIKE = """
[stages.second]
like = "documents"
similarity = 0.8
[stages.documents]
use = "corpus build"
source = "raw"
form = "lines"
"""


def test_a_stage_like_another_takes_over_what_it_does_not_say(tmp_path: Path) -> None:
    file = tmp_path / "like.toml"
    file.write_text(LIKE, encoding="utf-8")
    stages = read_recipe(file, {"documents.form": "files"}).stages
    assert stages["second"] == stages["documents"] | {"similarity": 0.8}
    assert stages["second"]["form"] == "files", "what changes in the one changes in the other"


@pytest.mark.parametrize("model", ["documnts", "third", "second"])
def test_a_stage_can_only_be_like_one_that_is_written_out(tmp_path: Path, model: str) -> None:
    file = tmp_path / "like.toml"
    text = LIKE + '[stages.third]\nlike = "second"\n' if model == "third" else LIKE
    file.write_text(text.replace('like = "documents"', f'like = "{model}"'), encoding="utf-8")
    complaint = r'second\.like: ".+" is no stage that is written out \(.*documents'
    with pytest.raises(ConfigError, match=complaint):
        read_recipe(file, {})
