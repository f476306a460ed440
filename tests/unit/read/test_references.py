"""References name parts of corpora: where their files are, what they contain, what is said when not."""

from pathlib import Path

import pytest
from made_sets import entities, relations, sentiment

from zhbert.errors import ConfigError, DataError
from zhbert.files import hash_file
from zhbert.read.card import content_root, load_card
from zhbert.read.references import (
    DATA,
    Reference,
    content_of,
    differs,
    find,
    is_reference,
    labels_of,
)


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA, raising=False)


def test_raw_text_is_a_part_too() -> None:
    assert find("mini:raw").is_dir()


@pytest.mark.parametrize(
    "text", ["runs/x", "mini", "mini:", ":raw", "C:/raw", "迷你:raw", "mini: raw", "", "mini@:raw", "@x:raw"]
)
def test_other_texts_are_paths(text: str) -> None:
    assert not is_reference(text)
    assert find(text) == Path(text)


def test_a_reference_may_be_a_path() -> None:
    assert is_reference(Path("mini:ner/test"))
    assert find(Path("mini:ner/test")) == find("mini:ner/test")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("mini:nre/test", 'the corpus "mini" has no "nre" (did you mean "ner"?)'),
        ("mini:ner", '"mini:ner" has no split "" (known: dev, test, train)'),
        ("mini:raw/news.txt", 'the corpus "mini" has no "raw" (did you mean "raw"?)'),
        ("cluener:raw", 'the corpus "cluener" has no "raw" (known: entities)'),
        ("cluener:entities/tset", '"cluener:entities" has no split "tset" (did you mean "test"?)'),
    ],
)
def test_a_part_that_is_not_there_is_named(reference: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        find(reference)
    assert words in str(caught.value)


def test_files_are_found_in_the_folder_of_data_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entities(tmp_path / "cluener")
    monkeypatch.setenv(DATA, str(tmp_path))
    assert find("cluener:entities/train") == tmp_path / "cluener" / "train.json"
    assert find("mini:ner/train").is_relative_to(content_root("corpora")), "what lies beside its card stays"


def test_a_folder_that_is_named_counts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entities(tmp_path / "cluener")
    monkeypatch.setenv(DATA, str(tmp_path))
    with pytest.raises(DataError, match="is not here"):
        find(f"cluener@{tmp_path}:entities/train")
    mine = entities(tmp_path / "mine: really")
    assert find(f"cluener@{mine}:entities/train") == mine / "train.json"


@pytest.mark.parametrize(
    ("reference", "data", "words"),
    [
        ("cluener:entities/train", None, "put it in a folder cluener, and let ZHBERT_DATA be the folder"),
        ("cluener:entities/train", "/elsewhere", "/elsewhere/cluener/train.json: "),
        ("cluener@/mine:entities/train", None, "/mine/train.json: "),
        (
            "cluener@/mine:entities/train",
            None,
            "put it there, or give another folder: cluener@FOLDER:entities/",
        ),
        ("cluener:entities/train", None, "get it from https://github.com/CLUEbenchmark/CLUENER2020"),
    ],
)
def test_what_is_not_here_is_said_in_one_line(
    reference: str, data: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if data:
        monkeypatch.setenv(DATA, data)
    with pytest.raises(DataError) as caught:
        find(reference)
    assert words in str(caught.value)
    assert '"cluener" is not here: no file train.json' in str(caught.value)
    assert "\n" not in str(caught.value)


def test_labels_are_those_of_the_card(tmp_path: Path) -> None:
    assert labels_of("chnsenticorp:sentiment/train") == ["negative", "positive"]
    assert labels_of(f"chnsenticorp@{tmp_path}:sentiment/train") == ["negative", "positive"]
    assert labels_of(Path("elsewhere/train.jsonl")) == []
    assert labels_of(content_root("corpora") / "mini" / "card.toml") == []
    with pytest.raises(ConfigError):
        Reference.of("nothing:ner/train")


def test_content_is_that_of_the_files_and_of_how_they_are_read(tmp_path: Path) -> None:
    here, there = sentiment(tmp_path / "here"), sentiment(tmp_path / "there")
    test, clean = f"chnsenticorp@{here}:sentiment/test", f"chnsenticorp@{here}:sentiment/test-clean"
    before = [content_of(test), content_of(clean)]
    assert before[0] != before[1]
    assert content_of(f"chnsenticorp@{there}:sentiment/test") == before[0], "where it lies does not matter"
    with (here / "train.tsv").open("a", encoding="utf-8") as handle:
        handle.write("1\t新的一行\n")
    assert content_of(test) == before[0]
    assert content_of(clean) != before[1], "what is left out depends on train"


def test_shares_of_one_file_differ_in_content(tmp_path: Path) -> None:
    folder = relations(tmp_path / "ocnli")
    splits = load_card("ocnli").tasks["relations"].splits
    named = [name for name, split in splits.items() if split.file == "dev.json"]
    assert len({content_of(f"ocnli@{folder}:relations/{name}") for name in named}) == len(named) == 3


def test_our_own_files_are_their_content() -> None:
    assert content_of("mini:ner/test") == hash_file(find("mini:ner/test"))


def test_another_file_than_the_card_s_is_spoken_of(tmp_path: Path) -> None:
    folder = entities(tmp_path / "cluener")
    line = differs(f"cluener@{folder}:entities/train")
    assert line.startswith(f"{folder / 'train.json'} is another file than the card of cluener describes")
    assert "60299d202779" in line
    for quiet in ("mini:ner/test", "mini:raw", f"cluener@{tmp_path}:entities/train"):
        assert differs(quiet) == ""
