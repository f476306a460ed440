"""Sets by reference are read from publishers' files: shares, what is left out, labels of the card."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_sets import entities, relations, sentiment

from zhbert.errors import DataError
from zhbert.read.examples import labels_in, read_examples
from zhbert.read.references import content_of
from zhbert.read.sets import asked, place, read_set
from zhbert.records import ChoiceExample, EntityExample, LabelExample, PairExample, ReadingExample, Span


def test_labels_have_the_names_of_the_card(tmp_path: Path) -> None:
    reference = Path(f"chnsenticorp@{sentiment(tmp_path)}:sentiment/train")
    examples = read_examples(reference, "classify")
    assert [labels_in(example) for example in examples[:2]] == [("negative",), ("positive",)]
    assert len(examples) == 30


def test_what_stands_in_train_is_left_out_and_counted(tmp_path: Path) -> None:
    sentiment(tmp_path)
    counts: Counter[str] = Counter()
    clean = [example for _, example in read_set(f"chnsenticorp@{tmp_path}:sentiment/test-clean", counts)]
    whole = [example for _, example in read_set(f"chnsenticorp@{tmp_path}:sentiment/test")]
    train = {asked(example) for _, example in read_set(f"chnsenticorp@{tmp_path}:sentiment/train")}
    assert (len(whole), len(clean)) == (15, 10)
    assert clean == [example for example in whole if asked(example) not in train]
    assert counts == {"stands in train too": 5}


def test_shares_of_a_file_are_disjoint_and_cover_it(tmp_path: Path) -> None:
    relations(tmp_path)
    ids = {
        split: {e.id for e in read_examples(Path(f"ocnli@{tmp_path}:relations/{split}"), "pair")}
        for split in ("dev", "test", "dev-whole")
    }
    assert ids["dev"] | ids["test"] == ids["dev-whole"]
    assert not ids["dev"] & ids["test"]
    assert len(ids["dev-whole"]) == 54, "pairs without an agreed label are left out"
    assert ids["dev"]
    assert ids["test"]


@given(st.lists(st.text(max_size=8), unique=True), st.floats(0.05, 0.95))
def test_a_text_has_one_place_whatever_else_it_has(texts: list[str], border: float) -> None:
    for text in texts:
        one = LabelExample(id="1", text=text, labels=("甲",))
        other = EntityExample(id="2", text=text)
        assert 0 <= place(one) < 1
        assert (place(one) < border) == (place(other) < border)


def test_places_are_even() -> None:
    places = [place(LabelExample(id="", text=f"第{number}条")) for number in range(2000)]
    assert 160 < sum(at < 0.1 for at in places) < 240


def test_questions_on_one_passage_have_one_place_and_differ_in_what_they_ask() -> None:
    one = ReadingExample(id="1", context="他在北京", question="哪里？", answers=(Span.of("他在北京", 2, 4),))
    other = ReadingExample(id="2", context="他在北京", question="谁？")
    assert place(one) == place(other)
    assert asked(one) != asked(other)
    choice = ChoiceExample(id="3", context="他在北京", question="哪里？", options=("北京", "上海"))
    assert place(choice) == place(one)
    assert asked(choice) == ("他在北京", "哪里？", "北京", "上海")
    assert asked(PairExample(id="4", first="甲", second="乙")) != asked(
        PairExample(id="4", first="乙", second="甲")
    )


def test_a_test_file_without_labels_is_read(tmp_path: Path) -> None:
    examples = read_examples(Path(f"cluener@{entities(tmp_path)}:entities/test"), "ner")
    assert [example.id for example in examples] == ["0", "1", "2", "3"]
    assert not any(labels_in(example) for example in examples)


@pytest.mark.parametrize(
    ("given_", "task", "words"),
    [
        ("0\t好\n2\t坏\n", "classify", 'train.tsv:3: the card knows no label "2"'),
        ("0\t好\n", "ner", "these are examples of classify, not of ner"),
        ("", "classify", "sentiment/train: the file has no records"),
    ],
)
def test_another_file_or_task_is_refused(tmp_path: Path, given_: str, task: str, words: str) -> None:
    (tmp_path / "train.tsv").write_text("label\ttext_a\n" + given_, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_examples(Path(f"chnsenticorp@{tmp_path}:sentiment/train"), task)
    assert words in str(caught.value)


def test_labels_of_the_user_s_are_checked_as_well(tmp_path: Path) -> None:
    reference = Path(f"chnsenticorp@{sentiment(tmp_path)}:sentiment/train")
    with pytest.raises(DataError, match='the label "negative" is not in the label set'):
        read_examples(reference, "classify", labels=["好", "坏"])


def test_ids_that_stand_twice_are_refused(tmp_path: Path) -> None:
    relations(tmp_path)
    path = tmp_path / "dev.json"
    path.write_text(path.read_text("utf-8").replace('"id": 1}', '"id": 0}'), "utf-8")
    with pytest.raises(DataError, match='the id "0" was used before'):
        read_examples(Path(f"ocnli@{tmp_path}:relations/dev-whole"), "pair")


def test_spans_have_the_labels_of_the_card(tmp_path: Path) -> None:
    found: list[Any] = read_examples(Path(f"cluener@{entities(tmp_path)}:entities/train"), "ner")
    assert found[0].entities == (Span.of(found[0].text, len(found[0].text) - 2, len(found[0].text), "name"),)
    path = tmp_path / "dev.json"
    path.write_text(path.read_text("utf-8").replace('"name"', '"nmae"'), "utf-8")
    with pytest.raises(DataError, match=r'no label "nmae" .*did you mean "name"'):
        read_examples(Path(f"cluener@{tmp_path}:entities/dev"), "ner")


@pytest.fixture
def on_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `datasets` loads as it would load `tnews` from the hub: labels are numbers with names."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    label = datasets.ClassLabel(names=["100", "101", "102"])
    features = datasets.Features(
        {"sentence": datasets.Value("string"), "label": label, "idx": datasets.Value("int32")}
    )
    rows = {"train": [0, 2], "validation": [1], "test": [-1]}
    (tmp_path / "data").mkdir()
    for split, labels in rows.items():
        table = {
            "sentence": [f"{split}{i}" for i in range(len(labels))],
            "label": labels,
            "idx": list(range(len(labels))),
        }
        made = datasets.Dataset.from_dict(table, features=features)
        made.to_parquet(tmp_path / "data" / f"{split}-00000.parquet")
    return tmp_path / "data"


@pytest.mark.slow
def test_a_set_on_the_hub_is_read_where_it_is_asked_for(on_hub: Path) -> None:
    def labels(split: str) -> list[tuple[str, ...]]:
        reference = Path(f"tnews@hub:{on_hub}:topics/{split}")
        return [labels_in(example) for example in read_examples(reference, "classify")]

    assert labels("train") == [("news_story",), ("news_entertainment",)]
    assert labels("dev") == [("news_culture",)]
    assert labels("test") == [()]
    assert [e.id for _, e in read_set(f"tnews@hub:{on_hub}:topics/train")] == ["0", "1"]
    assert content_of(f"tnews@hub:{on_hub}:topics/train") != content_of(f"tnews@hub:{on_hub}:topics/dev")


def test_the_hub_is_asked_for_nothing_that_no_card_describes() -> None:
    for reference in ("cluener@hub:me/cluener:entities/train", "ocnli@hub:clue/clue:ocnli:relations/train"):
        with pytest.raises(DataError, match=r"does not say how train\..*json is written on the hub"):
            list(read_set(reference))


@pytest.mark.slow
def test_a_data_set_that_cannot_be_loaded_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be loaded") as caught:
        list(read_set(f"tnews@hub:{tmp_path / 'nowhere'}:topics/train"))
    assert "\n" not in str(caught.value)
