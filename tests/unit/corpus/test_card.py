"""Cards say what is there: every file of every card, its length, its checksum and its labels."""

from pathlib import Path

import pytest

from zhbert.config import load_toml, parse
from zhbert.corpus.card import Card, content_root, find, is_reference, labels_of, list_cards, load_card
from zhbert.errors import ConfigError, DataError
from zhbert.files import hash_file
from zhbert.read.examples import labels_in, read_examples

SPLITS = [
    (name, task, split)
    for name in list_cards()
    for task, labelled in load_card(name).tasks.items()
    for split in labelled.splits
]


def test_the_bundled_corpus_is_known() -> None:
    assert "mini" in list_cards()
    assert [load_card(name).name for name in list_cards()] == list_cards()


@pytest.mark.parametrize(("name", "task", "split"), SPLITS)
def test_a_split_is_what_its_card_says(name: str, task: str, split: str) -> None:
    labelled = load_card(name).tasks[task]
    facts, path = labelled.splits[split], find(f"{name}:{task}/{split}")
    if not path.is_file():
        pytest.skip("a card without its data")
    assert hash_file(path) == facts.sha256
    examples = read_examples(path, labelled.task, labels=labelled.labels)
    assert len(examples) == facts.examples
    assert {label for example in examples for label in labels_in(example)} == set(labelled.labels)
    assert labels_of(path) == labelled.labels


@pytest.mark.parametrize("name", list_cards())
def test_a_card_names_folders_inside_itself(name: str) -> None:
    card, home = load_card(name), content_root("corpora") / name
    files = [s.file for t in card.tasks.values() for s in t.splits.values()]
    for file in [*files, *([card.raw.folder] if card.raw else [])]:
        assert home in (home / file).resolve().parents


def test_raw_text_is_a_part_too() -> None:
    assert find("mini:raw").is_dir()


@pytest.mark.parametrize("text", ["runs/x", "mini", "mini:", ":raw", "C:/raw", "迷你:raw", "mini: raw", ""])
def test_other_texts_are_paths(text: str) -> None:
    assert not is_reference(text)
    assert find(text) == Path(text)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("mini:nre/test", 'the corpus "mini" has no "nre/test"'),
        ("mini:ner", '"mini:ner" has no split ""'),
        ("mini:raw/news.txt", 'the corpus "mini" has no "raw"'),
    ],
)
def test_a_part_that_is_not_there_is_named(reference: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        find(reference)
    assert words.split(" has no ")[0] in str(caught.value)


def test_no_file_of_a_card_has_labels_of_a_card() -> None:
    assert labels_of(Path("elsewhere/train.jsonl")) == []
    assert labels_of(content_root("corpora") / "mini" / "card.toml") == []


def test_an_unknown_corpus_and_a_broken_card(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='no corpus "mimi" \\(did you mean "mini"'):
        load_card("mimi")
    path = tmp_path / "card.toml"
    path.write_text('name = "x"\ntitle = "X"\nlicense = "MIT"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"card\.toml: licen[cs]e: "):
        parse(Card, load_toml(path), where=path)
