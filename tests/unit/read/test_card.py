"""Cards say what is there: every card can be read, and says nothing that contradicts itself."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from zhbert.config import load_toml, parse
from zhbert.errors import ConfigError
from zhbert.files import hash_file
from zhbert.read.card import OWN, Card, LabelledSet, Split, content_root, list_cards, load_card
from zhbert.read.examples import labels_in, read_examples
from zhbert.read.forms import FORMS
from zhbert.read.references import find, labels_of
from zhbert.read.sets import how_of
from zhbert.records import EXAMPLES

SETS = [(name, task) for name in list_cards() for task in load_card(name).tasks]
BUNDLED = [(task, split) for task, labelled in load_card("mini").tasks.items() for split in labelled.splits]
PLAIN = ("train", "dev", "test")


def made(**changed: Any) -> LabelledSet:
    plain = {"task": "classify", "labels": ["甲", "乙"], "splits": {"train": {"file": "train.jsonl"}}}
    return parse(LabelledSet, plain | changed)


def test_the_bundled_corpus_is_known() -> None:
    assert "mini" in list_cards()
    assert [load_card(name).name for name in list_cards()] == list_cards()


@pytest.mark.parametrize(("task", "split"), BUNDLED)
def test_a_split_is_what_its_card_says(task: str, split: str) -> None:
    labelled, path = load_card("mini").tasks[task], find(f"mini:{task}/{split}")
    facts = labelled.splits[split]
    assert hash_file(path) == facts.sha256
    examples = read_examples(path, labelled.task, labels=labelled.labels)
    assert len(examples) == facts.examples
    assert {label for example in examples for label in labels_in(example)} == set(labelled.labels)
    assert labels_of(path) == labelled.labels
    assert read_examples(Path(f"mini:{task}/{split}"), labelled.task) == examples


@pytest.mark.parametrize("name", list_cards())
def test_a_card_names_files_inside_its_folder(name: str) -> None:
    card, home = load_card(name), content_root("corpora") / name
    files = [s.file for t in card.tasks.values() for s in t.splits.values()]
    for file in [*files, *([card.raw.folder] if card.raw else [])]:
        assert home in (home / file).resolve().parents


@pytest.mark.parametrize(("name", "task"), SETS)
def test_a_set_can_be_read_and_its_facts_fit(name: str, task: str) -> None:
    labelled = load_card(name).tasks[task]
    how_of(labelled, Counter())
    assert EXAMPLES[labelled.task] in {EXAMPLES[task] for task in FORMS[labelled.form].tasks}
    assert set(labelled.hub.splits if labelled.hub else ()) <= {s.file for s in labelled.splits.values()}
    assert len(set(labelled.labels)) == len(labelled.labels)
    for leak in labelled.leaks:
        assert leak.examples <= labelled.splits[leak.split].examples
    for score in labelled.scores:
        assert score.split in {*labelled.splits, *PLAIN}
        assert score.source
    if name != "mini":
        assert labelled.metric
        assert labelled.form != OWN


@pytest.mark.parametrize(("name", "task"), SETS)
def test_splits_of_plain_names_share_no_text_of_one_file(name: str, task: str) -> None:
    splits = load_card(name).tasks[task].splits
    plain = [splits[one] for one in PLAIN if one in splits]
    for at, one in enumerate(plain):
        for other in plain[:at]:
            apart = one.share[0] >= other.share[1] or other.share[0] >= one.share[1]
            assert one.file != other.file or apart


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"names": {"0": "甲"}}, "names must give every label"),
        ({"names": {"0": "甲", "1": "丙"}}, "names must give every label"),
        ({"leaks": [{"split": "test", "also_in": "train", "examples": 1}]}, '"test" is no split'),
        ({"splits": {"dev": {"file": "a", "without": ["train"]}}}, '"train" is no split'),
        ({"splits": {"dev": {"file": "a", "share": [0.5, 0.5]}}}, "share must be [from, to]"),
        ({"splits": {"dev": {"file": "a", "share": [0.5, 1.5]}}}, "share must be [from, to]"),
        ({"splits": {"dev": {"file": "a", "sha256": "abc"}}}, "splits.dev.sha256"),
        ({"forms": "csv"}, "forms: unknown key"),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(**changed)
    assert words in str(caught.value)


def test_what_a_card_may_say() -> None:
    labelled = made(names={"0": "甲", "1": "乙"}, splits={"dev": {"file": "a", "share": [0.0, 0.1]}})
    assert labelled.splits["dev"].part
    assert not Split(file="a").part


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"form": "cvs"}, 'no form "cvs" \\(did you mean "csv"'),
        ({"how": {"colums": {}}}, 'how.colums: unknown key \\(did you mean "columns"'),
        ({"how": {"counts": {}}}, "how.counts: unknown key"),
    ],
)
def test_how_a_set_is_read_is_checked(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        how_of(made(**changed), Counter())


def test_an_unknown_corpus_and_a_broken_card(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='no corpus "mimi" \\(did you mean "mini"'):
        load_card("mimi")
    path = tmp_path / "card.toml"
    path.write_text('name = "x"\ntitle = "X"\nlicense = "MIT"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"card\.toml: licen[cs]e: "):
        parse(Card, load_toml(path), where=path)
