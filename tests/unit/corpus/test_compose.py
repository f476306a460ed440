"""Frames, lexicons and the source folder: syntax, errors, determinism, spans."""

import json
from pathlib import Path

import pytest

from zhbert.corpus.compose import compose
from zhbert.corpus.frames import Dice, Lexicon, Pen, Scope, is_held, join, parse
from zhbert.corpus.source import read_sections, read_source
from zhbert.errors import ConfigError, DataError

MAKE = """
seed = "1"
held_out = ["town", "sport"]
[labels]
town = "地点"
club = "机构"
[lexicons.club]
size = 6
frames = ["{town}俱乐部"]
[[make]]
kind = "ner"
file = "ner"
frames = "ner.txt"
splits = { train = 8, dev = 2, test = 4 }
"""
WORDS = "## town\n北京 天津 上海 重庆 兰州 成都 南京 广州 昆明 拉萨\n## sport (体育)\n足球 篮球\n"
FRAMES = "## 练习\n他在[{town}|{club}]住了{n:2-99}年。\n## 考试 (test)\n[{town}|{club}]有{n:2-99}座桥。\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "lexicons").mkdir(parents=True)
    (folder / "make.toml").write_text(MAKE, "utf-8")
    (folder / "lexicons" / "words.txt").write_text(WORDS, "utf-8")
    (folder / "ner.txt").write_text(FRAMES, "utf-8")
    return folder


def pen(seed: str = "1") -> Pen:
    town = Lexicon(name="town", label="地点", seen=("北京", "天津", "兰州", "成都"), held=("拉萨",))
    return Pen({"town": town}, half="seen", dice=Dice(seed))


def test_choices_nest_and_may_be_empty() -> None:
    texts = {pen(str(i)).write(parse("[很|[非|异]常|]好"), Scope()).text for i in range(60)}
    assert texts == {"很好", "非常好", "异常好", "好"}


def test_numbers_stay_in_their_range() -> None:
    frame = parse("{n:3-5}人")
    assert {pen(str(i)).write(frame, Scope()).text for i in range(60)} == {"3人", "4人", "5人"}


def test_a_key_draws_once_and_other_draws_do_not_repeat() -> None:
    text = pen().write(parse("{town#1}、{town#1}、{town#2}、{town}、{town}"), Scope()).text.split("、")
    assert text[0] == text[1]
    assert set(text) == {"北京", "天津", "兰州", "成都"}


def test_entities_and_marks_stand_where_they_say() -> None:
    made = pen().write(parse("我们<处:从{town#1}[出发|动身]>，回{town#1}。"), Scope())
    town = made.text[2:4] if made.text[2] != "从" else made.text[3:5]
    assert [(s.label, s.surface, made.text[s.start : s.end]) for s in made.entities] == [
        ("地点", town, town)
    ] * 2
    assert [(s.label, made.text[s.start : s.end]) for s in made.marks] == [("处", made.text[2:7])]


def test_join_moves_spans_past_what_stands_between() -> None:
    one = pen().write(parse("{town}"), Scope())
    both = join([one, one], "与")
    assert [both.text[s.start : s.end] for s in both.entities] == [one.text] * 2


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("[很|好", 'a bracket is not closed: "["'),
        ("<谁:{person}", 'a bracket is not closed: "<"'),
        ("很]好", 'stray "]"'),
        ("很|好", 'stray "|"'),
        ("{town", "a slot is not well formed"),
        ("{n:3}", "a slot is not well formed"),
        ("<谁>", "a mark must read"),
    ],
)
def test_a_malformed_frame_is_named_with_its_line(line: str, what: str) -> None:
    with pytest.raises(DataError, match=r"^a\.txt:7: ") as caught:
        parse(line, where="a.txt:7")
    assert what in str(caught.value)


def test_an_unknown_slot_is_named_with_file_line_and_neighbour(source: Path) -> None:
    (source / "ner.txt").write_text(FRAMES + "{towm}很远。\n", "utf-8")
    with pytest.raises(DataError, match=r'ner\.txt:5: unknown slot "towm" \(did you mean "town"\?\)'):
        compose(source, source / "out")


def test_a_question_needs_its_answer_in_the_block(tmp_path: Path) -> None:
    path = tmp_path / "reading.txt"
    path.write_text("## 一\n<人:{town}>来了。\n? 谁来了？ = 任\n", "utf-8")
    with pytest.raises(DataError, match=r'reading\.txt:3: the block marks no answer "任"'):
        read_sections(path)


def test_an_unknown_kind_is_refused(source: Path) -> None:
    (source / "make.toml").write_text(MAKE.replace('kind = "ner"', 'kind = "nr"'), "utf-8")
    with pytest.raises(ConfigError, match=r'make\.toml: make\.0\.kind = "nr": input should be .*ner'):
        compose(source, source / "out")


def test_a_misspelt_key_and_a_missing_file_are_named(source: Path) -> None:
    (source / "make.toml").write_text(MAKE.replace("held_out", "heldout"), "utf-8")
    with pytest.raises(ConfigError, match=r'heldout: unknown key \(did you mean "held_out"\?\)'):
        compose(source, source / "out")
    (source / "make.toml").write_text(MAKE.replace('"ner.txt"', '"nr.txt"'), "utf-8")
    with pytest.raises(DataError, match=r"nr.txt: no such file"):
        compose(source, source / "out")


def test_the_same_source_gives_the_same_bytes_and_another_seed_does_not(source: Path, tmp_path: Path) -> None:
    assert compose(source, tmp_path / "a") == {"ner/train.jsonl": 8, "ner/dev.jsonl": 2, "ner/test.jsonl": 4}
    compose(source, tmp_path / "b")
    first = (tmp_path / "a/ner/train.jsonl").read_bytes()
    assert first == (tmp_path / "b/ner/train.jsonl").read_bytes()
    (source / "make.toml").write_text(MAKE.replace('seed = "1"', 'seed = "2"'), "utf-8")
    compose(source, tmp_path / "c")
    assert first != (tmp_path / "c/ner/train.jsonl").read_bytes()


def test_the_halves_of_the_lexicons_go_to_their_splits(source: Path, tmp_path: Path) -> None:
    compose(source, tmp_path / "out")
    for split, held in (("train", False), ("dev", False), ("test", True)):
        for line in (tmp_path / f"out/ner/{split}.jsonl").read_text("utf-8").splitlines():
            record = json.loads(line)
            assert ("桥" in record["text"]) == held
            (entity,) = record["entities"]
            assert is_held(entity["surface"].removesuffix("俱乐部")) == held
            assert entity["label"] == ("机构" if entity["surface"].endswith("俱乐部") else "地点")


def test_a_group_is_the_union_of_its_lexicons(source: Path) -> None:
    read = read_source(source)
    assert read.groups == ["体育"]
    assert set(read.lexicons["体育"].part("all")) == {"足球", "篮球"}


def test_dice_do_not_change() -> None:
    dice = Dice("不变")
    assert [dice.below(100) for _ in range(6)] == [59, 19, 49, 37, 3, 5]
