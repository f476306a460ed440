"""The keyword rules do what they say, and no more."""

import json
from pathlib import Path

import pytest

from zhbert.config import parse
from zhbert.files import Work
from zhbert.records import (
    ChoiceExample,
    EntityExample,
    LabelExample,
    PairExample,
    ReadingExample,
    Span,
    to_json,
)
from zhbert.task.baseline import RULES, BaselineConfig, NaiveBayes, baseline


def test_naive_bayes_against_sums_by_hand() -> None:
    bayes = NaiveBayes([("甲", "a"), ("乙", "b"), ("乙", "b")])
    # pieces: 甲 | 乙 乙; two kinds of piece; P(a) ∝ 1 * (1+1)/(1+2), P(b) ∝ 2 * (0+1)/(2+2)
    a, b = 1 * 2 / 3, 2 * 1 / 4
    assert bayes.weigh("甲") == pytest.approx({"a": a / (a + b), "b": b / (a + b)}, abs=1e-6)


def test_entities_are_looked_up_longest_first() -> None:
    text = "北京大学在北京"
    train = [
        EntityExample(id="1", text=text, entities=(Span.of(text, 0, 4, "机构"), Span.of(text, 5, 7, "地点")))
    ]
    found = RULES["ner"](train)(EntityExample(id="2", text="他从北京大学到北京市"))
    assert [(s.start, s.end, s.label, s.surface) for s in found.entities] == [
        (2, 6, "机构", "北京大学"),
        (7, 9, "地点", "北京"),
    ]


def test_unseen_entities_are_not_found() -> None:
    train = [EntityExample(id="1", text="王芳", entities=(Span.of("王芳", 0, 2, "人名"),))]
    assert RULES["ner"](train)(EntityExample(id="2", text="李强来了")).entities == ()


def test_the_answer_is_the_sentence_that_shares_most() -> None:
    context = "展览在周六开幕。地点是市图书馆。"
    said = RULES["reading"]([])(ReadingExample(id="1", context=context, question="展览的地点是哪里？"))
    assert said.answer is not None
    assert said.answer.surface == "地点是市图书馆。"


def test_pairs_are_told_by_what_differs() -> None:
    train = [
        PairExample(id="1", first="下雨", second="下雨了", label="同"),
        PairExample(id="2", first="下雨", second="不下雨", label="异"),
    ]
    said = RULES["pair"](train)(PairExample(id="3", first="天晴", second="天不晴"))
    assert said.label == "异"


def test_the_stage_answers_every_example_in_order(tmp_path: Path) -> None:
    examples = [
        LabelExample(
            id=str(i), text="主队赢球" if i % 2 else "股价下跌", labels=("体育" if i % 2 else "财经",)
        )
        for i in range(5)
    ]
    file = tmp_path / "all.jsonl"
    file.write_text("".join(to_json(e) + "\n" for e in examples), encoding="utf-8")
    work = Work(tmp_path)
    baseline(parse(BaselineConfig, {"task": "classify", "train": str(file), "source": str(file)}), work)
    said = [json.loads(line) for line in (tmp_path / "predictions.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in said] == ["0", "1", "2", "3", "4"]
    assert [row["labels"][0] for row in said] == [e.labels[0] for e in examples]


def test_several_labels_are_asked_one_by_one() -> None:
    said = [("又快又好", ("快", "好")), ("很快", ("快",)), ("很好", ("好",)), ("很慢", ())]
    train = [LabelExample(id=str(i), text=text, labels=labels) for i, (text, labels) in enumerate(said)]
    rule = RULES["classify"](train)
    assert [set(rule(example).labels) for example in train] == [set(labels) for _, labels in said]


def test_numbers_follow_what_two_texts_share() -> None:
    rows = [
        ("下雨了", "下雨了", 5.0),
        ("下雨了", "天晴", 1.0),
        ("在北京", "在北京", 5.0),
        ("在北京", "去上海", 1.0),
    ]
    train = [PairExample(id=str(i), first=a, second=b, value=v) for i, (a, b, v) in enumerate(rows)]
    rule = RULES["pair"](train)
    assert [rule(example).value for example in train] == pytest.approx([5, 1, 5, 1])
    assert RULES["pair"](train[:1])(train[1]).value == 5
    texts = [LabelExample(id=str(i), text="字", value=v) for i, v in enumerate((1.0, 4.0))]
    assert RULES["classify"](texts)(texts[0]).value == 2.5


def test_the_option_that_stands_in_the_context_is_chosen() -> None:
    asked = ChoiceExample(
        id="1", context="他在北京大学读书", question="他在哪？", options=("上海", "北京大学")
    )
    found = RULES["choice"]([])(asked)
    assert (found.answer, found.scores) == (1, (0.0, 1.0))
