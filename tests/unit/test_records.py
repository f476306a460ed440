"""Records: spans that stand where they say, and one way to and from JSON."""

import json
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhbert.errors import DataError
from zhbert.records import (
    EXAMPLES,
    PREDICTIONS,
    Candidate,
    ChoiceExample,
    Document,
    EntityExample,
    LabelExample,
    LabelPrediction,
    PairExample,
    ReadingExample,
    ReadingPrediction,
    Span,
    from_plain,
    to_json,
    to_plain,
)

TEXT = "李明在北京工作"
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
shares = st.floats(0, 1)


@st.composite
def spans(draw: st.DrawFn, text: str) -> tuple[Span, ...]:
    if not text:
        return ()
    starts = draw(st.lists(st.integers(0, len(text) - 1), max_size=3))
    return tuple(Span.of(text, s, draw(st.integers(s + 1, len(text))), draw(words)) for s in starts)


@st.composite
def records(draw: st.DrawFn) -> Any:
    kind = draw(st.sampled_from([Document, *EXAMPLES.values(), *PREDICTIONS.values()]))
    text = draw(words)
    entities = draw(spans(text))
    made = {
        "id": draw(words),
        "text": text,
        "context": text,
        "source": draw(words),
        "at": draw(words),
        "meta": draw(st.dictionaries(words, words, max_size=2)),
        "labels": tuple(draw(st.lists(words, max_size=2, unique=True))),
        "label": draw(words),
        "first": text,
        "second": draw(words),
        "question": draw(words),
        "published": tuple(draw(st.lists(words, max_size=2))),
        "others": tuple(Candidate(span, draw(shares)) for span in entities),
        "entities": entities,
        "answers": entities,
        "options": ("甲", "乙"),
        "coverage": draw(shares),
        "score": draw(shares),
        "null_score": draw(shares),
        "raw": tuple(draw(st.lists(shares, max_size=2))),
    }
    if kind in (ChoiceExample, PREDICTIONS["choice"]):
        made["answer"] = draw(st.integers(0, 1))
    if kind is ReadingPrediction:
        made["answer"] = entities[0] if entities else None
    table = kind in (PREDICTIONS["classify"], PREDICTIONS["pair"])
    made["value"] = draw(st.floats(-9, 9) | st.none())
    if made["value"] is not None and {"label", "labels"} & set(kind.__dataclass_fields__):
        made |= {"label": "", "labels": ()}
    made["scores"] = {"甲": draw(shares)} if table else tuple(draw(st.lists(shares, max_size=2)))
    return kind(**{name: made[name] for name in kind.__dataclass_fields__})


@given(records())
def test_a_record_survives_json(record: Any) -> None:
    line = to_json(record)
    assert "\n" not in line
    assert from_plain(type(record), json.loads(line)) == record


def test_chinese_stays_readable_and_fields_keep_their_order() -> None:
    example = EntityExample(id="1", text=TEXT, entities=(Span.of(TEXT, 3, 5, "地点"),))
    assert to_json(example) == (
        '{"id": "1", "text": "李明在北京工作", "entities": '
        '[{"start": 3, "end": 5, "label": "地点", "surface": "北京"}]}'
    )


