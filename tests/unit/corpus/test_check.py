"""`data check`: every finding is found, and only where it is."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhbert.corpus.check import CheckConfig, check
from zhbert.corpus.findings import Finding, across, findings_in
from zhbert.corpus.fit import fit_of
from zhbert.encode.tokenizer import Tokenizer
from zhbert.files import Work
from zhbert.read.forms import Placed
from zhbert.records import EntityExample, LabelExample, PairExample, ReadingExample, Span, to_json

VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "他", "在", "北", "京", "iphone", "##s"]


def placed(*examples: LabelExample | PairExample | EntityExample | ReadingExample) -> list[Placed]:
    return [(f"a.jsonl:{line}", example) for line, example in enumerate(examples, start=1)]


def label(ident: int, text: str, *labels: str) -> LabelExample:
    return LabelExample(id=str(ident), text=text, labels=labels)


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    return {finding.what: finding.count for finding in findings}


def test_repeated_and_contradictory_texts() -> None:
    found = findings_in(
        placed(label(1, "好", "a"), label(2, "好", "a"), label(3, "坏", "a"), label(4, "好", "b"))
    )
    assert counts(found) == {"text that stood before": 2, "same text, another answer": 1}
    assert found[1].places == ("a.jsonl:1: 好 [a] and a.jsonl:4 [b]",)


def test_a_text_without_an_answer_contradicts_nothing() -> None:
    found = findings_in(placed(label(1, "好", "a"), label(2, "好")))
    assert counts(found) == {"no answer": 1, "text that stood before": 1}


@given(st.lists(st.tuples(st.sampled_from("甲乙丙"), st.sampled_from(["", "a", "b"])), max_size=9))
def test_contradictions_are_those_of_the_obvious_count(given_: list[tuple[str, str]]) -> None:
    examples = placed(*(label(i, text, *filter(None, [name])) for i, (text, name) in enumerate(given_)))
    answers = {text: {name for other, name in given_ if other == text and name} for text, _ in given_}
    opposed = sum(len(names) > 1 for names in answers.values())
    found = counts(findings_in(examples))
    assert found.get("same text, another answer", 0) == opposed
    assert found.get("text that stood before", 0) == len(given_) - len(answers)


def test_what_stands_out_in_one_example() -> None:
    text = "他 在北京"
    spans = (Span.of(text, 0, 2, "a"), Span.of(text, 3, 5, "a"), Span.of(text, 4, 5, "b"))
    found = findings_in(placed(EntityExample(id="1", text=text, entities=spans), label(1, " ", "a")))
    assert counts(found) == {
        "span that begins or ends in white space": 1,
        "spans that overlap": 1,
        "empty text": 1,
        "id given twice": 1,
    }


def test_what_two_files_share() -> None:
    one = placed(label(1, "好", "a"), label(2, "坏", "b"), label(3, "新", "a"), label(4, "无"))
    other = placed(
        label(1, "好", "a"), label(2, "坏", "a"), label(3, "别", "a"), label(4, "新"), label(5, "无", "a")
    )
    assert counts(across(one, other)) == {"text that stands in both": 4, "same text, another answer": 1}
    assert across(one, placed(label(1, "甲", "a"))) == []


def test_what_a_tokenizer_cannot_represent() -> None:
    tokenizer = Tokenizer.from_vocab(VOCAB)
    text = "他在北京iPhones 😀\u200b"
    spans = (Span.of(text, 2, 4, "地点"), Span.of(text, 4, 10, "物"), Span.of(text, 5, 10, "物"))
    fit = fit_of(placed(EntityExample(id="1", text=text, entities=spans)), tokenizer)
    assert (fit.texts, fit.tokens, fit.unknown) == (1, 7, 1)
    assert fit.unknown_surfaces == {"😀": 1}
    assert fit.dropped == {"U+200B": 1}
    assert [finding.places for finding in fit.findings] == [("a.jsonl:1: Phone (物) in iPhone",)]


def test_an_answer_is_looked_at_like_an_entity() -> None:
    reading = ReadingExample(id="1", context="在iphone", question="他", answers=(Span.of("在iphone", 1, 6),))
    (finding,) = fit_of(placed(reading), Tokenizer.from_vocab(VOCAB)).findings
    assert finding.places == ("a.jsonl:1: iphon (answer) in iphone",)


def test_the_report(tmp_path: Path) -> None:
    files = {"train": [label(1, "他在北京", "a"), label(2, "他", "b")], "dev": [label(1, "他", "a")]}
    for name, examples in files.items():
        text = "".join(to_json(example) + "\n" for example in examples)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    Tokenizer.from_vocab(VOCAB).save(tmp_path / "model")
    sources = [tmp_path / f"{name}.jsonl" for name in files]
    work = Work(tmp_path / "out")
    work.folder.mkdir()
    check(CheckConfig(source=sources, tokenizer=str(tmp_path / "model")), work)
    report = json.loads((work.folder / "check.json").read_text("utf-8"))
    assert report["files"][0]["labels"] == {"a": 1, "b": 1}
    assert report["files"][0]["characters"]["longest"] == 4
    assert report["files"][0]["tokens"]["unknown"] == 0
    assert [finding["count"] for finding in report["shared"][0]["findings"]] == [1, 1]
    words = (work.folder / "check.txt").read_text("utf-8")
    assert "train.jsonl: 2 examples of classify\n  characters: 1 to 4" in words
    assert "  same text, another answer: 1\n    dev.jsonl:1: 他 [a]\n" in words
    assert work.counts == {"files": 2, "examples": 3, "findings": 2}


@pytest.mark.slow
@pytest.mark.realdata
def test_the_known_leak(published: object, tmp_path: Path) -> None:
    """Of the test set 331 rows stand in the training set, two more but for spaces, six with another label."""
    sources = [published(f"chnsenticorp/{name}.tsv") for name in ("train", "test")]  # type: ignore[operator]  # a fixture
    config = CheckConfig(source=sources, form="tsv", columns="text=text_a")
    check(config, Work(tmp_path))
    shared = json.loads((tmp_path / "check.json").read_text("utf-8"))["shared"][0]["findings"]
    assert [finding["count"] for finding in shared] == [333, 6]
