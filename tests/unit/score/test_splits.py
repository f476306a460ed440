"""The data sheet: against an obvious count, and on what publishers' files really hold."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhbert.read.examples import read_examples
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    Example,
    LabelExample,
    PairExample,
    ReadingExample,
    Span,
)
from zhbert.score.alike import answer_in_words, answer_of, contradict, folded, key_of, opposed, overlap
from zhbert.score.splits import DataSheet, data_sheet, label_bars, length_bars

TEXTS = st.sampled_from(["好", "好 ", "Ａ好", "a 好", "坏", "b"])
LABELS = st.sampled_from(["", "甲", "乙"])


def examples(pairs: Sequence[tuple[str, str]], split: str) -> list[Example]:
    return [
        LabelExample(id=f"{split}{i}", text=text, labels=(label,) if label else ())
        for i, (text, label) in enumerate(pairs)
    ]


def doubles(sheet: DataSheet) -> dict[str, tuple[int, int]]:
    return {row.where: (row.n, row.against) for row in sheet.doubles}


@given(
    st.lists(st.tuples(TEXTS, LABELS), min_size=1, max_size=8), st.lists(st.tuples(TEXTS, LABELS), max_size=8)
)
def test_doubles_are_those_of_the_obvious_count(
    test: list[tuple[str, str]], train: list[tuple[str, str]]
) -> None:
    def simple(text: str) -> str:
        return text.replace(" ", "").replace("Ａ", "a").lower()

    def within(pairs: list[tuple[str, str]]) -> tuple[int, int]:
        texts = [simple(text) for text, _ in pairs]
        names = {text: {label for other, label in pairs if simple(other) == text and label} for text in texts}
        return len(texts) - len(set(texts)), sum(len(labels) > 1 for labels in names.values())

    sheet = data_sheet("classify", examples(test, "测"), examples(train, "训") or None)
    expected = {"test": within(test)}
    if train:
        met = [(label, [b for other, b in train if simple(other) == simple(text)]) for text, label in test]
        met = [(label, others) for label, others in met if others]
        against = [1 for label, others in met if label and all(b and b != label for b in others)]
        expected |= {"train": within(train), "test and train": (len(met), len(against))}
    assert doubles(sheet) == expected


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)), max_size=5))
def test_entities_overlap_where_two_share_a_character(ranges: list[tuple[int, int]]) -> None:
    spans = {Span(start, start + length, "甲") for start, length in ranges}
    shared = any(a.start < b.end and b.start < a.end for a, b in combinations(spans, 2))
    assert overlap(EntityExample(id="1", text="字" * 12, entities=tuple(spans))) == shared


def test_spans_are_compared_where_they_stand_without_spaces() -> None:
    spaced, plain = "他 在北京", "他在北京"
    here = EntityExample(id="1", text=spaced, entities=(Span.of(spaced, 3, 5, "地点"),))
    same = EntityExample(id="2", text=plain, entities=(Span.of(plain, 2, 4, "地点"),))
    other = EntityExample(id="3", text=plain, entities=(Span.of(plain, 1, 4, "地点"),))
    assert key_of(here) == key_of(same)
    assert (contradict(here, same), contradict(here, other), contradict(same, other)) == (False, True, True)


def test_readings_contradict_when_no_answer_is_in_both() -> None:
    def reading(*answers: str) -> ReadingExample:
        return ReadingExample(id="", context="他毕业于北京大学", question="哪里？", published=answers)

    assert not contradict(reading("北京大学"), reading("北大", "北京 大学"))
    assert contradict(reading("北京大学"), reading("清华"))
    assert contradict(reading("北京大学"), reading())
    assert not contradict(reading(), reading())


def test_choices_are_compared_by_what_was_chosen() -> None:
    asked = {"context": "他在北京。", "question": "在哪？"}
    one = ChoiceExample(id="1", options=("北京", "上海"), answer=0, **asked)
    other = ChoiceExample(id="2", options=("上海", "北京"), answer=1, **asked)
    assert answer_of(one) == answer_of(other)
    assert key_of(one) != key_of(other)


def test_an_answer_that_is_not_known_opposes_nothing() -> None:
    group = examples([("好", ""), ("好", "甲"), ("好", ""), ("好", "乙")], "")
    assert opposed(group) == (1, 3)
    assert opposed(group[:3]) is None


def test_what_is_shown_names_both_and_their_answers() -> None:
    sheet = data_sheet("classify", examples([("好 用", "甲")], "测"), examples([("好用", "乙")], "训"))
    (shown,) = sheet.doubles[2].shown
    assert (shown.id, shown.other, shown.text) == ("测0", "训0", "好 用")
    assert (shown.answer, shown.other_answer) == ("甲", "乙")


def test_labels_and_lengths_stand_beside_each_other() -> None:
    test = examples([("好" * 10, "甲"), ("好" * 40, "乙")], "测")
    train = examples([("坏" * 20, "甲"), ("坏" * 21, "甲"), ("坏" * 300, "丙"), ("坏", "")], "训")
    sheet = data_sheet("classify", test, train)
    assert {row.label: row.counts for row in sheet.labels} == {
        "甲": (1, 2),
        "乙": (1, 0),
        "丙": (0, 1),
        "": (0, 1),
    }
    assert [row.name for row in length_bars(sheet)] == [
        "0–16",
        "17–32",
        "33–64",
        "65–128",
        "129–256",
        "257–512",
    ]
    assert sum(n for row in length_bars(sheet) for n, _ in row.bars) == 6
    first = label_bars(sheet)[0]
    assert (first.name, first.bars) == ("甲", ((1, 100.0), (2, 100.0)))


def test_every_task_has_something_to_count() -> None:
    reading = ReadingExample(id="1", context="他在北京", question="谁？")
    choice = ChoiceExample(id="1", context="", question="？", options=("甲", "乙"), answer=1)
    number = PairExample(id="1", first="好", second="坏", value=0.5)
    named = {"reading": (reading, "unanswerable"), "choice": (choice, "2"), "pair": (number, None)}
    for task, (example, label) in named.items():
        assert [row.label for row in data_sheet(task, [example], None).labels] == [label] * bool(label)


def test_surfaces_of_several_types_are_named() -> None:
    def entity(ident: int, label: str) -> EntityExample:
        return EntityExample(id=f"{ident}", text="中国队赢了", entities=(Span.of("中国队赢了", 0, 2, label),))

    gold = [entity(1, "地点"), entity(2, "机构"), entity(3, "地点")]
    sheet = data_sheet("ner", gold, None)
    assert (sheet.ambiguous, sheet.surfaces[0].types) == (1, {"地点": 2, "机构": 1})
    assert data_sheet("segment", gold, None).surfaces == ()


@pytest.mark.realdata
@pytest.mark.slow
def test_a_published_set_repeats_itself(
    published: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHBERT_DATA", str(published("chnsenticorp").parent))
    places = (Path(f"chnsenticorp:sentiment/{split}") for split in ("test", "train"))
    test, train = (read_examples(place, "classify") for place in places)
    sheet = data_sheet("classify", test, train)
    texts = Counter(folded(example.text) for example in train)
    met = [example for example in test if folded(example.text) in texts]
    assert sheet.doubles[2].n == len(met) > 300
    assert sheet.doubles[1].n == len(train) - len(texts) > 1000
    assert sum(row.counts[1] for row in sheet.labels) == len(train)


def test_an_answer_is_shown_as_it_stands_there_and_not_whole() -> None:
    choice = ChoiceExample(id="1", context="", question="？", options=("New York  City", "乙"), answer=0)
    assert answer_in_words(choice) == "New York  City"
    labels = tuple(f"标签{i}" for i in range(50))
    long = (
        LabelExample(id="1", text="字", labels=labels),
        ChoiceExample(id="1", context="", question="？", options=("长" * 99, "乙"), answer=0),
        ReadingExample(id="1", context="字", question="？", published=("长" * 99,)),
        EntityExample(id="1", text="字" * 60, entities=(Span.of("字" * 60, 0, 60, "甲"),)),
        PairExample(id="1", first="", second="", label="长" * 99),
    )
    said = [answer_in_words(example) for example in long]
    assert {len(words) for words in said} == {40}
    assert all(words.endswith("…") for words in said)