WRONG: list[tuple[type, Any, str]] = [
    (PairExample, [1], "must be an object, not a list"),
    (PairExample, {"id": "1", "first": "甲"}, 'the field "second" is missing'),
    (PairExample, {"id": 1, "first": "甲", "second": "乙"}, '"id" must be a text, not a whole number'),
    (PairExample, {"id": "1", "frist": "甲"}, r'unknown field "frist" \(did you mean "first"\?\)'),
    (EntityExample, {"id": "1", "text": TEXT, "entities": {}}, '"entities" must be a list, not an object'),
    (
        EntityExample,
        {"id": "1", "text": TEXT, "entities": [{"start": 0, "end": 2}, {"start": True, "end": 2}]},
        r'"entities\[1\].start" must be a whole number, not true or false',
    ),
    (EntityExample, {"id": "1", "text": TEXT, "entities": [{"start": 5, "end": 5}]}, "0 <= start < end"),
    (
        EntityExample,
        {"id": "1", "text": TEXT, "entities": [{"start": 5, "end": 9}]},
        r"ends after the text \(7",
    ),
    (
        ReadingExample,
        {
            "id": "1",
            "context": TEXT,
            "question": "谁",
            "answers": [{"start": 0, "end": 2, "surface": "北京"}],
        },
        'should be "北京" but the text has "李明" there',
    ),
    (
        LabelPrediction,
        {"id": "1", "labels": [], "scores": {"甲": None}},
        '"scores.甲" must be a number, not null',
    ),
    (
        LabelPrediction,
        {"id": "1", "labels": [], "scores": {"甲": True}},
        "must be a number, not true or false",
    ),
    (
        ChoiceExample,
        {"id": "1", "context": "", "question": "", "options": ["甲", "乙"], "answer": 2},
        "answer 2 is not one of the 2 options",
    ),
    (
        ChoiceExample,
        {"id": "1", "context": "", "question": "", "options": ["甲"]},
        "two options or more, not 1",
    ),
    (LabelExample, {"id": "1", "text": TEXT, "labels": ["甲", "甲"]}, 'the label "甲" is given twice'),
    (LabelExample, {"id": "1", "text": TEXT, "labels": ["甲"], "value": 1}, 'not both: "甲" and 1'),
    (LabelExample, {"id": "1", "text": TEXT, "value": float("inf")}, "must be a finite number, not inf"),
    (LabelExample, {"id": "1", "text": TEXT, "value": True}, '"value" must be a number, not true or false'),
]


@pytest.mark.parametrize(("kind", "value", "words"), WRONG)
def test_what_is_wrong_is_said(kind: type, value: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        from_plain(kind, value)


def test_a_whole_number_will_do_for_a_share() -> None:
    found = from_plain(LabelPrediction, {"id": "1", "labels": ["甲"], "scores": {"甲": 1}, "coverage": 1})
    assert found.scores == {"甲": 1.0}
    assert isinstance(found.coverage, float)


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 3), (4, 2)])
def test_a_span_is_never_empty_or_backwards(start: int, end: int) -> None:
    with pytest.raises(DataError, match=f"not {start}..{end}"):
        Span(start, end)


def test_spans_are_compared_by_range_and_label() -> None:
    assert Span(0, 2, "人名", "李明") == Span(0, 2, "人名")
    assert Span(0, 2, "人名") != Span(0, 2, "地点")
    assert sorted([Span(3, 5), Span(0, 2), Span(0, 1)]) == [Span(0, 1), Span(0, 2), Span(3, 5)]


def test_offsets_count_characters_not_bytes_or_code_units() -> None:
    text = "😀𠮷e\u0301北京"
    assert Span.of(text, 4, 6).surface == "北京"


def test_records_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Document(id="1", text="").text = "甲"  # type: ignore[misc]


def test_to_plain_is_lists_and_tables_to_the_bottom() -> None:
    assert to_plain({"a": (Span(0, 1), None, 2.5)}) == {
        "a": [{"start": 0, "end": 1, "label": "", "surface": ""}, None, 2.5]
    }


def test_what_is_rare_is_written_only_where_it_is_there() -> None:
    plain = ReadingExample(id="1", context=TEXT, question="谁？")
    assert to_json(plain) == f'{{"id": "1", "context": "{TEXT}", "question": "谁？", "answers": []}}'
    said = ReadingPrediction(
        id="1", answer=None, score=0.2, null_score=0.8, others=(Candidate(Span.of(TEXT, 0, 2), 0.2),)
    )
    assert to_plain(said)["others"] == [{"span": to_plain(Span.of(TEXT, 0, 2)), "score": 0.2}]
