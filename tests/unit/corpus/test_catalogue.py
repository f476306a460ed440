"""What cards say of data sets, in lines: what there is, what is here, what one should know."""

from pathlib import Path

import pytest
from made_sets import entities, sentiment

from zhbert.corpus.catalogue import listed, shown
from zhbert.errors import ConfigError
from zhbert.read.card import list_cards, load_card
from zhbert.read.references import DATA


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA, raising=False)


def test_every_labelled_set_has_a_line() -> None:
    names = [f"{name}:{task}" for name in list_cards() for task in load_card(name).tasks]
    assert [line.split()[0] for line in listed()] == names


def test_a_line_says_task_counts_licence_and_whether_it_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entities(tmp_path / "cluener")
    (tmp_path / "chnsenticorp").mkdir()
    (tmp_path / "chnsenticorp" / "dev.tsv").write_text("label\ttext_a\n", "utf-8")
    monkeypatch.setenv(DATA, str(tmp_path))
    lines = {line.split()[0]: line for line in listed()}
    assert lines["cluener:entities"].split()[1:4] == ["ner", "train", "10,748,"]
    assert lines["cluener:entities"].endswith("here")
    assert lines["chnsenticorp:sentiment"].endswith("here: dev, dev-clean")
    assert lines["ocnli:relations"].endswith("  -")
    assert "CC-BY-NC-2.0" in lines["ocnli:relations"]
    assert "train, dev, test" in lines["resume-ner:entities"], "what is not known is not said"


def test_lines_of_one_task() -> None:
    assert {line.split()[1] for line in listed("pair")} == {"pair"}
    with pytest.raises(ConfigError, match='no data set for the task "piar" \\(did you mean "pair"'):
        list(listed("piar"))


def test_a_set_that_is_not_here_is_shown_without_examples() -> None:
    lines = list(shown("chnsenticorp"))
    assert "licence    none stated" in lines
    assert "address    https://github.com/PaddlePaddle/ERNIE" in lines
    assert "  leak: 331 of 1,200 examples of test stand word for word in train" in lines
    assert "  2 labels: negative, positive" in lines
    assert any(line.startswith("  published: 94.3 accuracy on dev, BERT-base (github.com/") for line in lines)
    assert "  chnsenticorp:sentiment/dev: 1,200 examples; dev.tsv is not here" in lines
    assert not any(line.startswith("  the first of") for line in lines)


def test_a_set_in_a_named_folder_is_shown_with_its_first_examples(tmp_path: Path) -> None:
    folder = sentiment(tmp_path / "mine")
    lines = list(shown(f"chnsenticorp@{folder}"))
    at = lines.index("  the first of dev-clean:")
    assert [line.startswith('    {"id": "') for line in lines[at + 1 :]] == [True] * 3
    assert f"  chnsenticorp@{folder}:sentiment/train: 9,600 examples; {folder / 'train.tsv'}" in lines
    assert any("is another file than the card of chnsenticorp describes" in line for line in lines)


def test_shares_and_many_labels_are_told_briefly() -> None:
    text = "\n".join(shown("ocnli"))
    assert "1,435 examples; hashes 0 to 0.5 of dev.json; dev.json is not here" in text
    assert " and 89 more" in "\n".join(shown("iflytek-few"))
    text = "\n".join(shown("tnews"))
    assert "without answers" in text
    assert "tnews@hub:NAME:topics/…: train.json as train, dev.json as validation" in text
    assert "without what stands in train" in "\n".join(shown("chnsenticorp"))


def test_one_set_of_a_card_may_be_asked_for() -> None:
    written = [line for line in shown("mini:ner") if ", written as" in line]
    assert written == ["mini:ner (ner), written as zhbert"]
    with pytest.raises(ConfigError, match='"mini" has no "nre" \\(did you mean "ner"'):
        list(shown("mini:nre"))
    with pytest.raises(ConfigError, match='no corpus "mnii"'):
        list(shown("mnii"))


def test_a_long_example_is_cut_where_it_is_shown(tmp_path: Path) -> None:
    (tmp_path / "test.tsv").write_text("label\ttext_a\n1\t" + "长" * 1000 + "\n", "utf-8")
    (tmp_path / "train.tsv").write_text("label\ttext_a\n1\t短\n", "utf-8")
    line = list(shown(f"chnsenticorp@{tmp_path}"))[-1]
    assert line.endswith("…")
    assert len(line) < 320
