"""All systems of many reports: what belongs into one table, and how they stand there."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from zhbert.errors import DataError
from zhbert.records import LabelExample, LabelPrediction
from zhbert.score.boardpage import board_markdown, command_for, render_board
from zhbert.score.interval import Difference, Interval
from zhbert.score.leaderboard import APART, OVERLAP, Board, PassedOver, check, leaderboard
from zhbert.score.report import Report, SectionInput, System, build_report
from zhbert.score.sheet import Comparison, Figure, Section, Spread, SystemSheet
from zhbert.score.sheet_match import BEST

SUM = "sha256 58a13a3d24b90888"


def sheet(name: str, value: float, width: float = 0.02, **facts: str) -> SystemSheet:
    of = Interval(value, value - width, value + width)
    return SystemSheet(name=name, figures=(Figure(name="accuracy", of=of),), facts=facts)


def section(*systems: SystemSheet, name: str = "新闻", n: int = 500, **more: Any) -> Section:
    return Section(
        name=name, task="classify", n=n, headline="accuracy", definition="", systems=systems, **more
    )


def report(*sections: Section, gold: str = f"test.jsonl {SUM}, 500 examples, 9,000 characters") -> Report:
    known = {f"data.{one.name}.gold": gold for one in sections} if gold else {}
    return Report(title="题", sections=sections, provenance=known)


def compared(first: str, second: str, verdict: str) -> Comparison:
    difference = Difference(0.1, 0.05, 0.15, 0.001)
    return Comparison(first=first, second=second, metric="accuracy", difference=difference, verdict=verdict)


def names(board: Board) -> list[str]:
    return [entry.system for entry in board.entries]


def test_data_are_the_same_by_content_not_by_name() -> None:
    found = leaderboard(
        "榜",
        {
            "a/report.html": report(section(sheet("一", 0.8))),
            "b/report.html": report(section(sheet("二", 0.9)), gold=f"mini:topics/test {SUM}"),
            "c/report.html": report(section(sheet("三", 0.7)), gold="test.jsonl sha256 00ff"),
        },
    )
    assert [(board.data, board.known_by, names(board)) for board in found.boards] == [
        (("mini:topics/test", "test.jsonl"), SUM, ["二", "一"]),
        (("test.jsonl",), "sha256 00ff", ["三"]),
    ]


def test_another_number_of_examples_or_headline_is_another_table() -> None:
    other = replace(section(sheet("丙", 0.8)), headline="micro_f1")
    reports = {"a": report(section(sheet("甲", 0.8))), "b": report(section(sheet("乙", 0.8), n=499))}
    other = replace(
        other, systems=(replace(other.systems[0], figures=(Figure(name="micro_f1", of=Interval(1, 1, 1)),)),)
    )
    found = leaderboard("榜", reports | {"c": report(other)})
    assert sorted(map(names, found.boards)) == [["丙"], ["乙"], ["甲"]]


def test_data_that_no_report_tells_are_nobody_elses() -> None:
    given = {place: report(section(sheet(place, 0.8)), gold="") for place in ("a", "b")}
    found = leaderboard("榜", given)
    assert [(board.known_by, board.data, names(board)) for board in found.boards] == [
        ("", ("新闻",), ["a"]),
        ("", ("新闻",), ["b"]),
    ]
    assert "does not say which examples these are" in render_board(found)


def test_a_set_of_the_hub_is_known_by_its_name() -> None:
    gold = "tnews@hub:clue/clue:tnews:topics/dev, 500 examples, 1 characters"
    given = {place: report(section(sheet(place, 0.8)), gold=gold) for place in ("a", "b")}
    (board,) = leaderboard("榜", given).boards
    assert board.known_by == "tnews@hub:clue/clue:tnews:topics/dev"


def test_systems_stand_by_their_headline_and_intervals() -> None:
    systems = [sheet("近", 0.84), sheet("远", 0.82), sheet("首", 0.9), sheet("同", 0.9, width=0.05)]
    (board,) = leaderboard("榜", {"a": report(section(*systems))}).boards
    assert [(entry.system, entry.standing) for entry in board.entries] == [
        ("同", BEST),
        ("首", BEST),
        ("近", OVERLAP),
        ("远", APART),
    ]


def test_a_paired_test_that_was_made_is_shown() -> None:
    best, other, third = sheet("best", 0.9), sheet("other", 0.89), sheet("third", 0.88)
    made = section(other, best, comparisons=(compared("other", "best", "worse"),))
    flipped = section(third, best, comparisons=(compared("best", "third", "not distinguishable"),))
    (board,) = leaderboard("榜", {"a": report(made), "b": report(flipped)}).boards
    assert [(entry.system, entry.verdict) for entry in board.entries] == [
        ("best", ""),
        ("other", "worse"),
        ("third", "not distinguishable"),
    ]
    assert board.entries[0].reports == ("a", "b"), "the same system, in two reports"


def test_a_test_against_another_system_of_that_name_is_not_shown() -> None:
    one = report(section(sheet("m", 0.9, seed="1")))
    made = section(sheet("x", 0.8), sheet("m", 0.7, seed="2"), comparisons=(compared("x", "m", "better"),))
    (board,) = leaderboard("榜", {"a": one, "b": report(made)}).boards
    assert [(entry.system, entry.verdict) for entry in board.entries] == [("m", ""), ("x", ""), ("m", "")]


def test_the_same_name_with_other_facts_is_another_system() -> None:
    one, two = sheet("wwm", 0.8, seed="1", size="4 x 312"), sheet("wwm", 0.8, seed="2", size="4 x 312")
    (board,) = leaderboard("榜", {"a": report(section(one)), "b": report(section(two))}).boards
    assert [(entry.reports, entry.facts) for entry in board.entries] == [
        (("a",), {"size": "4 x 312"}),
        (("b",), {"size": "4 x 312"}),
    ]


def test_trainings_and_facts_are_told() -> None:
    facts = {"encoder.strategy": "wwm", "size": "4 x 312", "lr": "0.001", "seconds": "12", "batch": "8"}
    spread = Spread(
        system="wwm", metric="accuracy", figures=(0.7, 0.8, 0.9), low=0.7, high=0.9, deviation=0.1
    )
    given = report(section(sheet("wwm", 0.8, **facts), sheet("x", 0.7), spreads=(spread,)))
    (board,) = leaderboard("榜", {"a": given}).boards
    assert [entry.trainings for entry in board.entries] == [3, 1]
    told = {"encoder": "wwm", "size": "4 x 312", "lr": "0.001", "seconds": "12"}
    assert board.entries[0].facts == told


def test_figures_are_those_of_the_report() -> None:
    gold = [LabelExample(id=str(i), text="主队", labels=("体育",)) for i in range(30)]
    said = [
        LabelPrediction(id=e.id, labels=("体育" if i % 3 else "财经",), scores={}) for i, e in enumerate(gold)
    ]
    trained = [System(predictions=said), System(predictions=said[::-1])]
    asked = SectionInput(name="题.目", task="classify", gold=gold, systems={"a": trained, "b": said})
    known = {"data": {"题.目.gold": f"gold.jsonl {SUM}"}}
    made = build_report("题", sections=[asked], provenance=known, rng=np.random.default_rng(1), draws=100)
    (board,) = leaderboard("榜", {"r": made}).boards
    first = made.sections[0].systems[0]
    assert board.entries[0].figure == first.figures[0].of
    assert board.known_by == SUM
    assert [entry.trainings for entry in board.entries] == [2, 1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (replace(report(section(sheet("甲", 0.8))), format=2), "format 2, where 1 is known"),
        (report(replace(section(sheet("甲", 0.8)), headline="f1")), 'no f1 of "甲" in "新闻"'),
    ],
)
def test_what_cannot_be_listed_says_why(given: Report, said: str) -> None:
    with pytest.raises(DataError, match=said):
        check(given)


def test_page_and_markdown_escape_what_they_are_given() -> None:
    ugly = "<b>|甲`\u202e"
    given = report(section(sheet(ugly, 0.8), sheet("乙", 0.7), name="名"), gold=f"<i>.jsonl {SUM}")
    passed = [PassedOver(file="<x>/report.json", why="no|thing")]
    found = leaderboard("<榜>", {"../a (1)/报告>.html": given}, passed_over=passed)
    page, text = render_board(found), board_markdown(found)
    assert not re.search("<b>|<i>|<x>|<榜>|\u202e", page)
    assert 'href="../a%20%281%29/%E6%8A%A5%E5%91%8A%3E.html"' in page
    assert "leaderboard.json" in page
    assert "| 1 | \\<b\\>\\|甲\\`‹U+202E› | 80.0 [78.0, 82.0] | 1 |" in text
    assert "[1](<../a%20%281%29/%E6%8A%A5%E5%91%8A%3E.html>)" in text
    assert "- \\<x\\>/report.json: no\\|thing" in text


def test_the_command_is_one_that_a_shell_understands() -> None:
    (board,) = leaderboard("榜", {"a": report(section(sheet("it's", 0.8), sheet("乙", 0.7)))}).boards
    assert command_for(board) == """zhbert compare 'it'"'"'s=PREDICTIONS' '乙=PREDICTIONS' -o compared"""
