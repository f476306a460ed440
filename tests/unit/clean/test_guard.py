"""The contamination guard."""

import os
import pickle
from pathlib import Path

import pytest

from zhbert.clean.guard import Guard, Hit
from zhbert.clean.testsets import evaluation_texts

DATA = Path(os.environ.get("ZHBERT_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
LONG = "房间很大，早餐也不错，服务员态度非常好，下次还会再来住"
SHORT = "屏幕非常好看也耐用"


def names(guard: Guard, *texts: str) -> list[tuple[int, str]]:
    return [(hit.text, hit.test) for hit in guard.hits(texts)]


def test_a_shared_run_is_told_as_it_stands_in_the_document() -> None:
    guard = Guard.build([("a", LONG)])
    document = "前言。\n房間 很大！早餐也不错，\n服务员态度非常好，\u200b下次还换一家"
    assert guard.hits(["无关", document]) == [
        Hit(
            text=1,
            test="a",
            start=4,
            end=30,
            shared="房間 很大！早餐也不错，\n服务员态度非常好，\u200b下次还",
        )
    ]


def test_short_tests_are_met_by_whole_lines_and_whole_documents_only() -> None:
    guard = Guard.build([("b", SHORT)])
    assert names(guard, f"{SHORT}。", f"说明\n {SHORT}！\n完", "屏幕非常好看，\n也耐用") == [
        (0, "b"),
        (1, "b"),
        (2, "b"),
    ]
    assert names(guard, f"我觉得{SHORT}", f"{SHORT}但是贵", SHORT[:-1], "") == []


def test_a_document_of_one_line_is_one_hit_where_it_stands() -> None:
    (hit,) = Guard.build([("b", SHORT)]).hits([f"\n\n《{SHORT}》\n"])
    assert (hit.start, hit.end, hit.shared) == (3, 12, SHORT)
    first, *more = Guard.build([("b", SHORT)]).hits([f"{SHORT}\n{SHORT}"])
    assert (first.start, more) == (0, [])


def test_equal_tests_are_both_named() -> None:
    tests = [("a", LONG), ("a2", LONG + "。"), ("b", SHORT), ("b2", SHORT)]
    assert names(Guard.build(tests), f"{SHORT}\n{LONG}") == [(0, "a"), (0, "a2"), (0, "b"), (0, "b2")]


def test_what_is_not_guarded_is_counted() -> None:
    guard = Guard.build([("a", LONG), ("b", SHORT), ("c", "很好，很好，很好。"), ("d", ""), ("e", "甲" * 7)])
    assert guard.counts == {"by a run": 1, "by a whole line": 1, "not guarded": 3}
    assert names(guard, "很好很好很好", "甲" * 7, "甲" * 19) == []


def test_the_borders_of_the_rules() -> None:
    eight, nineteen, twenty = "甲乙丙丁戊己庚辛", LONG.replace("，", "")[:19], LONG.replace("，", "")[:20]
    guard = Guard.build([("8", eight), ("19", nineteen), ("20", twenty)])
    assert guard.counts == {"by a run": 1, "by a whole line": 2, "not guarded": 0}
    assert names(guard, eight, nineteen, "甲" + twenty) == [(0, "8"), (1, "19"), (2, "20")]


def test_a_guard_of_nothing_and_texts_of_nothing() -> None:
    assert names(Guard.build([]), LONG, "") == []
    assert Guard.build([("a", LONG)]).hits([]) == []
    assert names(Guard.build([("a", "\ud800" * 30)]), "\ud800" * 30) == []


def test_a_guard_travels() -> None:
    guard = Guard.build([("a", LONG * 400), ("b", SHORT)])
    data = pickle.dumps(guard)
    assert len(data) < 22 * 400 * len(LONG)
    assert names(pickle.loads(data), LONG, SHORT) == [(0, "a"), (1, "b")]


@pytest.mark.slow
@pytest.mark.realdata
def test_the_leak_of_chnsenticorp_is_found() -> None:
    """325 rows of the test set stand in train with their label, 331 with their text."""
    folder = DATA / "chnsenticorp"
    if not folder.is_dir():
        pytest.skip(f"no real data in {DATA}")
    rows = {
        name: [line.split("\t") for line in (folder / f"{name}.tsv").read_text("utf-8").split("\n")[1:-1]]
        for name in ("train", "test")
    }
    guard = Guard.build(evaluation_texts(folder / "test.tsv"))
    hits = guard.hits([text for _, text in rows["train"]])
    found = {int(hit.test.rpartition(":")[2]) - 2 for hit in hits}
    train = {tuple(row) for row in rows["train"]}
    leaked = {number for number, row in enumerate(rows["test"]) if tuple(row) in train}
    same_text = {number for number, row in enumerate(rows["test"]) if row[1] in {text for _, text in train}}
    assert (len(leaked), len(same_text)) == (325, 331)
    assert same_text <= found
    assert len(found) == 354
