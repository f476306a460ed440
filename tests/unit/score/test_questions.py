"""The parts of a test set: by train, by what the text holds, and cut as the slow way cuts them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhbert.records import (
    ChoiceExample,
    EntityExample,
    EntityPrediction,
    LabelExample,
    LabelPrediction,
    ReadingExample,
    Span,
)
from zhbert.score.counts import OVERALL
from zhbert.score.entities import count_entities
from zhbert.score.judge import judge
from zhbert.score.questions import FAMILIES, training_families
from zhbert.score.segmentation import RANGES, count_words
from zhbert.score.slices import Part, parts
from zhbert.score.splits import data_sheet


def named(found: list[Part], family: str) -> dict[str, int]:
    return {part.name: part.size for part in found if part.family == family}


def entity_parts(gold: list[EntityExample], train: list[EntityExample] | None = None) -> list[Part]:
    said = [EntityPrediction(id=g.id, entities=g.entities, scores=(1.0,) * len(g.entities)) for g in gold]
    return list(judge("ner", gold, said, train=train).parts)


def text_of(i: int, *spans: tuple[int, int, str], text: str = "李明在北京大学听讲座") -> EntityExample:
    return EntityExample(id=str(i), text=text, entities=tuple(Span.of(text, *one) for one in spans))


PERSON, GROUP, PLACE = (0, 2, "人名"), (3, 7, "机构"), (3, 5, "地点")


def test_classes_by_their_frequency_in_train():
    train = (
        [text_of(i, PERSON) for i in range(9)]
        + [text_of(9 + i, GROUP) for i in range(3)]
        + [text_of(12, PLACE)]
    )
    found = entity_parts([text_of(0, PERSON, GROUP), text_of(1, PERSON, PLACE)], train)
    assert named(found, "class in the training set") == {"rare": 1, "middle": 1, "frequent": 2}


def test_of_several_labels_the_rarest_says_how_frequent_an_example_is():
    train = [LabelExample(id=str(i), text="字", labels=("多",) if i else ("少",)) for i in range(9)]
    gold = [
        LabelExample(id=str(i), text="字", labels=labels)
        for i, labels in enumerate([("多",), ("多", "少"), ()])
    ]
    said = [LabelPrediction(id=g.id, labels=g.labels, scores={}) for g in gold]
    found = judge("classify", gold, said, train=train).parts
    assert named(list(found), "class in the training set") == {"rare": 1, "frequent": 1}


def test_texts_without_entities_are_in_no_part_by_their_number():
    gold = [text_of(0), text_of(1, PERSON), text_of(2, PERSON), text_of(3, PERSON, GROUP)]
    assert named(entity_parts(gold), "entities in the text") == {"1": 2, "2": 1}


def test_characters_that_train_lacks_are_counted_once_each():
    train = [text_of(0, PERSON)]
    gold = [
        text_of(0, PERSON),
        text_of(1, text="李明明飞飞"),
        text_of(2, text="赵钱孙李明"),
        text_of(3, text="ＡＢＣＤ李"),
    ]
    found = named(entity_parts(gold, train), "characters new to the training set")
    assert found == {"0": 1, "1": 1, "2–3": 1, "4+": 1}


def test_texts_are_cut_by_the_bands_that_the_data_sheet_shows():
    lengths = (0, 1, 16, 17, 32, 33, 700, 2049)
    gold = [LabelExample(id=str(n), text="字" * n, labels=("甲",)) for n in lengths]
    said = [LabelPrediction(id=g.id, labels=g.labels, scores={}) for g in gold]
    found = named(list(judge("classify", gold, said).parts), "text length")
    assert found == {"0–16": 3, "17–32": 2, "33–64": 1, "513–1024": 1, "2049+": 1}
    (split,) = data_sheet("classify", gold, None).splits
    assert [n for n in split.bands if n] == list(found.values())


def test_a_context_is_in_a_part_however_short_it_is():
    (family,) = (family for family in FAMILIES["choice"] if family.name == "context length")
    asked = [
        ChoiceExample(id="1", context="字" * n, question="？", options=("甲", "乙"))
        for n in (0, 256, 257, 1025)
    ]
    assert list(map(family.ask, asked)) == ["0–256", "0–256", "257–512", "1025+"]


def test_answers_by_where_they_stand():
    context = "甲乙丙丁戊己庚辛壬"

    def third(start: int | None) -> str:
        places = () if start is None else (Span.of(context, start, len(context)),)
        (family,) = (family for family in FAMILIES["reading"] if family.name == "answer position")
        return family.ask(
            ReadingExample(id="1", context=context, question="？", answers=places, published=("答",))
        )

    assert [third(start) for start in (None, 0, 2, 3, 5, 6, 8)] == [
        "",
        *["first third"] * 2,
        *["middle third"] * 2,
        *["last third"] * 2,
    ]


spans = st.lists(
    st.tuples(st.integers(0, 7), st.integers(1, 5), st.sampled_from("甲乙丙")).map(
        lambda s: Span(s[0], min(10, s[0] + s[1]), s[2])
    ),
    max_size=5,
    unique=True,
)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["ner", "segment"])
@settings(max_examples=40)
@given(st.data())
def test_parts_of_spans_are_what_counting_those_spans_again_gives(task: str, data: st.DataObject):
    texts = st.lists(st.tuples(spans, spans), min_size=1, max_size=6)
    found, train = data.draw(texts), data.draw(texts)
    gold = [text_of(i, *((s.start, s.end, s.label) for s in a)) for i, (a, _) in enumerate(found)]
    known = [text_of(i, *((s.start, s.end, s.label) for s in a)) for i, (a, _) in enumerate(train)]
    said = [
        EntityPrediction(id=str(i), entities=tuple(b), scores=(1.0,) * len(b))
        for i, (_, b) in enumerate(found)
    ]
    count = {"ner": count_entities, "segment": count_words}[task]
    ids = [g.id for g in gold]
    whole = count(ids, [g.entities for g in gold], [p.entities for p in said])
    columns = ("gold", *OVERALL, *(RANGES if task == "segment" else ()))
    asked = {f.name: f for f in (*FAMILIES[task], *training_families(task, known)) if f.unit != "examples"}
    for part in parts(task, gold, said, whole, train=known):
        if part.family in asked:
            kept = [
                [
                    [
                        s
                        for s in one
                        if asked[part.family].ask(Span.of(g.text, s.start, s.end, s.label)) == part.name
                    ]
                    for g, one in zip(gold, every, strict=True)
                ]
                for every in ([g.entities for g in gold], [p.entities for p in said])
            ]
            slow = count(ids, *kept)
            assert np.array_equal(part.counts.pick(columns).table, slow.pick(columns).table)
            touched = slow.pick(["tp", "fp", "fn"]).table.any(axis=1)
            assert part.ids == tuple(id for id, hit in zip(ids, touched, strict=True) if hit)
            assert part.size == sum(map(len, kept[0]))


def test_parts_of_examples_keep_what_the_headline_needs_and_no_single_labels():
    gold = [
        LabelExample(id=str(i), text="字" * (1 + 20 * (i % 2)), labels=(f"类{i % 3}",)) for i in range(12)
    ]
    judged = judge("classify", gold, [LabelPrediction(id=g.id, labels=("类0",), scores={}) for g in gold])
    for part in judged.parts:
        assert not [name for name in part.counts.names if ":" in name]
        right = np.mean([g.labels == ("类0",) for g in gold if g.id in part.ids])
        assert float(judged.headline(part.counts)) == pytest.approx(right)
