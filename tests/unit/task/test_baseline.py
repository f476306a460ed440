"""The keyword rules do what they say, and no more."""

import json
from pathlib import Path

import pytest

from zhbert.config import parse
from zhbert.errors import ConfigError
from zhbert.files import Work
from zhbert.records import EntityExample, LabelExample, PairExample, ReadingExample, Span, to_json
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


def test_a_task_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no baseline for choice"):
        baseline(parse(BaselineConfig, {"task": "choice", "train": "a", "source": "b"}), Work(tmp_path))
